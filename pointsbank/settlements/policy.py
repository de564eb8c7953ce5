"""What a month is worth and until when it is answered: pure judgements over points and days."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pointsbank.core.actor import Actor
from pointsbank.core.calendar import Period, midnight
from pointsbank.core.clock import moment_text
from pointsbank.core.money import fen_from
from pointsbank.merchants.models import RATE_POINTS
from pointsbank.settlements.errors import BadAmount

# Of the month after: the merchant confirms through the 5th, money is sent through the 15th.
CONFIRM_DAY = 5
PAY_DAY = 15


@dataclass(frozen=True)
class Moved:
    """One transfer to a merchant, or back from it with points below zero."""

    transfer_id: int
    redemption_id: int | None
    kind: str
    occurred_at: datetime
    what: str
    points: int
    rate_fen: int


@dataclass(frozen=True)
class Sums:
    """What a month comes to; amount_fen is below zero when more came back than was taken."""

    lines: int
    redeemed: int
    voided: int
    amount_fen: int

    @property
    def net(self) -> int:
        """Points taken less points given back."""
        return self.redeemed - self.voided


def sums_of(moved: Iterable[Moved]) -> Sums:
    """Return the sums of a month's transfers.

    Each transfer's points count at their own rate; the whole is rounded once, half up.
    """
    lines = redeemed = voided = worth = 0
    for each in moved:
        lines += 1
        redeemed += max(each.points, 0)
        voided += max(-each.points, 0)
        worth += each.points * each.rate_fen
    return Sums(lines, redeemed, voided, fen_of(worth))


def fen_of(worth: int) -> int:
    """Return points times their rate as fen, half up."""
    return (worth + RATE_POINTS // 2) // RATE_POINTS


def correction_from(text: str) -> int:
    """Read an amount of yuan as fen; below zero it takes away.

    Raises BadAmount.
    """
    fen = fen_from(text)
    if fen is None:
        raise BadAmount
    return fen


def digest_of(merchant_id: int, month: str, moved: Iterable[Moved]) -> bytes:
    """Return the SHA-256 of a month's lines, as docs/settlement.md spells them."""
    text = f"pointsbank-statement/1\n{merchant_id}\n{month}\n"
    for no, each in enumerate(moved, start=1):
        occurred_at = moment_text(each.occurred_at)
        text += f"{no}\t{each.transfer_id}\t{occurred_at}\t{each.points}\t{each.rate_fen}\n"
    return hashlib.sha256(text.encode()).digest()


def end_of_day(month: Period, day: int, zone: ZoneInfo) -> datetime:
    """Return the moment a day of the month after is over, in UTC."""
    return midnight(month.end_on + timedelta(days=day), zone)


def may_see(actor: Actor, merchant_id: int, path: str) -> bool:
    """Tell whether this person may read a merchant's statements."""
    return may_confirm(actor, merchant_id) or actor.oversees(path, "administrator", "auditor")


def may_confirm(actor: Actor, merchant_id: int) -> bool:
    """Tell whether this person signs for the merchant."""
    return merchant_id in actor.merchant_ids()


def may_decide(actor: Actor, merchant_id: int, path: str) -> bool:
    """Tell whether this person signs for the community: nobody does for both sides."""
    return actor.oversees(path, "administrator") and not may_confirm(actor, merchant_id)
