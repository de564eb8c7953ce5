"""A full disk: a clear answer, nothing told is lost, and on it goes once there is room."""

import http.client
import json
import os
import re
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest

from pointsbank.app import create_app
from pointsbank.core.db import db, transaction
from pointsbank.ledger.verifying import offenders
from proving.district import District, a_district, settings_of
from proving.servers import POSTGRES_SETTINGS, Database, Service
from proving.verdict import kept_by
from proving.world import plain_connection
from tests.databases import migrate
from tests.serving import free_port
from tests.shelf import Shelf

SQLITE_DISK = "24m"
POSTGRES_DISK = "320m"
SMALL_WAL = {"max_wal_size": "32MB", "min_wal_size": "32MB"}
MEMBERS = 10
RECOVERY_SECONDS_MAX = 90
QUIET_SECONDS = 1.5
CODES_MAX = 500
# The page's refusal is one more than those of the till.
LINES_MORE_MAX = 1
OUTAGES = ("storage_full", "database_away", "connection_lost")

# What make check has no time for; make prove sets this and runs all of it.
LONG_VARIABLE = "POINTSBANK_TEST_LONG"
only_long = pytest.mark.skipif(LONG_VARIABLE not in os.environ, reason="make prove runs it")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="limits and mounts as Linux has them"),
]


@contextmanager
def small_disk(folder: Path, size: str):
    """Mount a small file system in memory; skip where that is not permitted."""
    folder.mkdir(exist_ok=True)
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip(
            f"A small disk cannot be mounted here ({made.stderr.strip()}): make prove shows"
            " the same by a limit of the file's size, which needs no rights."
        )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


class Ballast:
    """A file that takes all the room there is."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ballast"

    def take(self) -> None:
        with self._path.open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"\0" * 4096)

    def give_back(self) -> None:
        self._path.unlink()


class Limit:
    """The service may let no file grow beyond what SQLite's log is now; needs no rights."""

    def __init__(self, service: Service, log: Path) -> None:
        self._service = service
        self._log = log

    def take(self) -> None:
        self._set(self._log.stat().st_size)

    def give_back(self) -> None:
        self._set(resource.RLIM_INFINITY)

    def _set(self, size: int) -> None:
        for pid in self._service.workers():
            hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


class Till:
    """A clerk at work over HTTP, who remembers what was answered."""

    def __init__(self, database_url: str, service: Service, town: District) -> None:
        self.url = database_url
        self.service = service
        self.own = town.clients[0]
        self.members = list(self.own["members"][1:])
        self.answered: list[str] = []
        self.refusals: list[tuple[int, dict, dict]] = []

    def ask(self, method: str, path: str, token: str | None = None, body=None, **headers):
        """Return the status, the headers and the text of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=30)
        if token is not None:
            headers |= {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            body = None if body is None else json.dumps(body)
        connection.request(
            method, path, body, {n.replace("_", "-"): v for n, v in headers.items()}
        )
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text

    def an_order(self) -> tuple[dict, str]:
        """Return a request for a reward, with a code that a member draws now, and its key."""
        member = self.members.pop()
        status, _, text = self.ask(
            "POST", "/api/v1/me/codes", member["token"], {"purpose": "redeem"}
        )
        assert status == 201, text
        body = {
            "merchant_id": self.own["merchant_id"],
            "reward_id": self.own["reward_id"],
            "quantity": 1,
            "code": json.loads(text)["code"],
        }
        return body, os.urandom(8).hex()

    def redeem(self, order: tuple[dict, str]) -> int:
        """Send an order; what is answered is kept in mind."""
        body, key = order
        status, headers, text = self.ask(
            "POST", "/api/v1/redemptions", self.own["clerk"], body, Idempotency_Key=key
        )
        answer = json.loads(text)
        if status == 201:
            self.answered.append(answer["number"])
        else:
            self.refusals.append((status, headers, answer))
        return status

    def demand_all_that_was_told(self) -> None:
        """Every redemption that was answered is there once, and the ledger is right."""
        with plain_connection(self.url) as rows:
            kept = kept_by(rows)
        numbers = [row[1] for row in kept.redemptions.values()]
        assert sorted(numbers) == sorted(self.answered)
        assert all(f"redeem:{number}" in kept.transfers for number in numbers)
        app = create_app(settings_of(self.url))
        with app.app_context():
            with transaction() as session:
                assert offenders(session) == []
            db.engine.dispose()


def demand_a_clear_refusal(till: Till) -> None:
    """The last refusal says what is the matter, in the words of the contract."""
    status, headers, answer = till.refusals[-1]
    assert (status, answer["code"]) == (503, "storage_full"), answer
    assert headers["Content-Type"] == "application/problem+json"
    assert int(headers["Retry-After"]) > 0
    assert answer["detail"].startswith("系统的存储空间满了，什么都没有改动")


def demand_a_page_with_a_sentence(till: Till) -> None:
    """Who signs in on a page reads the same sentence."""
    status, headers, page = till.ask("GET", "/sign-in")
    assert status == 200
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    form = urlencode({"csrf_token": token, "phone": "19900000000", "password": "wrong"})
    status, headers, page = till.ask(
        "POST",
        "/sign-in",
        body=form,
        Cookie=headers["Set-Cookie"].split(";")[0],
        Content_Type="application/x-www-form-urlencoded",
    )
    assert status == 503
    assert headers["Content-Type"].startswith("text/html")
    assert "系统的存储空间满了" in page


def demand_a_quiet_log(till: Till, refused: int) -> None:
    """A line or two for each refusal, no trace, and none while nobody asks."""
    before = till.service.log.read_text()
    assert "Traceback" not in before
    assert before.count("database_unavailable") <= refused + LINES_MORE_MAX
    time.sleep(QUIET_SECONDS)
    assert till.service.log.read_text() == before


def fill_up_and_go_on(till: Till, room: "Ballast | Limit") -> None:
    """Redeem, take all room, be refused, read, make room, and redeem on by the same key."""
    orders = [till.an_order() for _ in range(6)]
    assert [till.redeem(order) for order in orders[:2]] == [201, 201]
    workers = till.service.workers()
    room.take()
    assert [till.redeem(order) for order in orders[2:]] == [503] * 4
    demand_a_clear_refusal(till)
    demand_a_page_with_a_sentence(till)
    status, _, me = till.ask("GET", "/api/v1/me", till.own["members"][1]["token"])
    assert (status, json.loads(me)["points"]["held"]) == (200, 0)
    demand_a_quiet_log(till, refused=len(orders))
    room.give_back()
    assert [till.redeem(order) for order in orders[2:]] == [201] * 4
    assert [till.redeem(till.an_order()) for _ in range(2)] == [201, 201]
    # By itself: the same processes as before.
    assert till.service.workers() == workers
    till.demand_all_that_was_told()


@contextmanager
def open_till(database_url: str, shelf: Shelf):
    """Serve a small district on a migrated database."""
    town = a_district(database_url, clients=1, members=MEMBERS, shifts=1)
    service = Service(database_url, free_port(), shelf.folder)
    try:
        yield Till(database_url, service, town)
    finally:
        service.stop()


@pytest.fixture
def shelf():
    made = Shelf(Path(tempfile.gettempdir()))
    made.folder.chmod(0o755)
    yield made
    made.close()


def test_a_full_disk_under_sqlite(shelf):
    with small_disk(shelf.folder / "small", SQLITE_DISK) as disk:
        url = f"sqlite:///{disk / 'bank.sqlite'}"
        migrate(url)
        with open_till(url, shelf) as till:
            fill_up_and_go_on(till, Ballast(disk))
            with closing(sqlite3.connect(disk / "bank.sqlite")) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@only_long
def test_a_limit_of_the_files_size_under_sqlite(shelf):
    """The same without the right to mount; SQLite calls it a disk I/O error."""
    url = f"sqlite:///{shelf.folder / 'bank.sqlite'}"
    migrate(url)
    with open_till(url, shelf) as till:
        log = shelf.folder / "bank.sqlite-wal"
        till.ask("GET", "/api/v1/me", till.own["clerk"])
        fill_up_and_go_on(till, Limit(till.service, log))


@only_long
def test_a_full_disk_under_postgresql(shelf):
    """First no table can grow, then PostgreSQL cannot write its log and ends itself."""
    with small_disk(shelf.folder / "small", POSTGRES_DISK) as disk:
        # On the full disk the server could not even say that it ends.
        (disk / "server.log").symlink_to(shelf.folder / "postgres.log")
        database = Database(disk, POSTGRES_SETTINGS | SMALL_WAL)
        try:
            migrate(database.url)
            with open_till(database.url, shelf) as till:
                _fill_up_postgresql(till, database, Ballast(disk))
        finally:
            database.cluster.close()


def _fill_up_postgresql(till: Till, database: Database, room: Ballast) -> None:
    orders = [till.an_order() for _ in range(3)]
    assert till.redeem(orders[0]) == 201
    workers = till.service.workers()
    room.take()
    draw_codes_until_no_table_can_grow(till)
    status, _, _ = till.ask("GET", "/api/v1/me", till.own["members"][1]["token"])
    assert status == 200
    with watched(till) as statuses:
        until_it_ends(database)
    assert 503 in statuses
    room.give_back()
    deadline = time.monotonic() + RECOVERY_SECONDS_MAX
    # Each worker has broken connections of its own, and refuses once before it has new ones.
    for order in orders[1:]:
        while till.redeem(order) != 201:
            assert till.refusals[-1][2]["code"] in OUTAGES
            assert time.monotonic() < deadline, till.refusals[-1]
            # Whoever supervises it starts a PostgreSQL that could not even recover.
            if not database.cluster.is_running:
                database.restart_until_it_answers()
            time.sleep(0.2)
    # By itself: the same processes as before.
    assert till.service.workers() == workers
    till.demand_all_that_was_told()


def draw_codes_until_no_table_can_grow(till: Till) -> None:
    """Every code is a new row, and some row needs a new page."""
    member = till.own["members"][0]["token"]
    for _ in range(CODES_MAX):
        status, headers, text = till.ask(
            "POST", "/api/v1/me/codes", member, {"purpose": "redeem"}
        )
        if status != 201:
            till.refusals.append((status, headers, json.loads(text)))
            demand_a_clear_refusal(till)
            return
    raise AssertionError(f"{CODES_MAX} rows found room on a full disk")


@contextmanager
def watched(till: Till):
    """Ask again and again during the block, and on until somebody was told of an outage;
    whatever happens, the answer is 200 or 503.
    """
    statuses: set[int] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            status, _, text = till.ask("GET", "/api/v1/me", till.own["clerk"])
            statuses.add(status)
            assert status == 200 or json.loads(text)["code"] in OUTAGES, text

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        try:
            yield statuses
            deadline = time.monotonic() + RECOVERY_SECONDS_MAX
            while not (503 in statuses or watching.done() or time.monotonic() > deadline):
                time.sleep(0.01)
        finally:
            over.set()
        watching.result()


def until_it_ends(database: Database) -> None:
    """Write PostgreSQL's log, and nothing else, until there is no room for it."""
    deadline = time.monotonic() + RECOVERY_SECONDS_MAX
    while "PANIC" not in database.cluster.log_text():
        assert time.monotonic() < deadline, database.cluster.log_text()[-2000:]
        with suppress(psycopg.OperationalError), database.server.connect() as connection:
            connection.execute(
                "SELECT pg_logical_emit_message(true, 'filler', repeat('x', 1000000))"
            )
