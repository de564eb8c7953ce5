"""Hundreds of people at one door: who comes when, with which code, and what they hear."""

import functools
import json
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bench import district
from bench.arrivals import STATION, Answered, Asked
from bench.load import asking_bytes, request_bytes
from bench.servers import SECRET_KEY
from pointsbank.attendance.codes import slot_at, venue_text
from pointsbank.attendance.models import Attendance, Scan
from pointsbank.members.codes import personal_text
from pointsbank.members.models import Member
from pointsbank.tasks.models import Shift

# Of those who come: so many at once when the door opens, the rest evenly until the end.
BURST_SHARE, BURST_SECONDS = 0.3, 5.0
# How many show their own code at a station; the others scan the venue's with their phone.
STATION_SHARE = 0.4
STATIONS = 3
# A phone that heard nothing sends the same scan again; some people scan twice to be sure.
RETRY_SHARE, DUPLICATE_SHARE = 0.08, 0.05
# Codes that must be refused: a photograph of the venue's screen, and another system's.
EXPIRED_SHARE, FOREIGN_SHARE = 0.02, 0.01
# Without a claim: asked whether they join, and joining.
WALK_INS = 10
PHOTO_AGE = timedelta(minutes=2)
# Nearly the whole shift, so that there is something to award; and nobody waits for it.
WORKED = timedelta(hours=5, minutes=30)
ACCEPTED = {"in": "ok_in", "out": "ok_out"}
Then = Callable[[int, bytes], Iterable[Asked]]


@dataclass(frozen=True)
class Staff:
    """Tokens of those who lead the shift, one a station, and of the secretary who co-signs."""

    community: int
    leads: district.People
    secretary: str


@dataclass(frozen=True)
class Gathering:
    """One shift with its people; the last WALK_INS of them have no place on it."""

    shift_id: int
    handle: bytes
    staff: Staff
    people: district.People
    handles: list[bytes]

    @property
    def claimed(self) -> int:
        """How many have a place."""
        return len(self.people.ids) - WALK_INS


def staff(session: Session) -> Staff:
    """Make the community and those who lead and oversee in it."""
    community = district.a_community(session)
    leads = district.signed_in_people(session, community, STATIONS, "8")
    overseer = district.signed_in_people(session, community, 1, "9")
    for lead in leads.ids:
        district.give_role(session, lead, "organizer", organization_id=community)
    district.give_role(session, overseer.ids[0], "secretary", organization_id=community)
    return Staff(community, leads, overseer.tokens[0])


def gather(session: Session, own: Staff, people: int, name: str) -> Gathering:
    """Make so many people and one shift for them, under way. name: a letter a gathering."""
    all_people = district.signed_in_people(session, own.community, people, name)
    with_place = all_people.ids[: people - WALK_INS]
    shift_id, handle = district.claimed_shifts(
        session, own.community, own.leads.ids[0], with_place, 1, free=2 * WALK_INS
    )[0]
    handles = dict(
        session.execute(
            select(Member.id, Member.handle).where(Member.volunteer_no.startswith(name))
        ).all()
    )
    return Gathering(shift_id, handle, own, all_people, [handles[m] for m in all_people.ids])


def moments(dice: random.Random, count: int, seconds: float) -> list[float]:
    """Draw when each comes: a burst as the door opens, the others evenly over the time."""
    burst = min(BURST_SECONDS, seconds / 2)
    return sorted(
        dice.uniform(0, burst if dice.random() < BURST_SHARE else seconds) for _ in range(count)
    )


class Passage:
    """Everybody through the door once, one way; codes are made as they are held up."""

    def __init__(
        self, gathering: Gathering, direction: str, seconds: float, dice: random.Random
    ) -> None:
        """Draw who comes when, and how."""
        self.gathering = gathering
        self.direction = direction
        self._dice = dice
        order = list(range(len(gathering.people.ids)))
        dice.shuffle(order)
        # As answered: results and reasons, and the scans that were kept, by nonce.
        self.plan = [
            asked
            for person, at in zip(order, moments(dice, len(order), seconds), strict=True)
            for asked in self._coming(person, at)
        ]

    def _coming(self, person: int, at: float) -> Iterator[Asked]:
        dice = self._dice
        is_walk_in = person >= self.gathering.claimed
        at_station = not is_walk_in and dice.random() < STATION_SHARE
        scan = self._at_station if at_station else self._by_phone
        if dice.random() < EXPIRED_SHARE and not at_station:
            yield scan(person, max(0.0, at - 3), "expired", PHOTO_AGE)
        if dice.random() < FOREIGN_SHARE:
            yield scan(person, max(0.0, at - 1), "foreign")
        first = scan(person, at, "scan")
        if is_walk_in and self.direction == "in":
            first.then = functools.partial(self._joining, person)
        yield first
        if dice.random() < RETRY_SHARE:
            # Sometimes before the first one is answered.
            yield Asked(at + dice.uniform(0, 1), first.device, "retry", first.write, person)
        if dice.random() < DUPLICATE_SHARE and not is_walk_in:
            yield scan(person, at + dice.uniform(3, 8), "duplicate")

    def _joining(self, person: int, status: int, body: bytes) -> Iterable[Asked]:
        """Say yes to joining on the spot, two seconds after being asked."""
        if status != 200 or json.loads(body)["result"] != "confirm":
            return []
        return [self._by_phone(person, 2.0, "joining", confirm=True)]

    def _by_phone(
        self,
        person: int,
        at: float,
        kind: str,
        age: timedelta = timedelta(0),
        *,
        confirm: bool = False,
    ) -> Asked:
        own = self.gathering

        def code(now: datetime) -> str:
            return venue_text(SECRET_KEY, own.handle, slot_at(now - age), self.direction)

        body = {"device_id": f"phone-{person}", "confirm": confirm}
        token = own.people.tokens[person]
        return self._asked(at, f"phone-{person}", kind, token, code, body, person)

    def _at_station(
        self, person: int, at: float, kind: str, age: timedelta = timedelta(0)
    ) -> Asked:
        own = self.gathering
        number = person % STATIONS

        def code(now: datetime) -> str:
            return personal_text(SECRET_KEY, own.handles[person], own.handle, now - age)

        name = f"{STATION}-{number}"
        body = {"device_id": name, "shift_id": own.shift_id}
        token = own.staff.leads.tokens[number]
        return self._asked(at, name, kind, token, code, body, person)

    def _asked(
        self,
        at: float,
        device: str,
        kind: str,
        token: str,
        code: Callable[[datetime], str],
        body: dict[str, Any],
        person: int,
    ) -> Asked:
        nonce = str(uuid.UUID(int=self._dice.getrandbits(128), version=4))

        # Kept: who sends again sends the same.
        @functools.cache
        def write() -> bytes:
            text = "https://u.wechat.com/x" if kind == "foreign" else code(datetime.now(UTC))
            sent = {**body, "nonce": nonce, "code": text, "direction": self.direction}
            return request_bytes("/api/v1/scans", token, json.dumps(sent).encode())

        return Asked(at, device, kind, write, person)

    def wrong(self, answers: list[Answered]) -> list[str]:
        """Return every answer that should have been another, and everybody who did not get
        through.
        """
        wanted = {"expired": "code_expired", "foreign": "bad_code"}
        found, passed = [], Counter[int]()
        kept: dict[int, set[int]] = {}
        for each in answers:
            said = verdict_of(each)
            reason, kind, person = said.get("reason"), each.asked.kind, each.asked.person
            allowed = (
                {wanted[kind]}
                if kind in wanted
                else {
                    ACCEPTED[self.direction],
                    "repeat_just_now",
                }
            )
            if person >= self.gathering.claimed and kind in ("scan", "retry"):
                allowed.add("not_claimed")
            if each.status != 200 or reason not in allowed:
                what = reason or each.body[:200].decode(errors="replace")
                found.append(f"person {person}, {kind}: {each.status} {what}")
            if reason == ACCEPTED[self.direction]:
                kept.setdefault(person, set()).add(said["scan_id"])
        passed.update({person: len(scans) for person, scans in kept.items()})
        for person in range(len(self.gathering.people.ids)):
            if passed[person] != 1:
                found.append(f"person {person} went {self.direction} {passed[person]} times")
        return found


def verdict_of(answer: Answered) -> dict[str, Any]:
    """Return the verdict that was answered, nothing when it was another answer."""
    if answer.status != 200:
        return {}
    said: dict[str, Any] = json.loads(answer.body)
    return said


def counted(answers: list[Answered]) -> Counter[str]:
    """Return how often each verdict was given."""
    return Counter(
        f"{said['result']} {said['reason']}" if (said := verdict_of(each)) else str(each.status)
        for each in answers
    )


def let_time_pass(session: Session, gathering: Gathering) -> None:
    """Move shift, marks and scans WORKED into the past, as if that time had gone by."""
    for model, names, of_shift in (
        (Shift, ("starts_at", "ends_at"), Shift.id == gathering.shift_id),
        (Attendance, ("checked_in_at",), Attendance.shift_id == gathering.shift_id),
        (Scan, ("scanned_at", "recorded_at"), Scan.shift_id == gathering.shift_id),
    ):
        columns = [getattr(model, name) for name in names]
        rows = session.execute(select(model.id, *columns).where(of_shift)).all()
        session.execute(
            update(model),
            [
                {"id": row[0]}
                | {name: moment - WORKED for name, moment in zip(names, row[1:], strict=True)}
                for row in rows
            ],
        )


def besides(
    dice: random.Random, gathering: Gathering, seconds: float, other_shift: int
) -> list[Asked]:
    """Draw what else people do meanwhile: claims, passbooks, rankings, the venue's screen."""
    people = gathering.people
    claimants = iter(dice.sample(range(len(people.ids)), len(people.ids)))
    lead = gathering.staff.leads.tokens[0]

    def every(pause: float) -> Iterator[float]:
        at = pause * dice.random()
        while at < seconds:
            yield at
            at += pause * dice.uniform(0.5, 1.5)

    def reading(at: float, kind: str, path: str) -> Asked:
        person = dice.randrange(len(people.ids))
        sent = asking_bytes(path, people.tokens[person])
        return Asked(at, f"reader-{person}", kind, lambda: sent, person)

    def claiming(at: float, person: int) -> Asked:
        path = f"/api/v1/shifts/{other_shift}/claims"
        sent = request_bytes(path, people.tokens[person], b"{}")
        return Asked(at, f"reader-{person}", "claim", lambda: sent, person)

    screen = asking_bytes(f"/api/v1/shifts/{gathering.shift_id}/arrivals", lead)
    return [
        *(claiming(at, person) for at, person in zip(every(1), claimants, strict=False)),
        *(reading(at, "passbook", "/api/v1/me/passbook") for at in every(0.5)),
        *(reading(at, "ranking", "/api/v1/rankings") for at in every(2)),
        *(Asked(at, STATION, "screen", lambda: screen) for at in every(5)),
    ]
