"""A crash at each single call of the database, one after the other: all of it is kept, or none.

    python -m proving.each_call DATABASE_URL [FLOW …]

For N = 1, 2, 3 … a child process does the flow and is gone at its Nth call, as by kill -9:
before a statement, after it, before COMMIT, after COMMIT. Then the same request is sent again
and must be answered. It ends with the first N that the flow has no call for.
"""

import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

from flask import Flask
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from pointsbank.app import create_app
from pointsbank.core import clock
from pointsbank.core.db import db, reading, run, transaction
from pointsbank.core.keys import draw_token
from pointsbank.core.settings import ROOT
from pointsbank.ledger.holding import place_hold, settle_hold
from pointsbank.ledger.moving import Move, move
from pointsbank.ledger.service import open_account
from pointsbank.ledger.verifying import offenders
from pointsbank.rewards.models import WrongCode
from proving.counter_calls import COUNTER_FLOWS
from proving.district import a_district, settings_of
from tests.builders import redemption_code

CRASHED = 77
CALLS_MAX = 400
# A shift is settled once: each crash needs a new one.
SHIFTS = 120
# Beside the number of rows of every table: what is changed in place.
SUMS = (
    "SELECT SUM(posted) FROM wallet",
    "SELECT SUM(held) FROM wallet",
    "SELECT SUM(granted) FROM lot",
    "SELECT SUM(used) FROM lot",
    "SELECT SUM(stock) FROM reward",
    "SELECT SUM(quantity) FROM reward_taken",
    "SELECT SUM(issued) FROM issue_budget",
    "SELECT COUNT(*) FROM redemption_code WHERE state = 'used'",
    "SELECT COUNT(*) FROM redemption WHERE state = 'voided'",
    "SELECT COUNT(*) FROM redemption WHERE state = 'waiting'",
    "SELECT SUM(points) FROM spent_by_day",
    "SELECT SUM(delivered) FROM reward_order",
    "SELECT COUNT(*) FROM reward_order WHERE state = 'reserved'",
    "SELECT COUNT(*) FROM loan WHERE state = 'out'",
    "SELECT COUNT(*) FROM hold WHERE state = 'open'",
    "SELECT COUNT(*) FROM attendance WHERE settled_at IS NOT NULL",
)
State = tuple[int, ...]
Act = Callable[[], bool]


@dataclass
class Report:
    """How many calls a flow has, and how many crashes left nothing of it, or everything."""

    flow: str
    engine: str
    calls: int = 0
    kept_nothing: int = 0
    kept_all: int = 0
    wrong: list[str] = field(default_factory=list)


class Stage:
    """The application on a small district, and the flows; each call of one is a new request."""

    def __init__(self, database_url: str, shifts: int = SHIFTS) -> None:
        town = a_district(database_url, clients=1, members=2, shifts=shifts)
        self.own = town.clients[0]
        quiet = replace(settings_of(database_url), log_level="WARNING")
        self.app: Flask = create_app(quiet)
        self.member = self.own["members"][-1]
        self.other = self.own["members"][-2]
        self.shifts = list(self.own["shifts"])
        with self.app.app_context(), transaction() as session:
            open_account(session, code="clearing", kind="clearing")

    def send(self, path: str, token: str, body: Any, key: str) -> bool:
        """Send a request; True when it was answered as done."""
        answer = self.app.test_client().post(
            f"/api/v1{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": key},
        )
        if answer.status_code not in (200, 201):
            print(f"{path} was answered {answer.status_code} {answer.text}", file=sys.stderr)
            return False
        return True

    def use(self, step: Callable[[Session], Any]) -> bool:
        """Do a step of the ledger as a door does it."""
        with self.app.app_context():
            run(step)
        return True

    def redeem(self) -> Act:
        """A reward for a code: two statements on PostgreSQL, step by step on SQLite."""
        return self._redeeming(with_wrong_code=False)

    def redeem_step_by_step(self) -> Act:
        """The same after a wrong code, which PostgreSQL's one statement leaves alone."""
        return self._redeeming(with_wrong_code=True)

    def _redeeming(self, *, with_wrong_code: bool) -> Act:
        with self.app.app_context(), transaction() as session:
            code = redemption_code(session, self.app, self.member["id"], clock.now())
            if with_wrong_code:
                clerk = session.execute(
                    text("SELECT member_id FROM member_role WHERE role = 'clerk'")
                ).scalar_one()
                session.merge(WrongCode(clerk_id=clerk, failures=1, failed_at=clock.now()))
        body = {
            "merchant_id": self.own["merchant_id"],
            "reward_id": self.own["reward_id"],
            "quantity": 1,
            "code": code,
        }
        key = draw_token()
        return lambda: self.send("/redemptions", self.own["clerk"], body, key)

    def void(self) -> Act:
        """A redemption taken back."""
        self.redeem()()
        with self.app.app_context(), reading() as session:
            newest = session.execute(text("SELECT MAX(id) FROM redemption")).scalar_one()
        key, path = draw_token(), f"/redemptions/{newest}/void"
        return lambda: self.send(path, self.own["clerk"], {"reason": "误"}, key)

    def settle_shift(self) -> Act:
        """A shift that awards two people."""
        path = f"/shifts/{self.shifts.pop()}/settlement"
        return lambda: self.send(path, self.own["organizer"], None, draw_token())

    def settle_hold(self) -> Act:
        """A part of a hold paid to the shop."""
        key, now = draw_token(), clock.now()
        code = f"member:{self.member['id']}"
        with self.app.app_context():
            placed = run(
                lambda session: place_hold(
                    session,
                    key=key,
                    code=code,
                    points=5,
                    expires_at=now + timedelta(days=1),
                    now=now,
                )
            )
        return lambda: self._settled(placed.id, f"settle:{key}", 3)

    def _settled(self, hold_id: int, key: str, points: int) -> bool:
        return self.use(
            lambda session: settle_hold(
                session,
                hold_id=hold_id,
                key=key,
                kind="spend",
                target=f"merchant:{self.own['merchant_id']}",
                reason="大米",
                actor_id=None,
                now=clock.now(),
                points=points,
            )
        )

    def in_two(self) -> Act:
        """Control: points are set aside in one transaction and paid in the next."""
        key, now = draw_token(), clock.now()
        code = f"member:{self.member['id']}"

        def act() -> bool:
            with self.app.app_context():
                placed = run(
                    lambda session: place_hold(
                        session,
                        key=key,
                        code=code,
                        points=5,
                        expires_at=now + timedelta(days=1),
                        now=now,
                    )
                )
            return self._settled(placed.id, f"settle:{key}", 5)

        return act

    def give(self) -> Act:
        """Points of one member given to another."""
        asked = Move(
            key=draw_token(),
            source=f"member:{self.member['id']}",
            target=f"member:{self.other['id']}",
            points=2,
            occurred_at=clock.now(),
            kind_out="gift_out",
            kind_in="gift_in",
            reason_out="赠予家人",
            reason_in="家人赠予",
        )
        return lambda: self.use(lambda session: move(session, asked, clock.now()))

    def state(self) -> State:
        """Return how many rows every table has, and the sums of what changes in place."""
        with self.app.app_context(), reading() as session:
            tables = [table.name for table in db.metadata.sorted_tables]
            counts = " UNION ALL ".join(
                f"SELECT {number}, COUNT(*) FROM {name}" for number, name in enumerate(tables)
            )
            rows = sorted(tuple(row) for row in session.execute(text(counts)))
            sums = [session.execute(text(each)).scalar() for each in SUMS]
        return (*(int(count) for _, count in rows), *(int(total or 0) for total in sums))

    def let_go(self) -> None:
        """Close all connections: a child must not share them."""
        with self.app.app_context():
            db.engine.dispose()


FLOWS = (
    *("redeem", "redeem_step_by_step", "void", "settle_shift", "settle_hold", "give"),
    *COUNTER_FLOWS,
)


def end_at(engine: Engine, nth: int) -> None:
    """Let this process be gone at its nth call of the database; nothing is cleaned up."""
    calls = 0

    def count(*_arguments: object) -> None:
        nonlocal calls
        calls += 1
        if calls == nth:
            os._exit(CRASHED)

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(engine, name, count)
    event.listen(Session, "after_commit", count)


def in_child(stage: Stage, act: Act, nth: int | None) -> int:
    """Do the act in a child process, gone at its nth call if there is one; return how it ended.

    0: answered as done. 1: not. CRASHED: gone before.
    """
    stage.let_go()
    # Otherwise the child copies every page that its collector looks at.
    gc.freeze()
    child = os.fork()
    if child == 0:
        gc.disable()
        ended = 1
        try:
            if nth is not None:
                with stage.app.app_context():
                    end_at(db.engine, nth)
            ended = 0 if act() else 1
        finally:
            os._exit(ended)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def crash_at_each_call(stage: Stage, flow: str) -> Report:
    """Crash at every call of a flow, and send the request again after each."""
    with stage.app.app_context():
        report = Report(flow, db.engine.dialect.name)
    prepare: Callable[[], Act] = (
        partial(COUNTER_FLOWS[flow], stage) if flow in COUNTER_FLOWS else getattr(stage, flow)
    )
    # The first time opens rows that later times find, and fills what children then have.
    if not prepare()():
        raise RuntimeError("the flow fails without any crash")
    whole = _done_once(stage, prepare())
    for nth in range(1, CALLS_MAX):
        act = prepare()
        before = stage.state()
        ended = in_child(stage, act, nth)
        if ended == 0:
            report.calls = nth - 1
            break
        if ended != CRASHED:
            report.wrong.append(f"call {nth}: the child ended with {ended}")
        left = _change(before, stage.state())
        _judge(report, nth, left, whole)
        if in_child(stage, act, None) != 0:
            report.wrong.append(f"call {nth}: the same request was not answered afterwards")
        if _change(before, stage.state()) != whole:
            report.wrong.append(f"call {nth}: in the end it was not done exactly once")
    with stage.app.app_context(), reading() as session:
        report.wrong += [f"{each.rule}: {each.subject}" for each in offenders(session)]
    return report


def _done_once(stage: Stage, act: Act) -> State:
    before = stage.state()
    if in_child(stage, act, None) != 0:
        raise RuntimeError("the flow fails without any crash")
    return _change(before, stage.state())


def _judge(report: Report, nth: int, left: State, whole: State) -> None:
    if not any(left):
        report.kept_nothing += 1
    elif left == whole:
        report.kept_all += 1
    else:
        report.wrong.append(f"call {nth}: a part was kept: {left} of {whole}")


def _change(before: State, after: State) -> State:
    return tuple(new - old for old, new in zip(before, after, strict=True))


def reports(database_url: str, flows: Sequence[str] = FLOWS) -> list[dict[str, Any]]:
    """Run flows in a process of its own, which has one thread and may fork."""
    ended = subprocess.run(
        [sys.executable, "-m", "proving.each_call", database_url, *flows],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        raise RuntimeError(ended.stderr)
    return [json.loads(line) for line in ended.stdout.splitlines()]


def main() -> None:
    """Print the report of each flow as a line of JSON."""
    flows = sys.argv[2:] or FLOWS
    stage = Stage(sys.argv[1], SHIFTS if "settle_shift" in flows else 1)
    for flow in flows:
        report = crash_at_each_call(stage, flow)
        print(json.dumps(vars(report), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
