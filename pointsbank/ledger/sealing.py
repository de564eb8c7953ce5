"""Seals decided transfers into blocks, each of which binds all before it."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from pointsbank.core.clock import moment_text
from pointsbank.core.db import state_of
from pointsbank.ledger.leaves import (
    HASH_BYTES,
    NO_BLOCK,
    blind_of,
    block_root,
    leaf_of,
    texts_after,
    tree_root,
)
from pointsbank.ledger.models import Block

BLOCK_ROWS_MAX = 10_000

# Whoever posts while the sealer waits for the table's lock waits behind it. So it waits no
# longer than somebody at a counter would not notice, and comes again. It is also below the
# second after which PostgreSQL looks for deadlocks: a ring that the sealer closes opens again
# by itself.
LOCK_WAIT_MS = 250
LOCK_NOT_AVAILABLE = "55P03"

LAST_BLOCK = select(Block.no, Block.up_to, Block.total, Block.root).order_by(Block.no.desc())

UNSEALED = text("SELECT 1 FROM transfer WHERE id > :after LIMIT 1")

# What the block moved on accounts without a stored balance, on top of their balance before.
KEEP_CHECKPOINTS = text(
    """
    INSERT INTO merchant_checkpoint (account_id, block_no, balance)
    SELECT moved.account_id, :no, moved.change + COALESCE((
        SELECT balance FROM merchant_checkpoint AS before
        WHERE before.account_id = moved.account_id AND before.block_no < :no
        ORDER BY before.block_no DESC LIMIT 1), 0)
    FROM (
        SELECT account_id, SUM(change) AS change FROM (
            SELECT target_id AS account_id, points AS change FROM transfer
            WHERE id > :after AND id <= :up_to
            UNION ALL
            SELECT source_id, -points FROM transfer WHERE id > :after AND id <= :up_to
        ) AS sides
        WHERE NOT EXISTS (SELECT 1 FROM wallet WHERE wallet.account_id = sides.account_id)
        GROUP BY account_id
    ) AS moved
    """
)


def seal(session: Session, *, now: datetime, salt: bytes, limit: int = BLOCK_ROWS_MAX) -> int:
    """Seal up to limit transfers into the next block and return how many.

    0 when none waits, or when on PostgreSQL slow transactions kept the lock busy that tells
    which ids are decided; the next run finds them. salt: 32 random bytes, of this block only.
    Raises IntegrityError when another sealer wrote this number first, after which core.db.run
    tries again and goes on behind it. Rule: docs/ledger.md, "Sealing".
    """
    if len(salt) != HASH_BYTES:
        raise ValueError(f"a salt has {HASH_BYTES} bytes")
    last = session.execute(LAST_BLOCK.limit(1)).first()
    after = last.up_to if last else 0
    if session.execute(UNSEALED, {"after": after}).first() is None:
        return 0
    decided = decided_id(session)
    if decided is None:
        return 0
    return _seal_after(session, last, decided, now, salt, limit)


def decided_id(session: Session) -> int | None:
    """Return an id up to which no transfer is still to come; None when it cannot be told now.

    On PostgreSQL ids are drawn before they are committed, so the newest one that can be seen
    says nothing of those below it. An INSERT holds ROW EXCLUSIVE from before it draws its id:
    once SHARE is granted all below are decided. The savepoint gives the lock back at once. On
    SQLite one transaction writes at a time, and this is it: the newest id is the answer.
    """
    if session.get_bind().dialect.name != "postgresql":
        return int(
            session.execute(text("SELECT COALESCE(MAX(id), 0) FROM transfer")).scalar_one()
        )
    moment_of_lock = session.begin_nested()
    try:
        session.execute(text(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}"))
        return int(session.execute(text("SELECT decided_transfer_id()")).scalar_one())
    except OperationalError as error:
        if state_of(error) != LOCK_NOT_AVAILABLE:
            raise
        return None
    finally:
        moment_of_lock.rollback()


def _seal_after(
    session: Session,
    last: Any,
    decided: int,
    now: datetime,
    salt: bytes,
    limit: int,
) -> int:
    """Write the block after the last one, of decided rows."""
    after = last.up_to if last else 0
    rows = session.execute(
        texts_after(session.get_bind().dialect.name),
        {"after": after, "up_to": decided, "limit": limit},
    ).all()
    if not rows:
        return 0
    leaves = [leaf_of(blind_of(salt, row.id), bytes(row.text)) for row in rows]
    head = {
        "no": last.no + 1 if last else 1,
        "up_to": rows[-1].id,
        "count": len(rows),
        "total": (last.total if last else 0) + len(rows),
        "previous_hash": last.root if last else NO_BLOCK,
    }
    tree = tree_root(leaves)
    session.execute(
        insert(Block).values(
            **head,
            tree=tree,
            root=block_root(**head, sealed_at=moment_text(now), tree=tree),
            salt=salt,
            leaves=b"".join(leaves),
            sealed_at=now,
        )
    )
    session.execute(
        KEEP_CHECKPOINTS, {"no": head["no"], "after": after, "up_to": head["up_to"]}
    )
    return len(rows)
