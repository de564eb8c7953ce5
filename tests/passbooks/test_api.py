"""One's own passbook in JSON: signed lines, newest first, page by page, and nobody else's."""

from datetime import timedelta

import pytest

from pointsbank.ledger.service import expire_points, reverse
from tests.builders import a_member, points_for, points_spent, signed_in
from tests.moments import NOON


@pytest.fixture
def member(writing):
    with writing() as session:
        return a_member(session)


@pytest.fixture
def read(app, client, member):
    """Read the member's book, with any query."""
    headers = signed_in(app, member)

    def read_book(**query):
        answer = client.get("/api/v1/me/passbook", query_string=query, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json

    return read_book


def test_an_empty_book_has_no_lines(read):
    assert read() == {"items": [], "next": None}


def test_lines_are_signed_and_tell_where_they_came_from(writing, read, member):
    with writing() as session:
        points_for(session, member, 45, "award:17")
        spent = points_spent(session, member, 20, "redeem:R1", NOON + timedelta(hours=1))
        reverse(
            session,
            transfer_id=spent,
            key="void:1",
            reason="冲正",
            actor_id=None,
            today=NOON.date(),
            now=NOON + timedelta(hours=2),
        )
    items = read()["items"]
    assert [
        (item["line"], item["kind"], item["points"], item["balance_after"]) for item in items
    ] == [(3, "reversal", 20, 45), (2, "spend", -20, 25), (1, "earn", 45, 45)]
    assert [item["source"] for item in items] == [
        {"kind": "void", "id": 1},
        {"kind": "redemption", "number": "R1"},
        {"kind": "claim", "id": 17},
    ]
    assert items[0]["reverses_line"] == 2
    assert items[2]["memo"] == "河道清洁"
    assert items[2]["expires_on"] == "2027-12-31"
    assert items[2]["occurred_at"] == "2026-11-21T04:00:00+00:00"


def test_what_expired_is_said_in_the_readers_language(app, client, writing, member):
    with writing() as session:
        points_for(session, member, 45, "award:1", NOON - timedelta(days=700))
        expire_points(session, today=NOON.date(), now=NOON)
    headers = signed_in(app, member)
    memos = {}
    for language in ("zh", "en"):
        answer = client.get(
            "/api/v1/me/passbook", headers={**headers, "Accept-Language": language}
        )
        memos[language] = answer.json["items"][0]["memo"]
    assert memos == {"zh": "到期清零", "en": "Expired"}


def test_a_long_book_is_read_page_by_page(writing, read, member):
    with writing() as session:
        for place in range(7):
            points_for(session, member, 10 + place, f"award:{place}")
    seen, cursor = [], None
    while True:
        page = read(limit=3, **({"cursor": cursor} if cursor else {}))
        seen += [item["line"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_nobody_reads_anothers_book(app, client, writing, read, member):
    with writing() as session:
        points_for(session, member, 45, "award:1")
        other = a_member(session)
    answer = client.get("/api/v1/me/passbook", headers=signed_in(app, other))
    assert answer.json["items"] == []
    assert client.get("/api/v1/me/passbook").status_code == 401


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"cursor": "nonsense"}, 400),
        ({"limit": "0"}, 422),
        ({"limit": "201"}, 422),
    ],
)
def test_a_bad_question_is_refused(app, client, member, query, status):
    answer = client.get(
        "/api/v1/me/passbook", query_string=query, headers=signed_in(app, member)
    )
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
