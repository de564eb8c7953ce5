"""Applications: who may send, read, decide and withdraw them, and what becomes of one."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from pointsbank.core.actor import Actor, Grant
from pointsbank.members.queries import standing_roles
from pointsbank.merchants.applications import (
    application_of,
    applications_for,
    paper_to_see,
    papers_of,
    papers_of_merchant,
)
from pointsbank.merchants.applying import (
    NewApplication,
    add_paper,
    apply_as_merchant,
    approve_application,
    refuse_application,
    withdraw_application,
)
from pointsbank.merchants.errors import (
    AlreadyApplied,
    ApplicationDecided,
    ApplicationNotFound,
    BadLicense,
    LicenseMissing,
    OwnApplication,
    PaperNotFound,
    TooManyPapers,
)
from pointsbank.merchants.papers import PAPERS_MAX, judged_paper
from pointsbank.merchants.queries import shops_of
from pointsbank.messages.models import Message
from pointsbank.organizations.errors import OrganizationNotFound, UnknownKind
from pointsbank.organizations.models import Merchant
from pointsbank.organizations.queries import organization_by_code, organization_of
from tests.builders import COMMUNITY_CODE, a_member, an_organization, with_role
from tests.merchants.partners import a_clerk, an_administrator
from tests.merchants.pictures import PDF
from tests.moments import NOON

LICENSE = "91350100M000100Y43"
NEW = NewApplication("惠民粮油店", "shop", COMMUNITY_CODE, LICENSE, "平潭街 8 号", "卖粮油")
PAPER = judged_paper("license", "营业执照.pdf", PDF)
HANDLE = b"a handle"


def member(session, *grants):
    """Return a member of the test's community as an actor with these grants."""
    return Actor(a_member(session, "赵老板"), "赵老板", 0, 0, grants)


def sent(session, applicant, application=NEW, papers=(PAPER,)):
    an_organization(session)
    return apply_as_merchant(
        session,
        applicant_id=applicant.member_id,
        application=application,
        papers=papers,
        now=NOON,
    )


def approved(session, actor, application_id):
    return approve_application(
        session, actor=actor, application_id=application_id, handle=HANDLE, now=NOON
    )


def told(session, member_id):
    return list(session.scalars(select(Message.kind).where(Message.member_id == member_id)))


def test_an_approved_application_becomes_a_merchant_with_all_it_needs(session):
    applicant, judge = member(session), an_administrator(session)
    application_id = sent(session, applicant)
    assert told(session, judge.member_id) == ["merchant_application_asked"]
    merchant_id = approved(session, judge, application_id)
    merchant = session.get_one(Merchant, merchant_id)
    assert (merchant.name, merchant.kind, merchant.state) == ("惠民粮油店", "shop", "active")
    assert organization_of(session, merchant.organization_id).code == COMMUNITY_CODE
    (shop,) = shops_of(session, merchant_id)
    assert (shop.name, shop.address, shop.till_handle) == ("惠民粮油店", "平潭街 8 号", HANDLE)
    (role,) = standing_roles(session, applicant.member_id)
    assert (role.role, role.merchant_id) == ("clerk", merchant_id)
    assert papers_of(session, application_id) == []
    (paper,) = papers_of_merchant(session, merchant_id)
    assert (paper.kind, paper.media_type, paper.size) == (
        "license",
        "application/pdf",
        len(PDF),
    )
    assert told(session, applicant.member_id) == ["merchant_application_approved"]
    line = application_of(session, application_id, applicant)
    assert (line.state, line.merchant_id, line.applicant_name) == (
        "approved",
        merchant_id,
        "赵*板",
    )


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"kind": "bank"}, UnknownKind),
        ({"license_no": "91350100M000100Y44"}, BadLicense),
        ({"license_no": ""}, BadLicense),
        ({"organization_code": "404"}, OrganizationNotFound),
    ],
)
def test_what_an_application_must_say(session, change, refusal):
    with pytest.raises(refusal):
        sent(session, member(session), replace(NEW, **change))
    assert applications_for(session, an_administrator(session)) == []


def test_a_community_store_needs_no_license(session):
    store = replace(NEW, kind="community_store", license_no="")
    application_id = sent(session, member(session), store, papers=())
    assert approved(session, an_administrator(session), application_id) > 0


def test_a_shop_is_not_approved_without_a_picture_of_its_license(session):
    applicant, judge = member(session), an_administrator(session)
    application_id = sent(session, applicant, papers=(replace(PAPER, kind="other"),))
    with pytest.raises(LicenseMissing):
        approved(session, judge, application_id)
    add_paper(session, actor=applicant, application_id=application_id, paper=PAPER, now=NOON)
    assert approved(session, judge, application_id) > 0


def test_nobody_decides_their_own_application(session):
    judge = an_administrator(session)
    application_id = sent(session, judge)
    assert told(session, judge.member_id) == []
    with pytest.raises(OwnApplication):
        approved(session, judge, application_id)
    with pytest.raises(OwnApplication):
        refuse_application(
            session, actor=judge, application_id=application_id, reason="不", now=NOON
        )


def test_only_those_over_the_organization_read_and_decide(session):
    applicant = member(session)
    application_id = sent(session, applicant)
    path = organization_by_code(session, COMMUNITY_CODE).path
    elsewhere = an_organization(session, "140303005004")
    far = an_administrator(session, organization_of(session, elsewhere).path)
    auditor = member(session, Grant("auditor", path))
    stranger = member(session)
    (paper,) = papers_of(session, application_id)
    for actor, may in ((applicant, True), (auditor, True), (far, False), (stranger, False)):
        assert [line.id for line in applications_for(session, actor)] == (
            [application_id] if may else []
        )
        if may:
            assert application_of(session, application_id, actor).id == application_id
            assert paper_to_see(session, paper.id, actor).content == PDF
            with pytest.raises((ApplicationNotFound, OwnApplication)):
                approved(session, actor, application_id)
        else:
            with pytest.raises(ApplicationNotFound):
                approved(session, actor, application_id)
            with pytest.raises(PaperNotFound):
                paper_to_see(session, paper.id, actor)
            with pytest.raises(ApplicationNotFound):
                withdraw_application(
                    session, actor=actor, application_id=application_id, now=NOON
                )


def test_a_merchants_papers_are_its_clerks_and_overseers(session):
    applicant, judge = member(session), an_administrator(session)
    merchant_id = approved(session, judge, sent(session, applicant))
    (paper,) = papers_of_merchant(session, merchant_id)
    assert paper_to_see(session, paper.id, a_clerk(session, merchant_id)).content == PDF
    with pytest.raises(PaperNotFound):
        paper_to_see(session, paper.id, applicant)


def test_an_application_is_decided_once(session):
    applicant, judge = member(session), an_administrator(session)
    application_id = sent(session, applicant)
    refuse_application(
        session, actor=judge, application_id=application_id, reason="照片看不清", now=NOON
    )
    line = application_of(session, application_id, applicant)
    assert (line.state, line.decision_note) == ("refused", "照片看不清")
    assert told(session, applicant.member_id) == ["merchant_application_refused"]
    with pytest.raises(ApplicationDecided):
        approved(session, judge, application_id)
    with pytest.raises(ApplicationDecided):
        withdraw_application(session, actor=applicant, application_id=application_id, now=NOON)
    with pytest.raises(ApplicationDecided):
        add_paper(
            session, actor=applicant, application_id=application_id, paper=PAPER, now=NOON
        )


def test_one_application_waits_at_a_time_and_may_be_taken_back(session):
    applicant = member(session)
    application_id = sent(session, applicant)
    with pytest.raises(AlreadyApplied):
        sent(session, applicant)
    assert sent(session, applicant, replace(NEW, name="二店")) > application_id
    for _ in range(2):
        withdraw_application(session, actor=applicant, application_id=application_id, now=NOON)
    again = sent(session, applicant)
    assert [line.id for line in applications_for(session, applicant, state="withdrawn")] == [
        application_id
    ]
    assert applications_for(session, applicant, limit=1)[0].id == again


def test_so_many_papers_and_no_more(session):
    applicant = member(session)
    papers = [replace(PAPER, content=PDF + bytes([no])) for no in range(PAPERS_MAX + 1)]
    application_id = sent(session, applicant, papers=papers[:-1])
    with pytest.raises(TooManyPapers):
        add_paper(
            session, actor=applicant, application_id=application_id, paper=papers[-1], now=NOON
        )
    # The same once more is the one that is there.
    again = {"actor": applicant, "application_id": application_id, "now": NOON}
    first = papers_of(session, application_id)[0].id
    assert add_paper(session, paper=papers[0], **again) == first


def test_a_clerk_is_told_of_nothing_that_is_not_theirs(session):
    secretary = with_role(session, a_member(session), "secretary", an_organization(session))
    sent(session, member(session))
    assert told(session, secretary) == []
