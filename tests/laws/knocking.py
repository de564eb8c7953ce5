"""Knocking at one door as every person, with every object: what is wrong with the answers."""

import re
from urllib.parse import quote

from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from pointsbank.web.access import SAFE_METHODS
from tests.builders import a_token
from tests.laws.doors import Row
from tests.laws.world import MINE, OWN, PERSON, PERSONAS, PLACES, Made, World, reaches
from tests.moments import NOON

# What is drawn anew for every answer tells nothing: a kept scan's number, a form's nonce. Nor
# does how many of their own messages a reader has not read.
DRAWN = re.compile(
    r'"scan_id":\d+|name="(?:nonce|ticket|idempotency_key)" value="[^"]*"'
    r'|<span class="badge num">.*?</span></span>'
)


class Knocking:
    """One row put to the service, person by person and place by place."""

    def __init__(self, world: World, row: Row) -> None:
        self.world, self.row = world, row
        self.shared: dict[tuple[str, ...], Made] = {}
        self.faults: list[str] = []

    def find_faults(self) -> list[str]:
        """Return what every person's requests show to be wrong."""
        for persona in PERSONAS:
            if self.row.admits(persona):
                self.try_admitted(persona)
            else:
                self.try_denied(persona)
        return self.faults

    def try_denied(self, persona: str) -> None:
        for places in self.combinations():
            made = self.objects_for_looking(persona, places)
            answer = self.ask(self.world.tokens.get(persona), made)
            is_right = (
                self.is_turned_away(answer)
                if persona == "anonymous"
                else (self.row.is_denied(answer))
            )
            if not is_right:
                self.complain(persona, places, answer, "was not turned away")

    def is_turned_away(self, answer: TestResponse) -> bool:
        """Tell whether a stranger is asked to sign in; a page's reader is led there."""
        if self.row.is_page and self.row.method in SAFE_METHODS:
            # An address with a code is not written into another address.
            back = "" if "code>" in self.row.rule else f"?next={quote(answer.request.path)}"
            led_to = answer.headers.get("Location")
            return answer.status_code == 302 and led_to == f"/sign-in{back}"
        return answer.status_code == 401

    def try_admitted(self, persona: str) -> None:
        for places in self.combinations():
            token, made = self.fresh_objects(persona, places)
            answer = self.ask(token, made)
            if all(
                reaches(persona, self.row.objects[name], place)
                for name, place in places.items()
            ):
                if not self.row.is_done(answer):
                    self.complain(persona, places, answer, "could not do it")
                continue
            if not self.row.is_foreign(answer):
                self.complain(persona, places, answer, "reached a foreign object")
            else:
                self.compare_with_unknown(persona, places, made, answer)

    def compare_with_unknown(
        self, persona: str, places: dict[str, str], made: Made, answer: TestResponse
    ) -> None:
        """See that a foreign object looks like one that there is not."""
        unknown = {
            name: self.row.objects[name].unknown
            if not reaches(persona, self.row.objects[name], place)
            else made[name]
            for name, place in places.items()
        }
        other = self.ask(self.world.tokens.get(persona), unknown)
        told, told_of_nothing = self.plain(answer, made), self.plain(other, unknown)
        if told != told_of_nothing:
            self.complain(
                persona, places, answer, f"tells more of it than {told_of_nothing}: {told}"
            )

    def plain(self, answer: TestResponse, made: Made) -> tuple[int, str]:
        """Return an answer without what was asked for."""
        text = answer.text.replace(self.path(made), "PATH")
        for name, value in made.items():
            if isinstance(value, str):
                text = text.replace(value, name)
        return answer.status_code, DRAWN.sub("", text)

    def combinations(self) -> list[dict[str, str]]:
        """Return every object at its own place, and then each one by itself at every other."""
        names = self.row.objects
        home = dict.fromkeys(names, OWN)
        return [home] + [
            {**home, name: place}
            for name, kind in names.items()
            for place in PLACES[kind.scope]
            if place != OWN
        ]

    def fresh_objects(self, persona: str, places: dict[str, str]) -> tuple[str | None, Made]:
        """Return a session and objects that this request may use up; looking uses up none."""
        if persona == "anonymous" or self.row.method in SAFE_METHODS:
            return (
                self.world.tokens.get(persona),
                self.objects_for_looking(persona, places),
            )
        with self.world.writing() as session:
            member_id = self.world.person(session, persona)
            token = a_token(session, member_id, NOON)
            return token, self.made(session, places, member_id)

    def objects_for_looking(self, persona: str, places: dict[str, str]) -> Made:
        """Return objects that no request changes."""
        member_id = self.world.people.get(persona, self.world.people["volunteer"])
        is_personal = any(kind.scope in (PERSON, MINE) for kind in self.row.objects.values())
        key = (*places.values(), *([persona] if is_personal else []))
        if key not in self.shared:
            with self.world.writing() as session:
                self.shared[key] = self.made(session, places, member_id)
        return self.shared[key]

    def made(self, session: Session, places: dict[str, str], member_id: int) -> Made:
        made: Made = {}
        for name, place in places.items():
            made[name] = self.row.objects[name].make(
                session, self.world, place, member_id, made
            )
        return made

    def path(self, made: Made) -> str:
        """Return the row's path with its objects in it."""
        path = self.row.rule
        for name, value in made.items():
            for form in (f"<id:{name}>", f"<{name}>", f"<string:{name}>", f"<month:{name}>"):
                path = path.replace(form, str(value))
        assert "<" not in path, f"{self.row.name}: an object of the path has no kind"
        return path

    def ask(self, token: str | None, made: Made, method: str = "") -> TestResponse:
        """Send the row's request, or one of another method to the same address."""
        client = self.world.client(token, is_page=self.row.is_page)
        asked = self.row.send(made)
        if self.row.is_page and self.row.method not in SAFE_METHODS:
            form = asked.setdefault("data", {})
            form["csrf_token"] = self.world.form_token()[0]
        answer = client.open(
            self.path(made), method=method or self.row.method, buffered=True, **asked
        )
        if self.row.is_page:
            with client.session_transaction() as kept:
                answer.told = [category for category, _ in kept.get("_flashes", [])]
        return answer

    def complain(
        self, persona: str, places: dict[str, str], answer: TestResponse, what: str
    ) -> None:
        shown = ", ".join(f"{name} {place}" for name, place in places.items())
        text = answer.text[:300] if answer.mimetype != "text/html" else answer.mimetype
        self.faults.append(
            f"{self.row.name}: {persona} [{shown}] {what}: {answer.status_code} {text}"
        )
