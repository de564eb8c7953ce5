"""Recomputes what is sealed: every leaf, every root, every checkpoint, block by block.

Memory stays that of one block however long the ledger is.
"""

import struct
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from pointsbank.ledger.leaves import (
    FIELDS,
    HASH_BYTES,
    MOMENT_SQL,
    NO_BLOCK,
    SEPARATOR,
    blind_of,
    block_root,
    leaf_of,
    split_leaves,
    texts_after,
    tree_root,
)

Finding = tuple[str, str]

CHANGED = "a sealed row is what was sealed"
MISSING = "no sealed row is missing"
SLIPPED_IN = "no row stands among sealed ones that was not sealed"
SALT = "a block's salt opens one leaf of its rows at least"
BLOCK = "a block is what its root binds"
CHECKPOINT = "a checkpoint is the full sum at its block"
RULES_OF_BLOCKS = (CHANGED, MISSING, SLIPPED_IN, SALT, BLOCK, CHECKPOINT)

# Rows slipped into a block are read so far; who finds a thousand need not see the others.
SLIPPED_IN_MAX = 1000
BEFORE_ALL = -(2**63)
NO_LEAF = bytes(HASH_BYTES)
SEPARATOR_BYTES = SEPARATOR.encode()

SOURCE, TARGET, POINTS, WALLET = (
    FIELDS.index(name) for name in ("source", "target", "points", "wallet")
)

# Numbers are read as numbers and text as bytes, whatever a damaged file holds.
_BLOCK_AFTER = """
    SELECT CAST(no AS BIGINT) AS no, CAST(up_to AS BIGINT) AS up_to,
           CAST(count AS BIGINT) AS number, CAST(total AS BIGINT) AS total,
           previous_hash, tree, root, salt, leaves, {sealed_at} AS sealed_at
    FROM block WHERE {column} > :after ORDER BY {column} LIMIT 1
"""
_BYTES = {"postgresql": "convert_to({text}, 'UTF8')", "sqlite": "CAST({text} AS BLOB)"}
_SEALED_AT = {name: moment.format(column="sealed_at") for name, moment in MOMENT_SQL.items()}
BLOCK_AFTER = {
    (dialect, column): text(
        _BLOCK_AFTER.format(column=column, sealed_at=as_bytes.format(text=_SEALED_AT[dialect]))
    )
    for dialect, as_bytes in _BYTES.items()
    for column in ("no", "total")
}

NTH_ID = text("SELECT id FROM transfer WHERE id > :after ORDER BY id LIMIT 1 OFFSET :before")

CHECKPOINTS = {
    dialect: text(
        f"""
        SELECT {as_bytes.format(text="account.code")} AS code, merchant_checkpoint.account_id,
               CAST(merchant_checkpoint.balance AS BIGINT) AS balance
        FROM merchant_checkpoint
        LEFT JOIN account ON account.id = merchant_checkpoint.account_id
        WHERE merchant_checkpoint.block_no = :no
        """
    )
    for dialect, as_bytes in _BYTES.items()
}


@dataclass(frozen=True)
class Sealed:
    """A block as it is stored. leaves: joined, as they are kept."""

    no: int
    up_to: int
    count: int
    total: int
    previous_hash: bytes
    tree: bytes
    root: bytes
    salt: bytes
    sealed_at: str
    leaves: bytes

    def root_over(self, leaves: bytes) -> bytes | None:
        """Return the root that these leaves would give; None where there can be none."""
        return self._root_with(tree_root(split_leaves(leaves))) if leaves else None

    def _root_with(self, tree: bytes) -> bytes | None:
        try:
            return block_root(
                previous_hash=self.previous_hash,
                no=self.no,
                up_to=self.up_to,
                count=self.count,
                total=self.total,
                sealed_at=self.sealed_at,
                tree=tree,
            )
        except struct.error:
            return None

    @property
    def is_bound(self) -> bool:
        """Whether the root follows from all the rest."""
        if not self.leaves or tree_root(split_leaves(self.leaves)) != self.tree:
            return False
        return self._root_with(self.tree) == self.root


@dataclass
class Rows:
    """The rows as they stand now where a block was sealed, with the leaves they would have."""

    ids: list[int] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)


@dataclass
class Walk:
    """What is known when one block is done and the next begins.

    roots: what the next block may name as the hash before it; several where a block is wrong,
    since one wrong field must not condemn the block behind it.
    balances: of accounts without a wallet, by code, summed from the rows.
    astray: numbers of blocks that were found under another than their own.
    """

    no: int = 0
    up_to: int = BEFORE_ALL
    total: int = 0
    roots: set[bytes | None] = field(default_factory=lambda: {NO_BLOCK})
    balances: dict[str, int] = field(default_factory=dict)
    astray: set[int] = field(default_factory=set)

    def is_followed_by(self, block: Sealed) -> bool:
        """Tell whether a block goes on where the one before ended."""
        return (
            block.previous_hash in self.roots
            and block.no == self.no + 1
            and block.total == self.total + len(block.leaves) // HASH_BYTES
        )


def findings(session: Session, told: Callable[[int], None] | None = None) -> Iterator[Finding]:
    """Yield (rule, subject) of what is not as it was sealed; nothing when all is.

    told: called after each block with the number of its rows.
    """
    walk = Walk()
    while (block := _next_block(session, walk)) is not None:
        yield from _judge(session, block, walk)
        if told is not None:
            told(len(block.leaves) // HASH_BYTES)


def _next_block(session: Session, walk: Walk) -> Sealed | None:
    """Read the block that goes on: the next number, or who bears a wrong one in its place."""
    block = _block_after(session, "no", walk.no)
    while block is not None and block.no in walk.astray:
        block = _block_after(session, "no", block.no)
    if block is None or block.no != walk.no + 1:
        stray = _block_after(session, "total", walk.total)
        if stray is not None and replace(stray, no=walk.no + 1).is_bound:
            walk.astray.add(stray.no)
            return stray
    return block


def _block_after(session: Session, column: str, after: int) -> Sealed | None:
    statement = BLOCK_AFTER[session.get_bind().dialect.name, column]
    row = session.execute(statement, {"after": after}).first()
    if row is None:
        return None
    return Sealed(
        no=row.no,
        up_to=row.up_to,
        count=row.number,
        total=row.total,
        previous_hash=bytes(row.previous_hash),
        tree=bytes(row.tree),
        root=bytes(row.root),
        salt=bytes(row.salt),
        sealed_at=bytes(row.sealed_at).decode(errors="replace"),
        leaves=bytes(row.leaves),
    )


def _judge(session: Session, block: Sealed, walk: Walk) -> Iterator[Finding]:
    """Yield what is wrong with one block, and lead the walk behind it."""
    is_right = block.is_bound and walk.is_followed_by(block)
    if not is_right:
        yield BLOCK, f"block {block.no}"
        block = _mended(session, block, walk)
    rows = _rows(session, block, walk.up_to)
    leaves = b"".join(rows.leaves)
    wrong: list[Finding] = []
    # Where the rows as they stand lead to the root, it is the leaves beside it that changed.
    if leaves != block.leaves and (is_right or block.root_over(leaves) != block.root):
        wrong = _differences(block, rows, walk)
    yield from wrong
    yield from _judge_checkpoints(session, block, rows, walk, are_rows_right=not wrong)
    walk.roots = {block.root}
    if not is_right:
        walk.roots |= {block.root_over(block.leaves), block.root_over(leaves)}
    walk.no, walk.up_to = block.no, block.up_to
    walk.total += len(block.leaves) // HASH_BYTES


def _mended(session: Session, block: Sealed, walk: Walk) -> Sealed:
    """Return a wrong block with the number or the end that its root binds, if it is that."""
    count = len(block.leaves) // HASH_BYTES
    end = session.execute(NTH_ID, {"after": walk.up_to, "before": max(count - 1, 0)}).scalar()
    for guess in (replace(block, no=walk.no + 1), replace(block, up_to=end or block.up_to)):
        if guess.is_bound:
            return guess
    return block


def _rows(session: Session, block: Sealed, after: int) -> Rows:
    """Read the rows that stand where the block was sealed."""
    rows = Rows()
    limit = len(block.leaves) // HASH_BYTES + SLIPPED_IN_MAX
    for row_id, row_text in _texts(session, after=after, up_to=block.up_to, limit=limit):
        rows.ids.append(row_id)
        rows.texts.append(row_text)
        # A number below one was never drawn as an id; it has no leaf.
        rows.leaves.append(
            leaf_of(blind_of(block.salt, row_id), row_text) if row_id > 0 else NO_LEAF
        )
    return rows


def _texts(session: Session, **bounds: int) -> Iterator[tuple[int, bytes]]:
    """Yield id and text of rows in the order of their ids.

    PostgreSQL copies them out, so that it writes the next rows while these are hashed.
    """
    dialect = session.get_bind().dialect.name
    statement = texts_after(dialect).bindparams(**bounds)
    if dialect != "postgresql":
        for row_id, row_text in session.execute(statement):
            yield row_id, bytes(row_text)
        return
    query = statement.compile(compile_kwargs={"literal_binds": True})
    connection = cast("psycopg.Connection", session.connection().connection.driver_connection)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT binary)".encode()) as rows,
    ):
        rows.set_types(["int8", "bytea"])
        yield from cast("Iterator[tuple[int, bytes]]", rows.rows())


def _differences(block: Sealed, rows: Rows, walk: Walk) -> list[Finding]:
    """Return which rows differ from the leaves of their block.

    Rows and leaves stand in one order, so what matches divides the rest: as many rows as leaves
    between two matches were changed, fewer are missing some, more had some slipped in.
    """
    leaves = split_leaves(block.leaves)
    places = {leaf: place for place, leaf in enumerate(leaves)}
    anchors = [(n, places[leaf]) for n, leaf in enumerate(rows.leaves) if leaf in places]
    if not anchors and len(rows.ids) == len(leaves):
        # A block of one row cannot tell its salt from its row.
        alone = f"transfer {rows.ids[0]} or the salt of block {block.no}"
        return [(CHANGED, alone) if len(leaves) == 1 else (SALT, f"block {block.no}")]
    found: list[Finding] = []
    row_at, leaf_at = 0, 0
    for row_end, leaf_end in [*anchors, (len(rows.ids), len(leaves))]:
        between = rows.ids[row_at:row_end]
        if leaf_end > leaf_at:
            found += [(CHANGED, f"transfer {each}") for each in between]
        else:
            found += [(SLIPPED_IN, f"transfer {each}") for each in between]
        lost = leaf_end - leaf_at - len(between)
        if lost > 0:
            before = rows.ids[row_at - 1] if row_at else walk.up_to
            after = rows.ids[row_end] if row_end < len(rows.ids) else block.up_to + 1
            place = walk.total + leaf_end - lost + 1
            found += _name_lost(before, after, set(between), place, lost)
        row_at, leaf_at = row_end + 1, leaf_end + 1
    return found


def _name_lost(
    before: int, after: int, standing: set[int], place: int, lost: int
) -> list[Finding]:
    """Name rows that are gone by their ids where these are certain, else by their places."""
    first = max(before + 1, 1)
    if after - first - len(standing) == lost:
        ids = [n for n in range(first, after) if n not in standing]
        return [(MISSING, f"transfer {each}") for each in ids]
    return [(MISSING, f"sealed row no. {place + n}") for n in range(lost)]


def _judge_checkpoints(
    session: Session, block: Sealed, rows: Rows, walk: Walk, *, are_rows_right: bool
) -> Iterator[Finding]:
    """Yield checkpoints of the block that are not the sum of all rows so far.

    Where rows are wrong the checkpoints are taken as they stand: the rows are named already.
    """
    statement = CHECKPOINTS[session.get_bind().dialect.name]
    kept = {
        f"account {row.account_id}"
        if row.code is None
        else bytes(row.code).decode(errors="replace"): row.balance
        for row in session.execute(statement, {"no": block.no})
    }
    if not are_rows_right:
        walk.balances.update(kept)
        return
    moved = _moved_by(rows.texts)
    for code, change in moved.items():
        walk.balances[code] = walk.balances.get(code, 0) + change
    for code in sorted(moved.keys() | kept.keys()):
        if code not in moved or kept.get(code) != walk.balances[code]:
            yield CHECKPOINT, f"checkpoint of {code} at block {block.no}"


def _moved_by(texts: Sequence[bytes]) -> dict[str, int]:
    """Return what rows moved on accounts without a wallet, by code."""
    moved: Counter[bytes] = Counter()
    for row_text in texts:
        fields = row_text.split(SEPARATOR_BYTES, WALLET + 1)
        source, target, wallet = fields[SOURCE], fields[TARGET], fields[WALLET]
        if source != wallet:
            moved[source] -= int(fields[POINTS])
        if target != wallet:
            moved[target] += int(fields[POINTS])
    return {code.decode(): change for code, change in moved.items()}
