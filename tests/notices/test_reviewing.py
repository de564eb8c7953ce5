"""Review: by somebody else than who drafted, and no line by the person it is about."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from pointsbank.messages.models import Message
from pointsbank.notices.drafting import replace_notice
from pointsbank.notices.errors import NoticeNotFound
from pointsbank.notices.models import Notice
from pointsbank.notices.objection_errors import (
    DraftReviewedByAnother,
    NoticeReviewed,
    OwnLine,
)
from pointsbank.notices.queries import how_it_stands, notice_of, public_notice, public_notices
from pointsbank.notices.reviewing import review_notice, take_back
from tests.builders import a_branch, a_member, with_role
from tests.moments import NOON
from tests.notices.boards import FACTS, MONDAY, TITLE, a_board, a_draft, at, grades

SATURDAY = NOON.date()


def review(session, board, notice_id, member_id, role="committee", today=SATURDAY):
    return review_notice(
        session,
        notice_id=notice_id,
        actor=board.actor(member_id, role),
        today=today,
        now=at(today),
    )


def test_a_notice_opens_on_the_next_working_day_for_five_of_them(session):
    board = a_board(session)
    notice_id = a_draft(session, board)
    reviewed = review(session, board, notice_id, board.committee)
    assert (reviewed.state, reviewed.opened_on, reviewed.closes_on) == (
        "reviewed",
        MONDAY,
        date(2026, 11, 30),
    )
    with pytest.raises(NoticeNotFound):
        public_notice(session, notice_id, SATURDAY)
    # The public reads it by its days, whether or not a job has run.
    for day in (MONDAY, date(2026, 11, 30)):
        assert public_notice(session, notice_id, day).id == notice_id
        assert [each.id for each in public_notices(session, day)] == [notice_id]
    with pytest.raises(NoticeNotFound):
        public_notice(session, notice_id, date(2026, 12, 1))
    assert public_notices(session, date(2026, 12, 1)) == []


def test_on_a_working_day_it_opens_at_once(session):
    board = a_board(session)
    notice_id = a_draft(session, board)
    reviewed = review(session, board, notice_id, board.committee, today=MONDAY)
    assert (reviewed.state, reviewed.opened_on) == ("open", MONDAY)


def test_a_window_passes_over_the_spring_festival(session):
    board = a_board(session)
    notice_id = a_draft(session, board, now=at(date(2026, 2, 13)))
    reviewed = review(session, board, notice_id, board.committee, today=date(2026, 2, 13))
    assert (reviewed.opened_on, reviewed.closes_on) == (date(2026, 2, 13), date(2026, 2, 27))


def test_who_drafted_does_not_review_and_nobody_reviews_twice(session):
    board = a_board(session)
    notice_id = a_draft(session, board)
    with pytest.raises(DraftReviewedByAnother):
        review(session, board, notice_id, board.secretary, "secretary")
    review(session, board, notice_id, board.committee)
    with pytest.raises(NoticeReviewed):
        review(session, board, notice_id, board.second)


def test_a_stranger_and_a_mere_reader_find_no_draft(session):
    board = a_board(session)
    notice_id = a_draft(session, board)
    elsewhere = a_branch(session, name="第二党支部")
    stranger = with_role(session, a_member(session), "committee", elsewhere)
    other = type(board)(elsewhere, f"/{elsewhere}/", stranger, stranger, stranger, (0, 0))
    for actor in (other.actor(stranger), board.actor(board.committee, "organizer")):
        with pytest.raises(NoticeNotFound):
            review_notice(
                session, notice_id=notice_id, actor=actor, today=MONDAY, now=at(MONDAY)
            )
        with pytest.raises(NoticeNotFound):
            take_back(session, notice_id=notice_id, actor=actor, reason="错了", now=at(MONDAY))


def test_nobody_reviews_a_notice_about_themself_alone(session):
    board = a_board(session)
    notice_id = a_draft(session, board, lines=grades(board.committee))
    with pytest.raises(OwnLine):
        review(session, board, notice_id, board.committee)
    assert review(session, board, notice_id, board.second).state == "reviewed"


def test_the_own_line_of_a_reviewer_waits_for_another(session):
    board = a_board(session)
    notice_id = a_draft(session, board, lines=grades(board.committee, *board.members))
    assert review(session, board, notice_id, board.committee).state == "draft"
    assert how_it_stands(session, notice_id).opened_on is None
    with pytest.raises(OwnLine):
        review(session, board, notice_id, board.committee)
    with pytest.raises(DraftReviewedByAnother):
        review(session, board, notice_id, board.secretary, "secretary")
    assert review(session, board, notice_id, board.second).state == "reviewed"
    found = notice_of(session, notice_id)
    assert (found.reviewed_by_id, found.also_reviewed_by_id) == (
        board.committee,
        board.second,
    )


@pytest.mark.parametrize(
    "values",
    [
        {"reviewed_by_id": "secretary"},
        {"reviewed_by_id": "committee", "also_reviewed_by_id": "committee"},
        {"reviewed_by_id": "committee", "also_reviewed_by_id": "secretary"},
        {"also_reviewed_by_id": "second"},
        {"state": "open"},
        {"state": "locked"},
        {"locked_at": NOON},
    ],
)
def test_the_table_itself_refuses_what_the_code_would(writing, values):
    with writing() as session:
        board = a_board(session)
        a_draft(session, board)
    filled = {
        name: getattr(board, value) if name.endswith("_id") else value
        for name, value in values.items()
    }
    with pytest.raises(IntegrityError), writing() as session:
        session.execute(update(Notice).values(**filled))


def test_whoever_has_a_line_is_told_once_it_is_reviewed(session):
    board = a_board(session)
    notice_id = a_draft(session, board)
    review(session, board, notice_id, board.committee)
    told = session.execute(
        select(Message.member_id, Message.facts).where(Message.kind == "notice_names_you")
    ).all()
    assert {row.member_id for row in told} == set(board.members)
    assert told[0].facts["closes_on"] == "2026-11-30"


def test_a_correction_is_shown_for_three_days_and_never_less_than_before(session, now):
    board = a_board(session)
    first = a_draft(session, board)
    review(session, board, first, board.committee, today=MONDAY)

    def corrected(notice_id):
        return replace_notice(
            session,
            notice_id=notice_id,
            lines=grades(*reversed(board.members)),
            facts=FACTS,
            title=TITLE,
            by_id=board.secretary,
            reason="分数算错",
            now=now,
        )

    # On the second day of five, three days more would end before the first window did.
    second = corrected(first)
    tuesday = MONDAY + timedelta(days=1)
    reviewed = review(session, board, second, board.committee, today=tuesday)
    assert (reviewed.state, reviewed.closes_on) == ("open", date(2026, 11, 30))
    third = corrected(second)
    friday = date(2026, 11, 27)
    reviewed = review(session, board, third, board.committee, today=friday)
    assert reviewed.closes_on == date(2026, 12, 2)
    assert notice_of(session, third).window_days == 3
    assert [how_it_stands(session, each).state for each in (first, second)] == ["replaced"] * 2


def test_a_draft_between_two_versions_shortens_no_window(session, now):
    board = a_board(session)
    shown = a_draft(session, board)
    review(session, board, shown, board.committee, today=MONDAY)
    before = shown
    for reason in ("分数算错", "又算错一处"):
        # Nobody reviews the first correction: it is replaced by another one the same day.
        before = replace_notice(
            session,
            notice_id=before,
            lines=grades(*reversed(board.members)),
            facts=FACTS,
            title=TITLE,
            by_id=board.secretary,
            reason=reason,
            now=now,
        )
    tuesday = MONDAY + timedelta(days=1)
    reviewed = review(session, board, before, board.committee, today=tuesday)
    assert reviewed.closes_on == date(2026, 11, 30)
