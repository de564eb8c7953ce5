"""The words of a notice: what its kind is called, its sentences, and what a line says."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import gettext, lazy_gettext

from pointsbank.notices.policy import OBJECTION_UPHELD
from pointsbank.web.formats import full_day, hours, points

KIND_WORDS = {
    "ranking": lazy_gettext("Standing in bands"),
    "grade": lazy_gettext("Grades"),
    "post": lazy_gettext("Posts taken"),
    "star": lazy_gettext("Volunteer stars"),
    "organization_star": lazy_gettext("Stars of organizations"),
    "certificate": lazy_gettext("Certificates of service"),
}
STATE_WORDS = {
    "draft": lazy_gettext("Waits for review"),
    "reviewed": lazy_gettext("Opens soon"),
    "open": lazy_gettext("Shown in public"),
    "contested": lazy_gettext("To be corrected"),
    "locked": lazy_gettext("Final"),
    "replaced": lazy_gettext("Corrected by a later version"),
    "withdrawn": lazy_gettext("Was withdrawn"),
}
OBJECTION_WORDS = {
    "raised": lazy_gettext("Waits for an answer"),
    "accepted": lazy_gettext("Is being looked into"),
    "dismissed": lazy_gettext("Not taken up"),
    "upheld": lazy_gettext("Upheld"),
    "rejected": lazy_gettext("Not upheld"),
}
# What stands in place of words where no person said why.
REASON_WORDS = {
    OBJECTION_UPHELD: lazy_gettext("An objection to the public notice was upheld"),
}
GRADE_WORDS = {
    "excellent": lazy_gettext("Excellent"),
    "qualified": lazy_gettext("Qualified"),
    "basic": lazy_gettext("Basically qualified"),
    "unqualified": lazy_gettext("Unqualified"),
}
MEASURE_WORDS = {
    "evaluation": lazy_gettext("evaluation score"),
    "points": lazy_gettext("points earned"),
    "minutes": lazy_gettext("service time"),
}


def reason_words(reason: str) -> str:
    """Write a reason that was kept as a code in the reader's language; typed words stay."""
    return str(REASON_WORDS.get(reason, reason))


def _day(text: str) -> str:
    return full_day(date.fromisoformat(text))


def sentences(kind: str, facts: Mapping[str, Any]) -> list[str]:
    """Return what a notice says above its lines: the one template of its kind, filled."""
    said = [str(_first(kind, facts))]
    if facts.get("exempt"):
        said.append(
            gettext("%(exempt)s members are exempt and not graded.", exempt=facts["exempt"])
        )
    if facts.get("unnamed"):
        said.append(
            gettext("%(unnamed)s members are counted and not named.", unnamed=facts["unnamed"])
        )
    if facts.get("rule"):
        said.append(gettext("By the rule: %(rule)s.", rule=facts["rule"]))
    if facts.get("purpose"):
        said.append(gettext("For: %(purpose)s.", purpose=facts["purpose"]))
    if facts.get("place"):
        said.append(gettext("Place: %(place)s.", place=facts["place"]))
    if "standard" in facts:
        said.append(
            gettext(
                "Counted by version %(version)s of the scoring standard.",
                version=facts["standard"],
            )
        )
    if "snapshot" in facts:
        said.append(gettext("Frozen sums, version %(version)s.", version=facts["snapshot"]))
    return said


def _first(kind: str, facts: Mapping[str, Any]) -> Any:
    if kind == "ranking":
        return gettext(
            "How members stand in %(period)s by %(measure)s, in bands and without places."
            " %(members)s members were counted.",
            period=facts["period"],
            measure=MEASURE_WORDS[facts.get("measure", "evaluation")],
            members=facts["members"],
        )
    if kind == "grade":
        return gettext(
            "The branch committee discussed the grades of %(period)s; people decide, and the"
            " score is a reference. %(members)s members were graded.",
            period=facts["period"],
            members=facts["members"],
        )
    if kind == "post":
        return _first_of_posts(facts)
    if kind == "star":
        return gettext(
            "These volunteers have served long enough and applied for their star of %(year)s.",
            year=facts["year"],
        )
    if kind == "organization_star":
        return gettext(
            "These organizations are to be awarded their stars of %(year)s.", year=facts["year"]
        )
    if "from_on" in facts and "until_on" in facts:
        return gettext(
            "Certificates of volunteer service from %(first)s through %(last)s are to be made"
            " out for these people.",
            first=_day(facts["from_on"]),
            last=_day(facts["until_on"]),
        )
    return gettext("Certificates of volunteer service are to be made out for these people.")


def _first_of_posts(facts: Mapping[str, Any]) -> Any:
    if "until_on" in facts:
        return gettext(
            "These people take the posts of “%(task)s” from %(first)s through %(last)s.",
            task=facts["task"],
            first=_day(facts["from_on"]),
            last=_day(facts["until_on"]),
        )
    return gettext(
        "These people take the posts of “%(task)s” from %(first)s on.",
        task=facts["task"],
        first=_day(facts["from_on"]),
    )


def columns(kind: str) -> list[str]:
    """Return the headings of the lines of a kind."""
    headings = {
        "ranking": [gettext("Name"), gettext("Band")],
        "grade": [gettext("Name"), gettext("Grade")],
        "post": [gettext("Name"), gettext("Post")],
        "star": [gettext("Name"), gettext("Stars"), gettext("Service time")],
        "organization_star": [gettext("Organization"), gettext("Stars"), gettext("Marks")],
        "certificate": [
            gettext("Name"),
            gettext("Service time"),
            gettext("Span"),
            gettext("Number"),
        ],
    }
    return [str(each) for each in headings[kind]]


def cells(kind: str, name: str, facts: Mapping[str, Any]) -> list[str]:
    """Return one line as it is printed under these headings."""
    if kind == "ranking":
        return [name, facts["band"]]
    if kind == "grade":
        return [name, str(GRADE_WORDS[facts["grade"]])]
    if kind == "post":
        return [name, facts["post"]]
    if kind == "star":
        return [name, "★" * facts["stars"], hours(facts["minutes"])]
    if kind == "organization_star":
        marks = facts.get("marks")
        return [name, "★" * facts["stars"], "–" if marks is None else points(marks)]
    span = [_day(facts[each]) for each in ("from_on", "until_on") if each in facts]
    return [name, hours(facts["minutes"]), " – ".join(span) or "–", facts.get("number", "–")]
