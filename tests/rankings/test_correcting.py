"""A closed period is corrected by two people into a next version; the old one stays."""

from functools import partial

import pytest
from sqlalchemy import text

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import transaction
from pointsbank.organizations.errors import OrganizationNotFound
from pointsbank.rankings import correcting
from pointsbank.rankings.correcting import corrections_of, preview_of
from pointsbank.rankings.errors import (
    CorrectionDecided,
    CorrectionNotFound,
    CorrectionWaits,
    NothingToCorrect,
    OwnCorrection,
    SnapshotChanged,
    SnapshotNotFound,
)
from pointsbank.rankings.freezing import ranked
from pointsbank.rankings.models import Snapshot, SnapshotCorrection
from pointsbank.rankings.snapshots import (
    came_after,
    changes_between,
    lines_of,
    snapshot_of,
    versions_of,
)
from tests.builders import a_branch, a_member, how_many
from tests.racing import meet_after, race
from tests.rankings.closings import (
    ENTERED_LATE,
    LATER,
    QUARTER,
    ZONE,
    Branch,
    ask,
    close,
    decide,
)


@pytest.fixture
def branch(writing):
    """A closed branch; afterwards somebody got three hours more in the quarter."""
    with writing() as session:
        made = Branch(session)
        close(session, made)
        for _ in range(3):
            made.entry(session, made.members[3], now=ENTERED_LATE)
        return made


def newest(session, branch):
    return snapshot_of(session, period=QUARTER.name, organization_id=branch.id)


def names_and_ranks(session, snapshot):
    return {each.name: each.line.rank for each in lines_of(session, snapshot.id)}


def test_a_closed_period_tells_what_came_after(branch, session):
    assert came_after(session, newest(session, branch)) == 3


def test_a_correction_makes_the_next_version_and_the_old_one_stays(branch, writing):
    with writing() as session:
        correction_id = ask(session, branch)
        assert newest(session, branch).version == 1
    with writing() as session:
        corrected_id = decide(session, branch, correction_id)
    with writing() as session:
        second, first = versions_of(session, period=QUARTER.name, organization_id=branch.id)
        assert (second.id, second.version, second.reason) == (corrected_id, 2, "漏记一次服务")
        assert second.made_by_id == branch.secretary
        assert came_after(session, second) == 0
        assert came_after(session, first) == 3
        assert names_and_ranks(session, first)["周芬"] == 4
        assert names_and_ranks(session, second) == {
            "王桂兰": 1,
            "周芬": 1,
            "李敏": 3,
            "陈明": 3,
            "何军": 5,
        }
        (asked,) = corrections_of(session, period=QUARTER.name, organization_id=branch.id)
        assert (asked.state, asked.corrected_id) == ("confirmed", corrected_id)


def test_the_difference_says_who_moved_because_of_whom(branch, session):
    first, tied, also_tied, corrected, idle = branch.members
    found = preview_of(
        session, organization_id=branch.id, period=QUARTER.name, zone=ZONE, now=LATER
    )
    assert [(each.member_id, each.is_own) for each in found.changes] == [
        (corrected, True),
        (tied, False),
        (also_tied, False),
    ]
    # Nobody passed the first, who shares a rank now; the idle one stays behind everybody.
    assert [each.because_of for each in found.changes] == [(), (corrected,), (corrected,)]
    own = found.changes[0]
    assert (own.before.evaluation_hundredths, own.after.evaluation_hundredths) == (200, 800)
    assert {first, idle}.isdisjoint(each.member_id for each in found.changes)


def test_a_line_that_comes_or_goes_is_a_difference(branch, session):
    lines = [each.line for each in lines_of(session, newest(session, branch).id)]
    without_first = ranked([line for line in lines if line.member_id != branch.members[0]])
    changes = changes_between(lines, without_first)
    assert (changes[0].member_id, changes[0].after) == (branch.members[0], None)
    assert all(each.because_of == (branch.members[0],) for each in changes[1:])
    assert len(changes) == 5
    assert changes_between(lines, lines) == []


def test_nobody_decides_on_their_own_correction(branch, writing):
    with writing() as session:
        correction_id = ask(session, branch, by=branch.secretary)
    with writing() as session, pytest.raises(OwnCorrection):
        decide(session, branch, correction_id, by=branch.secretary)


def test_a_refused_correction_changes_nothing_and_another_may_be_asked_for(branch, writing):
    with writing() as session:
        correction_id = ask(session, branch)
        assert decide(session, branch, correction_id, is_confirmed=False) is None
        assert how_many(session, Snapshot) == 1
        with pytest.raises(CorrectionDecided):
            decide(session, branch, correction_id)
        assert ask(session, branch) != correction_id


def test_one_correction_waits_at_a_time(branch, writing):
    with writing() as session:
        ask(session, branch)
        with pytest.raises(CorrectionWaits):
            ask(session, branch, by=branch.second)


def test_without_anything_to_change_there_is_no_correction(writing):
    with writing() as session:
        quiet = Branch(session)
        close(session, quiet)
        with pytest.raises(NothingToCorrect):
            ask(session, quiet)


def test_a_period_that_is_not_closed_is_not_corrected(writing):
    with writing() as session:
        with pytest.raises(SnapshotNotFound):
            ask(session, Branch(session))


def test_a_correction_is_of_the_version_it_was_asked_on(branch, writing):
    with writing() as session:
        correction_id = ask(session, branch)
    with writing() as session:
        # As another correction would have left it.
        found = correcting._counted_anew(
            session, newest(session, branch), correcting.Cut(LATER, 10**9), ZONE
        )
        correcting.freeze(
            session,
            found.counted,
            organization_id=branch.id,
            period=QUARTER,
            version=2,
            now=LATER,
            reason="另一次更正",
        )
        with pytest.raises(SnapshotChanged):
            decide(session, branch, correction_id)


def test_a_foreign_branch_looks_as_if_it_were_not_there(branch, writing):
    with writing() as session:
        elsewhere = Branch(session)
        elsewhere.id, elsewhere.path = a_branch(session), "/999/"
        stranger = Actor(elsewhere.second, "外人", 0, 0, (Grant("secretary", "/999/"),))
        with pytest.raises(OrganizationNotFound):
            correcting.ask_correction(
                session,
                organization_id=branch.id,
                period=QUARTER.name,
                reason="x",
                objection_id=None,
                actor=stranger,
                zone=ZONE,
                now=LATER,
            )
        correction_id = ask(session, branch)
        with pytest.raises(CorrectionNotFound):
            decide(session, elsewhere, correction_id)


def test_who_is_suspended_since_stays_in_the_period(branch, writing):
    with writing() as session:
        session.execute(
            text("UPDATE member SET state = 'suspended' WHERE id = :id"),
            {"id": branch.members[0]},
        )
        decide(session, branch, ask(session, branch))
        assert newest(session, branch).members == 5


def deciding(branch, correction_id, by):
    with transaction() as session:
        return decide(session, branch, correction_id, by=by)


def test_of_two_confirmations_at_once_one_makes_the_version(app, branch, writing):
    with writing() as session:
        correction_id = ask(session, branch)
    answers = race(
        app,
        [partial(deciding, branch, correction_id, by) for by in (branch.second, branch.third)],
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["CorrectionDecided", "int"]
    with writing() as session:
        assert how_many(session, Snapshot) == 2


def asking(branch, by):
    with transaction() as session:
        return ask(session, branch, by=by)


def test_of_two_corrections_at_once_one_is_asked_for(app, branch, writing):
    answers = race(
        app, [partial(asking, branch, by) for by in (branch.secretary, branch.second)]
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["CorrectionWaits", "int"]
    with writing() as session:
        assert how_many(session, SnapshotCorrection) == 1


@pytest.mark.engine("postgresql")
def test_without_meeting_two_corrections_collide(app, branch, monkeypatch):
    """The control: without the row at which they meet, the constraint alone stands."""
    monkeypatch.setattr(correcting, "meet", lambda *_args, **_more: None)
    meet_after(monkeypatch, correcting, "preview_of", 2)
    answers = race(
        app, [partial(asking, branch, by) for by in (branch.secretary, branch.second)]
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["IntegrityError", "int"]


def test_a_correction_takes_in_somebody_who_should_have_been_there(branch, writing):
    with writing() as session:
        forgotten = a_member(session, "田雨", branch.id, now=LATER)
        session.execute(
            text("UPDATE belonging SET from_on = '2026-02-01' WHERE member_id = :id"),
            {"id": forgotten},
        )
        decide(session, branch, ask(session, branch))
        assert newest(session, branch).members == 6
