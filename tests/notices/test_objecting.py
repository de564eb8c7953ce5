"""Objections: named, or without a name but with facts; answered and decided in time."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from pointsbank.messages.models import Message
from pointsbank.notices.answering import answer_objection, decide_objection
from pointsbank.notices.drafting import replace_notice, withdraw_notice
from pointsbank.notices.errors import (
    NoticeNotFound,
    ObjectionsUndecided,
    PrivateNumber,
    ReasonMissing,
)
from pointsbank.notices.models import Objection, ObjectionTry
from pointsbank.notices.objecting import (
    CLIENT_TRIES_MAX,
    NOTICE_TRIES_MAX,
    RECEIPT_ALPHABET,
    NewObjection,
    anonymous,
    forget_tries,
    raise_objection,
    receipt_from,
    receipt_hash,
    spelled_receipt,
)
from pointsbank.notices.objection_errors import (
    AlreadyObjected,
    FactsMissing,
    LineUnknown,
    NoticeNotOpen,
    ObjectionAnswered,
    ObjectionDecided,
    ObjectionNotFound,
    OwnObjection,
    TooManyObjections,
)
from pointsbank.notices.objections import (
    objection_by_receipt,
    objection_in_scope,
    objections_by,
    objections_to,
    objections_within,
    own_objection,
)
from pointsbank.notices.queries import (
    how_it_stands,
    undecided_by_notice,
    undecided_objections,
    upheld_without_correction,
)
from pointsbank.notices.reviewing import review_notice
from tests.builders import a_member
from tests.notices.boards import FACTS, MONDAY, TITLE, a_board, a_draft, at, grades

SECRET = "a secret of tests"
ENOUGH = "十一月三日的清扫他没有来，名单却有他。"
WHY = "等次评得太高"
LAST = date(2026, 11, 30)


@pytest.fixture
def board(session):
    return a_board(session)


@pytest.fixture
def shown(session, board):
    """A notice of grades that is open from Monday on."""
    notice_id = a_draft(session, board)
    review_notice(
        session,
        notice_id=notice_id,
        actor=board.actor(board.committee),
        today=MONDAY,
        now=at(MONDAY),
    )
    return notice_id


def objected(session, notice_id, by, day=MONDAY, **more):
    wanted = NewObjection(**({"reason": WHY, "facts": ENOUGH, "line_no": 1} | more))
    return raise_objection(
        session, notice_id=notice_id, by=by, wanted=wanted, today=day, now=at(day)
    )


def nameless(number=0, client="192.0.2.7"):
    return anonymous(SECRET, receipt=f"{number:012}", client=client)


def answered(session, board, objection_id, by, *, is_accepted=True, reason="已受理"):
    return answer_objection(
        session,
        objection_id=objection_id,
        actor=board.actor(by),
        is_accepted=is_accepted,
        reason=reason,
        now=at(MONDAY, 15),
    )


def decided(session, board, objection_id, by, *, is_upheld=True, reason="经查属实"):
    return decide_objection(
        session,
        objection_id=objection_id,
        actor=board.actor(by),
        is_upheld=is_upheld,
        reason=reason,
        now=at(MONDAY, 16),
    )


def told(session, kind):
    rows = session.scalars(select(Message.member_id).where(Message.kind == kind))
    return sorted(rows)


def test_a_named_objection_runs_its_course(session, board, shown):
    objector = a_member(session, "周大爷")
    raised = objected(session, shown, objector)
    assert (raised.answer_by, raised.decide_by) == (date(2026, 11, 26), LAST)
    assert told(session, "objection_raised") == sorted(
        [board.secretary, board.committee, board.second]
    )
    assert undecided_objections(session, shown) == 1
    assert undecided_by_notice(session, [shown]) == {shown: 1}
    assert answered(session, board, raised.id, board.committee) == "accepted"
    assert told(session, "objection_accepted") == [objector]
    assert decided(session, board, raised.id, board.second) == "upheld"
    assert told(session, "objection_upheld") == [objector]
    assert how_it_stands(session, shown).state == "contested"
    upheld = upheld_without_correction(session, kind="grade", organization_id=board.branch_id)
    assert [(each.objection_id, each.notice_id, each.member_id) for each in upheld] == [
        (raised.id, shown, board.members[0])
    ]
    assert upheld_without_correction(session, kind="star") == []
    second = replace_notice(
        session,
        notice_id=shown,
        lines=grades(*reversed(board.members)),
        facts=FACTS,
        title=TITLE,
        by_id=board.secretary,
        reason="异议成立，更正",
        now=at(MONDAY, 17),
    )
    assert upheld_without_correction(session, kind="grade") == []
    assert how_it_stands(session, second).state == "draft"
    seen = own_objection(session, objector, raised.id)
    assert (seen.state, seen.answer, seen.decision) == ("upheld", "已受理", "经查属实")
    assert [each.id for each in objections_by(session, objector)] == [raised.id]
    with pytest.raises(ObjectionNotFound):
        own_objection(session, board.committee, raised.id)


def test_without_a_name_only_the_receipt_tells_what_became_of_it(session, board, shown):
    by = nameless(7)
    raised = objected(session, shown, by)
    found = objection_by_receipt(session, receipt_hash(SECRET, "0000-0000-0007"))
    assert (found.id, found.objector_id, found.objector_name) == (raised.id, None, "")
    answered(session, board, raised.id, board.committee, is_accepted=False, reason="没有依据")
    found = objection_by_receipt(session, by.receipt_hash)
    assert (found.state, found.answer) == ("dismissed", "没有依据")
    with pytest.raises(ObjectionNotFound):
        objection_by_receipt(session, receipt_hash(SECRET, "0000-0000-0008"))
    kept = session.scalars(select(Objection)).one()
    assert kept.objector_id is None
    assert b"0000" not in kept.receipt_hash
    assert receipt_from(" abcd-efgh—jklm ") == "ABCDEFGHJKLM"
    assert spelled_receipt("ABCDEFGHJKLM") == "ABCD-EFGH-JKLM"
    assert len(set(RECEIPT_ALPHABET)) == 32


@pytest.mark.parametrize(
    ("named", "more", "refusal"),
    [
        (True, {"reason": ""}, ReasonMissing),
        (False, {"facts": "他没有来"}, FactsMissing),
        (False, {"facts": ENOUGH + "电话13912345678"}, PrivateNumber),
        (True, {"reason": "身份证 140303196001011234"}, PrivateNumber),
        (True, {"line_no": 3}, LineUnknown),
        (True, {"line_no": 0}, LineUnknown),
    ],
)
def test_what_cannot_be_judged_is_refused(session, shown, named, more, refusal):
    by = a_member(session) if named else nameless()
    with pytest.raises(refusal):
        objected(session, shown, by, **more)
    assert session.scalar(select(func.count()).select_from(Objection)) == 0


def test_objections_are_taken_while_the_window_lasts_and_of_what_the_public_has_seen(
    session, board, shown
):
    person = a_member(session)
    with pytest.raises(NoticeNotFound):
        objected(session, shown, person, MONDAY - timedelta(days=1))
    with pytest.raises(NoticeNotOpen):
        objected(session, shown, person, LAST + timedelta(days=1))
    draft = a_draft(session, board, subject="grades:2025:1")
    for unseen in (draft, 10**9):
        with pytest.raises(NoticeNotFound):
            objected(session, unseen, person)
    assert objected(session, shown, person, LAST).id
    with pytest.raises(AlreadyObjected):
        objected(session, shown, person, LAST)
    assert objected(session, shown, person, LAST, line_no=2).id
    assert objected(session, shown, person, LAST, line_no=None).id


def test_nobody_judges_their_own_objection_or_what_is_said_about_them(session, board):
    notice_id = a_draft(session, board, lines=grades(board.second, *board.members))
    for reviewer in (board.second, board.committee):
        review_notice(
            session,
            notice_id=notice_id,
            actor=board.actor(reviewer),
            today=MONDAY,
            now=at(MONDAY),
        )
    raised = objected(session, notice_id, board.committee)
    assert board.second not in told(session, "objection_raised")
    with pytest.raises(OwnObjection):
        answered(session, board, raised.id, board.committee)
    # Whom it is about does not even learn of it: who objects has to be safe.
    with pytest.raises(ObjectionNotFound):
        answered(session, board, raised.id, board.second)
    with pytest.raises(ObjectionNotFound):
        decided(session, board, raised.id, board.second)
    for reader, seen in ((board.second, []), (board.secretary, [raised.id])):
        assert [each.id for each in objections_within(session, [board.path], reader)] == seen
        assert [each.id for each in objections_to(session, notice_id, reader)] == seen
    assert answered(session, board, raised.id, board.secretary) == "accepted"


def test_an_objection_to_a_list_of_one_is_about_that_one(session, board):
    notice_id = a_draft(session, board, lines=grades(board.second))
    review_notice(
        session,
        notice_id=notice_id,
        actor=board.actor(board.committee),
        today=MONDAY,
        now=at(MONDAY),
    )
    raised = objected(session, notice_id, nameless(), line_no=None)
    with pytest.raises(ObjectionNotFound):
        objection_in_scope(session, [board.path], raised.id, board.second)


def test_each_step_is_taken_once_and_in_order(session, board, shown):
    raised = objected(session, shown, nameless())
    with pytest.raises(ObjectionDecided):
        decided(session, board, raised.id, board.second)
    with pytest.raises(ReasonMissing):
        answered(session, board, raised.id, board.committee, is_accepted=False, reason="")
    with pytest.raises(PrivateNumber):
        answered(session, board, raised.id, board.committee, reason="打 13912345678")
    answered(session, board, raised.id, board.committee)
    with pytest.raises(ObjectionAnswered):
        answered(session, board, raised.id, board.second)
    with pytest.raises(ReasonMissing):
        decided(session, board, raised.id, board.second, reason="")
    assert (
        decided(session, board, raised.id, board.second, is_upheld=False, reason="不属实")
        == "rejected"
    )
    with pytest.raises(ObjectionDecided):
        decided(session, board, raised.id, board.committee)
    assert how_it_stands(session, shown).state == "open"


def test_a_notice_does_not_change_while_an_objection_waits(session, board, shown, now):
    objected(session, shown, nameless())
    with pytest.raises(ObjectionsUndecided):
        withdraw_notice(session, notice_id=shown, by_id=None, reason="撤回", now=now)
    with pytest.raises(ObjectionsUndecided):
        replace_notice(
            session,
            notice_id=shown,
            lines=grades(*board.members),
            facts=FACTS,
            title=TITLE,
            by_id=None,
            reason="更正",
            now=now,
        )
    assert how_it_stands(session, shown).state == "open"


def test_one_address_and_one_notice_take_so_many_without_a_name_an_hour(session, shown):
    for number in range(CLIENT_TRIES_MAX):
        objected(session, shown, nameless(number))
    with pytest.raises(TooManyObjections) as refused:
        objected(session, shown, nameless(99))
    assert refused.value.facts["retry_after_seconds"] == 3600
    for number in range(CLIENT_TRIES_MAX, NOTICE_TRIES_MAX):
        objected(session, shown, nameless(number, client=f"192.0.2.{number}"))
    with pytest.raises(TooManyObjections):
        objected(session, shown, nameless(100, client="198.51.100.1"))
    # Whoever gives their name is never turned away, and an hour later nobody is.
    assert objected(session, shown, a_member(session)).id
    later = at(MONDAY) + timedelta(hours=1)
    wanted = NewObjection(WHY, ENOUGH)
    assert raise_objection(
        session, notice_id=shown, by=nameless(101), wanted=wanted, today=MONDAY, now=later
    ).id
    assert forget_tries(session, later + timedelta(hours=1)) > 0
    assert session.scalar(select(func.count()).select_from(ObjectionTry)) == 0


def test_what_is_kept_of_an_address_cannot_be_read_back():
    one, other = nameless(1, "192.0.2.1"), nameless(1, "192.0.2.2")
    assert one.client_hash != other.client_hash
    assert anonymous("other", receipt="1", client="192.0.2.1").client_hash != one.client_hash
