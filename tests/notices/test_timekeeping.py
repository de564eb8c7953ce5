"""The clock of notices: what days bring, whenever the job comes to it."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from pointsbank.core.calendar import midnight
from pointsbank.members.consenting import withdraw_consent
from pointsbank.messages.models import Message
from pointsbank.notices.answering import answer_objection, decide_objection
from pointsbank.notices.models import Notice, NoticeLine, Objection
from pointsbank.notices.objecting import NewObjection, raise_objection
from pointsbank.notices.queries import how_it_stands
from pointsbank.notices.reviewing import review_notice
from pointsbank.notices.timekeeping import keep_time, tell_of_objections
from pointsbank.organizations.models import CalendarDay
from tests.builders import SHANGHAI, a_member
from tests.moments import NOON
from tests.notices.boards import MONDAY, a_board, a_draft, at, consenting

SATURDAY = NOON.date()
LAST = date(2026, 11, 30)


def reviewed(session, board, subject, today=SATURDAY):
    notice_id = a_draft(session, board, subject=subject, now=at(today))
    review_notice(
        session,
        notice_id=notice_id,
        actor=board.actor(board.committee),
        today=today,
        now=at(today),
    )
    return notice_id


def objected(session, notice_id, day, line_no=1):
    return raise_objection(
        session,
        notice_id=notice_id,
        by=a_member(session, "周大爷"),
        wanted=NewObjection("不对", "", line_no),
        today=day,
        now=at(day),
    ).id


def judged(session, board, objection_id, day, *, is_upheld):
    actor = board.actor(board.committee)
    answer_objection(
        session,
        objection_id=objection_id,
        actor=actor,
        is_accepted=True,
        reason="",
        now=at(day),
    )
    decide_objection(
        session,
        objection_id=objection_id,
        actor=actor,
        is_upheld=is_upheld,
        reason="查过了",
        now=at(day, 15),
    )


def run_on(session, day):
    return keep_time(session, today=day, zone=SHANGHAI, now=at(day, 1))


def test_a_notice_opens_and_becomes_final_by_itself(session):
    notice_id = reviewed(session, a_board(session), "grades:1")
    assert run_on(session, SATURDAY) == 0
    assert how_it_stands(session, notice_id).state == "reviewed"
    assert run_on(session, MONDAY) == 1
    assert how_it_stands(session, notice_id).state == "open"
    assert run_on(session, LAST) == 0
    assert run_on(session, LAST + timedelta(days=1)) == 1
    standing = how_it_stands(session, notice_id)
    assert standing.state == "locked"
    assert standing.locked_at == midnight(LAST + timedelta(days=1), SHANGHAI)
    assert run_on(session, LAST + timedelta(days=1)) == 0


def test_a_window_does_not_close_over_an_undecided_objection(session):
    board = a_board(session)
    waiting, contested = (reviewed(session, board, f"grades:{n}") for n in (1, 2))
    run_on(session, MONDAY)
    first, second = objected(session, waiting, LAST), objected(session, contested, LAST)
    judged(session, board, second, LAST, is_upheld=True)
    late = LAST + timedelta(days=2)
    run_on(session, late)
    assert how_it_stands(session, waiting).state == "open"
    assert how_it_stands(session, contested).state == "contested"
    judged(session, board, first, late, is_upheld=False)
    run_on(session, late + timedelta(days=30))
    standing = how_it_stands(session, waiting)
    assert (standing.state, standing.locked_at) == ("locked", at(late, 15))
    # What was upheld never becomes final by itself.
    assert how_it_stands(session, contested).state == "contested"


def played(session, days_of_work):
    """Play one fortnight, with the job on these days of it; return what stands in the end."""
    board = a_board(session)
    kept = [reviewed(session, board, f"grades:{n}:{board.branch_id}") for n in range(4)]
    named = consenting(session, board.members[1])
    objections = {}
    for offset in range(21):
        day = SATURDAY + timedelta(days=offset)
        if offset in days_of_work:
            run_on(session, day)
        if day == date(2026, 11, 24):
            objections = {n: objected(session, kept[n], day) for n in (1, 2)}
            withdraw_consent(
                session,
                member_id=named,
                purpose="publish_name",
                recorded_by_id=named,
                now=at(day),
            )
        if day == date(2026, 12, 3):
            judged(session, board, objections[1], day, is_upheld=False)
        if day == date(2026, 11, 26):
            judged(session, board, objections[2], day, is_upheld=True)
    run_on(session, SATURDAY + timedelta(days=21))
    rows = session.execute(
        select(Notice.state, Notice.opened_on, Notice.closes_on, Notice.locked_at)
        .where(Notice.id.in_(kept))
        .order_by(Notice.id)
    )
    lines = session.scalars(
        select(NoticeLine.shown_name)
        .where(NoticeLine.notice_id.in_(kept))
        .order_by(NoticeLine.notice_id, NoticeLine.no)
    )
    return [tuple(row) for row in rows], list(lines)


def test_days_of_downtime_leave_what_daily_runs_leave(session):
    daily = played(session, range(21))
    assert [state for state, *_ in daily[0]] == ["locked", "locked", "contested", "locked"]
    for missing in ((), (0, 20), range(0, 21, 5), range(3)):
        assert played(session, missing) == daily, missing


def test_days_that_turn_out_to_be_holidays_lengthen_a_window(session, now):
    board = a_board(session)
    notice_id = reviewed(session, board, "grades:1", date(2026, 12, 30))
    # Nobody has announced 2027 yet: Monday to Friday.
    assert how_it_stands(session, notice_id).closes_on == date(2027, 1, 6)
    for day in (1, 2, 3):
        session.add(
            CalendarDay(
                day=date(2027, 1, day),
                is_working=False,
                name="元旦",
                loaded_by_id=board.secretary,
                loaded_at=now,
            )
        )
    session.flush()
    assert run_on(session, date(2026, 12, 31)) == 1
    assert how_it_stands(session, notice_id).closes_on == date(2027, 1, 7)
    assert run_on(session, date(2027, 1, 7)) == 0
    run_on(session, date(2027, 1, 8))
    assert how_it_stands(session, notice_id).state == "locked"


def test_a_calendar_loaded_later_never_shortens_a_window(session, now):
    board = a_board(session)
    notice_id = reviewed(session, board, "grades:1")
    session.add(
        CalendarDay(
            day=date(2026, 11, 28),
            is_working=True,
            name="补班",
            loaded_by_id=board.secretary,
            loaded_at=now,
        )
    )
    session.flush()
    run_on(session, MONDAY)
    assert how_it_stands(session, notice_id).closes_on == LAST


def test_a_name_is_masked_for_good_once_consent_is_taken_back(session, now):
    board = a_board(session)
    named, other = (consenting(session, each) for each in board.members)
    notice_id = reviewed(session, board, "grades:1")

    def kept():
        rows = session.scalars(
            select(NoticeLine.shown_name)
            .where(NoticeLine.notice_id == notice_id)
            .order_by(NoticeLine.no)
        )
        return list(rows)

    for who in (named, other):
        withdraw_consent(
            session, member_id=who, purpose="publish_name", recorded_by_id=who, now=now
        )
    consenting(session, other)
    assert kept() == ["王桂兰", "李建军"]
    assert run_on(session, SATURDAY) == 1
    assert kept() == ["王*兰", "李建军"]
    assert run_on(session, SATURDAY) == 0


@pytest.mark.parametrize(
    ("day", "kind", "number"),
    [
        (date(2026, 11, 24), None, 0),
        (date(2026, 11, 25), "objections_due", 1),
        (date(2026, 11, 26), "objections_due", 1),
        (date(2026, 11, 27), "objections_late", 1),
    ],
)
def test_who_answers_hears_each_day_what_is_due_and_what_is_late(session, day, kind, number):
    board = a_board(session)
    notice_id = reviewed(session, board, "grades:1")
    objected(session, notice_id, MONDAY)
    told = tell_of_objections(session, today=day, now=at(day))
    assert told == 3 * number
    assert tell_of_objections(session, today=day, now=at(day)) == 0
    kinds = set(session.scalars(select(Message.kind).where(Message.kind.like("objections_%"))))
    assert kinds == ({kind} if kind else set())


def test_nobody_is_urged_about_themself(session):
    board = a_board(session)
    notice_id = reviewed(session, board, "grades:1")
    objection_id = objected(session, notice_id, MONDAY)
    session.execute(
        update(Objection)
        .where(Objection.id == objection_id)
        .values(objector_id=board.committee)
    )
    late = date(2026, 12, 5)
    assert tell_of_objections(session, today=late, now=at(late)) == 2
