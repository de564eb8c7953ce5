"""Proofs that a line stands in a sealed block, for whoever holds it, without any other line."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.ledger.leaves import (
    Path,
    Row,
    blind_of,
    leaf_of,
    levels_of,
    path_to,
    row_from,
    split_leaves,
    text_of_one,
)
from pointsbank.ledger.models import Block
from pointsbank.ledger.queries import BlockHead, head_of

PROOF_FORMAT = "pointsbank-proof/1"


class NotAsSealed(RuntimeError):
    """A row is no more what was sealed: a fault of the ledger, not of whoever asks."""


@dataclass(frozen=True)
class Proof:
    """One row with all that leads from it to the root of its block."""

    row: Row
    blind: bytes
    path: Path
    block: BlockHead

    def as_json(self) -> dict[str, Any]:
        """Return the proof as it is written into a file."""
        return {
            "format": PROOF_FORMAT,
            "row": self.row,
            "blind": self.blind.hex(),
            "path": [[side, neighbour.hex()] for side, neighbour in self.path],
            "block": self.block.as_json(),
        }


def proof_of(session: Session, transfer_id: int) -> Proof | None:
    """Return the proof of one transfer; None while it is not sealed, or when there is none.

    Raises NotAsSealed.
    """
    return proofs_of(session, [transfer_id]).get(transfer_id)


def proofs_of(session: Session, transfer_ids: Sequence[int]) -> dict[int, Proof]:
    """Return the proofs of transfers by their id; those that are not sealed have none.

    The tree of a block is built once, however many of its rows are asked for.
    Raises NotAsSealed.
    """
    found: dict[int, Proof] = {}
    waiting = sorted(set(transfer_ids))
    while waiting:
        block = session.execute(
            select(Block, Block.leaves)
            .where(Block.up_to >= waiting[0])
            .order_by(Block.up_to)
            .limit(1)
        ).first()
        if block is None:
            break
        end = bisect_left(waiting, block.Block.up_to + 1)
        found |= _proofs_in(session, block.Block, block.leaves, waiting[:end])
        waiting = waiting[end:]
    return found


def _proofs_in(
    session: Session, block: Block, joined: bytes, transfer_ids: Sequence[int]
) -> dict[int, Proof]:
    """Return the proofs of rows of one block."""
    leaves = split_leaves(joined)
    positions = {leaf: position for position, leaf in enumerate(leaves)}
    levels = levels_of(leaves)
    statement = text_of_one(session.get_bind().dialect.name)
    found = {}
    for transfer_id in transfer_ids:
        row_text = session.execute(statement, {"id": transfer_id}).scalar()
        if row_text is None:
            continue
        blind = blind_of(block.salt, transfer_id)
        position = positions.get(leaf_of(blind, bytes(row_text)))
        if position is None:
            raise NotAsSealed(f"transfer {transfer_id} is not as block {block.no} sealed it")
        found[transfer_id] = Proof(
            row=row_from(bytes(row_text).decode()),
            blind=blind,
            path=path_to(levels, position),
            block=head_of(block),
        )
    return found
