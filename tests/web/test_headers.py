"""Headers of every answer, and cookies that no script and no other site can use."""

import re

import pytest

PATHS = ["/healthz", "/sign-in", "/nothing", "/api/v1/nothing", "/api/openapi.json"]


@pytest.mark.parametrize("path", [*PATHS, "/static/css/tokens.css"])
def test_every_answer_says_what_a_browser_may_do(client, path):
    with client.get(path) as answer:
        headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    for part in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=(self)" in headers["Permissions-Policy"]
    assert re.fullmatch(r"[A-Za-z0-9-]{8,64}", headers["X-Request-Id"])


@pytest.mark.parametrize("path", PATHS)
def test_answers_are_not_kept_by_anybody(client, path):
    headers = client.get(path).headers
    assert (headers["Cache-Control"], headers["X-Robots-Tag"]) == ("no-store", "noindex")


def test_static_files_may_be_kept(client):
    with client.get("/static/css/tokens.css") as answer:
        assert "no-store" not in answer.headers["Cache-Control"]
        assert "X-Robots-Tag" not in answer.headers


def test_a_request_id_is_taken_over_when_it_is_a_plain_one(client):
    given = {"X-Request-Id": "abcdef-0123456789"}
    assert client.get("/healthz", headers=given).headers["X-Request-Id"] == "abcdef-0123456789"
    for strange in ("short", "a b c d e f g h", "x" * 65, "<script>alert(1)</script>"):
        answer = client.get("/healthz", headers={"X-Request-Id": strange})
        assert answer.headers["X-Request-Id"] != strange


def test_the_form_cookie_is_closed_to_scripts_and_other_sites(client):
    cookies = client.get("/sign-in").headers.getlist("Set-Cookie")
    assert cookies
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
