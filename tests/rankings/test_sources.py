"""What the evaluation reads: caps over versions, places over days, exemptions and vetoes."""

from datetime import date

import pytest
from sqlalchemy import select

from pointsbank.appraisals.models import Exemption, Veto
from pointsbank.core.calendar import Period, read_period
from pointsbank.members.models import Belonging
from pointsbank.rankings.errors import StandingNotFound
from pointsbank.rankings.sources import (
    Placing,
    caps_for,
    entries_of,
    evaluation_of,
    members_of,
    placing_of,
    standard_for,
    tables_for,
)
from pointsbank.scoring.evaluating import ItemCaps
from tests.builders import a_branch, a_member, a_score_entry, an_organization
from tests.moments import NOON
from tests.rankings.standards import a_later_standard

QUARTER = read_period("2026-Q4")
TODAY = NOON.date()


def belonged(session, member_id, *rows):
    """Let somebody have belonged to (organization, from, until) and nowhere else."""
    for row in session.scalars(select(Belonging).where(Belonging.member_id == member_id)):
        session.delete(row)
    session.flush()
    session.add_all(
        Belonging(
            member_id=member_id, organization_id=place, from_on=from_on, until_on=until_on
        )
        for place, from_on, until_on in rows
    )
    session.flush()


def a_second_standard(session, valid_from=date(2026, 11, 1), is_draft=False, **caps):
    """Make version 2, where volunteer_hour has these caps and care_visit is gone."""
    return a_later_standard(
        session,
        valid_from,
        caps={"volunteer_hour": caps},
        gone=("care_visit",),
        is_draft=is_draft,
    )


def confirmed(session, kind, member_id, **more):
    """Confirm an exemption or a veto that two others entered and decided on."""
    entered, decided = a_member(session), a_member(session)
    values = {
        "member_id": member_id,
        "organization_id": an_organization(session),
        "state": "confirmed",
        "entered_by_id": entered,
        "entered_at": NOON,
        "confirmed_by_id": decided,
        "decided_at": NOON,
    }
    row = kind(**(values | more))
    session.add(row)
    session.flush()
    return row


def test_a_period_is_counted_by_the_standard_of_its_last_day_or_of_today(session):
    a_second_standard(session)
    versions = {
        (period, day): standard_for(session, read_period(period), day).version
        for period, day in (
            ("2026-10", TODAY),
            ("2026-Q4", TODAY),
            ("2026", date(2026, 10, 31)),
            ("2026", date(2026, 11, 1)),
            ("2026-12", TODAY),
        )
    }
    assert list(versions.values()) == [1, 2, 1, 2, 2]


def test_an_item_that_is_gone_keeps_the_caps_of_the_last_version_that_had_it(session):
    a_later_standard(
        session, date(2026, 5, 1), caps={"care_visit": {"hundredths_week_max": 70}}
    )
    a_second_standard(session, hundredths_day_max=200, hundredths_year_max=900)
    caps = [
        caps_for(session, standard_for(session, QUARTER, day))
        for day in (date(2026, 10, 1), TODAY)
    ]
    assert [each["volunteer_hour"] for each in caps] == [
        ItemCaps(),
        ItemCaps(day=200, year=900),
    ]
    assert [each["care_visit"] for each in caps] == [ItemCaps(week=70)] * 2
    first = caps_for(session, standard_for(session, read_period("2026-04"), TODAY))
    assert first["care_visit"] == ItemCaps()


def test_a_draft_gives_no_caps(session):
    a_second_standard(session, is_draft=True, hundredths_day_max=1)
    standard = standard_for(session, read_period("2026-12"), TODAY)
    assert caps_for(session, standard)["volunteer_hour"] == ItemCaps()


@pytest.mark.parametrize(
    ("period", "place"), [("2026-09", 0), ("2026-10", 0), ("2026-Q4", 1), ("2026-12", 1)]
)
def test_a_member_counts_where_they_belonged_on_the_last_day(session, period, place):
    """A period that was over before the first row is counted where that row says."""
    branches = [a_branch(session), a_branch(session)]
    member = a_member(session)
    belonged(
        session,
        member,
        (branches[0], date(2026, 10, 5), date(2026, 11, 1)),
        (branches[1], date(2026, 11, 1), None),
    )
    found = placing_of(session, member_ids=[member], period=read_period(period))
    assert found == {member: Placing(branches[place], None, "default", False, False)}


def test_the_members_of_a_branch_are_those_of_the_last_day(session):
    old, new = a_branch(session), a_branch(session)
    moved, late, stopped = (a_member(session, organization_id=old) for _ in range(3))
    belonged(
        session,
        moved,
        (old, date(2026, 1, 1), date(2026, 12, 31)),
        (new, date(2026, 12, 31), None),
    )
    belonged(session, late, (old, date(2027, 1, 1), None))
    belonged(session, stopped, (old, date(2026, 1, 1), None))
    november = read_period("2026-11")
    assert members_of(session, organization_id=old, period=november) == [moved, stopped]
    assert members_of(session, organization_id=old, period=QUARTER) == [stopped]
    assert members_of(session, organization_id=new, period=QUARTER) == [moved]
    home = an_organization(session)
    assert members_of(session, organization_id=home, period=QUARTER) == []
    both = members_of(session, organization_id=home, period=QUARTER, and_below=True)
    assert both == [moved, stopped]


def test_exemptions_of_the_last_day_and_vetoes_of_the_period_count(session):
    member, mobile, both, pending, ended = (a_member(session) for _ in range(5))
    confirmed(session, Exemption, member, reason_code="over_70", from_on=date(2026, 12, 31))
    for each in (mobile, both):
        confirmed(session, Exemption, each, reason_code="mobile", from_on=date(2026, 1, 1))
    confirmed(session, Exemption, both, reason_code="other", from_on=date(2026, 1, 1))
    confirmed(
        session,
        Exemption,
        pending,
        reason_code="over_70",
        from_on=date(2026, 1, 1),
        state="pending",
        confirmed_by_id=None,
        decided_at=None,
    )
    confirmed(
        session,
        Exemption,
        ended,
        reason_code="long_illness",
        from_on=date(2026, 1, 1),
        until_on=date(2026, 12, 31),
    )
    for who, day in ((pending, date(2026, 12, 31)), (ended, date(2027, 1, 1))):
        confirmed(
            session,
            Veto,
            who,
            reason_code="discipline",
            reason="警告",
            document_no="〔2026〕1号",
            occurred_on=day,
        )
    found = placing_of(
        session, member_ids=[member, mobile, both, pending, ended], period=QUARTER
    )
    assert [
        (found[m].table_name, found[m].is_exempt, found[m].is_vetoed)
        for m in (member, mobile, both, pending, ended)
    ] == [
        ("default", True, False),
        ("mobile", False, False),
        ("mobile", True, False),
        ("default", False, True),
        ("default", False, False),
    ]


def test_one_member_is_evaluated_by_what_was_read(session):
    member = a_member(session)
    a_score_entry(session, member, evaluation_hundredths=150, points=25, service_minutes=150)
    a_score_entry(session, member, "night_patrol", evaluation_hundredths=900)
    a_score_entry(session, member, earned_on=date(2027, 1, 1))
    entries = entries_of(session, member_ids=[member], period=QUARTER)[member]
    assert [entry.item_code for entry in entries] == ["volunteer_hour", "night_patrol"]
    found = evaluation_of(session, member_id=member, period=QUARTER, today=TODAY)
    assert (found.bonus_hundredths, found.evaluation_hundredths) == (1600, 1600)
    named = Period("2026-autumn", date(2026, 9, 1), date(2026, 12, 1))
    found = evaluation_of(session, member_id=member, period=named, today=TODAY)
    assert found.evaluation_hundredths == 150 + 900
    with pytest.raises(StandingNotFound):
        evaluation_of(session, member_id=0, period=QUARTER, today=TODAY)


def test_a_standard_without_a_table_for_mobile_members_uses_its_default(session):
    standard = standard_for(session, QUARTER, TODAY)
    tables = tables_for(session, standard.id)
    assert tables["mobile"].base == tables["default"].base
