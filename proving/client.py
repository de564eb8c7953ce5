"""Clerks, members and organizers over HTTP who retry until they know; all of it is on record.

    python -m proving.client SPEC.json

Every line of the record is on disk before the next request is sent, as far as an answer is
concerned: what a client was told, it can prove. The outcome of an order is ok, fail (a definite
refusal) or unknown. Only the standard library: this process stands outside the service.
"""

import http.client
import json
import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

TIMEOUT_SECONDS = 10
PAUSE_SECONDS = (0.02, 0.25)
# The share of voids that are sent a second time.
TWICE = 0.2
REFUSALS = range(400, 500)
AGAIN = (500, 502, 503, 504)
SHARES = {"redeem": 55, "void": 20, "settle": 5, "look": 20}


class Lost(Exception):
    """No answer came; whether the request was carried out is not known."""


class Record:
    """A file of one JSON line an event."""

    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("a")

    def write(self, *, is_durable: bool = False, **facts: Any) -> None:
        """Add a line; a durable one is on disk when this returns."""
        self._file.write(json.dumps(facts, ensure_ascii=False) + "\n")
        self._file.flush()
        if is_durable:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Write no more."""
        self._file.close()


class Line:
    """A connection to the service that is made anew whenever it broke."""

    def __init__(self, port: int, dice: random.Random, lost_answers: float) -> None:
        self._port = port
        self._dice = dice
        self._lost_answers = lost_answers
        self._connection: http.client.HTTPConnection | None = None

    def ask(
        self, method: str, path: str, token: str, body: Any = None, key: str | None = None
    ) -> tuple[int, Any]:
        """Send one request and return the status and the body.

        Raises Lost.
        """
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(
                    "127.0.0.1", self._port, timeout=TIMEOUT_SECONDS
                )
            sent = None if body is None else json.dumps(body)
            self._connection.request(method, path, sent, headers)
            if self._dice.random() < self._lost_answers:
                # Long enough, mostly, for it to be carried out; then nobody hears of it.
                time.sleep(self._dice.uniform(0, 0.05))
                raise ConnectionError("the answer was lost")
            answer = self._connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._hang_up()
            raise Lost(type(error).__name__) from error

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class Client:
    """One clerk with their members and organizer, one request at a time.

    Nobody else moves the points of these members, so their balances are known exactly.
    """

    def __init__(self, spec: dict[str, Any], own: dict[str, Any]) -> None:
        self.spec = spec
        self.own = own
        self.dice = random.Random(f"{spec['seed']}:{own['name']}")
        self.line = Line(spec["port"], self.dice, spec["lost_answers"])
        self.record = Record(Path(spec["folder"]) / f"record-{own['name']}.jsonl")
        self.balances = {member["id"]: member["points"] for member in own["members"]}
        self.unsure: set[int] = set()
        self.handed_over: list[dict[str, Any]] = []
        self.shifts = list(own["shifts"])
        self.orders = 0
        self.stop = Path(spec["folder"]) / "stop"

    def run(self) -> None:
        """Do one thing after the other until told to stop."""
        kinds, weights = list(SHARES), list(SHARES.values())
        while not self.stop.exists():
            kind = self.dice.choices(kinds, weights)[0]
            getattr(self, kind)(self.dice.choice(self.own["members"]))
        self.record.close()

    def redeem(self, member: dict[str, Any]) -> None:
        """Hand a reward over for a code that the member draws."""
        order = self._begin("redeem", member)
        quantity = self.dice.randint(1, 3)
        key, code = self._key(), self._code(member)
        tries = 0
        while code is not None:
            tries += 1
            body = {
                "merchant_id": self.own["merchant_id"],
                "reward_id": self.own["reward_id"],
                "quantity": quantity,
                "code": code,
            }
            try:
                status, answer = self._send("/redemptions", self.own["clerk"], body, key, order)
            except Lost:
                if self._out_of_patience():
                    break
                if self.spec["keyless"]:
                    # Control A: the person shows a new code, as if nothing had happened.
                    key, code = self._key(), self._code(member)
                continue
            if status == 201:
                self._handed_over(order, member, key, answer, tries)
            else:
                self._refused(order, answer)
            return
        self._unknown(order, member)

    def _handed_over(
        self, order: int, member: dict[str, Any], key: str, answer: dict[str, Any], tries: int
    ) -> None:
        self.record.write(
            is_durable=True,
            order=order,
            state="ok",
            redemption=answer["id"],
            number=answer["number"],
            points=answer["points"],
            tries=tries,
            key=key,
        )
        deal = {"redemption": answer["id"], "points": answer["points"], "id": member["id"]}
        self.handed_over.append(deal)
        self._expect(member["id"], -answer["points"], answer["balance_after"], order)

    def void(self, _member: dict[str, Any]) -> None:
        """Take back something handed over; some of it twice, which must change nothing."""
        if not self.handed_over:
            return
        deal = self.handed_over.pop(self.dice.randrange(len(self.handed_over)))
        answer = self._void_once(deal)
        if answer is None:
            return
        self._expect(deal["id"], deal["points"], answer["balance_after"], self.orders)
        if self.dice.random() < TWICE:
            again = self._void_once(deal)
            if again is not None and again["balance_after"] != answer["balance_after"]:
                self._wrong(
                    self.orders, deal["id"], again["balance_after"], answer["balance_after"]
                )

    def _void_once(self, deal: dict[str, Any]) -> Any:
        """Send a void under a key of its own until it is answered; None unless it was done."""
        order = self._begin("void", deal, redemption=deal["redemption"])
        path, key = f"/redemptions/{deal['redemption']}/void", self._key()
        while True:
            try:
                status, answer = self._send(
                    path, self.own["clerk"], {"reason": "误"}, key, order
                )
                break
            except Lost:
                if self._out_of_patience():
                    self._unknown(order, deal)
                    return None
        if status != 200:
            self._refused(order, answer)
            return None
        self.record.write(
            is_durable=True, order=order, state="ok", redemption=deal["redemption"], key=key
        )
        return answer

    def settle(self, _member: dict[str, Any]) -> None:
        """Award the people of a shift; it is sent until it is answered, and once more then."""
        if not self.shifts:
            return
        shift = self.shifts.pop()
        order = self._begin("settle", None, shift=shift)
        path = f"/shifts/{shift}/settlement"
        while True:
            try:
                status, answer = self._send(path, self.own["organizer"], None, None, order)
                break
            except Lost:
                if self._out_of_patience():
                    for member in self.own["members"]:
                        self._unknown(order, member)
                    return
        if status != 200:
            self._refused(order, answer)
            return
        self.record.write(
            is_durable=True, order=order, state="ok", shift=shift, awarded=answer["awarded"]
        )
        for award in answer["awarded"]:
            self.balances[award["member_id"]] += award["points"]

    def look(self, member: dict[str, Any]) -> None:
        """Look at a balance: it is exactly what came of all that was answered before."""
        order = self._begin("look", member)
        try:
            status, answer = self._send("/me", member["token"], None, None, order, "GET")
        except Lost:
            self.record.write(order=order, state="unknown")
            return
        if status != 200:
            self._refused(order, answer)
            return
        found = answer["points"]["available"]
        self.record.write(order=order, state="ok", balance=found)
        if member["id"] not in self.unsure and found != self.balances[member["id"]]:
            self._wrong(order, member["id"], found, self.balances[member["id"]])

    def _expect(self, member_id: int, change: int, balance: int, order: int) -> None:
        self.balances[member_id] += change
        if member_id not in self.unsure and balance != self.balances[member_id]:
            self._wrong(order, member_id, balance, self.balances[member_id])

    def _wrong(self, order: int, member_id: int, found: int, foreseen: int) -> None:
        self.record.write(
            order=order, wrong="balance", member=member_id, found=found, foreseen=foreseen
        )

    def _begin(self, kind: str, member: dict[str, Any] | None, **facts: Any) -> int:
        self.orders += 1
        order = self.orders
        who = {} if member is None else {"member": member["id"]}
        self.record.write(order=order, state="begun", kind=kind, **(who | facts))
        return order

    def _refused(self, order: int, answer: Any) -> None:
        self.record.write(
            is_durable=True, order=order, state="fail", code=(answer or {}).get("code")
        )

    def _unknown(self, order: int, member: dict[str, Any]) -> None:
        self.unsure.add(member["id"])
        self.record.write(is_durable=True, order=order, state="unknown")

    def _code(self, member: dict[str, Any]) -> str | None:
        """Let the member draw a redemption code; None when nobody answers any more."""
        while True:
            try:
                status, answer = self._send(
                    "/me/codes", member["token"], {"purpose": "redeem"}, None, self.orders
                )
            except Lost:
                if self._out_of_patience():
                    return None
                continue
            return str(answer["code"]) if status == 201 else None

    def _send(
        self,
        path: str,
        token: str,
        body: Any,
        key: str | None,
        order: int,
        method: str = "POST",
    ) -> tuple[int, Any]:
        """Send once; an answer that says "later" is as good as none, after a short wait."""
        if key is not None:
            # Before it is sent: whatever the service keeps under a key, somebody asked for.
            self.record.write(order=order, state="sent", key=key)
        try:
            status, answer = self.line.ask(method, f"/api/v1{path}", token, body, key)
        except Lost:
            time.sleep(self.dice.uniform(*PAUSE_SECONDS))
            raise
        if status in AGAIN:
            self.record.write(order=order, later=status, code=(answer or {}).get("code"))
            time.sleep(self.dice.uniform(*PAUSE_SECONDS))
            raise Lost(str(status))
        if status >= 300 and status not in REFUSALS:
            self.record.write(order=order, wrong="status", found=status)
        return status, answer

    def _key(self) -> str:
        return f"{self.spec['seed']}-{self.own['name']}-{self.dice.randrange(16**12):012x}"

    def _out_of_patience(self) -> bool:
        return (
            self.stop.exists()
            and time.time() - self.stop.stat().st_mtime > self.spec["patience_seconds"]
        )


def main() -> None:
    """Run every client of the spec in a thread of its own."""
    spec = json.loads(Path(sys.argv[1]).read_text())
    threads = [threading.Thread(target=Client(spec, own).run) for own in spec["clients"]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
