"""What is hashed when the ledger is sealed: a row's text, its leaf, the tree, the block's root.

Whoever checks a proof elsewhere needs these rules and nothing of this service; they are written
out in docs/ledger.md, "Sealing".
"""

import hashlib
import struct
from collections.abc import Mapping, Sequence

from sqlalchemy import TextClause, text

Row = dict[str, int | str | None]
Path = list[tuple[str, bytes]]

SEPARATOR = "\x1f"
FIELDS = (
    "id",
    "key",
    "kind",
    "source",
    "target",
    "points",
    "wallet",
    "line",
    "balance_after",
    "hold_id",
    "reverses_id",
    "occurred_at",
    "recorded_at",
    "expires_on",
    "actor_id",
    "reason",
    "request_hash",
)
NUMBERS = frozenset(
    ("id", "points", "line", "balance_after", "hold_id", "reverses_id", "actor_id")
)

HASH_BYTES = 32
# Before the first block there is none.
NO_BLOCK = bytes(HASH_BYTES)

# One byte in front keeps the three kinds of hash apart, so that none can be passed off as
# another (RFC 6962, section 2.1).
LEAF, NODE, ROOT = b"\x00", b"\x01", b"\x02"

# A moment as core.clock.moment_text writes it.
MOMENT_SQL = {
    "postgresql": "to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
    "sqlite": "REPLACE({column}, ' ', 'T') || 'Z'",
}

_WALLET = """CASE transfer.wallet_id WHEN transfer.source_id THEN source.code
                    WHEN transfer.target_id THEN target.code END"""

# The columns behind FIELDS, as text. A missing value is empty.
_POSTGRESQL = (
    "transfer.id",
    "transfer.key",
    "transfer.kind",
    "source.code",
    "target.code",
    "transfer.points",
    _WALLET,
    "transfer.wallet_seq",
    "transfer.wallet_after",
    "transfer.hold_id",
    "transfer.reverses_id",
    MOMENT_SQL["postgresql"].format(column="transfer.occurred_at"),
    MOMENT_SQL["postgresql"].format(column="transfer.recorded_at"),
    "to_char(transfer.expires_on, 'YYYY-MM-DD')",
    "transfer.actor_id",
    "transfer.reason",
    "encode(transfer.request_hash, 'hex')",
)
_SQLITE = (
    *_POSTGRESQL[:11],
    MOMENT_SQL["sqlite"].format(column="transfer.occurred_at"),
    MOMENT_SQL["sqlite"].format(column="transfer.recorded_at"),
    "transfer.expires_on",
    *_POSTGRESQL[14:16],
    "LOWER(HEX(transfer.request_hash))",
)

# The row's text in bytes as SQL, over transfer with its two accounts. Bytes, because SQLite
# also keeps what is no text once a file was damaged.
TEXT_SQL = {
    "postgresql": "convert_to(concat(" + ", chr(31), ".join(_POSTGRESQL) + "), 'UTF8')",
    "sqlite": "CAST("
    + " || char(31) || ".join(f"COALESCE({column}, '')" for column in _SQLITE)
    + " AS BLOB)",
}

_JOINED = """transfer
    LEFT JOIN account AS source ON source.id = transfer.source_id
    LEFT JOIN account AS target ON target.id = transfer.target_id"""


def texts_after(dialect: str) -> TextClause:
    """Return the statement of (id, text) after :after through :up_to, :limit rows at most."""
    return text(
        f"SELECT transfer.id, {TEXT_SQL[dialect]} AS text FROM {_JOINED}"
        " WHERE transfer.id > :after AND transfer.id <= :up_to"
        " ORDER BY transfer.id LIMIT :limit"
    )


def text_of_one(dialect: str) -> TextClause:
    """Return the statement of the text of the row :id."""
    return text(f"SELECT {TEXT_SQL[dialect]} AS text FROM {_JOINED} WHERE transfer.id = :id")


def text_of(row: Mapping[str, int | str | None]) -> str:
    """Return the text of a row that is hashed: its fields in order, nothing where none."""
    return SEPARATOR.join("" if row[name] is None else str(row[name]) for name in FIELDS)


def row_from(row_text: str) -> Row:
    """Return the fields of a row's text; text_of is its inverse."""
    values = dict(zip(FIELDS, row_text.split(SEPARATOR), strict=True))
    # A reason may be empty and is still text; every other empty field is a missing one.
    return {
        name: int(value) if value and name in NUMBERS else (value or None)
        for name, value in values.items()
    } | {"reason": values["reason"]}


def blind_of(salt: bytes, transfer_id: int) -> bytes:
    """Return what keeps a leaf from being guessed: nobody learns a row by trying its values."""
    return hashlib.sha256(salt + struct.pack(">Q", transfer_id)).digest()


def leaf_of(blind: bytes, row_text: bytes) -> bytes:
    """Return the leaf of one row."""
    return hashlib.sha256(LEAF + blind + row_text).digest()


def node_of(left: bytes, right: bytes) -> bytes:
    """Return the hash of two neighbours in the tree."""
    return hashlib.sha256(NODE + left + right).digest()


def levels_of(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Return the tree from its leaves up to its one root; at least one leaf.

    It is the tree of RFC 6962: where a level is odd the last one goes up as it is, which is the
    same as to split at the largest power of two below the number of leaves.
    """
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        level = [node_of(below[n], below[n + 1]) for n in range(0, len(below) - 1, 2)]
        if len(below) % 2:
            level.append(below[-1])
        levels.append(level)
    return levels


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root of the tree over these leaves; at least one."""
    return levels_of(leaves)[-1][0]


def path_to(levels: list[list[bytes]], position: int) -> Path:
    """Return the neighbours from one leaf to the root, each with the side that it stands on."""
    path: Path = []
    for level in levels[:-1]:
        neighbour = position ^ 1
        if neighbour < len(level):
            path.append(("left" if neighbour < position else "right", level[neighbour]))
        position //= 2
    return path


def root_at_end(leaf: bytes, path: Path) -> bytes:
    """Return the root that a leaf and its path lead to."""
    found = leaf
    for side, neighbour in path:
        found = node_of(neighbour, found) if side == "left" else node_of(found, neighbour)
    return found


def block_root(
    *,
    previous_hash: bytes,
    no: int,
    up_to: int,
    count: int,
    total: int,
    sealed_at: str,
    tree: bytes,
) -> bytes:
    """Return the root of a block, which binds all blocks before it.

    sealed_at: as core.clock.moment_text writes it.
    """
    numbers = struct.pack(">QQQQ", no, up_to, count, total)
    return hashlib.sha256(ROOT + previous_hash + numbers + sealed_at.encode() + tree).digest()


def split_leaves(joined: bytes) -> list[bytes]:
    """Return the leaves that a block keeps one after the other."""
    return [joined[n : n + HASH_BYTES] for n in range(0, len(joined), HASH_BYTES)]
