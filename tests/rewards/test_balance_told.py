"""What is left of a person's points: told while a deal is made, then to the member only."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.keys import draw_token
from tests.browsing import Browser, words_of
from tests.builders import a_member, with_role

SAID = "当时的结余"
DAY_LATER = "UPDATE redemption SET redeemed_on = '{}'"


@pytest.fixture
def deal(counter, client) -> dict:
    """A deal that the clerk has just made; its answer tells what is left."""
    headers = {**counter.headers(), "Idempotency-Key": draw_token()}
    answer = client.post("/api/v1/redemptions", json=counter.body(), headers=headers)
    assert answer.get_json()["balance_after"] == 80
    return answer.get_json()


@pytest.fixture
def colleague(counter, writing) -> int:
    """A second clerk of the same shop."""
    with writing() as session:
        return with_role(
            session, a_member(session, "周同事"), "clerk", None, counter.merchant_id
        )


def told(counter, client, deal, member_id):
    """Return what the API and the page of the receipt tell this person."""
    url = f"/redemptions/{deal['id']}"
    answer = client.get(f"/api/v1{url}", headers=counter.headers(member_id))
    page = Browser(counter.app, member_id).open(url)
    assert (answer.status_code, page.status_code) == (200, 200)
    return answer.get_json()["balance_after"], SAID in words_of(page)


def listed(counter, client, member_id, query=""):
    url = f"/api/v1/merchants/{counter.merchant_id}/redemptions{query}"
    (line,) = client.get(url, headers=counter.headers(member_id)).get_json()["items"]
    return line["balance_after"]


def test_only_its_clerk_and_the_member_read_what_is_left(counter, client, deal, colleague):
    for member_id in (counter.clerk_id, counter.member_id):
        assert told(counter, client, deal, member_id) == (80, True)
    assert listed(counter, client, counter.clerk_id) == 80
    assert told(counter, client, deal, colleague) == (None, False)
    assert listed(counter, client, colleague) is None


def test_on_another_day_its_clerk_does_not_either(counter, client, deal, writing):
    yesterday = local_day(clock.now(), counter.app.extensions["settings"].zone) - timedelta(1)
    with writing() as session:
        session.execute(text(DAY_LATER.format(yesterday.isoformat())))
    assert told(counter, client, deal, counter.clerk_id) == (None, False)
    assert listed(counter, client, counter.clerk_id, f"?day={yesterday}") is None
    assert told(counter, client, deal, counter.member_id) == (80, True)
