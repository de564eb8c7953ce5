"""The desk of those who look after notices, and the objections they answer."""

import io

import pypdfium2
import pytest
import time_machine
import zxingcpp
from sqlalchemy import select

from pointsbank.notices.models import Objection
from pointsbank.notices.objecting import NewObjection, raise_objection
from tests.builders import a_member, signed_in
from tests.laws.world import FORM_TOKEN
from tests.notices.boards import MONDAY, TITLE, a_board, a_draft, at, grades


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(at(MONDAY), tick=False) as traveller:
        yield traveller


@pytest.fixture
def board(writing):
    with writing() as session:
        return a_board(session)


@pytest.fixture
def draft(writing, board):
    with writing() as session:
        return a_draft(session, board)


@pytest.fixture
def sign_in(app):
    def enter(member_id):
        client = app.test_client()
        token = signed_in(app, member_id, at(MONDAY))["Authorization"][7:]
        client.set_cookie("pointsbank", token)
        return client

    return enter


def posted(client, path, look="", **form):
    token = FORM_TOKEN.search(client.get(look or path).text)
    assert token, path
    return client.post(path, data={"csrf_token": token[1], **form}, follow_redirects=True)


def objected(writing, notice_id, name="周大爷"):
    with writing() as session:
        return raise_objection(
            session,
            notice_id=notice_id,
            by=a_member(session, name),
            wanted=NewObjection("不对", "", 1),
            today=MONDAY,
            now=at(MONDAY),
        ).id


def test_a_draft_is_read_reviewed_and_shown(sign_in, board, draft):
    drafter, reviewer = sign_in(board.secretary), sign_in(board.committee)
    page = f"/notice-desk/{draft}"
    assert "拟的" in drafter.get(page).text
    refused = posted(drafter, f"{page}/review", page)
    assert "需要由别人审核" in refused.text
    assert TITLE in reviewer.get("/notice-desk").text
    assert "审核已记录" in posted(reviewer, f"{page}/review", page).text
    assert reviewer.get(f"/notices/{draft}").status_code == 200
    again = posted(reviewer, f"{page}/review", page)
    assert "已经审核过" in again.text


def test_who_stands_in_the_list_is_told_that_another_has_to_look(sign_in, writing, board):
    with writing() as session:
        own = a_draft(
            session,
            board,
            subject="grades:own",
            lines=grades(board.committee, *board.members),
        )
    page = f"/notice-desk/{own}"
    first = sign_in(board.committee)
    assert "您本人也在名单里" in first.get(page).text
    posted(first, f"{page}/review", page)
    assert first.get(f"/notices/{own}").status_code == 404
    posted(sign_in(board.second), f"{page}/review", page)
    assert first.get(f"/notices/{own}").status_code == 200


def test_an_objection_is_answered_decided_and_shown_as_contested(
    sign_in, writing, board, draft
):
    committee = sign_in(board.committee)
    posted(committee, f"/notice-desk/{draft}/review", f"/notice-desk/{draft}")
    objection_id = objected(writing, draft)
    page = f"/objections/{objection_id}"
    assert "不对" in committee.get("/objections").text
    early = posted(
        committee, f"/notice-desk/{draft}/withdrawal", f"/notice-desk/{draft}", reason="写错了"
    )
    assert early.status_code == 422
    assert 'value="写错了"' in early.text
    mute = posted(committee, f"{page}/answer", page, answer="dismiss", reason="")
    assert mute.status_code == 400
    odd = posted(committee, f"{page}/answer", page, answer="perhaps", reason="看看")
    assert (odd.status_code, "看看" in odd.text) == (422, True)
    assert posted(committee, f"{page}/answer", page, answer="accept").status_code == 200
    decided = posted(committee, f"{page}/decision", page, decision="uphold", reason="属实")
    assert "异议成立" in decided.text
    assert "这份公示将更正" in committee.get(f"/notices/{draft}").text
    closed = committee.get("/objections?state=closed")
    assert "不对" in closed.text
    late = posted(committee, f"{page}/decision", page, decision="reject", reason="不")
    assert late.status_code == 409


def test_what_is_overdue_is_loud(sign_in, writing, board, draft):
    committee = sign_in(board.committee)
    posted(committee, f"/notice-desk/{draft}/review", f"/notice-desk/{draft}")
    objected(writing, draft)
    assert "已超期" not in committee.get("/objections").text
    with time_machine.travel(at(MONDAY.replace(day=27)), tick=False):
        late = sign_in_late(committee, board)
        assert "已超期" in late.get("/objections").text


def sign_in_late(committee, board):
    """Return a browser whose session began on the day the traveller is at."""
    client = committee.application.test_client()
    token = signed_in(committee.application, board.second, at(MONDAY.replace(day=27)))
    client.set_cookie("pointsbank", token["Authorization"][7:])
    return client


def test_programs_do_the_same(app, writing, board, draft):
    client = app.test_client()
    headers = signed_in(app, board.committee, at(MONDAY))

    def call(path, body=None):
        return client.post(f"/api/v1{path}", json=body, headers=headers)

    def seen(path):
        return client.get(f"/api/v1{path}", headers=headers).json

    assert [each["id"] for each in seen("/notices")["items"]] == [draft]
    assert call(f"/notices/{draft}/review").json["state"] == "open"
    objection_id = objected(writing, draft)
    assert seen("/notices")["items"][0]["waiting"] == 1
    assert seen("/objections")["items"][0]["id"] == objection_id
    assert seen(f"/objections/{objection_id}")["objector"] == "周*爷"
    assert call(f"/notices/{draft}/withdrawal", {"reason": "撤"}).status_code == 409
    answer = call(f"/objections/{objection_id}/answer", {"answer": "accept"})
    assert answer.json["state"] == "accepted"
    decision = {"decision": "reject", "reason": "不属实"}
    assert call(f"/objections/{objection_id}/decision", decision).json["state"] == "rejected"
    with writing() as session:
        kept = session.scalars(select(Objection)).one()
        assert (kept.answered_by_id, kept.decided_by_id) == (board.committee,) * 2
    withdrawn = call(f"/notices/{draft}/withdrawal", {"reason": "名单有误"})
    assert (withdrawn.json["state"], withdrawn.json["withdrawn_reason"]) == (
        "withdrawn",
        "名单有误",
    )
    assert [each["id"] for each in seen("/notices?state=archive")["items"]] == [draft]


def test_the_pdf_for_the_wall_holds_lines_digest_and_the_address(sign_in, board, draft):
    client = sign_in(board.committee)
    posted(client, f"/notice-desk/{draft}/review", f"/notice-desk/{draft}")
    answer = client.get(f"/notice-desk/{draft}/notice.pdf")
    assert answer.mimetype == "application/pdf"
    document = pypdfium2.PdfDocument(io.BytesIO(answer.data))
    text = "".join(page.get_textpage().get_text_range() for page in document)
    digest = client.get(f"/api/v1/public-notices/{draft}").json["digest"]
    for words in (TITLE, "王*兰", "2026-11-30", digest[:8], digest[-8:]):
        assert words in text
    assert "王桂兰" not in text
    picture = document[0].render(scale=4).to_pil()
    codes = [found.text for found in zxingcpp.read_barcodes(picture)]
    assert len(codes) == 1
    assert codes[0].endswith(f"/notices/{draft}")
