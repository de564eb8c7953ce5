"""A year whose holidays are not loaded: told once, to those who can load it, and shown."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from pointsbank.jobs.calendars import tell_of_missing_year
from pointsbank.jobs.reminding import REMINDERS, of_calendar
from pointsbank.messages.queries import inbox
from pointsbank.organizations.models import CalendarDay
from tests.builders import a_member, an_organization, signed_in, with_role
from tests.organizations.test_workdays import UNKNOWN
from tests.scoring.hands import ZONE

LINE = f"{UNKNOWN} 年的放假安排还没有录入"


def at(month, day, year=UNKNOWN - 1):
    return datetime(year, month, day, 4, tzinfo=UTC)


class Tree:
    """A street and a community in it, with an administrator of each and of everything."""

    def __init__(self, session):
        self.street = an_organization(session, "140303001", "street")
        self.home = an_organization(session, parent=self.street)
        self.chief, self.top, self.low = (
            with_role(session, a_member(session, name, self.home), "administrator", place)
            for name, place in (("总管", None), ("街道", self.street), ("社区", self.home))
        )
        self.secretary = with_role(session, a_member(session, "书记"), "secretary")

    def told(self, session):
        people = (self.chief, self.top, self.low, self.secretary)
        return [
            [line.facts["year"] for line in inbox(session, each) if line.kind == KIND]
            for each in people
        ]


KIND = "calendar_missing"


@pytest.fixture
def tree(writing):
    with writing() as session:
        return Tree(session)


def load(session, tree, year, now):
    for day in (date(year, 1, 1), date(year, 5, 1), date(year, 10, 1)):
        session.add(
            CalendarDay(
                day=day, is_working=False, name="假", loaded_by_id=tree.chief, loaded_at=now
            )
        )
    session.flush()


def test_from_december_on_each_who_can_load_it_is_told_once(writing, tree):
    assert of_calendar in REMINDERS
    with writing() as session:
        assert tell_of_missing_year(session, at(11, 30), ZONE) == 0
        assert tell_of_missing_year(session, at(12, 1), ZONE) == 2
    for day in (at(12, 1), at(12, 2), at(12, 31), at(3, 1, UNKNOWN)):
        with writing() as session:
            assert tell_of_missing_year(session, day, ZONE) == 0
    with writing() as session:
        assert tree.told(session) == [[str(UNKNOWN)], [str(UNKNOWN)], [], []]


def test_nobody_is_told_of_a_year_that_is_loaded(writing, tree):
    with writing() as session:
        load(session, tree, UNKNOWN, at(12, 1))
        assert tell_of_missing_year(session, at(12, 1), ZONE) == 0
        assert tree.told(session) == [[], [], [], []]


def test_of_two_trees_only_who_administers_everything_is_told(writing, tree):
    with writing() as session:
        an_organization(session, "150000", "district", name="另一个区")
        assert tell_of_missing_year(session, at(12, 1), ZONE) == 1
        assert tree.told(session) == [[str(UNKNOWN)], [], [], []]


def test_the_dashboard_says_it_until_it_is_loaded(app, client, writing, tree):
    def looks(moment, who):
        with time_machine.travel(moment, tick=False):
            return client.get("/dashboard", headers=signed_in(app, who)).text

    assert LINE not in looks(at(11, 30), tree.chief)
    assert LINE in looks(at(12, 1), tree.chief)
    assert LINE not in looks(at(12, 1), tree.secretary)
    with writing() as session:
        load(session, tree, UNKNOWN, at(12, 1))
    assert LINE not in looks(at(12, 1) + timedelta(hours=1), tree.chief)
