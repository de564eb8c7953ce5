"""What clients were told against what the ledger holds, when all is quiet again."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from pointsbank.ledger.verifying import offenders
from proving.world import Rows

SHOWN_MAX = 20


@dataclass
class Order:
    """One thing that a client wanted, with every key it was sent under."""

    kind: str
    begun: dict[str, Any]
    keys: list[str] = field(default_factory=list)
    state: str = "unknown"
    told: dict[str, Any] = field(default_factory=dict)


@dataclass
class Verdict:
    """What came of all orders. lost and doubled are what must never be."""

    outcomes: Counter[str] = field(default_factory=Counter)
    later: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    tries_more: int = 0
    unknown_done: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def acknowledged(self) -> int:
        """How many orders that move points were answered as done."""
        return sum(self.outcomes[f"{kind} ok"] for kind in ("redeem", "void", "settle"))


@dataclass
class Kept:
    """What the database holds."""

    redemptions: dict[int, Any]
    transfers: dict[str, tuple[int, int]]
    by_key: dict[str, int]
    awards: dict[tuple[int, int], tuple[int | None, int | None]]


def orders_in(folder: Path, verdict: Verdict) -> list[Order]:
    """Read the records of all clients; a last line that a kill cut off was never written."""
    orders = []
    for path in sorted(folder.glob("record-*.jsonl")):
        mine: dict[int, Order] = {}
        for line in path.read_text().splitlines():
            event = json.loads(line)
            if event.get("state") == "begun":
                mine[event["order"]] = Order(event["kind"], event)
            else:
                _note(mine[event["order"]], event, verdict)
        orders += mine.values()
    return orders


def _note(order: Order, event: dict[str, Any], verdict: Verdict) -> None:
    if "wrong" in event:
        verdict.wrong.append(f"{order.kind}: {event}")
    elif "later" in event:
        verdict.later[f"{event['later']} {event['code']}"] += 1
        if event["later"] == 500:
            verdict.wrong.append(f"{order.kind} was answered 500 {event['code']}")
    elif event["state"] == "sent":
        order.keys.append(event["key"])
    else:
        order.state, order.told = event["state"], event


def kept_by(rows: Rows) -> Kept:
    """Read the tables with a plain connection."""
    redemptions = {
        row[0]: row
        for row in rows.execute(
            "SELECT id, number, state, points, transfer_id FROM redemption"
        ).fetchall()
    }
    transfers = {
        key: (transfer_id, points)
        for key, transfer_id, points in rows.execute(
            "SELECT key, id, points FROM transfer"
        ).fetchall()
    }
    by_key = {}
    for key, body in rows.execute("SELECT key, body FROM idempotent_answer").fetchall():
        by_key[key] = (body if isinstance(body, dict) else json.loads(body)).get("id")
    awards = {
        (shift, member): (points, transfer_id)
        for shift, member, points, transfer_id in rows.execute(
            "SELECT shift_id, member_id, points, transfer_id FROM attendance"
        ).fetchall()
    }
    return Kept(redemptions, transfers, by_key, awards)


def judge(folder: Path, rows: Rows, session: Session) -> Verdict:
    """Compare the clients' records with the database, and let the ledger verify itself."""
    verdict = compare(folder, kept_by(rows))
    verdict.wrong += [f"{each.rule}: {each.subject}" for each in offenders(session)]
    return verdict


def compare(folder: Path, kept: Kept) -> Verdict:
    """Return what became of each order on record, and what is kept that nobody asked for."""
    verdict = Verdict()
    orders = orders_in(folder, verdict)
    for order in orders:
        verdict.outcomes[f"{order.kind} {order.state}"] += 1
        if order.state == "fail":
            verdict.refusals[f"{order.kind} {order.told['code']}"] += 1
        JUDGES[order.kind](order, kept, verdict)
    _judge_the_rest(orders, kept, verdict)
    return verdict


def _judge_redeem(order: Order, kept: Kept, verdict: Verdict) -> None:
    done = {kept.by_key[key] for key in order.keys if key in kept.by_key}
    if len(done) > 1:
        verdict.doubled.append(f"order {order.begun}: redemptions {sorted(done)}")
    verdict.tries_more += max(0, len(order.keys) - 1)
    if order.state == "ok":
        told = order.told
        row = kept.redemptions.get(told["redemption"])
        transfer = kept.transfers.get(f"redeem:{told['number']}")
        is_kept = (
            row is not None
            and transfer is not None
            and (row[1], row[3], row[4]) == (told["number"], told["points"], transfer[0])
            and transfer[1] == told["points"]
        )
        if not is_kept:
            verdict.lost.append(f"redemption {told['number']}")
    elif order.state == "fail" and done:
        verdict.wrong.append(f"refused and kept: {order.told}, {done}")
    elif order.state == "unknown":
        verdict.unknown_done += len(done)


def _judge_void(order: Order, kept: Kept, verdict: Verdict) -> None:
    redemption = order.begun["redemption"]
    row = kept.redemptions.get(redemption)
    is_done = row is not None and row[2] == "voided" and f"void:{redemption}" in kept.transfers
    if order.state == "ok" and not is_done:
        verdict.lost.append(f"void of redemption {redemption}")
    if order.state == "unknown":
        verdict.unknown_done += is_done


def _judge_settle(order: Order, kept: Kept, verdict: Verdict) -> None:
    if order.state != "ok":
        return
    for award in order.told["awarded"]:
        points, transfer_id = kept.awards[(order.told["shift"], award["member_id"])]
        if points != award["points"] or (award["points"] and transfer_id is None):
            verdict.lost.append(f"award {award} of shift {order.told['shift']}")


def _judge_look(_order: Order, _kept: Kept, _verdict: Verdict) -> None:
    """A look is judged by the client, which knows what it must see."""


JUDGES = {
    "redeem": _judge_redeem,
    "void": _judge_void,
    "settle": _judge_settle,
    "look": _judge_look,
}


def _judge_the_rest(orders: list[Order], kept: Kept, verdict: Verdict) -> None:
    """Demand that nothing is kept that nobody asked for, and that books and tables agree."""
    asked = {key for order in orders for key in order.keys}
    verdict.wrong += [f"nobody sent the key {key}" for key in kept.by_key if key not in asked]
    named: dict[int, list[str]] = defaultdict(list)
    for order in orders:
        if order.kind == "redeem":
            for key in set(order.keys) & set(kept.by_key):
                named[kept.by_key[key]].append(key)
    verdict.wrong += [
        f"nobody asked for redemption {number}" for number in kept.redemptions.keys() - named
    ]
    voids = {row[0] for row in kept.redemptions.values() if row[2] == "voided"}
    wanted = {order.begun["redemption"] for order in orders if order.kind == "void"}
    verdict.wrong += [f"nobody asked to void {number}" for number in voids - wanted]
    books = Counter(key.split(":")[0] for key in kept.transfers)
    tables = {"redeem": len(kept.redemptions), "void": len(voids)}
    for word, count in tables.items():
        if books[word] != count:
            verdict.wrong.append(f"{count} rows of {word}, {books[word]} transfers")
