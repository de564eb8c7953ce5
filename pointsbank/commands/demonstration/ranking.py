"""The rankings of the demonstration: what runs, the quarter before, and a campaign's weeks."""

from datetime import datetime, timedelta

from pointsbank.commands.demonstration.people import District
from pointsbank.commands.demonstration.stage import Stage
from pointsbank.core.calendar import quarter_before, quarter_of
from pointsbank.core.db import transaction
from pointsbank.rankings.periods import make_period, periods_running, spans_running
from pointsbank.rankings.rolling_up import roll_up

CAMPAIGN = "河道清洁月"
CAMPAIGN_DAYS = 28


def make_rankings(stage: Stage, district: District, now: datetime) -> None:
    """Roll up the running periods, the quarter before, and a span that somebody made."""
    with transaction() as session:
        make_period(
            session,
            title=CAMPAIGN,
            first_on=stage.today - timedelta(days=CAMPAIGN_DAYS - 1),
            last_on=stage.today,
            made_by_id=district.second_id,
            today=stage.today,
            now=now,
        )
        spans = spans_running(session, stage.today)
    before = quarter_before(quarter_of(stage.today))
    for period in (before, *periods_running(stage.today), *spans):
        with transaction() as session:
            roll_up(session, period=period, zone=stage.zone, now=now)
