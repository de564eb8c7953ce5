"""A draft of the next standard in the demonstration: changed, tried, not yet published."""

from datetime import datetime
from zoneinfo import ZoneInfo

from pointsbank.commands.demonstration.people import District
from pointsbank.core.calendar import local_day, quarter_before, quarter_of
from pointsbank.core.db import transaction
from pointsbank.rankings.trying import run_trial
from pointsbank.scoring.drafting import draft_standard
from pointsbank.scoring.starting import beginning

NAME = "2027 年标准（草案）"
# What the district thinks of for next year, by item.
CHANGES = {
    "volunteer_hour": {"evaluation_hundredths": 60, "points_day_max": 60},
    "care_visit": {"points_week_max": 30},
    "flood_duty": {"coefficient_percent_max": 150},
}


def make_standards(district: District, *, zone: ZoneInfo, now: datetime) -> None:
    """Let one administrator draft a standard and try it over the quarter before."""
    today = local_day(now, zone)
    with transaction() as session:
        plain = beginning(session, "default", today=today)
        plain = {**plain, "name": NAME}
        plain["items"] = [{**item, **CHANGES.get(item["code"], {})} for item in plain["items"]]
        draft_id = draft_standard(
            session, actor=district.first, plain=plain, today=today, now=now
        )
        run_trial(
            session,
            standard_id=draft_id,
            period_name=quarter_before(quarter_of(today)).name,
            organization_code=district.communities[0].code,
            actor=district.first,
            today=today,
            now=now,
        )
