"""A registered family with points, and what its people do with them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import run
from pointsbank.members.households import register_household
from pointsbank.passbooks.giving import Given, Wish, give
from tests.builders import a_member, an_organization, with_role
from tests.moments import NOON

ZONE = ZoneInfo("Asia/Shanghai")


def a_keeper(session: Session) -> Actor:
    """Return an administrator over everything, who belongs to no household."""
    member_id = with_role(session, a_member(session, "管理员"), "administrator")
    return Actor(member_id, "管理员", 0, 0, (Grant("administrator", "/"),))


def a_household(session: Session, *member_ids: int) -> int:
    """Return the household of these people."""
    return register_household(session, actor=a_keeper(session), member_ids=member_ids, now=NOON)


@dataclass
class Family:
    """A grandmother, her son and her granddaughter, and a neighbour."""

    app: Flask
    grandmother: int = 0
    son: int = 0
    granddaughter: int = 0
    neighbour: int = 0
    community: int = 0
    keys: list[int] = field(default_factory=lambda: [0])

    def settle_in(self, session: Session) -> None:
        self.community = an_organization(session)
        self.grandmother = a_member(session, "王桂兰")
        self.son = a_member(session, "李建国")
        self.granddaughter = a_member(session, "李晓雨")
        self.neighbour = a_member(session, "赵铁柱")
        a_household(session, self.grandmother, self.son, self.granddaughter)

    def key(self) -> str:
        self.keys[0] += 1
        return f"key-{self.keys[0]}"

    def giving(
        self,
        giver: int,
        receiver: int,
        points: int,
        key: str | None = None,
        words: str = "",
        now: datetime = NOON,
    ) -> Callable[[], Given]:
        """Return an act that gives, in a transaction of its own."""
        wish = Wish(giver, receiver, points, words, key or self.key())
        return partial(run, lambda session: give(session, wish, zone=ZONE, now=now))

    def give(self, *args: int, **more: object) -> Given:
        """Give, in a transaction of its own."""
        with self.at_home():
            return self.giving(*args, **more)()  # type: ignore[arg-type]

    @contextmanager
    def at_home(self) -> Iterator[None]:
        with self.app.app_context():
            yield
