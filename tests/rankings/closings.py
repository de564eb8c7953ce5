"""A branch whose quarter is over, for tests of closing, correcting and grading."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.calendar import read_period
from pointsbank.organizations.models import Organization
from pointsbank.rankings.closing import close_period
from pointsbank.rankings.correcting import ask_correction, decide_correction
from pointsbank.rankings.noticing import draft_ranking_notice
from tests.builders import a_branch, a_member, a_score_entry

ZONE = ZoneInfo("Asia/Shanghai")
QUARTER = read_period("2026-Q3")
YEAR = read_period("2026")
# In the quarter, at its closing, and afterwards.
DURING = datetime(2026, 9, 1, 4, tzinfo=UTC)
CLOSES = datetime(2026, 10, 7, 16, 45, tzinfo=UTC)
ENTERED_LATE = datetime(2026, 10, 19, 4, tzinfo=UTC)
LATER = datetime(2026, 10, 20, 4, tzinfo=UTC)
AFTER_YEAR = datetime(2027, 1, 7, 16, 45, tzinfo=UTC)
SOME_DAY = date(2026, 9, 1)


class Branch:
    """A branch with five members: 4, 2, 2, 1 and no hours of volunteer service."""

    def __init__(self, session):
        self.id = a_branch(session, now=datetime(2026, 1, 1, tzinfo=UTC))
        self.path = session.scalar(select(Organization.path).where(Organization.id == self.id))
        self.members = [
            a_member(session, name, self.id, now=datetime(2026, 2, 1, tzinfo=UTC))
            for name in ("王桂兰", "李敏", "陈明", "周芬", "何军")
        ]
        for member_id, hours in zip(self.members, (4, 2, 2, 1, 0), strict=True):
            for _ in range(hours):
                self.entry(session, member_id)
        self.secretary, self.second, self.third = (
            a_member(session, name, now=datetime(2026, 2, 1, tzinfo=UTC))
            for name in ("赵书记", "钱委员", "孙委员")
        )

    def entry(self, session, member_id, hundredths=50, item="volunteer_hour", **more):
        more = {"earned_on": SOME_DAY, "now": DURING} | more
        return a_score_entry(session, member_id, item, hundredths, 10, 60, **more)

    def reach_second_band(self, session):
        """Let the first member come to 75 of a quarter's scale, in the second band."""
        for item, hundredths in (
            ("theme_day", 750),
            ("study_session", 375),
            ("community_duty", 375),
            ("volunteer_hour", 425),
        ):
            self.entry(session, self.members[0], hundredths, item)

    def actor(self, member_id, role="committee"):
        return Actor(member_id, "委员", self.id, 0, (Grant(role, self.path),))


def close(session, branch, period=QUARTER, now=CLOSES):
    return close_period(session, organization_id=branch.id, period=period, zone=ZONE, now=now)


def ask(session, branch, by=None, reason="漏记一次服务", now=LATER, period=QUARTER, **more):
    return ask_correction(
        session,
        organization_id=branch.id,
        period=period.name,
        reason=reason,
        objection_id=more.get("objection_id"),
        actor=branch.actor(by or branch.secretary, "secretary"),
        zone=ZONE,
        now=now,
    )


def decide(session, branch, correction_id, by=None, *, is_confirmed=True, now=LATER):
    return decide_correction(
        session,
        correction_id=correction_id,
        actor=branch.actor(by or branch.second),
        is_confirmed=is_confirmed,
        reason="属实",
        zone=ZONE,
        now=now,
    )


def drafted(session, branch, now=LATER):
    """Draft the notice of the branch's quarter, and return its id."""
    return draft_ranking_notice(
        session,
        organization_id=branch.id,
        period=QUARTER.name,
        visibility="published_notice",
        actor=branch.actor(branch.secretary, "secretary"),
        now=now,
    )
