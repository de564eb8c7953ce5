"""The doors at which codes are held up, asked one by one over the application's own client."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import time_machine
from flask import Flask
from sqlalchemy import delete, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from pointsbank.core.db import transaction
from pointsbank.members.models import Card, Member, RedemptionCode
from pointsbank.members.showing import draw_redemption_code, issue_card
from pointsbank.rewards.models import WrongCode
from pointsbank.tasks.models import Shift
from proving.genuine import (
    LETTERS,
    TEXT_LENGTH_MAX,
    Meaning,
    World,
    member_number,
    number_under,
    spelled,
)
from tests.builders import (
    a_claim,
    a_member,
    a_merchant,
    a_plan,
    a_reward,
    a_task,
    shifts_of,
    signed_in,
    with_points,
    with_role,
)

# What a scan is refused with when its code is at fault, and nothing else is.
CODE_REFUSALS = ("bad_code", "bad_signature", "wrong_purpose", "code_expired", "not_member")
BY_ONESELF = ("venue", "poster")
AT_THE_STATION = ("personal", "card")
PIN = "246810"
POINTS = 100_000


class Doors:
    """A small district whose people hold up texts, at one moment that does not pass."""

    def __init__(self, app: Flask, world: World) -> None:
        """Make the people of the world, and let them sign in."""
        self.app = app
        self.world = replace(world, secret=app.extensions["settings"].secret_key)
        self._asked = itertools.count(1)
        with app.app_context(), transaction() as session:
            self._fill(session)
        self.headers: dict[str, dict[str, str]] = {
            name: signed_in(app, member_id, world.at) for name, member_id in self.people.items()
        }
        self.headers["nobody"] = {}

    def _fill(self, session: Session) -> None:
        world, now = self.world, self.world.at
        before = now - timedelta(hours=1)
        members = [with_points(session, a_member(session), POINTS) for _ in world.members]
        for member_id, handle in zip(members, world.members, strict=True):
            session.execute(update(Member).where(Member.id == member_id).values(handle=handle))
        organizer = with_role(session, a_member(session, "李敏"), "organizer")
        starts = now.replace(second=0)
        plans = [a_plan(starts, places=30) for _ in world.shifts]
        task = a_task(session, organizer_id=organizer, shifts=plans, now=before)
        self.shifts = shifts_of(session, task)
        for shift_id, handle, member_id in zip(self.shifts, world.shifts, members, strict=True):
            session.execute(update(Shift).where(Shift.id == shift_id).values(handle=handle))
            a_claim(session, shift_id, member_id, now=before)
        for member_id, number, card in zip(members, world.numbers, world.cards, strict=True):
            secret = world.secret
            draw_redemption_code(
                session, member_id=member_id, number=number, secret=secret, now=now
            )
            issue_card(
                session,
                member_id=member_id,
                number=card,
                pin=PIN,
                secret=secret,
                issued_by_id=None,
                now=now,
            )
        self.merchant = a_merchant(session)
        self.reward = a_reward(session, self.merchant, points=1, stock=POINTS)
        clerk = with_role(session, a_member(session, "赵国"), "clerk", None, self.merchant)
        self.numbers = frozenset(
            session.get_one(Member, member_id).volunteer_no for member_id in members
        )
        self.people = {"volunteer": members[0], "organizer": organizer, "clerk": clerk}

    def complaints(self, text: str, *, thorough: bool = False) -> list[str]:
        """Hold a text up at the doors, and return what each gets wrong.

        Every text is scanned and redeemed; the addresses take turns unless thorough.
        """
        turn = next(self._asked)
        self._tidy()
        meaning = self.world.meaning(text)
        pages = (self._till, self._personal, self._ticket)
        chosen = pages if thorough else (pages[turn % len(pages)],)
        path = quote(text, safe="", errors="surrogatepass")
        return [
            *self._opened(turn, path, LETTERS if thorough else LETTERS[turn % len(LETTERS)]),
            *itertools.chain.from_iterable(page(path, text, meaning) for page in chosen),
            *self._scanned(turn, text, meaning),
            *self._redeemed(turn, text, meaning),
        ]

    def tried(self, text: str) -> list[str]:
        """Return the complaints about a text; whatever is raised is one."""
        try:
            return self.complaints(text)
        except Exception as error:  # noqa: BLE001  # it is the finding
            return [f"raised {type(error).__name__}"]

    def _tidy(self) -> None:
        """Let the same codes be used again: this is about texts, not about their second use."""
        with self.app.app_context(), transaction() as session:
            session.execute(delete(WrongCode))
            session.execute(
                update(RedemptionCode)
                .where(RedemptionCode.state == "used")
                .values(state="fresh", used_at=None)
            )
            session.execute(
                update(Card)
                .where(Card.failed_pins > 0)
                .values(failed_pins=0, locked_until=None)
            )

    def _post(self, who: str, path: str, body: dict[str, Any], turn: int) -> TestResponse:
        headers = {**self.headers[who], "Idempotency-Key": f"turn-{turn}-{path}-{len(body)}"}
        # Escaped, because half a surrogate pair can be sent in no other way.
        sent = json.dumps(body)
        return self.app.test_client().post(
            f"/api/v1{path}", data=sent, content_type="application/json", headers=headers
        )

    def _scanned(self, turn: int, text: str, meaning: Meaning | None) -> Iterator[str]:
        body: dict[str, Any] = {"nonce": f"scan-{turn}", "code": text}
        is_meant = meaning is not None and meaning.kind in BY_ONESELF
        yield from self._verdict("volunteer", body, turn, is_meant)
        is_meant = meaning is not None and meaning.kind in AT_THE_STATION
        if meaning is None:
            is_meant = member_number(text) in self.numbers
        at_station = {**body, "shift_id": self.shifts[0]}
        yield from self._verdict("organizer", at_station, turn, is_meant)

    def _verdict(
        self, who: str, body: dict[str, Any], turn: int, is_meant: bool
    ) -> Iterator[str]:
        answer = self._post(who, "/scans", body, turn)
        if answer.status_code >= 500:
            yield f"scan by the {who} answered {answer.status_code}"
        if answer.status_code != 200:
            if is_meant and len(body["code"]) <= TEXT_LENGTH_MAX:
                yield f"false refusal by the {who}: {answer.status_code}"
            return
        verdict = answer.json or {}
        if verdict["result"] != "refuse" and not is_meant:
            yield f"false accept by the {who}: {verdict['reason']}"
        if is_meant and verdict["reason"] in CODE_REFUSALS:
            yield f"false refusal by the {who}: {verdict['reason']}"

    def _redeemed(self, turn: int, text: str, meaning: Meaning | None) -> Iterator[str]:
        number = meaning.number if meaning is not None else None
        ways: tuple[tuple[dict[str, str], bool], ...] = (
            ({"code": text}, number in self.world.numbers),
            ({"card": text, "pin": PIN}, meaning is not None and meaning.kind == "card"),
        )
        for way, is_meant in ways:
            deal = {"merchant_id": self.merchant, "reward_id": self.reward, "quantity": 1}
            answer = self._post("clerk", "/redemptions", {**deal, **way}, turn)
            name = "/".join(way)
            if answer.status_code >= 500:
                yield f"redemption by {name} answered {answer.status_code}"
            if answer.status_code == 201 and not is_meant:
                yield f"false accept: redeemed by {name}"
            if answer.status_code != 201 and is_meant and len(text) <= TEXT_LENGTH_MAX:
                yield f"false refusal: {name} not redeemed, {answer.status_code}"

    def _opened(self, turn: int, path: str, letters: str) -> Iterator[str]:
        """Open the text as the address of a kind of code, each time as somebody else."""
        people = list(self.headers)
        for place, letter in enumerate(letters):
            who = people[(turn // len(LETTERS) + place) % len(people)]
            # Lower case is an address of its own.
            shown = letter if turn % 2 else letter.lower()
            answer = self.app.test_client().get(f"/{shown}/{path}", headers=self.headers[who])
            if answer.status_code >= 500:
                yield f"/{shown}/ opened by {who} answered {answer.status_code}"

    def _till(self, path: str, text: str, meaning: Meaning | None) -> Iterator[str]:
        answer = self.app.test_client().get(f"/R/{path}", headers=self.headers["clerk"])
        is_meant = (
            meaning is not None
            and meaning.number in self.world.numbers
            and number_under(text) is None
        )
        if text and answer.status_code == 200 and not is_meant:
            yield "false accept: /R/ leads to the till"
        if is_meant and "/" not in text and answer.status_code != 200:
            yield f"false refusal: /R/ answered {answer.status_code}"

    def _personal(self, path: str, text: str, _meaning: Meaning | None) -> Iterator[str]:
        answer = self.app.test_client().get(f"/M/{path}", headers=self.headers["organizer"])
        bare = (spelled(text) or "").upper()
        said = self.world.good.get(bare)
        # A code that ran out is shown, and judged when the button is pressed.
        is_meant = bare in self.world.stale or (said is not None and said.kind == "personal")
        if 'action="/scanned"' in answer.text and not is_meant:
            yield "false accept: /M/ offers to check in"

    def _ticket(self, path: str, text: str, meaning: Meaning | None) -> Iterator[str]:
        client = self.app.test_client()
        client.get(f"/S/{path}", headers=self.headers["volunteer"])
        page = client.get("/scan", headers=self.headers["volunteer"])
        if page.status_code >= 500:
            yield f"/scan answered {page.status_code}"
        is_meant = meaning is not None and meaning.kind in BY_ONESELF
        if 'action="/scan"' in page.text and not is_meant:
            yield "false accept: the ticket asks to check in"


@contextmanager
def doors(app: Flask, world: World) -> Iterator[Doors]:
    """Open the doors, with the clock standing at the world's moment."""
    with time_machine.travel(world.at, tick=False):
        yield Doors(app, world)
