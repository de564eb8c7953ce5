"""Stars taken back by two people, the bar after it, numbers, and upheld objections."""

from datetime import date, timedelta

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from pointsbank.certificates.checking import CHECKS_MAX, checked, count_check, number_from
from pointsbank.certificates.errors import (
    ApplicantBarred,
    OwnStar,
    RevocationAsked,
    RevocationDecided,
    RevocationNotFound,
    SecondPersonForStar,
    StarApplicationMoved,
    StarApplicationNotFound,
    StarNumberNotFound,
    TooManyNumbers,
)
from pointsbank.certificates.models import NumberCheck, StarApplication, StarRevocation
from pointsbank.certificates.noticing import take_star_out
from pointsbank.certificates.queries import award_by_number, revocations_waiting
from pointsbank.certificates.revoking import ask_revocation, decide_revocation
from pointsbank.messages.queries import inbox
from pointsbank.notices.models import Notice, NoticeLine, Objection
from tests.builders import TODAY, a_branch, a_member, how_many, with_role
from tests.certificates.starring import (
    a_home,
    administrator_of,
    an_applicant,
    an_award,
    an_objection,
    applied,
    ended,
    noticed,
    noticed_by,
    secretary_of,
    settled,
    state_of,
    with_hours,
)
from tests.moments import NOON
from tests.scoring.hands import actor_of

SECRET = "x" * 40


@pytest.fixture
def home(session):
    return a_home(session)


def asked(session, home, application_id, actor=None, bar_years=2):
    return ask_revocation(
        session,
        actor=actor or secretary_of(session, home),
        application_id=application_id,
        reason="虚报时长",
        bar_years=bar_years,
        now=NOON,
    )


def decided(session, actor, revocation_id, is_confirmed=True):
    return decide_revocation(
        session,
        actor=actor,
        revocation_id=revocation_id,
        is_confirmed=is_confirmed,
        reason="查证属实",
        today=TODAY,
        now=NOON,
    )


def number_of(session, application_id):
    return session.scalar(
        select(StarApplication.number).where(StarApplication.id == application_id)
    )


def test_two_people_revoke_a_star_and_its_number_says_so(session, home):
    member_id = an_applicant(session, home, 700)
    application_id = an_award(session, home, member_id)
    number = number_of(session, application_id)
    assert award_by_number(session, number).is_valid
    later = applied(session, member_id, 2)
    revocation_id = asked(session, home, application_id)
    assert [each.id for each in revocations_waiting(session, ["/"])] == [revocation_id]
    assert inbox(session, home.administrator_id)[0].kind == "star_revocation_asked"
    assert award_by_number(session, number).is_valid
    assert decided(session, administrator_of(session, home), revocation_id) == "confirmed"
    assert state_of(session, application_id) == "revoked"
    assert not award_by_number(session, number).is_valid
    assert state_of(session, later) == "refused"
    kinds = [line.kind for line in inbox(session, member_id)]
    assert "star_revoked" in kinds
    assert inbox(session, home.secretary_id)[0].kind == "star_revocation_confirmed"
    row = session.scalars(select(StarRevocation)).one()
    assert row.barred_until == date(2028, 11, 21)
    for day in (TODAY, date(2028, 11, 20)):
        with pytest.raises(ApplicantBarred) as refused:
            applied(session, member_id, 1, now=NOON + (day - TODAY))
    assert refused.value.facts == {"until": "2028-11-21"}
    assert applied(session, member_id, 1, now=NOON + (date(2028, 11, 21) - TODAY))


def test_a_rejected_revocation_leaves_the_star(session, home):
    application_id = an_award(session, home)
    revocation_id = asked(session, home, application_id)
    decided(session, administrator_of(session, home), revocation_id, False)
    assert state_of(session, application_id) == "awarded"
    assert award_by_number(session, number_of(session, application_id)).is_valid
    assert asked(session, home, application_id)


def test_neither_who_asked_nor_the_member_decides(session, home):
    with_hours(session, home.secretary_id, 100)
    application_id = applied(session, home.secretary_id)
    notice = noticed(session, home, [application_id], actor=administrator_of(session, home))
    ended(session, notice)
    settled(session)
    with pytest.raises(OwnStar):
        asked(session, home, application_id)
    revocation_id = asked(session, home, application_id, administrator_of(session, home))
    for actor in (administrator_of(session, home), secretary_of(session, home)):
        for is_confirmed in (True, False):
            with pytest.raises(SecondPersonForStar):
                decided(session, actor, revocation_id, is_confirmed)
    assert state_of(session, application_id) == "awarded"


def test_it_is_asked_and_decided_once_and_only_for_what_stands(session, home):
    waiting = applied(session, an_applicant(session, home))
    with pytest.raises(StarApplicationMoved):
        asked(session, home, waiting)
    ended(session, noticed(session, home, [waiting]))
    settled(session)
    revocation_id = asked(session, home, waiting)
    with pytest.raises(RevocationAsked):
        asked(session, home, waiting)
    administrator = administrator_of(session, home)
    decided(session, administrator, revocation_id)
    with pytest.raises(RevocationDecided):
        decided(session, administrator, revocation_id, False)
    beside = a_branch(session, "B2", home.community_id)
    foreign = with_role(session, a_member(session, "外人", beside), "secretary", beside)
    with pytest.raises(RevocationNotFound):
        decided(session, actor_of(session, foreign), revocation_id)
    with pytest.raises(StarApplicationNotFound):
        asked(session, home, waiting, actor_of(session, foreign))


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("not_oneself", {"asked_by_id": "member"}),
        ("second_person", {"state": "rejected", "decided_by_id": "secretary"}),
        ("second_person", {"state": "rejected", "decided_by_id": "member"}),
        ("bar_years", {"bar_years": 4}),
        ("bar", {"barred_until": TODAY}),
        ("reason", {"reason": ""}),
    ],
)
def test_the_database_refuses_what_the_service_never_writes(writing, constraint, values):
    with writing() as session:
        home = a_home(session)
        application_id = an_award(session, home)
        member_id = session.get_one(StarApplication, application_id).member_id
    people = {"member": member_id, "secretary": home.secretary_id}
    row = {
        "application_id": application_id,
        "member_id": member_id,
        "reason": "x",
        "bar_years": 1,
        "asked_by_id": home.secretary_id,
        "asked_at": NOON,
        **{name: people.get(value, value) for name, value in values.items()},
    }
    with pytest.raises(IntegrityError, match=f"ck_star_revocation_{constraint}"):
        with writing() as session:
            session.execute(insert(StarRevocation).values(**row))


@pytest.mark.parametrize(
    "typed", ["2026-000001-4831", "2026 000001 4831", "２０２６-000001—4831", "20260000014831"]
)
def test_a_number_is_read_in_any_spelling(typed):
    assert number_from(typed) == "2026-000001-4831"


def test_a_number_proves_validity_stars_and_a_masked_name(session, home):
    number = number_of(session, an_award(session, home))
    award = checked(session, number)
    assert vars(award) == {
        "number": number,
        "is_valid": True,
        "stars": 1,
        "display_name": "王*兰",
    }
    for other in ("", "2026", number[:-1], f"{number[:-4]}9999"):
        with pytest.raises(StarNumberNotFound):
            checked(session, other)


def test_numbers_are_looked_up_only_so_often_from_one_address(session):
    for _ in range(CHECKS_MAX):
        count_check(session, client="10.0.0.1", secret=SECRET, now=NOON)
    with pytest.raises(TooManyNumbers) as refused:
        count_check(session, client="10.0.0.1", secret=SECRET, now=NOON)
    assert refused.value.facts == {"minutes": 15, "retry_after_seconds": 900}
    count_check(session, client="10.0.0.2", secret=SECRET, now=NOON)
    count_check(session, client="10.0.0.1", secret=SECRET, now=NOON + timedelta(minutes=15))
    assert how_many(session, NumberCheck) == 1


def test_an_upheld_objection_takes_its_line_out_and_shows_the_others_again(session, home):
    ids = [applied(session, an_applicant(session, home)) for _ in range(3)]
    notice_id = noticed(session, home, ids)
    an_objection(session, notice_id, 2)
    assert settled(session) == 1
    rows = session.scalars(select(StarApplication).order_by(StarApplication.id)).all()
    assert [each.state for each in rows] == ["noticed", "refused", "noticed"]
    assert rows[1].decision_reason == "objection_upheld"
    old = session.get_one(Notice, notice_id, populate_existing=True)
    new = session.scalars(select(Notice).where(Notice.replaces_id == notice_id)).one()
    assert (old.state, new.state, new.no, new.window_days) == ("replaced", "draft", 2, 3)
    lines = session.scalars(select(NoticeLine.member_id).where(NoticeLine.notice_id == new.id))
    assert list(lines) == [rows[0].member_id, rows[2].member_id]
    assert {rows[0].notice_id, rows[2].notice_id} == {new.id}
    assert settled(session) == 0
    ended(session, new.id)
    assert settled(session) == 2
    assert [state_of(session, each) for each in ids] == ["awarded", "refused", "awarded"]


def test_while_another_objection_waits_nothing_is_corrected(session, home):
    ids = [applied(session, an_applicant(session, home)) for _ in range(2)]
    notice_id = noticed(session, home, ids)
    an_objection(session, notice_id, 1)
    an_objection(session, notice_id, 2, "raised")
    assert settled(session) == 0
    session.execute(
        update(Objection)
        .where(Objection.state == "raised")
        .values(state="dismissed", answered_at=NOON)
    )
    assert settled(session) == 1


def test_an_objection_to_the_whole_notice_keeps_the_rest_for_a_person(session, home):
    """Upheld beside one to a line: no machine shows the others again as if it were settled."""
    ids = [applied(session, an_applicant(session, home)) for _ in range(2)]
    notice_id = noticed(session, home, ids)
    an_objection(session, notice_id, 1)
    an_objection(session, notice_id, None)
    assert settled(session) == 0
    assert [state_of(session, each) for each in ids] == ["noticed", "noticed"]
    given = {"notice_id": notice_id, "by_id": home.administrator_id, "now": NOON}
    take_star_out(session, application_ids=ids, reason="材料不实", **given)
    assert [state_of(session, each) for each in ids] == ["refused", "refused"]


def test_a_notice_whose_only_line_is_taken_out_is_withdrawn(session, home):
    application_id = applied(session, an_applicant(session, home))
    notice_id = noticed(session, home, [application_id])
    an_objection(session, notice_id, 1)
    assert settled(session) == 1
    assert state_of(session, application_id) == "refused"
    assert session.scalar(select(Notice.state).where(Notice.id == notice_id)) == "withdrawn"


def test_whoever_withdrew_before_their_objection_is_left_out_of_the_new_version(session, home):
    ids = [applied(session, an_applicant(session, home)) for _ in range(2)]
    notice_id = noticed(session, home, ids)
    session.get_one(StarApplication, ids[0]).state = "withdrawn"
    an_objection(session, notice_id, 1)
    assert settled(session) == 1
    new = session.scalars(select(Notice).where(Notice.replaces_id == notice_id)).one()
    assert how_many_lines(session, new.id) == 1
    assert settled(session) == 0


def test_nobody_takes_their_own_star_out_of_a_notice(session, home):
    mine = applied(session, with_hours(session, home.secretary_id, 120))
    notice_id = noticed_by(session, home.branch_id, [mine])
    an_objection(session, notice_id, None)
    given = {"notice_id": notice_id, "by_id": home.secretary_id, "now": NOON}
    with pytest.raises(OwnStar):
        take_star_out(session, application_ids=[mine], reason="材料不实", **given)
    assert state_of(session, mine) == "noticed"


def how_many_lines(session, notice_id):
    return len(
        session.scalars(select(NoticeLine.no).where(NoticeLine.notice_id == notice_id)).all()
    )


def test_of_an_objection_to_the_whole_notice_a_person_decides_who_is_out(session, home):
    ids = [applied(session, an_applicant(session, home)) for _ in range(2)]
    notice_id = noticed(session, home, ids)
    an_objection(session, notice_id, None)
    assert settled(session) == 0
    given = {"notice_id": notice_id, "by_id": home.administrator_id, "now": NOON}
    with pytest.raises(StarApplicationNotFound):
        take_star_out(session, application_ids=[ids[0], 9**9], reason="x", **given)
    new_id = take_star_out(session, application_ids=[ids[0]], reason="重复计时", **given)
    assert state_of(session, ids[0]) == "refused"
    assert session.get_one(StarApplication, ids[1]).notice_id == new_id
