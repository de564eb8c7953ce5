"""A small district with a ranking in it."""

from zoneinfo import ZoneInfo

from pointsbank.core.calendar import read_period
from pointsbank.rankings.rolling_up import roll_up
from tests.builders import a_branch, a_member, a_score_entry, an_organization, with_role
from tests.moments import NOON

ZONE = ZoneInfo("Asia/Shanghai")


class Board:
    """Two communities under a street; in the first, four members with 3, 2, 2 and 0 entries."""

    def __init__(self, session):
        self.street = an_organization(session, "140303001", "street", name="平潭街街道")
        self.home = an_organization(session, "140303001002", parent=self.street)
        self.away = an_organization(session, "140303001004", parent=self.street, name="北社区")
        self.branch = a_branch(session, parent=self.home)
        self.first, self.second, self.third, self.idle = (
            a_member(session, name, self.home) for name in ("王桂兰", "李敏", "陈明", "周芬")
        )
        self.stranger = a_member(session, "何军", self.away)
        for member, entries in (
            (self.first, 3),
            (self.second, 2),
            (self.third, 2),
            (self.stranger, 1),
        ):
            for _ in range(entries):
                a_score_entry(session, member)
        self.secretary = with_role(
            session, a_member(session, "赵书记", self.branch), "secretary"
        )
        roll(session)


def roll(session, period="2026-Q4"):
    return roll_up(session, period=read_period(period), zone=ZONE, now=NOON)
