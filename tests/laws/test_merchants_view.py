"""A merchant sees masked name, item and points, nothing else about a person: on every page and
file that a clerk reaches by links, and behind every JSON door that a clerk may use.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from pointsbank.core.keys import draw_bytes
from pointsbank.members.codes import CARD_NUMBER_BYTES, card_text
from pointsbank.members.households import register_household
from pointsbank.members.models import Member
from pointsbank.members.showing import issue_card
from pointsbank.rewards.orders_models import RewardOrder
from pointsbank.rewards.vouchers import voucher_code
from tests.builders import a_branch, a_member, redemption_code
from tests.laws.authorization import ROWS
from tests.laws.marketplace import Marketplace, a_marketplace, walk, words_in
from tests.laws.world import World
from tests.merchants.partners import an_administrator
from tests.moments import NOON

NAME, RELATIVE = "欧阳梓萱", "司徒远舟"
MASKED = "欧*萱"
PHONE = "13987650123"
BRANCH = "独树一帜党支部"
PLACE = re.compile(r"<\w+:(\w+)>")
# So many JSON doors name the person: a redemption, an order, a loan, and lists of them.
NAMED_LEAST = 5
# The walk ends where pages do; a clerk's farthest is fewer taps away.
TAPS = 4
# All that stands beside a masked name in JSON; the deal around it is no fact of the person.
PERSON_KEYS = {"display_name"}


@pytest.fixture
def canary(world: World) -> Marketplace:
    """A marketplace at which someone deals of whom much is known."""
    with world.writing() as session:
        home = a_branch(session, parent=world.own.community_id, name=BRANCH)
        member_id = a_member(session, NAME, home, phone=PHONE, kind="party_member")
        register_household(
            session,
            actor=an_administrator(session),
            member_ids=[member_id, a_member(session, RELATIVE, home)],
            now=NOON,
        )
    world.people["volunteer"] = member_id
    return a_marketplace(world)


def facts_of(session: Session, market: Marketplace) -> dict[str, str]:
    """Return what is known of the person beside the masked name."""
    member = session.get_one(Member, market.buyer_id)
    return {
        "name": NAME,
        "middle of the name": NAME[1:-1],
        "phone": PHONE,
        "masked phone": f"{PHONE[:3]}****{PHONE[-4:]}",
        "member number": member.volunteer_no,
        "branch": BRANCH,
        "relative": RELATIVE,
    }


def told(answer: TestResponse, facts: dict[str, str]) -> list[str]:
    """Return which facts an answer tells.

    The tree of organizations is everybody's: a branch tells something beside a name only.
    """
    words = words_in(answer)
    is_named = MASKED in words or NAME in words
    return [
        name for name, fact in facts.items() if fact in words and (is_named or fact != BRANCH)
    ]


def persons_in(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a JSON answer in which the person is named."""
    if isinstance(value, dict):
        if MASKED in value.values():
            yield value
        for inner in value.values():
            yield from persons_in(inner)
    if isinstance(value, list):
        for inner in value:
            yield from persons_in(inner)


def json_paths(market: Marketplace) -> list[str]:
    """Return every JSON door that a clerk may look through, at the person's own deals."""
    found = []
    for row in ROWS:
        if row.is_page or row.method != "GET" or not row.admits("clerk"):
            continue
        path = PLACE.sub(lambda place: str(market.objects.get(place[1], place[0])), row.rule)
        if "<" not in path:
            found.append(path)
    return found


def test_no_page_or_file_of_a_clerk_tells_more(world: World, canary: Marketplace) -> None:
    with world.writing() as session:
        facts = facts_of(session, canary)
    seen, faults = set(), []
    for step in walk(world, "clerk", TAPS):
        if MASKED in words_in(step.answer):
            seen |= step.endpoints
        faults += [f"{step.path} tells the {each}" for each in told(step.answer, facts)]
    assert faults == []
    # These tell of the person, as they should: the walk went past them.
    assert seen >= {
        "desk_pages.show_desk",
        "till_pages.show_till",
        "till_pages.show_receipt",
        "offer_pages.show_day",
        "loan_pages.show_loans",
        "voucher_pages.show_vouchers",
    }


def test_no_code_at_the_till_tells_more(world: World, canary: Marketplace) -> None:
    with world.writing() as session:
        facts = facts_of(session, canary)
        digits = redemption_code(session, world.app, canary.buyer_id, NOON)
        number = session.scalars(
            select(RewardOrder.number).where(RewardOrder.way == "voucher")
        ).one()
        card = draw_bytes(CARD_NUMBER_BYTES)
        issue_card(
            session,
            member_id=canary.buyer_id,
            number=card,
            pin="246810",
            secret=world.secret,
            issued_by_id=None,
            now=NOON,
        )
    client = world.client(world.tokens["clerk"], is_page=True)
    till = f"/till/{world.own.merchant_id}"
    form = {"csrf_token": world.form_token()[0], "quantity": "1", "way": "reward"}
    deal = {"reward_id": str(canary.objects["reward_id"]), "code": digits}
    answers = [
        client.post(f"{till}/look", data={**form, **deal}),
        client.post(f"{till}/look", data={**form, **deal, "way": "points", "points": "1999"}),
        client.get(f"/V/{voucher_code(world.secret, number)}"),
        client.get(f"/K/{card_text(world.secret, card)}"),
    ]
    for answer in answers[:3]:
        assert answer.status_code in (200, 409)
        assert MASKED in answer.text or answer.status_code == 409
    assert [told(answer, facts) for answer in answers] == [[]] * len(answers)


def test_no_json_door_of_a_clerk_tells_more(world: World, canary: Marketplace) -> None:
    with world.writing() as session:
        facts = facts_of(session, canary)
    client = world.client(world.tokens["clerk"], is_page=False)
    named, faults = set(), []
    for path in json_paths(canary):
        answer = client.get(path, buffered=True)
        faults += [f"{path} tells the {each}" for each in told(answer, facts)]
        for person in persons_in(answer.get_json(silent=True)):
            named.add(path)
            faults += [f"{path} tells {each}" for each in set(person) - PERSON_KEYS]
    assert faults == []
    assert len(named) >= NAMED_LEAST


def test_what_is_told_is_noticed(world: World, canary: Marketplace) -> None:
    """An administrator's page of the person tells it all, and the same look finds it."""
    with world.writing() as session:
        facts = facts_of(session, canary)
    client = world.client(world.tokens["administrator"], is_page=True)
    page = client.get(f"/members/{canary.buyer_id}")
    assert {"name", "member number", "branch", "relative"} <= set(told(page, facts))
    told_too_much = {"items": [{"id": 7, "display_name": MASKED}]}
    assert [set(each) - PERSON_KEYS for each in persons_in(told_too_much)] == [{"id"}]
