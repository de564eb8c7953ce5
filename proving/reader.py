"""The four errors of the Jepsen bank test, looked for at every read while things are killed."""

import sqlite3
import threading
import time
from dataclasses import dataclass, field

import psycopg

from proving.district import District
from proving.world import plain_connection

PAUSE_SECONDS = 0.1
SHOWN_MAX = 20

# One statement, so one snapshot on both engines: every wallet, and what all of them must be.
READ = """
    SELECT account.code, wallet.posted, wallet.held
    FROM wallet LEFT JOIN account ON account.id = wallet.account_id
    UNION ALL
    SELECT '=wallets', COALESCE(SUM(
        CASE WHEN target.kind IN ('member', 'fund') THEN points ELSE 0 END
        - CASE WHEN source.kind IN ('member', 'fund') THEN points ELSE 0 END), 0), 0
    FROM transfer JOIN account AS source ON source.id = transfer.source_id
                  JOIN account AS target ON target.id = transfer.target_id
    UNION ALL
    SELECT '=shops', COALESCE(SUM(
        CASE WHEN target.kind = 'merchant' THEN points ELSE 0 END
        - CASE WHEN source.kind = 'merchant' THEN points ELSE 0 END), 0), 0
    FROM transfer JOIN account AS source ON source.id = transfer.source_id
                  JOIN account AS target ON target.id = transfer.target_id
    UNION ALL
    SELECT '=handed over', COALESCE(SUM(points), 0), 0 FROM redemption WHERE state = 'completed'
    UNION ALL
    SELECT '=goods', COALESCE(SUM(stock), 0) + (
        SELECT COALESCE(SUM(quantity), 0) FROM redemption WHERE state = 'completed'), 0
    FROM reward
"""


@dataclass
class Readings:
    """How many reads were made and failed, and what was wrong with any."""

    reads: int = 0
    away: int = 0
    wrong: list[str] = field(default_factory=list)


def errors_of(
    rows: list[tuple[str | None, int | None, int | None]], town: District
) -> list[str]:
    """Return what is wrong with one read: unexpected, missing, wrong total, negative."""
    totals = {code: int(value or 0) for code, value, _ in rows if code and code[0] == "="}
    wallets = {code: (posted, held) for code, posted, held in rows if (code or "")[:1] != "="}
    found = [f"unexpected account {code}" for code in wallets if code not in town.wallets]
    found += [
        f"missing balance of {code}"
        for code in town.wallets
        if code not in wallets or None in wallets[code]
    ]
    whole = [(posted or 0, held or 0) for posted, held in wallets.values()]
    found += [
        f"negative: {posted}, held {held}"
        for posted, held in whole
        if held < 0 or posted < held
    ]
    sums = (sum(posted for posted, _ in whole), totals["=shops"], totals["=goods"])
    wanted = (totals["=wallets"], totals["=handed over"], town.stock)
    if sums != wanted:
        found.append(f"wrong total: wallets, shops, goods are {sums}, not {wanted}")
    return found


class Reader(threading.Thread):
    """Reads all balances again and again until told to stop."""

    def __init__(self, database_url: str, town: District) -> None:
        super().__init__(daemon=True)
        self.found = Readings()
        self._url = database_url
        self._town = town
        self._over = threading.Event()

    def run(self) -> None:
        """Read; while the database is away, try again."""
        while not self._over.is_set():
            try:
                with plain_connection(self._url) as connection:
                    while not self._over.wait(PAUSE_SECONDS):
                        self._judge(connection.execute(READ).fetchall())
            except (psycopg.OperationalError, sqlite3.OperationalError):
                # Killed, stopped or starting: there is nothing to read.
                self.found.away += 1
                time.sleep(PAUSE_SECONDS)

    def _judge(self, rows: list[tuple[str | None, int | None, int | None]]) -> None:
        self.found.reads += 1
        wrong = errors_of(rows, self._town)
        if len(self.found.wrong) < SHOWN_MAX:
            self.found.wrong += wrong

    def stop(self) -> Readings:
        """Stop reading and return what was found."""
        self._over.set()
        self.join()
        return self.found
