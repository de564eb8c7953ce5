"""The pages of standards: the list, one of them, making, publishing and handing out."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid, NotFound
from pointsbank.scoring.contents import CODE, SCORED, digest_of, warnings_of
from pointsbank.scoring.drafting import (
    discard_draft,
    draft_standard,
    export_standard,
    publish_draft,
)
from pointsbank.scoring.errors import BadStandard, BadStandardFile
from pointsbank.scoring.files import FILE_BYTES_MAX, read_file, shipped, shipped_names
from pointsbank.scoring.standards import (
    KEEPER,
    StandardLine,
    check_keeper,
    content_of,
    newest_published,
    standard_line,
    standards_of,
    tried_at,
)
from pointsbank.scoring.standards_schemas import (
    BASE_MODE_WORDS,
    CATEGORY_WORDS,
    DIGEST_LENGTH,
    GRADE_WORDS,
    ROUNDING_WORDS,
    SOURCE_LENGTH_MAX,
    STANDARD_WORDS,
    TABLE_WORDS,
    UNIT_WORDS,
    in_words,
    name_words,
    worded,
)
from pointsbank.scoring.starting import EMPTY, IN_FORCE, beginning
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.errors import sentence_of
from pointsbank.web.formats import hundredths
from pointsbank.web.forms import attempt, settings, typed
from pointsbank.web.languages import locale_name
from pointsbank.web.uploads import FileMissing

pages = Blueprint("standard_pages", __name__)

LINES = 20
DAY_TYPED_MAX = 20
YAML_TYPE = "application/yaml"
Problems = list[tuple[str, str]]


@pages.get("/standards")
@roles_only(KEEPER)
def list_standards() -> ResponseReturnValue:
    """List the drafts and the versions, and offer to begin a draft."""
    return list_page([])


def list_page(problems: Problems) -> ResponseReturnValue:
    """Render the list, with what was wrong with a file or a wish."""
    before = position_from(request.args.get("cursor"))
    with reading() as session:
        check_keeper(session, current_actor())
        drafts = standards_of(session, ("draft",))
        versions = standards_of(session, ("published",), before_id=before, limit=LINES + 1)
    here = url_for("standard_pages.list_standards")
    page = render_template(
        "scoring/standards.html",
        drafts=[listed(each) for each in drafts],
        versions=[listed(each) for each in versions[:LINES]],
        sources=[
            (IN_FORCE, gettext("The version in force")),
            (EMPTY, gettext("Almost nothing")),
            *((name, str(shipped(name)["name"])) for name in shipped_names()),
        ],
        problems=problems,
        links={
            "draft": url_for("standard_pages.draft"),
            "import": url_for("standard_pages.import_standard"),
            "next": f"{here}?cursor={cursor_from(versions[LINES - 1].id)}"
            if len(versions) > LINES
            else "",
            "first": here if before else "",
        },
    )
    return page, 422 if problems else 200


def today() -> date:
    """Return the local day of this moment."""
    return local_day(clock.now(), settings().zone)


def listed(found: StandardLine) -> dict[str, Any]:
    """Return a version or draft as the list prints it."""
    return {
        "href": url_for("standard_pages.show_standard", standard_id=found.id),
        "name": name_words(found.name),
        "when": when_words(found),
        "word": gettext("Version %(version)s", version=found.version)
        if found.version
        else str(STANDARD_WORDS[found.state]),
        "is_in_force": found.is_in_force(today()),
    }


def when_words(found: StandardLine) -> str:
    """Write when a version holds, or who wrote a draft."""
    if found.state != "published":
        return str(gettext("Written by %(name)s", name=found.drafted_by or "–"))
    if found.valid_to is None:
        return str(gettext("From %(day)s", day=found.valid_from.isoformat()))
    return str(
        gettext(
            "From %(day)s until before %(end)s",
            day=found.valid_from.isoformat(),
            end=found.valid_to.isoformat(),
        )
    )


def refused_words(refusal: Exception) -> Problems:
    """Return what was wrong as an error summary prints it, each place with its sentence."""
    if isinstance(refusal, BadStandard):
        return [
            ("", f"{each['place']}: {each['problem']}")
            for each in in_words(refusal.facts["problems"])
        ]
    if isinstance(refusal, Invalid | Conflict | NotFound):
        return [("", sentence_of(refusal))]
    raise refusal


def made(plain: Any) -> ResponseReturnValue:
    """Keep a content as a new draft and show it, or the list with what is wrong."""
    actor, now = current_actor(), clock.now()
    try:
        standard_id = run(
            lambda session: draft_standard(
                session, actor=actor, plain=plain, today=today(), now=now
            )
        )
    except (BadStandard, Conflict) as refusal:
        return list_page(refused_words(refusal))
    flash(gettext("The draft is made. It binds nobody."), "success")
    return redirect(url_for("standard_pages.show_standard", standard_id=standard_id), 303)


@pages.post("/standards/drafts")
@roles_only(KEEPER)
def draft() -> ResponseReturnValue:
    """Begin a draft with what was chosen."""
    source = typed("source", SOURCE_LENGTH_MAX) or IN_FORCE
    try:
        with reading() as session:
            check_keeper(session, current_actor())
            plain = beginning(session, source, today=today())
    except NotFound as refusal:
        return list_page(refused_words(refusal))
    return made(plain)


@pages.post("/standards/file")
@roles_only(KEEPER)
def import_standard() -> ResponseReturnValue:
    """Make a draft from a YAML file, or say which line or field is wrong."""
    with reading() as session:
        check_keeper(session, current_actor())
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise FileMissing
        plain = read_file(file.read(FILE_BYTES_MAX + 1))
    except (FileMissing, BadStandardFile) as refusal:
        return list_page([("file", sentence_of(refusal))])
    return made(plain)


@pages.get("/standards/<id:standard_id>")
@roles_only(KEEPER)
def show_standard(standard_id: int) -> ResponseReturnValue:
    """Show all that a version or draft says, and what may be done with it."""
    return standard_page(standard_id, [])


def standard_page(
    standard_id: int, problems: Problems, typed_in: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    """Render one version or draft, with what was wrong with a form and what was typed there."""
    actor = current_actor()
    with reading() as session:
        check_keeper(session, actor)
        found = standard_line(session, standard_id)
        content = content_of(session, standard_id)
        newest = newest_published(session)
        tried = tried_at(session, standard_id, digest_of(content))
    is_draft = found.state == "draft"
    own: dict[str, Any] = {"standard_id": standard_id}
    page = render_template(
        "scoring/standard.html",
        standard=found,
        listed=listed(found),
        digest=digest_of(content),
        rounding_word=str(ROUNDING_WORDS[content["rounding"]]),
        roundings=list(ROUNDING_WORDS.items()),
        items=[item_words(item, standard_id, is_draft=is_draft) for item in content["items"]],
        tables=[
            table_words(name, table, standard_id, is_draft=is_draft)
            for name, table in content["evaluation_tables"].items()
        ],
        warnings=[place_words(each) for each in worded(warnings_of(content))],
        is_draft=is_draft,
        tried_at=tried,
        may_publish=is_draft and found.drafted_by_id != actor.member_id,
        form={
            "name": found.name,
            "rounding": content["rounding"],
            "valid_from": max(found.valid_from, today(), newest.valid_from).isoformat(),
            **(typed_in or {}),
        },
        problems=problems,
        links={
            "back": url_for("standard_pages.list_standards"),
            "heading": url_for("draft_pages.change_heading", **own),
            "item": url_for("draft_pages.ask_for_item", **own),
            "mobile": url_for("draft_pages.ask_for_table", table_name="mobile", **own)
            if is_draft and "mobile" not in content["evaluation_tables"]
            else "",
            "file": url_for("standard_pages.export", **own),
            "publish": url_for("standard_pages.publish", **own),
            "discard": url_for("standard_pages.discard", **own),
            "trials": url_for("trial_pages.list_trials", **own),
        },
    )
    return page, 422 if problems else 200


def place_words(problem: dict[str, str]) -> str:
    """Write a warning with the place it is about."""
    return f"{problem['place']}: {problem['problem']}"


def item_words(item: dict[str, Any], standard_id: int, *, is_draft: bool) -> dict[str, Any]:
    """Return an item as the page's table prints it."""
    limits = [
        ("points_day_max", gettext("%(most)s points a day", most=item["points_day_max"])),
        ("points_week_max", gettext("%(most)s points a week", most=item["points_week_max"])),
        ("points_year_max", gettext("%(most)s points a year", most=item["points_year_max"])),
        (
            "hundredths_day_max",
            gettext("%(most)s a day", most=hundredths(item["hundredths_day_max"] or 0)),
        ),
        (
            "hundredths_week_max",
            gettext("%(most)s a week", most=hundredths(item["hundredths_week_max"] or 0)),
        ),
        (
            "hundredths_year_max",
            gettext("%(most)s a year", most=hundredths(item["hundredths_year_max"] or 0)),
        ),
    ]
    return {
        "code": item["code"],
        "name": item["name_zh"] if locale_name() == "zh" else item["name"],
        "category": str(CATEGORY_WORDS[item["category"]]),
        "points": item["points"],
        "score": hundredths(item["evaluation_hundredths"]),
        "unit": str(UNIT_WORDS[item["unit"]]),
        "limits": [word for name, word in limits if item[name] is not None],
        "percent": item["coefficient_percent_max"],
        "href": url_for("draft_pages.show_item", standard_id=standard_id, code=item["code"])
        if is_draft and CODE.fullmatch(item["code"])
        else "",
    }


def table_words(
    name: str, table: dict[str, Any], standard_id: int, *, is_draft: bool
) -> dict[str, Any]:
    """Return a table of evaluation as the page prints it."""
    return {
        "name": str(TABLE_WORDS[name]),
        "mode": str(BASE_MODE_WORDS[table["base_mode"]]),
        "rows": [
            (side, str(CATEGORY_WORDS[category]), hundredths(cap))
            for side in ("base", "bonus")
            for category in SCORED
            if (cap := table[side].get(category)) is not None
        ],
        "total": hundredths(sum(table["base"].values()) + sum(table["bonus"].values())),
        "grades": [
            (str(word), gettext("from %(score)s", score=hundredths(table["grades"][grade])))
            for grade, word in GRADE_WORDS.items()
        ],
        "href": url_for("draft_pages.ask_for_table", standard_id=standard_id, table_name=name)
        if is_draft
        else "",
    }


@pages.post("/standards/<id:standard_id>/file")
@roles_only(KEEPER)
def export(standard_id: int) -> ResponseReturnValue:
    """Hand a version or draft out as YAML; the trail keeps who took it."""
    actor, now = current_actor(), clock.now()
    data, name = run(
        lambda session: export_standard(session, standard_id=standard_id, actor=actor, now=now)
    )
    response = Response(data, mimetype=YAML_TYPE)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


@pages.post("/standards/<id:standard_id>/publication")
@roles_only(KEEPER)
def publish(standard_id: int) -> ResponseReturnValue:
    """Let a draft be the rules from a day on, as its second person."""
    actor, now = current_actor(), clock.now()
    try:
        day = date.fromisoformat(typed("valid_from", DAY_TYPED_MAX))
    except ValueError:
        sentence = gettext("Choose the day from which it holds.")
        return standard_page(standard_id, [("valid_from", str(sentence))])
    digest = typed("digest", DIGEST_LENGTH)
    try:
        version = run(
            lambda session: publish_draft(
                session,
                standard_id=standard_id,
                actor=actor,
                valid_from=day,
                seen_digest=digest,
                today=today(),
                now=now,
            )
        )
    except (Invalid, Conflict) as refusal:
        return standard_page(
            standard_id, refused_words(refusal), {"valid_from": day.isoformat()}
        )
    flash(
        gettext("Version %(version)s holds from %(day)s on.", version=version, day=str(day)),
        "success",
    )
    return redirect(url_for("standard_pages.show_standard", standard_id=standard_id), 303)


@pages.post("/standards/<id:standard_id>/discarding")
@roles_only(KEEPER)
def discard(standard_id: int) -> ResponseReturnValue:
    """Put a draft away."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        check_keeper(session, actor)
    is_gone = attempt(
        lambda: run(
            lambda session: discard_draft(
                session, standard_id=standard_id, actor=actor, now=now
            )
        ),
        gettext("The draft is put away."),
    )
    if is_gone:
        return redirect(url_for("standard_pages.list_standards"), 303)
    return redirect(url_for("standard_pages.show_standard", standard_id=standard_id), 303)
