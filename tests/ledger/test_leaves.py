"""What is hashed: fixed examples, and both engines' text against Python's own."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import aliased

from pointsbank.core.clock import moment_text
from pointsbank.ledger import leaves
from pointsbank.ledger.models import Account, Transfer
from tests.ledger.accounts import earn, open_accounts, reverse, spend

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "leaf.json").read_text())
SALT = bytes.fromhex(VECTORS["salt"])


def split_tree(hashes: list[bytes]) -> bytes:
    """The root as RFC 6962 defines it: split at the largest power of two below the number."""
    if len(hashes) == 1:
        return hashes[0]
    half = 1
    while half * 2 < len(hashes):
        half *= 2
    return leaves.node_of(split_tree(hashes[:half]), split_tree(hashes[half:]))


@pytest.mark.parametrize("example", VECTORS["rows"], ids=lambda each: each["row"]["key"])
def test_a_row_has_the_text_the_blind_and_the_leaf_of_the_example(example):
    row = example["row"]
    assert leaves.text_of(row) == example["text"]
    assert leaves.row_from(example["text"]) == row
    blind = leaves.blind_of(SALT, row["id"])
    assert blind.hex() == example["blind"]
    assert leaves.leaf_of(blind, example["text"].encode()).hex() == example["leaf"]


@pytest.mark.parametrize("example", VECTORS["trees"], ids=lambda each: str(each["leaves"]))
def test_a_tree_has_the_root_and_the_paths_of_the_example(example):
    hashes = [bytes.fromhex(each) for each in VECTORS["tree_leaves"][: example["leaves"]]]
    levels = leaves.levels_of(hashes)
    assert levels[-1][0].hex() == example["root"]
    for position, path in enumerate(example["paths"]):
        found = leaves.path_to(levels, position)
        assert [[side, neighbour.hex()] for side, neighbour in found] == path
        assert leaves.root_at_end(hashes[position], found).hex() == example["root"]


@pytest.mark.parametrize("example", VECTORS["blocks"], ids=lambda each: f"block {each['no']}")
def test_a_block_has_the_root_of_the_example(example):
    tree = leaves.tree_root([bytes.fromhex(each) for each in example["leaves"]])
    assert tree.hex() == example["tree"]
    root = leaves.block_root(
        previous_hash=bytes.fromhex(example["previous_hash"]),
        **{name: example[name] for name in ("no", "up_to", "count", "total", "sealed_at")},
        tree=tree,
    )
    assert root.hex() == example["root"]


@pytest.mark.parametrize("number", [1, 2, 3, 31, 32, 33, 1000])
def test_the_tree_is_split_as_the_rfc_says(number):
    hashes = [n.to_bytes(32, "big") for n in range(number)]
    assert leaves.tree_root(hashes) == split_tree(hashes)


def test_a_moment_is_told_in_utc_to_the_microsecond():
    assert moment_text(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == (
        "2026-01-02T03:04:05.000000Z"
    )


def test_the_database_writes_the_text_that_python_writes(writing, engine_name):
    with writing() as session:
        open_accounts(session)
        earn(session, "award:1", 30)
        spent = spend(session, "redeem:1", 20)
        reverse(session, spent.id, "void:1", points=5)
        session.execute(
            text(
                "INSERT INTO transfer (key, request_hash, kind, source_id, target_id, points,"
                " occurred_at, recorded_at, reason, actor_id)"
                " SELECT '钥匙', request_hash, 'spend', source_id, 2, 7, occurred_at,"
                " recorded_at, '', 9007199254740993 FROM transfer WHERE key = 'award:1'"
            )
        )
    source, target, wallet = aliased(Account), aliased(Account), aliased(Account)
    with writing() as session:
        rows = session.execute(
            select(Transfer, source.code, target.code, wallet.code)
            .join(source, source.id == Transfer.source_id)
            .join(target, target.id == Transfer.target_id)
            .outerjoin(wallet, wallet.id == Transfer.wallet_id)
            .order_by(Transfer.id)
        ).all()
        expected = [leaves.text_of(as_row(*row)) for row in rows]
        stored = session.execute(
            leaves.texts_after(engine_name), {"after": 0, "up_to": 100, "limit": 100}
        ).all()
        one = session.execute(leaves.text_of_one(engine_name), {"id": rows[1][0].id}).scalar()
    assert [bytes(row.text).decode() for row in stored] == expected
    assert bytes(one).decode() == expected[1]
    assert len(expected) == 4


def as_row(transfer: Transfer, source: str, target: str, wallet: str | None) -> leaves.Row:
    return {
        "id": transfer.id,
        "key": transfer.key,
        "kind": transfer.kind,
        "source": source,
        "target": target,
        "points": transfer.points,
        "wallet": wallet,
        "line": transfer.wallet_seq,
        "balance_after": transfer.wallet_after,
        "hold_id": transfer.hold_id,
        "reverses_id": transfer.reverses_id,
        "occurred_at": moment_text(transfer.occurred_at),
        "recorded_at": moment_text(transfer.recorded_at),
        "expires_on": transfer.expires_on.isoformat() if transfer.expires_on else None,
        "actor_id": transfer.actor_id,
        "reason": transfer.reason,
        "request_hash": transfer.request_hash.hex(),
    }
