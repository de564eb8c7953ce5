"""What everyone may read of notices, and how they object: pages and JSON alike."""

import hashlib
import html
import json
import re
from datetime import date

import pytest
import time_machine
from sqlalchemy import func, select

from pointsbank.core.text import masked_name
from pointsbank.members.consenting import withdraw_consent
from pointsbank.notices.models import Objection
from pointsbank.notices.reviewing import review_notice
from tests.builders import a_member, signed_in
from tests.laws.world import FORM_TOKEN
from tests.notices.boards import MONDAY, TITLE, a_board, a_draft, at, consenting

LAST = date(2026, 11, 30)
FACTS = "十一月三日的清扫他没有来，名单里却有他。"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
RECEIPT = re.compile(r"[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}")


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(at(MONDAY), tick=False) as traveller:
        yield traveller


@pytest.fixture
def board(writing):
    with writing() as session:
        made = a_board(session)
        consenting(session, made.members[0])
        return made


@pytest.fixture
def shown(writing, board):
    with writing() as session:
        notice_id = a_draft(session, board)
        review_notice(
            session,
            notice_id=notice_id,
            actor=board.actor(board.committee),
            today=MONDAY,
            now=at(MONDAY),
        )
        return notice_id


def posted(client, path, **form):
    token = FORM_TOKEN.search(client.get(path).text)
    assert token, path
    return client.post(path, data={"csrf_token": token[1], **form})


def without_form_token(page):
    """Return a page without what is drawn for each answer, and without its own address."""
    return re.sub(r'(content|value)="[^"]{40,}"|/notices/\d+|notices%2F\d+', "", page)


def test_a_stranger_reads_an_open_notice_and_nobody_keeps_it(client, shown):
    for path in (f"/notices/{shown}", "/notices", f"/api/v1/public-notices/{shown}"):
        page = client.get(path)
        assert page.status_code == 200, path
        assert page.headers["X-Robots-Tag"] == "noindex"
        assert page.headers["Cache-Control"] == "no-store"
        assert TITLE in json.dumps(page.json, ensure_ascii=False) + page.text
    page = client.get(f"/notices/{shown}").text
    assert '<meta name="robots" content="noindex">' in page
    assert "王桂兰" in page
    assert "李*军" in page
    assert "李建军" not in page


def test_the_digest_is_computed_again_from_the_data_of_the_page(client, writing, board, shown):
    def recomputed():
        page = client.get(f"/api/v1/public-notices/{shown}").json
        spelled = {name: page[name] for name in ("facts", "kind", "no", "title")}
        spelled["lines"] = [
            {**line, "name": masked_name(line["name"])} for line in page["lines"]
        ]
        text = json.dumps(spelled, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest(), page["digest"]

    computed, printed = recomputed()
    assert computed == printed
    on_page = client.get(f"/notices/{shown}").text
    assert " ".join(printed[at : at + 8] for at in range(0, 64, 8)) in on_page
    with writing() as session:
        withdraw_consent(
            session,
            member_id=board.members[0],
            purpose="publish_name",
            recorded_by_id=board.members[0],
            now=at(MONDAY, 13),
        )
    # Masked at once, before any job has run; the digest on the wall stays true.
    page = client.get(f"/notices/{shown}").text
    assert "王桂兰" not in page
    assert "王*兰" in page
    assert recomputed() == (printed, printed)


def test_what_the_public_may_not_see_looks_like_what_never_was(client, writing, board, shown):
    with writing() as session:
        draft = a_draft(session, board, subject="grades:2025:1")
    answers = [
        client.get(path.format(notice_id), headers={"X-Request-ID": "the-same"})
        for path in ("/notices/{}", "/notices/{}/objection", "/api/v1/public-notices/{}")
        for notice_id in (draft, 10**9)
    ]
    assert {each.status_code for each in answers} == {404}
    for one, other in zip(answers[::2], answers[1::2], strict=True):
        assert without_form_token(one.text) == without_form_token(other.text)
    with time_machine.travel(at(LAST, 23), tick=False):
        assert client.get(f"/notices/{shown}").status_code == 200
    with time_machine.travel(at(date(2026, 12, 1), 0), tick=False):
        assert client.get(f"/notices/{shown}").status_code == 404
        assert client.get("/api/v1/public-notices").json["items"] == []


def test_without_a_name_a_receipt_is_shown_once_and_leads_back(client, writing, shown):
    path = f"/notices/{shown}/objection"
    refused = posted(client, path, reason="不对", facts="太短", line_no="1")
    assert refused.status_code == 400
    assert "太短" in refused.text
    page = posted(client, path, reason="不对", facts=FACTS, line_no="1")
    assert page.status_code == 200, page.text
    receipt = RECEIPT.search(page.text)
    assert receipt
    course = posted(client, "/notices/receipt", receipt=receipt[0].lower())
    assert course.status_code == 200
    assert "待答复" in course.text
    unknown = posted(client, "/notices/receipt", receipt="ABCD-ABCD-ABCD")
    assert unknown.status_code == 404
    assert "请对照回执再看一遍" in unknown.text
    assert 'ABCD-ABCD-ABCD"' in unknown.text
    with writing() as session:
        kept = session.scalars(select(Objection)).one()
        assert (kept.objector_id, kept.line_no, kept.facts) == (None, 1, FACTS)
        assert receipt[0].replace("-", "").encode() not in kept.receipt_hash
    by_program = client.post("/api/v1/objection-receipts", json={"receipt": receipt[0]})
    assert (by_program.status_code, by_program.json["state"]) == (200, "raised")
    assert "id" not in by_program.json


def test_whoever_signed_in_may_still_keep_their_name_back(app, client, writing, shown):
    with writing() as session:
        member_id = a_member(session, "周大爷")
    client.set_cookie("pointsbank", signed_in(app, member_id, at(MONDAY))["Authorization"][7:])
    path = f"/notices/{shown}/objection"
    assert posted(client, path, name="nameless", reason="不对", facts=FACTS).status_code == 200
    named = posted(client, path, name="named", reason="我知道", facts="", line_no="2")
    assert named.status_code == 302
    assert "我知道" in client.get(named.headers["Location"]).text
    assert "我知道" in client.get("/me/objections").text
    with writing() as session:
        kept = session.scalars(select(Objection.objector_id).order_by(Objection.id)).all()
    assert kept == [None, member_id]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"reason": "不对", "facts": FACTS + "13912345678"}, 400, "private_number"),
        ({"reason": "不对", "facts": "太短"}, 400, "facts_missing"),
        ({"reason": "不对", "facts": FACTS, "line_no": 9}, 404, "line_unknown"),
        ({"reason": "", "facts": FACTS}, 422, "bad_fields"),
        ({"reason": "不对", "facts": FACTS, "phone": "1"}, 422, "bad_fields"),
        ({"reason": "字" * 401, "facts": FACTS}, 422, "bad_fields"),
    ],
)
def test_a_bad_objection_is_refused_and_nothing_is_kept(
    client, writing, shown, body, status, code
):
    answer = client.post(f"/api/v1/public-notices/{shown}/objections", json=body)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    with writing() as session:
        assert session.scalar(select(func.count()).select_from(Objection)) == 0


def test_a_flood_without_a_name_is_stopped_and_said_when_to_come_back(client, shown):
    path = f"/api/v1/public-notices/{shown}/objections"
    answers = [client.post(path, json={"reason": "不对", "facts": FACTS}) for _ in range(11)]
    assert [each.status_code for each in answers] == [201] * 10 + [429]
    assert answers[-1].headers["Retry-After"] == "3600"


def test_markup_in_an_objection_stays_text(app, client, writing, board, shown):
    posted(client, f"/notices/{shown}/objection", reason=HOSTILE, facts=HOSTILE + FACTS)
    client.set_cookie(
        "pointsbank", signed_in(app, board.committee, at(MONDAY))["Authorization"][7:]
    )
    with writing() as session:
        objection_id = session.scalars(select(Objection.id)).one()
    for path in (f"/objections/{objection_id}", "/objections", f"/notice-desk/{shown}"):
        page = client.get(path)
        assert page.status_code == 200, path
        assert "<script>alert" not in page.text
        assert "onerror=alert(2)>" not in page.text.replace(html.escape(HOSTILE), "")
        assert html.escape(HOSTILE) in page.text


def test_the_list_of_an_organization_holds_what_stands_under_it(client, writing, board, shown):
    with writing() as session:
        a_board(session)
    found = client.get("/api/v1/public-notices").json["items"]
    assert [each["id"] for each in found] == [shown]
    code = client.get(f"/api/v1/public-notices/{shown}").json["organization_code"]
    query = {"organization_code": code}
    assert client.get("/api/v1/public-notices", query_string=query).json["items"] == found
    assert client.get("/notices", query_string={"under": "nowhere"}).status_code == 404
