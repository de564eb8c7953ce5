"""What a person can have instead, when their points are not enough: only what they can have."""

import pytest
from sqlalchemy import text

from tests.browsing import Browser, words_of
from tests.builders import a_reward, an_organization, with_points

SAID = "可以换这些"


@pytest.fixture
def clerk(counter):
    return Browser(counter.app, counter.clerk_id)


@pytest.fixture
def dear(counter, writing) -> int:
    """A rice cooker of 190 points, for a member who has 100, and things for fewer points."""
    with writing() as session:
        elsewhere = an_organization(session, "C-ELSEWHERE", name="别的社区")
        for name, more in (
            ("毛巾", {}),
            ("只给五星", {"stars_min": 5}),
            ("别人的", {"audience_id": elsewhere}),
        ):
            a_reward(session, counter.merchant_id, name, 90, 5, **more)
        return a_reward(session, counter.merchant_id, "电饭煲", 190, 4)


def refused(counter, clerk, dear, **filled):
    """Ask for the rice cooker, and return the page that says no."""
    form = clerk.form(clerk.open(f"/till/{counter.merchant_id}?way=reward"), "/look")
    page = clerk.send(form, reward_id=dear, **filled)
    assert page.status_code == 409
    assert "积分不够" in words_of(page)
    return page


def offered(page) -> str:
    """Return what a page lists under its own heading."""
    return words_of(page).split(SAID)[1].split("一、")[0] if SAID in words_of(page) else ""


@pytest.mark.parametrize("way", ["code", "card"])
def test_only_what_this_person_can_have_is_named(counter, clerk, dear, way):
    shown = {"code": counter.code()}
    if way == "card":
        shown = {"code": counter.card(), "pin": "246810"}
    said = offered(refused(counter, clerk, dear, **shown))
    assert "毛巾" in said
    assert "洗洁精一瓶" in said
    for name in ("只给五星", "别人的", "电饭煲"):
        assert name not in said


def test_points_that_went_after_the_look_leave_the_code_good(counter, clerk, dear, writing):
    with writing() as session:
        with_points(session, counter.member_id, 100)
    form = clerk.form(clerk.open(f"/till/{counter.merchant_id}?way=reward"), "/look")
    code = counter.code()
    sheet = clerk.send(form, reward_id=dear, code=code)
    with writing() as session:
        session.execute(text("UPDATE wallet SET posted = 100 WHERE posted = 200"))
    late = clerk.send(clerk.form(sheet, "/redemptions"))
    assert "毛巾" in offered(late)
    kept = clerk.form(late, "/look")
    assert kept.fields["code"] == code
    assert clerk.form(clerk.send(kept, reward_id=counter.reward_id), "/redemptions")
