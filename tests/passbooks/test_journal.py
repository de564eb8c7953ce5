"""A journal that bean-check accepts, and in which it finds one changed amount."""

import subprocess
import sys
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from beancount import loader
from beancount.core.data import Balance, Transaction
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from pointsbank.ledger.errors import AccountNotFound, AlreadyReversed, NotEnoughPoints
from pointsbank.ledger.models import Account, Transfer, Wallet
from pointsbank.ledger.moving import Move, move
from pointsbank.ledger.posting import Posting
from pointsbank.ledger.queries import unstored_balance
from pointsbank.ledger.service import expire_points, open_account, post, reverse
from pointsbank.ledger.verifying import offenders
from pointsbank.passbooks.exporting import Words, write_account, write_everything
from pointsbank.passbooks.journal import Entry, account_name, journal_lines, quoted
from tests.builders import a_member, points_for, points_spent
from tests.moments import NOON

ZONE = ZoneInfo("Asia/Shanghai")
WORDS = Words("book", "a note", [f"column {n}" for n in range(12)], {})
STEPS = 160
ISSUERS = ("issue:community:140303001002", "issue:community:140303001003")
SHOPS = ("merchant:7", "merchant:8")


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def member(writing):
    with writing() as session:
        return a_member(session)


def check(path: Path) -> tuple[int, str]:
    """Let bean-check judge a journal, as an auditor would on any desk."""
    beside = Path(sys.executable).parent / "bean-check"
    done = subprocess.run(
        [beside, "--no-cache", path], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def balances_in(path: Path) -> tuple[dict[str, int], list]:
    """Return what each account of a journal comes to by Beancount's reading, and entries."""
    entries, errors, _ = loader.load_file(str(path))
    assert errors == []
    sums: dict[str, int] = defaultdict(int)
    for entry in entries:
        if isinstance(entry, Transaction):
            for posting in entry.postings:
                sums[posting.account] += int(posting.units.number)
    return sums, entries


def journal_of(session, path, code=None):
    with path.open("wb") as file:
        if code is None:
            count = write_everything(session, file, zone=ZONE)
        else:
            count = write_account(
                session, file, code=code, form="beancount", zone=ZONE, words=WORDS
            )
    return count


class Life:
    """Months of awards, spendings, gifts, reversals whole and in part, and expiry."""

    def __init__(self, session, dice, people):
        self.session, self.dice = session, dice
        self.people = [f"member:{each}" for each in people]
        self.at, self.done = NOON - timedelta(days=400), []
        for code in (*ISSUERS, *SHOPS, "expired"):
            open_account(session, code=code, kind=code.partition(":")[0])

    def pass_by(self):
        acts = [self.earn] * 3 + [self.spend] * 2 + [self.give, self.take_back, self.expire]
        for step in range(STEPS):
            self.at += timedelta(hours=self.dice.randrange(1, 120))
            who = self.dice.choice(self.people)
            with suppress(NotEnoughPoints, AlreadyReversed), self.session.begin_nested():
                self.dice.choice(acts)(step, who)

    def earn(self, step, who):
        lasts = timedelta(days=self.dice.randrange(20, 300))
        self.post(
            step,
            "earn",
            self.dice.choice(ISSUERS),
            who,
            who,
            expires_on=(self.at + lasts).date(),
            budget_month=f"{self.at:%Y-%m}",
        )

    def spend(self, step, who):
        self.post(step, "spend", who, self.dice.choice(SHOPS), who)

    def post(self, step, kind, source, target, wallet, **more):
        posting = Posting(
            key=f"{kind}:{step}",
            kind=kind,
            source=source,
            target=target,
            wallet=wallet,
            points=self.dice.randrange(1, 60),
            occurred_at=self.at,
            reason=self.dice.choice(('说"好"', "a \\ b", "河道清洁", "大米 5 公斤")),
            **more,
        )
        self.done.append(post(self.session, posting, self.at).id)

    def give(self, step, who):
        other = self.dice.choice([each for each in self.people if each != who])
        gift = a_gift(step, who, other, self.dice.randrange(1, 30), self.at)
        move(self.session, gift, self.at)

    def take_back(self, step, _who):
        if self.done:
            reverse(
                self.session,
                transfer_id=self.dice.choice(self.done),
                key=f"reversal:{step}",
                reason="冲回",
                actor_id=None,
                today=self.at.date(),
                now=self.at,
                points=self.dice.choice((None, 1, 3)),
            )

    def expire(self, _step, _who):
        expire_points(self.session, today=self.at.date(), now=self.at)


def a_gift(step, giver, receiver, points, at):
    return Move(
        key=f"gift:{step}",
        source=giver,
        target=receiver,
        points=points,
        occurred_at=at,
        kind_out="gift_out",
        kind_in="gift_in",
        reason_out="赠送",
        reason_in="获赠",
    )


def a_row(session, code):
    return session.execute(select(Account).where(Account.code == code)).scalar_one()


@pytest.mark.slow
def test_a_random_ledger_is_a_journal_that_another_program_finds_right(writing, dice, tmp_path):
    """Every account comes to the same in Beancount's books and in ours, whole and alone."""
    path = tmp_path / "all.beancount"
    with writing() as session:
        people = [a_member(session, name) for name in ("王桂兰", "李敏", "吴海燕", "赵敏")]
        Life(session, dice, people).pass_by()
    with writing() as session:
        assert offenders(session) == []
        assert journal_of(session, path) == len(session.scalars(select(Transfer.id)).all())
        kinds = set(session.scalars(select(Transfer.kind)))
        assert {"earn", "spend", "reversal", "expire", "gift_out", "gift_in"} <= kinds
        sums, entries = balances_in(path)
        for account in session.scalars(select(Account)):
            name = account_name(account.code, account.kind)
            wallet = session.get(Wallet, account.id)
            ours = wallet.posted if wallet else unstored_balance(session, account.code)
            assert -sums.get(name, 0) == ours, account.code
        for code in (*(f"member:{each}" for each in people), "merchant:7"):
            alone = tmp_path / f"{code.replace(':', '-')}.beancount"
            journal_of(session, alone, code)
            name = account_name(code, a_row(session, code).kind)
            assert balances_in(alone)[0].get(name, 0) == sums[name]
            assert check(alone) == (0, "")
    assert check(path) == (0, "")
    asserted = [entry for entry in entries if isinstance(entry, Balance)]
    assert len({entry.date for entry in asserted}) > 6
    assert {entry.account for entry in asserted} == {
        f"Liabilities:Member:{each}" for each in people
    }


def test_one_changed_amount_is_found_by_bean_check(writing, member, tmp_path):
    """Control: both sides of one entry changed alike, so that the entry balances."""
    path = tmp_path / "book.beancount"
    with writing() as session:
        points_for(session, member, 45, "award:1", NOON - timedelta(days=40))
        points_spent(session, member, 20, "redeem:R1")
        journal_of(session, path, f"member:{member}")
    assert check(path) == (0, "")
    text = path.read_text()
    assert text.count("20 POINTS") == 2
    path.write_text(text.replace("20 POINTS", "21 POINTS"))
    status, said = check(path)
    assert status == 1
    assert "Balance failed" in said


def test_no_name_and_no_typed_word_stands_in_the_whole_journal(writing, member, tmp_path):
    path = tmp_path / "all.beancount"
    with writing() as session:
        points_for(session, member, 45, "award:1")
        journal_of(session, path)
    text = path.read_text()
    assert "河道清洁" not in text
    assert "王桂兰" not in text
    assert f"Liabilities:Member:{member}" in text


def test_an_entry_tells_where_it_stands(writing, member, tmp_path):
    path = tmp_path / "book.beancount"
    with writing() as session:
        points_for(session, member, 45, "award:1")
        spent = points_spent(session, member, 20, "redeem:R1")
        reverse(
            session,
            transfer_id=spent,
            key="void:1",
            reason='退"货"\\',
            actor_id=None,
            today=NOON.date(),
            now=NOON,
        )
        journal_of(session, path, f"member:{member}")
    entries = [each for each in balances_in(path)[1] if isinstance(each, Transaction)]
    assert [each.meta["line"] for each in entries] == [1, 2, 3]
    last = entries[-1]
    assert last.narration == '退"货"\\'
    assert (last.meta["key"], last.meta["kind"]) == ("void:1", "reversal")
    assert int(last.meta["reverses"]) == spent
    assert last.date == NOON.date()


def entry(number, line, after, recorded_at, points=10):
    return Entry(
        number,
        f"award:{number}",
        "earn",
        "issue:a",
        "issue",
        "member:1",
        "member",
        points,
        True,
        line,
        after,
        None,
        None,
        recorded_at,
        recorded_at,
        None,
        "河道清洁",
    )


def test_lines_recorded_across_midnight_in_the_other_order_accuse_nobody(tmp_path):
    """Line 2 was recorded a moment before line 1, on the last day of the month."""
    midnight = datetime(2026, 11, 30, 16, tzinfo=UTC)
    second = timedelta(seconds=1)
    entries = [
        entry(2, 2, 20, midnight - second),
        entry(1, 1, 10, midnight + second),
    ]
    path = tmp_path / "book.beancount"
    path.write_text("".join(journal_lines(entries, zone=ZONE, title="", with_words=True)))
    assert check(path) == (0, "")
    assert "2026-12-01 balance" not in path.read_text()
    assert "2026-12-02 balance Liabilities:Member:1  -20 POINTS" in path.read_text()


def test_a_wrong_balance_beside_a_line_is_found(tmp_path):
    """Control: the assertions say what was printed, not what the entries come to."""
    path = tmp_path / "book.beancount"
    entries = [entry(1, 1, 10, NOON), entry(2, 2, 21, NOON)]
    path.write_text("".join(journal_lines(entries, zone=ZONE, title="", with_words=True)))
    assert check(path)[0] == 1


CODES = st.lists(
    st.one_of(st.from_regex(r"[a-z0-9_]{1,4}", fullmatch=True), st.text(min_size=1)),
    min_size=1,
    max_size=3,
).map(":".join)


@given(st.sets(CODES, min_size=1, max_size=8))
def test_two_accounts_never_share_a_name_and_each_is_one_that_beancount_reads(codes):
    names = [account_name(code, "issue") for code in sorted(codes)]
    assert len(set(names)) == len(codes)
    opening = "".join(f"2026-01-01 open {name} POINTS\n" for name in names)
    entries, errors, _ = loader.load_string(opening)
    assert errors == []
    assert sorted(each.account for each in entries) == sorted(names)


@given(st.text())
def test_any_words_stay_one_string(words):
    journal = (
        "2026-01-01 open Assets:A\n"
        f"2026-01-01 * {quoted(words)}\n  Assets:A  1 POINTS\n  Assets:A  -1 POINTS\n"
    )
    entries, errors, _ = loader.load_string(journal)
    assert errors == []
    assert len(entries) == 2


def test_an_empty_book_is_an_empty_journal(writing, member, tmp_path):
    path = tmp_path / "book.beancount"
    with writing() as session:
        assert journal_of(session, path, f"member:{member}") == 0
    assert check(path) == (0, "")


def test_an_account_that_is_not_there_is_refused(writing):
    with writing() as session, pytest.raises(AccountNotFound):
        journal_of(session, Path("/dev/null"), "member:999")
