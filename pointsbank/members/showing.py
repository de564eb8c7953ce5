"""Codes and cards that people show: drawn, recognised, used once, issued and revoked."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.core.codes import Code, NotACode, Purpose, read_code
from pointsbank.core.db import Moment
from pointsbank.core.keys import keyed_hash, same
from pointsbank.core.text import halfwidth
from pointsbank.members.codes import (
    REDEMPTION_DIGITS,
    REDEMPTION_SECONDS,
    card_key,
    digits_in,
    number_of_digits,
    number_of_redemption,
    redemption_key,
)
from pointsbank.members.errors import (
    CardLocked,
    CardNotFound,
    CodeExpired,
    CodeUsed,
    ForgedCode,
    MemberSuspended,
    NotOurCode,
    PinMissing,
    WrongCodePurpose,
)
from pointsbank.members.models import Card, Member, RedemptionCode

# The text itself is asked for at the door; these sentences are its keys.
NOT_A_REDEMPTION_CODE = {
    Purpose.VENUE: "This is a venue code, not a redemption code.",
    Purpose.PERSONAL: "This is a check-in code. Ask the volunteer to open the redemption code.",
    Purpose.CARD: "This is a paper card. Use it with its six digits.",
    Purpose.POSTER: "This is a poster's code, not a redemption code.",
    Purpose.TILL: "This is the shop's own code. The member scans it with their phone.",
}
NOT_A_CARD = "This is not a paper card."

PIN_FAILURES_MAX = 5
PIN_LOCK_MINUTES = 15

REPLACE = text(
    """
    UPDATE redemption_code SET state = 'replaced'
    WHERE member_id = :member_id AND state = 'fresh'
    """
)

# The guard: of any number of uses at once one changes the row, the others find it used.
USE = text(
    """
    UPDATE redemption_code SET state = 'used', used_at = :now
    WHERE number_hash = :number_hash AND state = 'fresh' AND expires_at > :now
      AND EXISTS (
          SELECT 1 FROM member
          WHERE member.id = redemption_code.member_id AND member.state = 'active')
    RETURNING member_id
    """
).bindparams(bindparam("now", type_=Moment()))


@dataclass(frozen=True)
class IssuedCard:
    """A card as it was issued."""

    id: int
    member_id: int


def draw_redemption_code(
    session: Session, *, member_id: int, number: str, secret: str, now: datetime
) -> datetime:
    """Keep a code with this random number of 15 digits and return when it expires.

    The one before it dies. Two draws at once meet at the unique index on fresh codes;
    core.db.run tries the later one again.
    """
    expires_at = now + timedelta(seconds=REDEMPTION_SECONDS)
    session.execute(REPLACE, {"member_id": member_id})
    session.execute(
        insert(RedemptionCode).values(
            member_id=member_id,
            number_hash=_redemption_hash(secret, number),
            state="fresh",
            drawn_at=now,
            expires_at=expires_at,
        )
    )
    return expires_at


def member_of_redemption_code(
    session: Session, *, text: str, secret: str, now: datetime
) -> int:
    """Return whose redemption code this is, without using it.

    text: the bare code, its URL or the 18 digits.
    Raises NotOurCode, ForgedCode, WrongCodePurpose, CodeExpired, CodeUsed, MemberSuspended.
    """
    number_hash = _redemption_hash(secret, _redemption_number(text, secret))
    row = session.execute(
        select(
            RedemptionCode.member_id,
            RedemptionCode.state,
            RedemptionCode.expires_at,
            Member.state.label("member_state"),
        )
        .join(Member, Member.id == RedemptionCode.member_id)
        .where(RedemptionCode.number_hash == number_hash)
    ).first()
    if row is None:
        raise ForgedCode
    if row.state == "used":
        raise CodeUsed
    if row.state != "fresh" or row.expires_at <= now:
        raise CodeExpired
    if row.member_state != "active":
        raise MemberSuspended
    member_id: int = row.member_id
    return member_id


def use_redemption_code(session: Session, *, text: str, secret: str, now: datetime) -> int:
    """Use a code up and return whose it is; of any number of uses at once exactly one succeeds.

    Raises what member_of_redemption_code raises.
    """
    values = {"number_hash": hash_of_redemption_code(text, secret), "now": now}
    member_id: int | None = session.execute(USE, values).scalar()
    if member_id is None:
        member_of_redemption_code(session, text=text, secret=secret, now=now)
        raise CodeUsed
    return member_id


def hash_of_redemption_code(text: str, secret: str) -> bytes:
    """Return the hash under which the row of a redemption code stands, whether it does or not.

    Raises NotOurCode, ForgedCode, WrongCodePurpose.
    """
    return _redemption_hash(secret, _redemption_number(text, secret))


def _redemption_hash(secret: str, number: str) -> bytes:
    return keyed_hash(secret, "redemption number", number)


def _redemption_number(text: str, secret: str) -> str:
    digits = digits_in(text)
    if digits.isdigit() and len(digits) <= REDEMPTION_DIGITS:
        number = number_of_digits(digits)
        if number is None:
            raise NotOurCode
        return number
    code = _read(text)
    if code.purpose is not Purpose.REDEMPTION:
        raise WrongCodePurpose(NOT_A_REDEMPTION_CODE[code.purpose])
    number = number_of_redemption(code)
    if number is None or not code.is_genuine(redemption_key(secret)):
        raise ForgedCode
    return number


def _read(text: str) -> Code:
    try:
        return read_code(text)
    except NotACode as error:
        raise NotOurCode from error


def issue_card(
    session: Session,
    *,
    member_id: int,
    number: bytes,
    pin: str | None,
    secret: str,
    issued_by_id: int | None,
    now: datetime,
) -> int:
    """Keep a card with this random number of 10 bytes and return its id.

    pin: six digits, without which the card checks in but never spends.
    """
    number_hash = _card_hash(secret, number)
    card_id = session.execute(
        insert(Card)
        .values(
            member_id=member_id,
            number_hash=number_hash,
            pin_hash=None if pin is None else _pin_hash(secret, number_hash, pin),
            failed_pins=0,
            issued_at=now,
            issued_by_id=issued_by_id,
        )
        .returning(Card.id)
    ).scalar_one()
    note(
        session,
        at=now,
        actor_id=issued_by_id,
        action="issue_card",
        subject=("member", member_id),
        card_id=card_id,
    )
    return card_id


def revoke_card(
    session: Session, *, member_id: int, card_id: int, revoked_by_id: int | None, now: datetime
) -> None:
    """Make a card dead at once.

    Raises CardNotFound, also when it was revoked before.
    """
    revoked = session.execute(
        update(Card)
        .where(Card.id == card_id, Card.member_id == member_id, Card.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(Card.id)
    ).scalar()
    if revoked is None:
        raise CardNotFound
    note(
        session,
        at=now,
        actor_id=revoked_by_id,
        action="revoke_card",
        subject=("member", member_id),
        card_id=card_id,
    )


def member_of_card(session: Session, *, text: str, secret: str, now: datetime) -> int:
    """Return whose card this is.

    Raises NotOurCode, ForgedCode, WrongCodePurpose, CardNotFound, MemberSuspended.
    """
    return _card_of(session, text, secret).member_id


def check_card_pin(
    session: Session, *, text: str, pin: str, secret: str, now: datetime
) -> int | None:
    """Return whose card this is when the six digits fit, None when they do not.

    A wrong try is counted in the running transaction, which is why it is a value and not a
    refusal: the door keeps the count and then refuses. A card without digits fits none. Raises
    CardLocked, and what member_of_card raises.
    """
    found = _card_of(session, text, secret)
    card = session.scalars(select(Card).where(Card.id == found.id).with_for_update()).one()
    return found.member_id if _pin_fits(session, card, pin, secret, now) else None


def check_own_pin(
    session: Session, *, member_id: int, pin: str, secret: str, now: datetime
) -> bool:
    """Tell whether these are the six digits of the member's newest card that has any.

    A wrong try is counted as by check_card_pin. Raises CardLocked, PinMissing.
    """
    card = session.scalars(
        select(Card)
        .where(
            Card.member_id == member_id, Card.revoked_at.is_(None), Card.pin_hash.is_not(None)
        )
        .order_by(Card.id.desc())
        .limit(1)
        .with_for_update()
    ).first()
    if card is None:
        raise PinMissing
    return _pin_fits(session, card, pin, secret, now)


def _pin_fits(session: Session, card: Card, pin: str, secret: str, now: datetime) -> bool:
    if card.locked_until is not None and card.locked_until > now:
        seconds = max(1, int((card.locked_until - now).total_seconds()))
        raise CardLocked(retry_after_seconds=seconds, minutes=-(-seconds // 60))
    digits = halfwidth(pin)
    if card.pin_hash is not None and same(
        _pin_hash(secret, bytes(card.number_hash), digits).encode(), card.pin_hash.encode()
    ):
        card.failed_pins, card.locked_until = 0, None
        session.flush()
        return True
    card.failed_pins = 1 if card.locked_until is not None else card.failed_pins + 1
    card.locked_until = None
    if card.failed_pins >= PIN_FAILURES_MAX:
        card.locked_until = now + timedelta(minutes=PIN_LOCK_MINUTES)
    session.flush()
    return False


def _card_of(session: Session, text: str, secret: str) -> IssuedCard:
    code = _read(text)
    if code.purpose is not Purpose.CARD:
        raise WrongCodePurpose(NOT_A_CARD)
    if not code.is_genuine(card_key(secret)):
        raise ForgedCode
    row = session.execute(
        select(Card.id, Card.member_id, Card.revoked_at, Member.state)
        .join(Member, Member.id == Card.member_id)
        .where(Card.number_hash == _card_hash(secret, code.body))
    ).first()
    if row is None or row.revoked_at is not None:
        raise CardNotFound
    if row.state != "active":
        raise MemberSuspended
    return IssuedCard(row.id, row.member_id)


def _card_hash(secret: str, number: bytes) -> bytes:
    return keyed_hash(secret, "card number", number.hex())


def _pin_hash(secret: str, number_hash: bytes, pin: str) -> str:
    # Six digits are too few for any slow hash; without the service's key this one tells
    # nothing.
    return keyed_hash(secret, "card digits", f"{number_hash.hex()}:{pin}").hex()
