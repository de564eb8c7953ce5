"""A notice is filled from its template only, with names masked unless consent stands."""

import hashlib
import json

import pytest
from sqlalchemy import select

from pointsbank.members.consenting import withdraw_consent
from pointsbank.messages.models import Message
from pointsbank.notices.drafting import DraftLine, draft_notice, replace_notice, withdraw_notice
from pointsbank.notices.errors import (
    BadNotice,
    NoticeAlive,
    NoticeNotAlive,
    NoticeNotFound,
    PrivateNumber,
    ReasonMissing,
)
from pointsbank.notices.filling import LINE_PLACES, NOTICE_PLACES
from pointsbank.notices.models import NOTICE_KINDS, Notice
from pointsbank.notices.queries import how_it_stands, notice_of, shown_lines
from tests.notices.boards import FACTS, TITLE, a_board, a_draft, consenting, grades

PHONE, IDENTITY = "13912345678", "14030319600101123X"


def names(session, notice_id):
    return [line.name for line in shown_lines(session, notice_id)]


def test_every_kind_has_one_template():
    assert set(NOTICE_PLACES) == set(LINE_PLACES) == set(NOTICE_KINDS)


def test_names_are_masked_unless_consent_stands(session, now):
    board = a_board(session)
    consenting(session, board.members[0])
    notice_id = a_draft(session, board)
    assert names(session, notice_id) == ["王桂兰", "李*军"]
    standing = how_it_stands(session, notice_id)
    assert (standing.state, standing.opened_on, standing.locked_at) == ("draft", None, None)
    withdraw_consent(
        session,
        member_id=board.members[0],
        purpose="publish_name",
        recorded_by_id=board.members[0],
        now=now,
    )
    assert names(session, notice_id) == ["王*兰", "李*军"]


def test_consent_given_later_shows_no_more_than_was_reviewed(session):
    board = a_board(session)
    notice_id = a_draft(session, board)
    consenting(session, board.members[1])
    assert names(session, notice_id) == ["王*兰", "李*军"]


def test_the_digest_is_the_one_of_the_handbook_whatever_consent_says(session):
    board = a_board(session)
    consenting(session, board.members[0])
    notice_id = a_draft(session, board)
    spelled = json.dumps(
        {
            "facts": FACTS,
            "kind": "grade",
            "lines": [
                {
                    "about": "member",
                    "facts": {"grade": "excellent"},
                    "name": "王*兰",
                    "no": 1,
                },
                {
                    "about": "member",
                    "facts": {"grade": "qualified"},
                    "name": "李*军",
                    "no": 2,
                },
            ],
            "no": 1,
            "title": TITLE,
        },
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    found = notice_of(session, notice_id)
    assert found.digest == hashlib.sha256(spelled.encode()).hexdigest()
    assert found.digest != hashlib.sha256(spelled.replace("2026", "2025").encode()).hexdigest()


def test_one_notice_of_a_subject_at_a_time(session, now):
    board = a_board(session)
    first = a_draft(session, board)
    with pytest.raises(NoticeAlive):
        a_draft(session, board)
    withdraw_notice(session, notice_id=first, by_id=board.secretary, reason="写错了", now=now)
    second = a_draft(session, board)
    assert (notice_of(session, second).no, how_it_stands(session, first).state) == (
        2,
        "withdrawn",
    )
    with pytest.raises(NoticeNotAlive):
        withdraw_notice(session, notice_id=first, by_id=None, reason="再来", now=now)
    with pytest.raises(NoticeNotFound):
        how_it_stands(session, 10**9)


def test_a_draft_that_is_replaced_waits_for_review_with_its_whole_window(session, now):
    board = a_board(session)
    first = a_draft(session, board)
    for reason, refusal in (("", ReasonMissing), (f"打电话 {PHONE}", PrivateNumber)):
        with pytest.raises(refusal):
            replace_notice(
                session,
                notice_id=first,
                lines=grades(*board.members),
                facts=FACTS,
                title=TITLE,
                by_id=board.secretary,
                reason=reason,
                now=now,
            )
    second = replace_notice(
        session,
        notice_id=first,
        lines=grades(*reversed(board.members)),
        facts=FACTS,
        title=TITLE,
        by_id=board.secretary,
        reason="顺序写反了",
        now=now,
    )
    found = notice_of(session, second)
    assert (found.no, found.state, found.window_days, found.replaces_id) == (
        2,
        "draft",
        5,
        first,
    )
    assert names(session, second) == ["李*军", "王*兰"]
    assert how_it_stands(session, first).state == "replaced"


@pytest.mark.parametrize(
    ("kind", "facts", "line", "days"),
    [
        ("ranking", {"period": "2026-Q4", "members": 30, "unnamed": 3}, {"band": "90–100"}, 5),
        ("grade", FACTS, {"grade": "basic"}, 5),
        ("post", {"task": "文明交通岗", "from_on": "2026-12-01"}, {"post": "值守"}, 5),
        ("star", {"year": 2026}, {"stars": 3, "minutes": 36000}, 5),
        ("organization_star", {"year": 2026}, {"stars": 5, "marks": 98}, 5),
        ("certificate", {"purpose": "入党积极分子考察"}, {"minutes": 6000}, 7),
    ],
)
def test_each_kind_takes_its_own_facts_and_days(session, now, kind, facts, line, days):
    board = a_board(session)
    about = (
        DraftLine(None, board.branch_id, line)
        if kind == "organization_star"
        else DraftLine(board.members[0], None, line)
    )

    def draft(facts, line):
        return draft_notice(
            session,
            kind=kind,
            subject=f"{kind}:1",
            organization_id=board.branch_id,
            title=TITLE,
            facts=facts,
            lines=[DraftLine(about.member_id, about.organization_id, line)],
            drafted_by_id=None,
            now=now,
        )

    for bad in ({**facts, "phone": "1"}, dict(list(facts.items())[1:]) | {"note": "x"}):
        with pytest.raises(BadNotice):
            draft(bad, line)
    with pytest.raises(BadNotice):
        draft(facts, {})
    assert notice_of(session, draft(facts, line)).window_days == days


@pytest.mark.parametrize(
    "text",
    [
        PHONE,
        "１３９-1234-5678",
        f"身份证{IDENTITY}",
        "+86 139 1234 5678",
        "6222021234567890123",
    ],
)
def test_no_number_of_a_person_gets_into_a_notice(session, now, text):
    board = a_board(session)
    facts = {"task": "文明交通岗", "from_on": "2026-12-01"}
    for title, more, post in (
        (f"公示 {text}", {}, "值守"),
        (TITLE, {"place": text}, "值守"),
        (TITLE, {}, text),
    ):
        with pytest.raises(PrivateNumber):
            draft_notice(
                session,
                kind="post",
                subject="post:1",
                organization_id=board.branch_id,
                title=title,
                facts=facts | more,
                lines=[DraftLine(board.members[0], None, {"post": post})],
                drafted_by_id=None,
                now=now,
            )
    assert session.scalar(select(Notice.id)) is None


@pytest.mark.parametrize(
    "line",
    [
        DraftLine(None, None, {"grade": "basic"}),
        DraftLine(10**9, None, {"grade": "basic"}),
        DraftLine(None, 10**9, {"grade": "basic"}),
        DraftLine(1, 1, {"grade": "basic"}),
    ],
)
def test_a_line_is_about_one_person_or_one_organization(session, line):
    with pytest.raises(BadNotice):
        a_draft(session, a_board(session), lines=[line])


def test_whoever_may_review_is_told_and_who_drafted_is_not(session):
    board = a_board(session)
    a_draft(session, board)
    told = set(session.scalars(select(Message.member_id)))
    assert told == {board.committee, board.second}
