"""Rankings as pages print them: periods, places, a line, one rank taken apart."""

from datetime import date
from typing import Any

from flask import current_app, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import Period, local_day
from pointsbank.core.settings import Settings
from pointsbank.organizations.queries import organizations_within
from pointsbank.rankings.policy import (
    Band,
    band_of,
    minutes_for,
    viewing_paths,
    yearly_factor,
)
from pointsbank.rankings.queries import Ranked, Scope, next_above, tied_name, value_of
from pointsbank.rankings.schemas import (
    band_words,
    figure,
    label_of,
    period_words,
    reason_of,
    signed_score,
)
from pointsbank.rankings.sources import caps_for, standard_for, tables_for
from pointsbank.rankings.viewing import View
from pointsbank.scoring.tables import EvaluationTable
from pointsbank.web.formats import hours, hundredths

# An hour of this item is what "so many hours behind the next rank" is counted in.
HOUR_ITEM = "volunteer_hour"


def settings() -> Settings:
    """Return the settings of the service."""
    found: Settings = current_app.extensions["settings"]
    return found


def code_asked() -> str | None:
    """Return the code of the organization in the address, None when there is none."""
    return request.values.get("organization_code") or None


def my_place(session: Session, actor: Actor) -> str:
    """Return the name of the one organization a person answers for, or words for several."""
    standing = organizations_within(session, viewing_paths(actor), limit=1)
    paths = viewing_paths(actor)
    if len(set(paths)) == 1 and standing and paths[0] != "/":
        return standing[0].name
    return str(gettext("All I answer for"))


def period_name(period: Period) -> str:
    """Write 2026年第四季度, or 2026-Q4; a span of one's own by its days."""
    return period_words(period.name)


def printed_line(row: Ranked, of: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Return a row as the rank table prints it; a member's leads to why it is so."""
    href = url_for("ranking_pages.why", member_id=row.id, **asked) if of == "members" else ""
    return {
        "rank": row.rank or "–",
        "tied": row.is_tied,
        "name": row.name,
        "href": href,
        "score": hundredths(row.evaluation_hundredths),
        "points": row.points_earned,
        "minutes": row.service_minutes,
        "grade": "",
        "current": False,
    }


def explanation(session: Session, view: View, scope: Scope, row: Ranked) -> dict[str, Any]:
    """Return a rank taken apart, as the component prints it; a band where it is one's own."""
    is_own = view.member_id is not None
    band = band_of(row.evaluation_hundredths, table_of(session, view.period, row))
    shown: dict[str, Any] = {
        "name": row.name,
        "score": hundredths(row.evaluation_hundredths),
        "rank": None if is_own else row.rank,
        "is_exempt": row.is_exempt,
        "band": band_words(band) if is_own else "",
        "tied_with": "",
        "gap": None,
        "parts": [
            {
                "name": label_of(part["category"]),
                "score": figure(signed_score(part)),
                "cap": figure(part["cap"]),
                "why": reason_of(part, view.period),
                "href": entries_link(row.id, part) if part["entries"] else "",
            }
            for part in row.parts
        ],
        "note": note_of(view.period, row),
    }
    if is_own:
        shown["gap"] = gap_to_band(session, view.period, row, band)
    elif row.rank is not None:
        shown["gap"] = gap_to_rank(session, view.period, scope, row)
        if row.is_tied:
            value = value_of(row, scope.measure)
            shown["tied_with"] = tied_name(session, scope, value=value, but_not=row.id)
    return shown


def note_of(period: Period, row: Ranked) -> str:
    """Say how parts come to the score, where that is not plain."""
    total = sum(signed_score(part) for part in row.parts)
    said = []
    if yearly_factor(period) > 1:
        said.append(gettext("Caps are a year's; a shorter period is put on the year's scale."))
    if total != row.evaluation_hundredths:
        said.append(gettext("A score is never below 0 nor above 100."))
    return " ".join(map(str, said))


def entries_link(member_id: int, part: dict[str, Any]) -> str:
    """Return where the entries behind a part are listed."""
    return url_for(
        "ranking_pages.list_entries",
        member_id=member_id,
        category=part["category"],
        **asked_words(),
    )


def asked_words() -> dict[str, Any]:
    """Return what was asked for in this address, for those it leads to."""
    names = ("period", "organization_code", "measure")
    return {name: request.values.get(name) or None for name in names}


def table_of(session: Session, period: Period, row: Ranked) -> EvaluationTable:
    """Return the table by which a row was evaluated."""
    return tables_for(session, standard_for(session, period, local_today()).id)[row.table_name]


def local_today() -> date:
    """Return this day on the wall calendar."""
    return local_day(clock.now(), settings().zone)


def gap_to_rank(
    session: Session, period: Period, scope: Scope, row: Ranked
) -> dict[str, Any] | None:
    """Return how far the next rank is, None above the best."""
    value = value_of(row, scope.measure)
    above = next_above(session, scope, value)
    if above is None:
        return None
    behind = above.value - value
    return {
        "behind": behind_words(scope.measure, behind),
        "to": gettext("rank %(rank)s", rank=above.rank),
        "in_words": gap_in_hours(session, period, row, behind)
        if scope.measure == "evaluation"
        else "",
    }


def behind_words(measure: str, behind: int) -> str:
    """Write how much of a measure is missing: 2.5 of the score, 20 points, 3 hours."""
    if measure == "minutes":
        return hours(behind)
    if measure == "points":
        return str(gettext("%(points)s points", points=behind))
    return str(gettext("%(score)s of the score", score=hundredths(behind)))


def gap_to_band(
    session: Session, period: Period, row: Ranked, band: Band
) -> dict[str, Any] | None:
    """Return how far the next band is, None in the best."""
    if band.upper is None or row.is_exempt:
        return None
    behind = band.upper - row.evaluation_hundredths
    return {
        "behind": behind_words("evaluation", behind),
        "to": gettext("the next band, from %(score)s on", score=figure(band.upper)),
        "in_words": gap_in_hours(session, period, row, behind),
    }


def gap_in_hours(session: Session, period: Period, row: Ranked, behind: int) -> str:
    """Return the service time that would close a gap; empty when a cap leaves no room.

    Caps of a day or week only spread it over more of them; the year's and the part's end it.
    What deductions took below zero has to be made good first.
    """
    standard = standard_for(session, period, local_today())
    item = next((each for each in standard.items if each.code == HOUR_ITEM), None)
    if item is None or not item.evaluation_hundredths:
        return ""
    factor = yearly_factor(period)
    behind += max(0, -sum(signed_score(each) for each in row.parts))
    part = next((p for p in row.parts if p["category"] == item.category), None)
    had = part["score"] if part else 0
    room = table_of(session, period, row).cap_of(item.category) - had
    year = caps_for(session, standard)[HOUR_ITEM].year
    if year is not None:
        room = min(room, year - had)
    if behind > room:
        return ""
    return hours(
        minutes_for(behind, hundredths_an_hour=item.evaluation_hundredths, factor=factor)
    )
