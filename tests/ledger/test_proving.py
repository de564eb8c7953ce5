"""A proof leads from one line to the root of its block and tells nothing of other lines."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from pointsbank.ledger import leaves, sealing, service
from pointsbank.ledger.proving import NotAsSealed, proof_of, proofs_of
from pointsbank.ledger.queries import balance_at, blocks, unstored_balance
from tests.ledger.accounts import (
    ISSUER,
    MEMBER,
    SHOP,
    earning,
    open_accounts,
    spending,
)
from tests.ledger.stripping import strip_guards
from tests.moments import NOON

MINUTE = timedelta(minutes=1)


@pytest.fixture
def book(writing):
    """Seven lines, one a minute; the first five sealed in two blocks."""
    with writing() as session:
        open_accounts(session)
        for n in range(1, 6):
            service.post(session, earning(f"award:{n}", n), NOON + n * MINUTE)
        sealing.seal(session, now=NOON + 4 * MINUTE, salt=bytes(32), limit=3)
        sealing.seal(session, now=NOON + 6 * MINUTE, salt=b"\x01" * 32)
        service.post(session, spending("redeem:6", 6), NOON + 6 * MINUTE)
        service.post(session, spending("redeem:7", 7), NOON + 7 * MINUTE)
    return writing


def id_of(session, key: str) -> int:
    return session.execute(
        text("SELECT id FROM transfer WHERE key = :key"), {"key": key}
    ).scalar_one()


def root_of(proof: dict) -> str:
    """Check a proof by what it says alone, as somebody without this service does."""
    leaf = leaves.leaf_of(bytes.fromhex(proof["blind"]), leaves.text_of(proof["row"]).encode())
    tree = leaves.root_at_end(
        leaf, [(side, bytes.fromhex(neighbour)) for side, neighbour in proof["path"]]
    )
    block = {**proof["block"]}
    block.pop("root")
    block["previous_hash"] = bytes.fromhex(block["previous_hash"])
    return leaves.block_root(**block, tree=tree).hex()


@pytest.mark.parametrize("key", ["award:1", "award:2", "award:3", "award:4", "award:5"])
def test_a_proof_leads_to_the_root_that_everyone_sees(book, key):
    with book() as session:
        proof = proof_of(session, id_of(session, key))
        roots = {head.no: head.root.hex() for head in blocks(session)}
    written = json.loads(json.dumps(proof.as_json()))
    assert written["format"] == "pointsbank-proof/1"
    assert written["row"]["key"] == key
    assert written["row"]["wallet"] == MEMBER
    assert root_of(written) == written["block"]["root"] == roots[proof.block.no]


@pytest.mark.parametrize(
    ("field", "value"), [("points", 6), ("line", 9), ("reason", "another"), ("id", 77)]
)
def test_a_changed_line_leads_elsewhere(book, field, value):
    with book() as session:
        written = proof_of(session, id_of(session, "award:5")).as_json()
    written["row"] = {**written["row"], field: value}
    assert root_of(written) != written["block"]["root"]


def test_many_proofs_are_the_same_as_each_alone(book):
    with book() as session:
        ids = [id_of(session, f"award:{n}") for n in range(1, 6)]
        unsealed = id_of(session, "redeem:6")
        found = proofs_of(session, [*ids, unsealed, 999])
        assert sorted(found) == ids
        assert [found[each] for each in ids] == [proof_of(session, each) for each in ids]


def test_a_line_that_is_not_sealed_yet_has_no_proof(book):
    with book() as session:
        assert proof_of(session, id_of(session, "redeem:7")) is None
        assert proof_of(session, 999) is None


def test_a_row_that_was_changed_gets_no_proof(book, engine_name):
    with book() as session:
        changed = id_of(session, "award:2")
        strip_guards(session)
        session.execute(
            text("UPDATE transfer SET reason = 'other' WHERE id = :id"), {"id": changed}
        )
    with book() as session, pytest.raises(NotAsSealed, match=f"transfer {changed}"):
        proof_of(session, changed)


def test_the_balance_at_a_moment_is_that_of_the_last_line_before(book):
    with book() as session:
        at = {
            n: [balance_at(session, code, NOON + n * MINUTE) for code in (MEMBER, ISSUER, SHOP)]
            for n in (0, 1, 3, 5, 6, 7, 60)
        }
        just_before = balance_at(session, MEMBER, NOON + 3 * MINUTE - timedelta(microseconds=1))
    assert at == {
        0: [0, 0, 0],
        1: [1, -1, 0],
        3: [6, -6, 0],
        5: [15, -15, 0],
        6: [9, -15, 6],
        7: [2, -15, 13],
        60: [2, -15, 13],
    }
    assert just_before == 3


def test_lines_whose_moments_crossed_are_told_in_the_order_of_the_book(writing):
    """Two requests read their clocks, and the later one got the wallet first."""
    with writing() as session:
        open_accounts(session)
        service.post(session, earning("award:1", 10), NOON + 2 * MINUTE)
        service.post(session, earning("award:2", 5), NOON + MINUTE)
    with writing() as session:
        assert balance_at(session, MEMBER, NOON + 3 * MINUTE) == 15
        assert balance_at(session, MEMBER, NOON) == 0
        assert balance_at(session, ISSUER, NOON + MINUTE) == -5


def test_an_account_that_nobody_opened_holds_nothing(session):
    assert balance_at(session, "member:404", NOON) == 0
    assert unstored_balance(session, "merchant:404") == 0
