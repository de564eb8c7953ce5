"""What a standard says, as plain data: judged field by field, filled with what is usual.

The same shape stands in a YAML file, in a program's request and behind the forms.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pointsbank.core.text import cleaned
from pointsbank.scoring.models import (
    CATEGORIES,
    COEFFICIENT_PERCENT_MAX,
    EVIDENCES,
    ITEM_CAPS,
    MINUTES_MAX,
    ROUNDINGS,
    UNITS,
)
from pointsbank.scoring.tables import (
    BASE_MODES,
    DEFAULT_TABLE,
    FULL_HUNDREDTHS,
    GRADES_WITH_FLOORS,
    MOBILE_TABLE,
)

ITEMS_MAX = 60
PROBLEMS_MAX = 20
# A single shift that gives more than this was mistyped.
POINTS_MAX = 1000
CAP_MAX = 100_000
NAME_LENGTH_MAX = 120
ITEM_NAME_LENGTH_MAX = 60
CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
# What other rooms enter by its code whatever version is in force.
NEEDED = ("deduction", "democratic_appraisal")
# Entries by hand stand under the first item of this category.
NEEDED_CATEGORY = "volunteer_service"
NEVER_PAID = ("organization_life", "deduction")
SCORED = tuple(category for category in CATEGORIES if category != "deduction")

TEXT = "Text of 1 to %(most)s characters is needed here."
WHOLE = "A whole number from %(least)s to %(most)s is needed here."
CHOICE = "One of these is needed here: %(choices)s."
YES_NO = "true or false is needed here."
UNKNOWN = "There is no such field."
MISSING = "This field is missing."
MAPPING = "Fields with values are needed here."
LISTED = "A list of 1 to %(most)s items is needed here."


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field: a sentence to be translated, with its facts."""

    place: str
    sentence: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """What one field of an item takes; a default of None means that it may be missing."""

    kind: str
    least: int = 0
    most: int = 0
    choices: tuple[str, ...] = ()
    default: Any = None
    is_needed: bool = False
    may_be_none: bool = False


ITEM_RULES: dict[str, Rule] = {
    "code": Rule("code", is_needed=True),
    "name": Rule("text", most=ITEM_NAME_LENGTH_MAX, is_needed=True),
    "name_zh": Rule("text", most=ITEM_NAME_LENGTH_MAX, is_needed=True),
    "category": Rule("choice", choices=CATEGORIES, is_needed=True),
    "unit": Rule("choice", choices=UNITS, is_needed=True),
    "points": Rule("whole", most=POINTS_MAX, default=0),
    "evaluation_hundredths": Rule("whole", most=FULL_HUNDREDTHS, default=0),
    "counts_minutes": Rule("yes_no", default=False),
    "unit_minutes": Rule("whole", least=1, most=60, default=30),
    "share_min_percent": Rule("whole", most=100, default=60),
    "day_minutes_max": Rule("whole", most=MINUTES_MAX, default=8 * 60),
    "evidence": Rule("choice", choices=EVIDENCES, default="scan"),
    "coefficient_percent_max": Rule(
        "whole", least=100, most=COEFFICIENT_PERCENT_MAX, default=100
    ),
    **{name: Rule("whole", most=CAP_MAX, may_be_none=True) for name in ITEM_CAPS},
}
TOP_FIELDS = ("name", "rounding", "items", "evaluation_tables")
TABLE_FIELDS = ("base_mode", "base", "bonus", "grades")


@dataclass
class Judge:
    """Collects what is wrong; the first problems of a file are enough to mend it."""

    problems: list[Problem] = field(default_factory=list)

    def say(self, place: str, sentence: str, **facts: Any) -> None:
        """Note a problem."""
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(Problem(place, sentence, facts))

    def value(self, place: str, rule: Rule, found: Any) -> Any:
        """Return a value that fits its rule, or note why it does not and return its default."""
        if rule.may_be_none and found is None:
            return None
        return getattr(self, rule.kind)(place, rule, found)

    def text(self, place: str, rule: Rule, found: Any) -> Any:
        """Judge one line of text."""
        if isinstance(found, str) and found == cleaned(found) and 0 < len(found) <= rule.most:
            return found
        self.say(place, TEXT, most=rule.most)
        return ""

    def code(self, place: str, _rule: Rule, found: Any) -> Any:
        """Judge the name by which programs know an item."""
        if isinstance(found, str) and CODE.fullmatch(found):
            return found
        self.say(
            place, "A code has up to 40 small letters, digits and underscores, a letter first."
        )
        return ""

    def whole(self, place: str, rule: Rule, found: Any) -> Any:
        """Judge a whole number; true and false are none."""
        is_whole = isinstance(found, int) and not isinstance(found, bool)
        if is_whole and rule.least <= found <= rule.most:
            return found
        self.say(place, WHOLE, least=rule.least, most=rule.most)
        return rule.default or rule.least

    def choice(self, place: str, rule: Rule, found: Any) -> Any:
        """Judge one of a few words."""
        if isinstance(found, str) and found in rule.choices:
            return found
        self.say(place, CHOICE, choices=", ".join(rule.choices))
        return rule.choices[0]

    def yes_no(self, place: str, _rule: Rule, found: Any) -> Any:
        """Judge true or false."""
        if isinstance(found, bool):
            return found
        self.say(place, YES_NO)
        return False

    def mapping(self, place: str, found: Any, known: Sequence[str]) -> dict[str, Any]:
        """Judge that fields are known ones, and return those that are."""
        if not isinstance(found, Mapping):
            self.say(place or "/", MAPPING)
            return {}
        for name in found:
            if name not in known:
                self.say(_under(place, str(name)[:40]), UNKNOWN)
        return {name: found[name] for name in known if name in found}


def judged(
    plain: Any, *, known_categories: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], list[Problem]]:
    """Return a standard's content with every field filled, and what is wrong with it.

    known_categories: of item codes that published versions have; a code keeps its own for
    ever, since what members have by it adds up over all versions.
    """
    judge = Judge()
    given = judge.mapping("", plain, TOP_FIELDS)
    for name in TOP_FIELDS:
        if name not in given and name != "rounding":
            judge.say(name, MISSING)
    content = {
        "name": judge.value("name", Rule("text", most=NAME_LENGTH_MAX), given["name"])
        if "name" in given
        else "",
        "rounding": judge.value(
            "rounding", Rule("choice", choices=ROUNDINGS), given.get("rounding", ROUNDINGS[0])
        ),
        "items": _items(judge, given["items"]) if "items" in given else [],
        "evaluation_tables": _tables(judge, given["evaluation_tables"])
        if "evaluation_tables" in given
        else {},
    }
    _judge_codes(judge, content["items"], known_categories or {})
    return content, judge.problems


def _items(judge: Judge, found: Any) -> list[dict[str, Any]]:
    if not isinstance(found, list) or not 0 < len(found) <= ITEMS_MAX:
        judge.say("items", LISTED, most=ITEMS_MAX)
        return []
    return [_item(judge, f"items[{number}]", each) for number, each in enumerate(found, 1)]


def _item(judge: Judge, place: str, found: Any) -> dict[str, Any]:
    given = judge.mapping(place, found, tuple(ITEM_RULES))
    item: dict[str, Any] = {}
    for name, rule in ITEM_RULES.items():
        if name in given:
            item[name] = judge.value(_under(place, name), rule, given[name])
        else:
            item[name] = rule.default
            if rule.is_needed:
                judge.say(_under(place, name), MISSING)
    if item["category"] in NEVER_PAID and item["points"]:
        judge.say(_under(place, "points"), "This kind of item never gives points: enter 0.")
    return item


def _judge_codes(
    judge: Judge, items: Sequence[Mapping[str, Any]], known: Mapping[str, str]
) -> None:
    seen: set[str] = set()
    for number, item in enumerate(items, 1):
        code = item["code"]
        if code and code in seen:
            judge.say(
                f"items[{number}].code", "The code %(code)s stands here twice.", code=code
            )
        seen.add(code)
        if known.get(code, item["category"]) != item["category"]:
            judge.say(
                f"items[{number}].category",
                "%(code)s was of the category %(category)s in earlier versions and stays so.",
                code=code,
                category=known[code],
            )
    for code in NEEDED:
        if items and code not in seen:
            judge.say("items", "Every standard needs the item %(code)s.", code=code)
    if items and not any(item["category"] == NEEDED_CATEGORY for item in items):
        judge.say(
            "items", "Every standard needs an item of %(category)s.", category=NEEDED_CATEGORY
        )


def _tables(judge: Judge, found: Any) -> dict[str, Any]:
    given = judge.mapping("evaluation_tables", found, (DEFAULT_TABLE, MOBILE_TABLE))
    if isinstance(found, Mapping) and DEFAULT_TABLE not in given:
        judge.say(f"evaluation_tables.{DEFAULT_TABLE}", MISSING)
    return {
        name: _table(judge, f"evaluation_tables.{name}", each) for name, each in given.items()
    }


def _table(judge: Judge, place: str, found: Any) -> dict[str, Any]:
    given = judge.mapping(place, found, TABLE_FIELDS)
    for name in TABLE_FIELDS:
        if name not in given:
            judge.say(_under(place, name), MISSING)
    table = {
        "base_mode": judge.value(
            f"{place}.base_mode",
            Rule("choice", choices=BASE_MODES),
            given.get("base_mode", BASE_MODES[0]),
        ),
        **{
            side: _caps(judge, f"{place}.{side}", given.get(side, {}))
            for side in ("base", "bonus")
        },
        "grades": _floors(judge, f"{place}.grades", given.get("grades", {})),
    }
    for category in table["bonus"]:
        if category in table["base"]:
            judge.say(f"{place}.bonus.{category}", "A category is base or bonus, and not both.")
    if not sum(table["base"].values()) + sum(table["bonus"].values()):
        judge.say(place, "Some category must give something.")
    return table


def _caps(judge: Judge, place: str, found: Any) -> dict[str, int]:
    rule = Rule("whole", most=FULL_HUNDREDTHS)
    given = judge.mapping(place, found, SCORED)
    return {name: judge.value(f"{place}.{name}", rule, each) for name, each in given.items()}


def _floors(judge: Judge, place: str, found: Any) -> dict[str, int]:
    rule = Rule("whole", most=FULL_HUNDREDTHS)
    given = judge.mapping(place, found, GRADES_WITH_FLOORS)
    floors = {}
    for grade in GRADES_WITH_FLOORS:
        if grade not in given:
            judge.say(f"{place}.{grade}", MISSING)
        floors[grade] = judge.value(f"{place}.{grade}", rule, given.get(grade, 0))
    if not floors["excellent"] > floors["qualified"] > floors["basic"]:
        judge.say(place, "The grades must go down: excellent, then qualified, then basic.")
    return floors


def warnings_of(content: Mapping[str, Any]) -> list[Problem]:
    """Return what is allowed and perhaps not meant."""
    found = []
    for name, table in content["evaluation_tables"].items():
        total = sum(table["base"].values()) + sum(table["bonus"].values())
        if total != FULL_HUNDREDTHS:
            found.append(
                Problem(
                    f"evaluation_tables.{name}",
                    "Base and bonus add up to %(total)s, not to 100. A score ends at 100.",
                    {"total": f"{total / 100:g}"},
                )
            )
        given = {item["category"] for item in content["items"]}
        found += [
            Problem(
                f"evaluation_tables.{name}.{side}.{category}",
                "No item gives anything in this category.",
            )
            for side in ("base", "bonus")
            for category, cap in table[side].items()
            if cap and category not in given and table["base_mode"] == "earn"
        ]
    return found


def compact(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a content as a file has it: limits that are none are left out."""
    return {
        **content,
        "items": [
            {
                name: value
                for name, value in item.items()
                if value is not None or name not in ITEM_CAPS
            }
            for item in content["items"]
        ],
    }


def digest_of(content: Mapping[str, Any]) -> str:
    """Return SHA-256 over a judged content, by which two people know that they mean the same.

    Items count in their order, other fields by name.
    """
    spelled = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(spelled.encode()).hexdigest()


def _under(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
