"""The share of manual entries of each organizer, as every member may see it."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from pointsbank.appraisals.models import LateEntry
from pointsbank.attendance.models import Attendance, Scan
from pointsbank.attendance.settling import settle_shift
from pointsbank.core import clock
from pointsbank.core.keys import draw_bytes, draw_token
from pointsbank.organizations.models import Organization
from pointsbank.rankings.by_hand import HandShare, hand_shares, home_of
from tests.browsing import Browser, Forms, words_of
from tests.builders import (
    a_branch,
    a_claim,
    a_member,
    a_shift,
    an_organization,
    signed_in,
    with_role,
)
from tests.moments import NOON
from tests.scoring.hands import ZONE, asked, decided, some_hands

YEAR = timedelta(days=365)


@pytest.fixture
def hands(session):
    return some_hands(session)


def credited(session, hands, member_id, code_kinds=("venue", "venue"), now=NOON):
    """Let a member come and go by these codes, and the organizer settle it."""
    starts_at = now - timedelta(hours=3)
    shift_id = a_shift(
        session,
        starts_at=starts_at,
        organizer_id=hands.organizer_id,
        organization_id=hands.community_id,
        now=now - timedelta(days=1),
    )
    claim = a_claim(session, shift_id, member_id, now=now - timedelta(days=1))
    for direction, kind in zip(("in", "out"), code_kinds, strict=True):
        session.add(
            Scan(
                actor_id=hands.organizer_id,
                nonce=draw_token(),
                code_hash=draw_bytes(32),
                code_kind=kind,
                shift_id=shift_id,
                member_id=member_id,
                direction=direction,
                result="ok",
                reason="ok",
                counts=True,
                is_offline=False,
                scanned_at=starts_at,
                recorded_at=starts_at,
                flags=[],
                verdict={},
            )
        )
    session.add(
        Attendance(
            shift_id=shift_id,
            member_id=member_id,
            claim_id=claim.id,
            state="left",
            checked_in_at=starts_at,
            checked_out_at=starts_at + timedelta(minutes=150),
            flags=[],
        )
    )
    session.flush()
    path = session.get_one(Organization, hands.community_id).path
    settle_shift(
        session,
        shift_id=shift_id,
        actor_id=hands.organizer_id,
        paths=(path,),
        zone=ZONE,
        now=now,
    )


def shares(session, hands, since=NOON - YEAR):
    path = session.get_one(Organization, hands.community_id).path
    return {each.name: each for each in hand_shares(session, [path], since)}


def test_scans_typed_numbers_and_adjustments_are_told_apart(session, hands):
    for kinds in (("venue", "venue"), ("card", "personal"), ("manual", "venue")):
        credited(session, hands, a_member(session, organization_id=hands.branch_id), kinds)
    found = asked(session, hands)
    waiting, refused = asked(session, hands), asked(session, hands)
    decided(session, found.id, hands.secretary_id)
    decided(session, refused.id, hands.secretary_id, False)
    assert waiting.id
    share = shares(session, hands)["李*"]
    assert (share.by_scan, share.by_hand, share.percent) == (2, 2, 50)


def test_a_late_entry_is_by_hand_of_whoever_entered_it(session, hands):
    for state in ("confirmed", "refused", "pending"):
        is_open = state == "pending"
        session.add(
            LateEntry(
                member_id=hands.member_id,
                organization_id=hands.branch_id,
                reason="巡河没有结算",
                state=state,
                entered_by_id=hands.organizer_id,
                entered_at=NOON,
                confirmed_by_id=None if is_open else hands.secretary_id,
                decided_at=None if is_open else NOON,
                item_code="volunteer_hour",
                times=1,
                service_minutes=60,
                hundredths=50,
                occurred_on=NOON.date(),
                document_no="签到表3号",
            )
        )
    session.flush()
    share = shares(session, hands)["李*"]
    assert (share.by_scan, share.by_hand) == (0, 1)


def test_an_undone_typing_and_work_that_is_held_count_for_nothing(session, hands):
    member = a_member(session, organization_id=hands.branch_id)
    credited(session, hands, member, ("manual", "venue"))
    session.execute(update(Scan).where(Scan.code_kind == "manual").values(counts=False))
    assert shares(session, hands)["李*"].percent == 0
    session.execute(update(Attendance).values(state="held", points=None))
    assert shares(session, hands) == {}


def test_a_year_is_looked_back_on_and_no_further(session, hands):
    decided(session, asked(session, hands).id, hands.secretary_id)
    assert shares(session, hands, NOON)["李*"].by_hand == 1
    assert shares(session, hands, NOON + timedelta(seconds=1)) == {}


def test_another_community_stands_apart(session, hands):
    decided(session, asked(session, hands).id, hands.secretary_id)
    beside = an_organization(session, "140303009", "community")
    path = session.get_one(Organization, beside).path
    assert hand_shares(session, [path], NOON - YEAR) == []


@pytest.mark.parametrize(
    ("by_scan", "by_hand", "percent"), [(0, 1, 100), (999, 1, 1), (1, 1, 50), (5, 0, 0)]
)
def test_a_small_share_is_not_rounded_away(by_scan, by_hand, percent):
    assert HandShare(1, "李*", "", by_scan, by_hand).percent == percent


def test_home_is_the_nearest_community_or_the_top(session, hands):
    district = an_organization(session, "150000", "district")
    lone = a_branch(session, "B7", district)
    assert home_of(session, hands.branch_id, "community").id == hands.community_id
    assert home_of(session, hands.branch_id, "district").code == "140303"
    assert home_of(session, lone, "community").id == district


def test_every_member_sees_it_with_masked_names(app, client, writing):
    with writing() as session:
        hands = some_hands(session)
        found = asked(session, hands, now=clock.now())
        decided(session, found.id, hands.secretary_id, now=clock.now())
        elsewhere = an_organization(session, "150000", "district")
        stranger = a_member(session, organization_id=elsewhere)
    for of in ("community", "district"):
        answer = client.get(
            f"/api/v1/manual-entries?of={of}", headers=signed_in(app, hands.member_id)
        ).get_json()
        assert answer["items"] == [
            {
                "display_name": "李*",
                "organization": "第一党支部",
                "by_scan": 0,
                "by_hand": 1,
                "percent": 100,
            }
        ]
    page = Browser(app, hands.member_id).open("/manual-entries")
    assert "李* · 第一党支部" in words_of(page)
    assert "100%" in words_of(page)
    assert "李敏" not in page.text
    assert "/manual-entries" in Forms(Browser(app, hands.member_id).open("/tasks").text).links
    foreign = client.get("/api/v1/manual-entries", headers=signed_in(app, stranger))
    assert foreign.get_json()["items"] == []
    assert "最近十二个月这里没有记录" in words_of(
        Browser(app, stranger).open("/manual-entries?of=district")
    )


def test_an_unknown_scope_is_refused(app, client, writing):
    with writing() as session:
        member = a_member(session)
    answer = client.get("/api/v1/manual-entries?of=country", headers=signed_in(app, member))
    assert answer.status_code == 422


def test_nobody_is_shown_who_settled_nothing(session, hands):
    with_role(session, a_member(session, "周组织"), "organizer", hands.community_id)
    assert shares(session, hands) == {}
