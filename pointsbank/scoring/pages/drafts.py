"""The forms of a draft: its name, its items, its tables of evaluation."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid
from pointsbank.core.text import halfwidth
from pointsbank.scoring.contents import (
    ITEM_NAME_LENGTH_MAX,
    ITEM_RULES,
    NAME_LENGTH_MAX,
    SCORED,
    WHOLE,
    digest_of,
)
from pointsbank.scoring.drafting import change_draft
from pointsbank.scoring.errors import (
    BadStandard,
    NoSuchTable,
    NotADraftStandard,
    UnknownScoringItem,
)
from pointsbank.scoring.pages.standards import standard_page
from pointsbank.scoring.standards import KEEPER, check_keeper, content_of, standard_line
from pointsbank.scoring.standards_schemas import (
    BASE_MODE_WORDS,
    CATEGORY_WORDS,
    DIGEST_LENGTH,
    EVIDENCE_WORDS,
    GRADE_WORDS,
    TABLE_WORDS,
    UNIT_WORDS,
    in_words,
)
from pointsbank.scoring.tables import DEFAULT_TABLE, MOBILE_TABLE
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.errors import sentence_of
from pointsbank.web.formats import hundredths
from pointsbank.web.forms import typed

pages = Blueprint("draft_pages", __name__)

NUMBER_TYPED_MAX = 12
NEW_ITEM: dict[str, Any] = {
    **{name: rule.default for name, rule in ITEM_RULES.items()},
    "code": "",
    "name": "",
    "name_zh": "",
    "category": "volunteer_service",
    "unit": "hour",
    "counts_minutes": True,
}
WORD_FIELDS = {
    "category": CATEGORY_WORDS,
    "unit": UNIT_WORDS,
    "evidence": EVIDENCE_WORDS,
}
NUMBER_FIELDS = {
    "points": lazy_gettext("Points for each unit"),
    "evaluation_hundredths": lazy_gettext("Evaluation score for each unit"),
    "unit_minutes": lazy_gettext("Time counts in steps of so many minutes"),
    "share_min_percent": lazy_gettext("At least so many percent of the plan"),
    "day_minutes_max": lazy_gettext("At most so many minutes a day"),
    "coefficient_percent_max": lazy_gettext("A task may count it up to so many percent"),
}
CAP_FIELDS = {
    "points_day_max": lazy_gettext("Most points a day"),
    "points_week_max": lazy_gettext("Most points a week"),
    "points_year_max": lazy_gettext("Most points a year"),
    "hundredths_day_max": lazy_gettext("Most evaluation score a day"),
    "hundredths_week_max": lazy_gettext("Most evaluation score a week"),
    "hundredths_year_max": lazy_gettext("Most evaluation score a year"),
}
# Kept in hundredths, read and typed as scores; of a table everything but its mode is.
SCORE_FIELDS = (
    "evaluation_hundredths",
    "hundredths_day_max",
    "hundredths_week_max",
    "hundredths_year_max",
)
SCORE_TYPED = re.compile(r"([0-9]{1,7})(?:\.([0-9]{1,2}))?", re.ASCII)
SCORE = "A score from %(least)s to %(most)s is needed here, with two decimals at most."
# What the fields of the two forms are called where a list of problems names them.
ITEM_LABELS = {
    "name_zh": lazy_gettext("Name in Chinese"),
    "name": lazy_gettext("Name in English"),
    "code": lazy_gettext("Code for programs"),
    "category": lazy_gettext("Category"),
    "unit": lazy_gettext("Counts for"),
    "evidence": lazy_gettext("What must be kept with it"),
    **NUMBER_FIELDS,
    **CAP_FIELDS,
}
TABLE_LABELS = {
    **{f"cap_{category}": CATEGORY_WORDS[category] for category in SCORED},
    **{f"grade_{grade}": word for grade, word in GRADE_WORDS.items()},
}
HEADING_LABELS = {
    "name": lazy_gettext("Name of the standard"),
    "rounding": lazy_gettext("What is not whole"),
}
Problems = list[tuple[str, str]]
Change = Callable[[dict[str, Any]], None]


def draft_content(standard_id: int) -> dict[str, Any]:
    """Return what a draft says.

    Raises StandardsForWhole, StandardNotFound, NotADraftStandard.
    """
    with reading() as session:
        check_keeper(session, current_actor())
        if standard_line(session, standard_id).state != "draft":
            raise NotADraftStandard
        return content_of(session, standard_id)


def number_from(text: str) -> Any:
    """Return a whole number as it was typed, full-width digits too; nothing is None."""
    plain = halfwidth(text)
    if not plain:
        return None
    return int(plain) if plain.isascii() and plain.isdigit() else plain


def hundredths_from(text: str) -> Any:
    """Return a score as it was typed in hundredths, 0.5 as 50; nothing is None."""
    plain = halfwidth(text)
    if not plain:
        return None
    found = SCORE_TYPED.fullmatch(plain)
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else plain


def as_typed(kept: Any) -> Any:
    """Return a score as its field shows it; what was no score stays as it was typed."""
    return hundredths(kept) if isinstance(kept, int) else kept


def of_scores(problem: dict[str, Any]) -> dict[str, Any]:
    """Return a problem that a refusal carries, the limits of a score as they are typed."""
    field = problem["place"].rpartition(".")[2]
    is_of_score = field in SCORE_FIELDS or "evaluation_tables." in problem["place"]
    if problem["sentence"] != WHOLE or not is_of_score:
        return problem
    facts = {name: hundredths(value) for name, value in problem["facts"].items()}
    return {**problem, "sentence": SCORE, "facts": facts}


def changed(standard_id: int, content: dict[str, Any], change: Change, at: str) -> Problems:
    """Change a draft that stands as the form had seen it; return what was wrong.

    at: the place of what was changed, which the sentences need not name again.
    """
    actor, now = current_actor(), clock.now()
    change(content)
    try:
        run(
            lambda session: change_draft(
                session,
                standard_id=standard_id,
                actor=actor,
                plain=content,
                seen_digest=typed("digest", DIGEST_LENGTH),
                now=now,
            )
        )
    except BadStandard as bad:
        return [
            (each["place"].removeprefix(f"{at}."), each["problem"])
            if each["place"].startswith(f"{at}.")
            else ("", each["problem"])
            if each["place"] == at
            else ("", f"{each['place']}: {each['problem']}")
            for each in in_words(map(of_scores, bad.facts["problems"]))
        ]
    except (Invalid, Conflict) as refusal:
        return [("", sentence_of(refusal))]
    flash(gettext("The draft is changed."), "success")
    return []


def with_labels(problems: Problems, labels: Mapping[str, Any]) -> Problems:
    """Return problems for a list of them, each sentence behind the name of its field."""
    return [
        (
            field,
            str(gettext("%(what)s: %(said)s", what=str(labels[field]), said=sentence))
            if field in labels
            else sentence,
        )
        for field, sentence in problems
    ]


def back_to(standard_id: int) -> ResponseReturnValue:
    """Show the draft again."""
    return redirect(url_for("standard_pages.show_standard", standard_id=standard_id), 303)


@pages.post("/standards/<id:standard_id>/heading")
@roles_only(KEEPER)
def change_heading(standard_id: int) -> ResponseReturnValue:
    """Let a draft have another name, or round otherwise."""
    content = draft_content(standard_id)
    name, rounding = typed("name", 2 * NAME_LENGTH_MAX), typed("rounding", NUMBER_TYPED_MAX)
    problems = changed(
        standard_id, content, lambda each: each.update(name=name, rounding=rounding), ""
    )
    if problems:
        form = {"name": name, "rounding": rounding}
        return standard_page(standard_id, heading_problems(problems), form)
    return back_to(standard_id)


def heading_problems(problems: Problems) -> Problems:
    """Return problems of a draft's heading by the names of its form's fields."""
    named = []
    for field, sentence in problems:
        place, _, rest = sentence.partition(": ")
        named.append((place, rest) if place in HEADING_LABELS else (field, sentence))
    return with_labels(named, HEADING_LABELS)


@pages.get("/standards/<id:standard_id>/items/new")
@roles_only(KEEPER)
def ask_for_item(standard_id: int) -> ResponseReturnValue:
    """Ask what a new item gives."""
    return item_page(standard_id, NEW_ITEM, digest_of(draft_content(standard_id)), [], "")


@pages.get("/standards/<id:standard_id>/items/<code>")
@roles_only(KEEPER)
def show_item(standard_id: int, code: str) -> ResponseReturnValue:
    """Ask what an item gives instead."""
    content = draft_content(standard_id)
    item = content["items"][place_of(content, code)]
    return item_page(standard_id, item, digest_of(content), [], code)


def place_of(content: dict[str, Any], code: str) -> int:
    """Return where an item stands in a content.

    Raises UnknownScoringItem.
    """
    for place, item in enumerate(content["items"]):
        if item["code"] == code:
            return place
    raise UnknownScoringItem


def item_page(
    standard_id: int, item: dict[str, Any], digest: str, problems: Problems, code: str
) -> ResponseReturnValue:
    """Render an item as a form; code: of the item that stands, empty for a new one."""
    own: dict[str, Any] = {"standard_id": standard_id}
    page = render_template(
        "scoring/item.html",
        item={**item, **{name: as_typed(item[name]) for name in SCORE_FIELDS}},
        scores=SCORE_FIELDS,
        code=code,
        digest=digest,
        problems=with_labels(problems, ITEM_LABELS),
        errors=dict(problems),
        options={name: list(words.items()) for name, words in WORD_FIELDS.items()},
        numbers=list(NUMBER_FIELDS.items()),
        caps=list(CAP_FIELDS.items()),
        limits={"name": ITEM_NAME_LENGTH_MAX},
        links={
            "back": url_for("standard_pages.show_standard", **own),
            "save": url_for("draft_pages.save_item", code=code, **own)
            if code
            else url_for("draft_pages.add_item", **own),
            "remove": url_for("draft_pages.remove_item", code=code, **own) if code else "",
        },
    )
    return page, 422 if problems else 200


def typed_item() -> dict[str, Any]:
    """Return an item as its form was filled in."""
    words = {name: typed(name, 24) for name in WORD_FIELDS}
    names = {name: typed(name, 2 * ITEM_NAME_LENGTH_MAX) for name in ("name", "name_zh")}
    numbers = {
        name: (hundredths_from if name in SCORE_FIELDS else number_from)(
            typed(name, NUMBER_TYPED_MAX)
        )
        for name in (*NUMBER_FIELDS, *CAP_FIELDS)
    }
    return {
        "code": typed("code", 48),
        **names,
        **words,
        **numbers,
        "counts_minutes": bool(typed("counts_minutes", 1)),
    }


@pages.post("/standards/<id:standard_id>/items/new")
@roles_only(KEEPER)
def add_item(standard_id: int) -> ResponseReturnValue:
    """Add an item to a draft, or show what is wrong with it."""
    content, item = draft_content(standard_id), typed_item()
    at = f"items[{len(content['items']) + 1}]"
    problems = changed(standard_id, content, lambda each: each["items"].append(item), at)
    if problems:
        return item_page(standard_id, item, typed("digest", DIGEST_LENGTH), problems, "")
    return back_to(standard_id)


@pages.post("/standards/<id:standard_id>/items/<code>")
@roles_only(KEEPER)
def save_item(standard_id: int, code: str) -> ResponseReturnValue:
    """Let an item of a draft give this instead, or show what is wrong with it."""
    content, item = draft_content(standard_id), typed_item()
    place = place_of(content, code)

    def put(each: dict[str, Any]) -> None:
        each["items"][place] = item

    problems = changed(standard_id, content, put, f"items[{place + 1}]")
    if problems:
        return item_page(standard_id, item, typed("digest", DIGEST_LENGTH), problems, code)
    return back_to(standard_id)


@pages.post("/standards/<id:standard_id>/items/<code>/removal")
@roles_only(KEEPER)
def remove_item(standard_id: int, code: str) -> ResponseReturnValue:
    """Take an item out of a draft."""
    content = draft_content(standard_id)
    place = place_of(content, code)

    def drop(each: dict[str, Any]) -> None:
        each["items"].pop(place)

    for _place, sentence in changed(standard_id, content, drop, ""):
        flash(sentence, "error")
    return back_to(standard_id)


@pages.get("/standards/<id:standard_id>/tables/<table_name>")
@roles_only(KEEPER)
def ask_for_table(standard_id: int, table_name: str) -> ResponseReturnValue:
    """Ask how a year is evaluated; a table for mobile members begins as the usual one."""
    content = draft_content(standard_id)
    check_table(table_name)
    tables = content["evaluation_tables"]
    table = tables.get(table_name, tables[DEFAULT_TABLE])
    return table_page(standard_id, table_name, table_form(table), digest_of(content), [])


def check_table(name: str) -> None:
    """Let pass the names that a table can have.

    Raises NoSuchTable.
    """
    if name not in TABLE_WORDS:
        raise NoSuchTable


def table_form(table: dict[str, Any]) -> dict[str, Any]:
    """Return a table as its form shows it."""
    sides = {
        f"side_{category}": "base" if category in table["base"] else "bonus"
        for category in SCORED
        if category in table["base"] or category in table["bonus"]
    }
    caps = {
        f"cap_{category}": as_typed({**table["base"], **table["bonus"]}.get(category, ""))
        for category in SCORED
    }
    grades = {f"grade_{grade}": as_typed(floor) for grade, floor in table["grades"].items()}
    return {"base_mode": table["base_mode"], **sides, **caps, **grades}


def table_page(
    standard_id: int, name: str, form: dict[str, Any], digest: str, problems: Problems
) -> ResponseReturnValue:
    """Render a table of evaluation as a form."""
    own: dict[str, Any] = {"standard_id": standard_id}
    page = render_template(
        "scoring/table.html",
        form=form,
        name=name,
        title=str(TABLE_WORDS[name]),
        digest=digest,
        problems=with_labels(problems, TABLE_LABELS),
        errors=dict(problems),
        modes=list(BASE_MODE_WORDS.items()),
        categories=[(name, str(CATEGORY_WORDS[name])) for name in SCORED],
        grades=list(GRADE_WORDS.items()),
        may_remove=name == MOBILE_TABLE,
        links={
            "back": url_for("standard_pages.show_standard", **own),
            "save": url_for("draft_pages.save_table", table_name=name, **own),
        },
    )
    return page, 422 if problems else 200


@pages.post("/standards/<id:standard_id>/tables/<table_name>")
@roles_only(KEEPER)
def save_table(standard_id: int, table_name: str) -> ResponseReturnValue:
    """Let a draft evaluate a year like this, or do without a table for mobile members."""
    content = draft_content(standard_id)
    check_table(table_name)
    names = [f"{kind}_{each}" for kind in ("side", "cap") for each in SCORED]
    names += [f"grade_{grade}" for grade in GRADE_WORDS]
    form: dict[str, Any] = {name: typed(name, NUMBER_TYPED_MAX) for name in names}
    form["base_mode"] = typed("base_mode", 24)
    is_removed = table_name == MOBILE_TABLE and bool(typed("remove", 1))

    def put(each: dict[str, Any]) -> None:
        if is_removed:
            each["evaluation_tables"].pop(table_name, None)
        else:
            each["evaluation_tables"][table_name] = table_of(form)

    problems = changed(standard_id, content, put, f"evaluation_tables.{table_name}")
    if problems:
        digest = typed("digest", DIGEST_LENGTH)
        return table_page(standard_id, table_name, form, digest, field_problems(problems))
    return back_to(standard_id)


def field_problems(problems: Problems) -> Problems:
    """Return problems of a table by the names of its form's fields."""
    renamed = []
    for place, sentence in problems:
        side, _, rest = place.partition(".")
        kind = {"base": "cap", "bonus": "cap", "grades": "grade"}.get(side)
        renamed.append((f"{kind}_{rest}" if kind and rest else "", sentence))
    return renamed


def table_of(form: dict[str, Any]) -> dict[str, Any]:
    """Return a table as its form was filled in; a category without a figure gives nothing."""
    found: dict[str, Any] = {"base_mode": form["base_mode"], "base": {}, "bonus": {}}
    for category in SCORED:
        cap = hundredths_from(form[f"cap_{category}"])
        if cap is not None:
            side = "base" if form[f"side_{category}"] == "base" else "bonus"
            found[side][category] = cap
    grades = {grade: hundredths_from(form[f"grade_{grade}"]) for grade in GRADE_WORDS}
    return {**found, "grades": grades}
