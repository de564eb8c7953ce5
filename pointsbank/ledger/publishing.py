"""What everyone may know of sealed blocks: roots and counts, never a row, a leaf or a salt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from pointsbank.core.clock import moment_text
from pointsbank.ledger.errors import BlockNotFound
from pointsbank.ledger.models import Block
from pointsbank.ledger.queries import BlockHead

ROOTS_FORMAT = "pointsbank-roots/1"

COLUMNS = (
    Block.no,
    Block.up_to,
    # A row of an answer has a method of the name count.
    Block.count.label("rows"),
    Block.total,
    Block.previous_hash,
    Block.root,
    Block.sealed_at,
    Block.tree,
)


@dataclass(frozen=True)
class PublicBlock:
    """A block as it is published; with tree, its root can be recomputed from the one before."""

    head: BlockHead
    tree: bytes

    def as_root(self) -> dict[str, Any]:
        """Return the block as a line of roots.json, where the block before stands above it."""
        return {
            "no": self.head.no,
            "up_to": self.head.up_to,
            "count": self.head.count,
            "total": self.head.total,
            "sealed_at": moment_text(self.head.sealed_at),
            "tree": self.tree.hex(),
            "root": self.head.root.hex(),
        }


def newest_no(session: Session) -> int:
    """Return the number of the newest block, 0 when nothing was sealed yet."""
    return session.scalar(select(Block.no).order_by(Block.no.desc()).limit(1)) or 0


def published_block(session: Session, no: int) -> PublicBlock:
    """Return one block.

    Raises BlockNotFound.
    """
    found = _read(session, select(*COLUMNS).where(Block.no == no))
    if not found:
        raise BlockNotFound
    return found[0]


def newest_published(
    session: Session, *, before_no: int | None = None, limit: int = 50
) -> list[PublicBlock]:
    """Return blocks, the newest first, below before_no when it is given."""
    statement = select(*COLUMNS).order_by(Block.no.desc()).limit(limit)
    if before_no is not None:
        statement = statement.where(Block.no < before_no)
    return _read(session, statement)


def published_after(session: Session, *, after_no: int, limit: int) -> list[PublicBlock]:
    """Return blocks in the order in which they were sealed, from the one after after_no."""
    statement = select(*COLUMNS).where(Block.no > after_no).order_by(Block.no).limit(limit)
    return _read(session, statement)


def _read(session: Session, statement: Select[*tuple[Any, ...]]) -> list[PublicBlock]:
    rows: Sequence[Row[Any]] = session.execute(statement).all()
    return [
        PublicBlock(
            BlockHead(
                row.no,
                row.up_to,
                row.rows,
                row.total,
                bytes(row.previous_hash),
                bytes(row.root),
                row.sealed_at,
            ),
            bytes(row.tree),
        )
        for row in rows
    ]
