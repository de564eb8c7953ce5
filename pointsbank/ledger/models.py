"""Tables of the ledger. Triggers in the migrations keep transfer and block unchangeable."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model, one_of

# Ten thousand hours of service in one line would be a mistake; SUM() over bigint stays far from
# overflow.
TRANSFER_POINTS_MAX = 100_000

ACCOUNT_KINDS = ("member", "fund", "merchant", "issue", "expired", "clearing")
WALLET_KINDS = ("member", "fund")
TRANSFER_KINDS = (
    "earn",
    "spend",
    "reversal",
    "expire",
    "gift_out",
    "gift_in",
    "donate",
    "adjust_up",
    "adjust_down",
)
HOLD_STATES = ("open", "settled", "void", "expired")


class Account(Model):
    """Something points move from or to, named by its code."""

    __tablename__ = "account"
    __table_args__ = (CheckConstraint(one_of("kind", ACCOUNT_KINDS), name="kind"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(80), unique=True)
    closed_at: Mapped[datetime | None]


class Wallet(Model):
    """The stored balance of an account with a floor: a member's or a fund's, nobody else's."""

    __tablename__ = "wallet"
    __table_args__ = (CheckConstraint("0 <= held AND held <= posted", name="floor"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    posted: Mapped[int] = mapped_column(default=0)
    held: Mapped[int] = mapped_column(default=0)
    seq: Mapped[int] = mapped_column(default=0)


class Hold(Model):
    """Points set aside: still in the wallet, no longer available."""

    __tablename__ = "hold"
    __table_args__ = (
        CheckConstraint(f"points BETWEEN 1 AND {TRANSFER_POINTS_MAX}", name="points"),
        CheckConstraint(one_of("state", HOLD_STATES), name="state"),
        Index(None, "wallet_id", "state"),
        Index(
            "ix_hold_open_expires_at",
            "expires_at",
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    wallet_id: Mapped[int] = mapped_column(ForeignKey("wallet.account_id"))
    points: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), default="open")
    placed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class Transfer(Model):
    """One movement of points; wallet_seq is its line number in the wallet's passbook."""

    __tablename__ = "transfer"
    __table_args__ = (
        CheckConstraint(f"points BETWEEN 1 AND {TRANSFER_POINTS_MAX}", name="points"),
        CheckConstraint("source_id <> target_id", name="two_accounts"),
        CheckConstraint(
            "wallet_id IS NULL OR wallet_id IN (source_id, target_id)", name="wallet"
        ),
        CheckConstraint("wallet_after IS NULL OR wallet_after >= 0", name="wallet_after"),
        CheckConstraint(
            "(wallet_id IS NULL) = (wallet_seq IS NULL)"
            " AND (wallet_id IS NULL) = (wallet_after IS NULL)",
            name="wallet_line",
        ),
        CheckConstraint(one_of("kind", TRANSFER_KINDS), name="kind"),
        CheckConstraint("(kind = 'reversal') = (reverses_id IS NOT NULL)", name="reversal"),
        UniqueConstraint("wallet_id", "wallet_seq"),
        Index(None, "source_id", "id"),
        Index(None, "target_id", "id"),
        # The balance at a past moment and the sums of a month cost the same however long the
        # book is.
        Index(None, "wallet_id", "recorded_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    kind: Mapped[str] = mapped_column(String(16))
    source_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    target_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    points: Mapped[int]
    wallet_id: Mapped[int | None] = mapped_column(ForeignKey("wallet.account_id"))
    wallet_seq: Mapped[int | None]
    wallet_after: Mapped[int | None]
    hold_id: Mapped[int | None] = mapped_column(ForeignKey("hold.id"), unique=True)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("transfer.id"), index=True)
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    expires_on: Mapped[date | None]
    actor_id: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(200))


class Reversed(Model):
    """How much of one transfer was taken back; the row that two reversals meet at."""

    __tablename__ = "reversed"
    __table_args__ = (
        CheckConstraint("0 < reversed AND reversed <= points", name="at_most_once"),
    )

    transfer_id: Mapped[int] = mapped_column(ForeignKey("transfer.id"), primary_key=True)
    points: Mapped[int]
    reversed: Mapped[int]


class Lot(Model):
    """Points of one wallet that expire on one day; the earliest are spent first.

    Points granted are good through expires_on and expire the day after.
    """

    __tablename__ = "lot"
    __table_args__ = (
        CheckConstraint("0 <= used AND used <= granted", name="used"),
        Index(None, "expires_on"),
    )

    wallet_id: Mapped[int] = mapped_column(ForeignKey("wallet.account_id"), primary_key=True)
    expires_on: Mapped[date] = mapped_column(primary_key=True)
    granted: Mapped[int]
    used: Mapped[int] = mapped_column(default=0)


class LotUse(Model):
    """Which lots a spending took its points from, so that a reversal can give them back."""

    __tablename__ = "lot_use"
    __table_args__ = (
        CheckConstraint("points > 0", name="points"),
        CheckConstraint("0 <= returned AND returned <= points", name="returned"),
    )

    transfer_id: Mapped[int] = mapped_column(ForeignKey("transfer.id"), primary_key=True)
    expires_on: Mapped[date] = mapped_column(primary_key=True)
    points: Mapped[int]
    returned: Mapped[int] = mapped_column(default=0, server_default="0")


class Block(Model):
    """A sealed run of transfers: every decided row after the block before, through up_to.

    leaves: the rows' 32-byte hashes in the order of their ids, one after the other. tree: the
    root of the tree over them, so that roots are published without reading leaves. total: how
    many transfers are sealed up to here, so that each has a position, from 1 without a gap.
    salt blinds the leaves: a member's proof tells nothing of the rows beside theirs.
    """

    __tablename__ = "block"
    __table_args__ = (
        CheckConstraint("count >= 1 AND total >= count", name="count"),
        CheckConstraint("LENGTH(leaves) = 32 * count", name="leaves"),
    )

    no: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    up_to: Mapped[int] = mapped_column(unique=True)
    count: Mapped[int]
    total: Mapped[int] = mapped_column(unique=True)
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    tree: Mapped[bytes] = mapped_column(LargeBinary(32))
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    salt: Mapped[bytes] = mapped_column(LargeBinary(32))
    leaves: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    sealed_at: Mapped[datetime]


class MerchantCheckpoint(Model):
    """The balance of an account without a wallet as of one block that moved it.

    Merchants and whoever else has no stored balance; what came in less what went out.
    """

    __tablename__ = "merchant_checkpoint"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    block_no: Mapped[int] = mapped_column(ForeignKey("block.no"), primary_key=True)
    balance: Mapped[int]


class IssueBudget(Model):
    """What one issuing account gave out in one local month ("2026-11"), and what it may.

    points_max is none where nobody set a limit. What is taken back later does not lower issued:
    a month's budget is spent once.
    """

    __tablename__ = "issue_budget"
    __table_args__ = (
        CheckConstraint(
            "issued >= 0 AND (points_max IS NULL OR issued <= points_max)", name="within"
        ),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    points_max: Mapped[int | None]
    issued: Mapped[int] = mapped_column(default=0)


class Verification(Model):
    """One recomputation of the whole ledger; offenders is empty when every rule held."""

    __tablename__ = "verification"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    rules: Mapped[int]
    transfers: Mapped[int]
    offender_count: Mapped[int]
    # The first of them: {"items": [{"rule": …, "subject": …}]}.
    offenders: Mapped[dict[str, Any]]
