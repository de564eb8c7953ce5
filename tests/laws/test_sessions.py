"""Sessions: a copied cookie dies with signing out, and no cookie travels or lives unguarded."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pointsbank.core.db import transaction
from tests.builders import a_member, a_phone, with_role
from tests.laws.world import FORM_TOKEN, PASSWORD

PAGE_OF_ONES_OWN = "/passbook"


class Browser:
    """Someone with cookies and forms."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()

    def token(self) -> str:
        found = FORM_TOKEN.search(self.client.get("/sign-in", follow_redirects=True).text)
        assert found
        return found[1]

    def post(self, path: str, **form: str) -> Any:
        return self.client.post(path, data={**form, "csrf_token": self.token()})

    def sign_in(self, phone: str, password: str = PASSWORD) -> Any:
        return self.post("/sign-in", phone=phone, password=password)

    def copied(self, app: Flask, *names: str) -> "Browser":
        """Return another browser that was given these cookies."""
        thief = Browser(app)
        for name in names:
            cookie = self.client.get_cookie(name)
            assert cookie is not None, name
            thief.client.set_cookie(name, cookie.value)
        return thief

    def is_signed_in(self) -> bool:
        return self.client.get(PAGE_OF_ONES_OWN).status_code == 200


@pytest.fixture
def phone(app: Flask) -> str:
    """The phone of a member with a password."""
    number = a_phone()
    with app.app_context(), transaction() as session:
        a_member(session, phone=number, password=PASSWORD)
    return number


def test_a_copied_cookie_dies_with_signing_out(app: Flask, phone: str) -> None:
    browser = Browser(app)
    assert browser.sign_in(phone).status_code == 302
    assert browser.is_signed_in()
    thief = browser.copied(app, "pointsbank", "pointsbank_form")
    assert thief.is_signed_in()
    browser.post("/sign-out")
    assert not browser.is_signed_in()
    assert not thief.is_signed_in()


def test_signing_in_changes_the_session_and_the_form(app: Flask, phone: str) -> None:
    browser = Browser(app)
    browser.token()
    before = browser.copied(app, "pointsbank_form")
    assert browser.sign_in(phone).status_code == 302
    first = browser.client.get_cookie("pointsbank")
    assert not before.is_signed_in()
    forms = [each.client.get_cookie("pointsbank_form") for each in (browser, before)]
    assert forms[0] != forms[1]
    browser.post("/sign-out")
    assert browser.sign_in(phone).status_code == 302
    assert browser.client.get_cookie("pointsbank") != first


def test_a_new_password_and_a_withdrawn_role_end_sessions(app: Flask, phone: str) -> None:
    here, there = Browser(app), Browser(app)
    here.sign_in(phone)
    there.sign_in(phone)
    changed = here.post("/me/password", old_password=PASSWORD, new_password="another bank")
    assert changed.status_code == 302
    assert here.is_signed_in()
    assert not there.is_signed_in()


def test_a_withdrawn_role_signs_a_person_out(app: Flask, phone: str) -> None:
    chief, clerk_phone = a_phone(), a_phone()
    with app.app_context(), transaction() as session:
        first = a_member(session, phone=chief, password=PASSWORD)
        with_role(session, first, "administrator")
        clerk = a_member(session, phone=clerk_phone, password=PASSWORD)
        with_role(session, clerk, "organizer")
    administrator, person = Browser(app), Browser(app)
    administrator.sign_in(chief)
    person.sign_in(clerk_phone)
    assert person.client.get("/organizing").status_code == 200
    page = administrator.client.get(f"/members/{clerk}").text
    found = re.search(rf"/members/{clerk}/roles/\d+/withdrawal", page)
    assert found
    assert administrator.post(found[0]).status_code == 302
    assert not person.is_signed_in()


@pytest.mark.engine("sqlite")
def test_in_production_no_cookie_travels_in_the_clear(
    another_app: Callable[..., Flask],
) -> None:
    number = a_phone()
    app = another_app(environment="production", argon2_cheap=False, log_level="ERROR")
    with app.app_context(), transaction() as session:
        a_member(session, phone=number, password=PASSWORD)
    browser = Browser(app)
    page = browser.client.get("/sign-in")
    answers = [page, browser.sign_in(number), browser.post("/display", mode="elder")]
    answers.append(browser.post("/language", locale="en"))
    cookies = [each for answer in answers for each in answer.headers.getlist("Set-Cookie")]
    names = {cookie.split("=")[0] for cookie in cookies}
    assert names >= {"__Host-pointsbank", "pointsbank_form", "pointsbank_display"}
    for cookie in cookies:
        parts = set(cookie.split("; "))
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= parts, cookie
        assert not any(part.startswith("Domain") for part in parts), cookie
    assert "max-age=" in page.headers["Strict-Transport-Security"]
