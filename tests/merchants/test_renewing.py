"""Papers added to a merchant later: who adds and sees them, and that the old ones stay."""

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.audit import AuditEntry
from pointsbank.merchants import papers
from pointsbank.merchants.applications import paper_to_see, papers_of_merchant
from pointsbank.merchants.errors import PaperNotFound, TooManyPapers
from pointsbank.merchants.papers import add_merchant_paper, judged_paper
from pointsbank.messages.models import Message
from pointsbank.organizations.errors import MerchantNotFound
from tests.browsing import Browser, words_of
from tests.builders import a_member, a_merchant, an_organization, signed_in, with_role
from tests.merchants.partners import a_clerk, an_administrator
from tests.merchants.pictures import PDF, a_picture
from tests.merchants.test_pages import send
from tests.moments import NOON

LICENSE = judged_paper("license", "营业执照.pdf", PDF)
RENEWED = replace(LICENSE, content=PDF + b"\n")
A_YEAR_LATER = NOON + timedelta(days=365)


def add(session, actor, merchant_id, paper=LICENSE, now=NOON):
    return add_merchant_paper(
        session, actor=actor, merchant_id=merchant_id, paper=paper, now=now
    )


def test_a_renewed_license_stands_beside_the_old_one(session):
    judge, merchant_id = an_administrator(session), a_merchant(session)
    clerk = a_clerk(session, merchant_id)
    old = add(session, judge, merchant_id)
    # The form was sent twice.
    new, again = (
        add(session, clerk, merchant_id, RENEWED, A_YEAR_LATER + timedelta(seconds=second))
        for second in (0, 5)
    )
    assert again == new
    assert [
        (each.id, each.uploaded_at) for each in papers_of_merchant(session, merchant_id)
    ] == [
        (new, A_YEAR_LATER),
        (old, NOON),
    ]
    assert paper_to_see(session, old, clerk).content == PDF
    told = session.execute(select(Message.member_id, Message.kind)).all()
    # Of the judge's own paper nobody is told: there is no other administrator.
    assert told == [(judge.member_id, "merchant_paper_added")]
    noted = session.scalars(
        select(AuditEntry.actor_id).where(AuditEntry.action == "add_merchant_paper")
    )
    assert list(noted) == [judge.member_id, clerk.member_id]


def test_only_the_shop_and_who_looks_after_it_add_and_see(session):
    merchant_id = a_merchant(session)
    elsewhere = an_organization(session, "140303005004", name="别处")
    foreign_id = a_merchant(session, "利民理发店", elsewhere)
    paper_id = add(session, an_administrator(session), merchant_id)
    auditor_id = with_role(session, a_member(session), "auditor")
    auditor = Actor(auditor_id, "郑明", 0, 0, (Grant("auditor", "/"),))
    for actor, may_see in ((auditor, True), (a_clerk(session, foreign_id), False)):
        with pytest.raises(MerchantNotFound):
            add(session, actor, merchant_id)
        if may_see:
            assert paper_to_see(session, paper_id, actor).id == paper_id
        else:
            with pytest.raises(PaperNotFound):
                paper_to_see(session, paper_id, actor)


def test_a_merchant_keeps_so_many_and_no_more(session, monkeypatch):
    monkeypatch.setattr(papers, "MERCHANT_PAPERS_MAX", 2)
    judge, merchant_id = an_administrator(session), a_merchant(session)
    for number in range(2):
        add(session, judge, merchant_id, replace(LICENSE, content=PDF + bytes([number])))
    with pytest.raises(TooManyPapers):
        add(session, judge, merchant_id)


@pytest.fixture
def shop(app, writing, monkeypatch):
    """A merchant with its clerk's and an administrator's ids, at noon."""
    monkeypatch.setattr("pointsbank.core.clock.now", lambda: NOON)
    with writing() as session:
        merchant_id = a_merchant(session)
        return {
            "merchant": merchant_id,
            "clerk": a_clerk(session, merchant_id).member_id,
            "judge": an_administrator(session).member_id,
        }


def test_a_clerk_adds_one_on_the_page_and_an_administrator_opens_it(app, shop):
    clerk, judge = Browser(app, shop["clerk"]), Browser(app, shop["judge"])
    address = f"/merchants/{shop['merchant']}/papers"
    page = clerk.open(address)
    wrong = send(clerk, page, "/papers", {"file": (b"<html>", "license.jpg")})
    assert "请选择能打开的照片" in words_of(wrong)
    for size in ((64, 48), (48, 64)):
        picture = (a_picture("JPEG", size), "x.jpg")
        done = send(clerk, page, "/papers", {"file": picture}, kind="license")
    assert "材料已上传" in words_of(done)
    seen = words_of(judge.open(address))
    for words in ("营业执照 2026-11-21 最新", "营业执照 2026-11-21 以前的"):
        assert seen.count(words) == 1


def attach(client, shop, who, app, content=PDF, **form):
    return client.post(
        f"/api/v1/merchants/{shop['merchant']}/papers",
        data={"file": (io.BytesIO(content), "license.pdf"), **(form or {"kind": "license"})},
        headers=signed_in(app, shop[who], NOON),
    )


def test_programs_add_and_list_them(app, client, shop):
    made = attach(client, shop, "clerk", app)
    assert (made.status_code, made.json["media_type"]) == (201, "application/pdf")
    listed = client.get(
        f"/api/v1/merchants/{shop['merchant']}/papers",
        headers=signed_in(app, shop["judge"], NOON),
    )
    assert listed.json["items"] == [made.json]
    shown = client.get(
        f"/api/v1/merchant-papers/{made.json['id']}",
        headers=signed_in(app, shop["judge"], NOON),
    )
    assert (shown.data, shown.headers["X-Content-Type-Options"]) == (PDF, "nosniff")


@pytest.mark.parametrize(
    ("content", "form", "status", "code"),
    [
        (b"MZ" + PDF, {"kind": "license"}, 400, "bad_paper"),
        (PDF, {"kind": "passport"}, 422, "bad_fields"),
    ],
)
def test_what_is_no_paper_is_refused_as_in_an_application(
    app, client, shop, content, form, status, code
):
    answer = attach(client, shop, "clerk", app, content, **form)
    assert (answer.status_code, answer.json["code"]) == (status, code)
