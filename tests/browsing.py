"""A browser without a screen: it keeps cookies, reads forms, fills them in, sends them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from flask import Flask
from werkzeug.test import TestResponse

from pointsbank.core.db import transaction
from tests.builders import a_token

SESSION_COOKIE = "pointsbank"


@dataclass
class Form:
    """One form as the page printed it."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class Forms(HTMLParser):
    """Collects the forms of a page, its links, and its words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self._inside: Form | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "form":
            method = values.get("method", "get")
            self._inside = Form(values.get("action", ""), method)
            self.forms.append(self._inside)
        if tag == "input" and self._inside is not None and values.get("name"):
            is_choice = values.get("type") in ("radio", "checkbox")
            if not is_choice or "checked" in values:
                self._inside.fields[values["name"]] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = None

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append(data.strip())


class Browser:
    """Someone's browser; signed in when a member is given."""

    def __init__(self, app: Flask, member_id: int | None = None) -> None:
        self.client = app.test_client()
        if member_id is not None:
            with app.app_context(), transaction() as session:
                token = a_token(session, member_id)
            self.client.set_cookie(SESSION_COOKIE, token)

    def open(self, url: str) -> TestResponse:
        """Open an address, and follow where it leads."""
        return self.client.get(url, follow_redirects=True)

    def form(self, page: TestResponse, action: str) -> Form:
        """Return the page's first form that posts to an address ending so."""
        return self.forms(page, action)[0]

    def forms(self, page: TestResponse, action: str) -> list[Form]:
        """Return the page's forms that post to an address ending so."""
        forms = Forms(page.text).forms
        found = [
            each for each in forms if each.method == "post" and each.action.endswith(action)
        ]
        assert found, f"no form posts to {action}: {[each.action for each in forms]}"
        return found

    def send(self, form: Form, *, follow: bool = True, **filled: object) -> TestResponse:
        """Send a form with some fields filled in."""
        values = {**form.fields, **{name: str(value) for name, value in filled.items()}}
        return self.client.post(form.action, data=values, follow_redirects=follow)


def words_of(page: TestResponse) -> str:
    """Return what a page says, without its markup."""
    return " ".join(Forms(page.text).words)
