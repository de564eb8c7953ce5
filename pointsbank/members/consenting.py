"""What people allow and take back: their name in full in notices.

Rule: PIPL, Art. 14 to 16: asked for one purpose at a time, taken back as easily as given.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.members.errors import OwnPaperConsent, UnknownPurpose
from pointsbank.members.models import CONSENT_PURPOSES, Consent

# Who records what somebody signed on paper, within their scope.
RECORDERS = ("administrator", "secretary")
# Which wording is shown now; it changes with the sentences of consent_words.py.
WORDING_VERSIONS = {"publish_name": 1}

# Of several at once one stands, and nobody's transaction fails.
GIVE = text(
    """
    INSERT INTO consent (member_id, purpose, version, channel, recorded_by_id, given_at)
    VALUES (:member_id, :purpose, :version, :channel, :recorded_by_id, :now)
    ON CONFLICT (member_id, purpose) WHERE withdrawn_at IS NULL DO NOTHING
    RETURNING id
    """
).bindparams(bindparam("now", type_=Moment()))


@dataclass(frozen=True)
class ConsentLine:
    """What one person said about one purpose; given_at: None while consent does not stand."""

    purpose: str
    version: int
    channel: str
    given_at: datetime | None


def give_consent(
    session: Session,
    *,
    member_id: int,
    purpose: str,
    recorded_by_id: int,
    now: datetime,
    channel: str = "screen",
) -> bool:
    """Let consent stand from now on; False when it stood already.

    channel: screen, by the person; paper, recorded by somebody else who has the paper.
    Raises UnknownPurpose, OwnPaperConsent.
    """
    _judge(member_id, purpose, recorded_by_id, channel)
    values = {
        "member_id": member_id,
        "purpose": purpose,
        "version": WORDING_VERSIONS[purpose],
        "channel": channel,
        "recorded_by_id": recorded_by_id,
        "now": now,
    }
    is_new = session.execute(GIVE, values).first() is not None
    if is_new:
        _note(session, "give_consent", member_id, purpose, recorded_by_id, channel, now)
    return is_new


def withdraw_consent(
    session: Session,
    *,
    member_id: int,
    purpose: str,
    recorded_by_id: int,
    now: datetime,
    channel: str = "screen",
) -> bool:
    """Take consent back from now on; False when it did not stand.

    Raises UnknownPurpose, OwnPaperConsent.
    """
    _judge(member_id, purpose, recorded_by_id, channel)
    withdrawn = session.execute(
        update(Consent)
        .where(
            Consent.member_id == member_id,
            Consent.purpose == purpose,
            Consent.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=now)
        .returning(Consent.id)
        .execution_options(synchronize_session=False)
    ).first()
    if withdrawn is not None:
        _note(session, "withdraw_consent", member_id, purpose, recorded_by_id, channel, now)
    return withdrawn is not None


def consents_of(session: Session, member_id: int) -> list[ConsentLine]:
    """Return each purpose with whether this person's consent stands."""
    rows = session.execute(
        select(Consent.purpose, Consent.version, Consent.channel, Consent.given_at).where(
            Consent.member_id == member_id, Consent.withdrawn_at.is_(None)
        )
    )
    standing = {row.purpose: ConsentLine(*row) for row in rows}
    return [
        standing.get(purpose, ConsentLine(purpose, WORDING_VERSIONS[purpose], "", None))
        for purpose in CONSENT_PURPOSES
    ]


def who_consents(session: Session, purpose: str, member_ids: Iterable[int]) -> set[int]:
    """Return those of these members whose consent to this purpose stands."""
    wanted = set(member_ids)
    if not wanted:
        return set()
    return set(
        session.scalars(
            select(Consent.member_id).where(
                Consent.purpose == purpose,
                Consent.withdrawn_at.is_(None),
                Consent.member_id.in_(wanted),
            )
        )
    )


def _judge(member_id: int, purpose: str, recorded_by_id: int, channel: str) -> None:
    if purpose not in CONSENT_PURPOSES:
        raise UnknownPurpose
    # On screen a person speaks for themself; a paper is recorded by somebody else.
    if (channel == "paper") == (member_id == recorded_by_id):
        raise OwnPaperConsent


def _note(
    session: Session,
    action: str,
    member_id: int,
    purpose: str,
    actor_id: int,
    channel: str,
    now: datetime,
) -> None:
    note(
        session,
        at=now,
        actor_id=actor_id,
        action=action,
        subject=("member", member_id),
        purpose=purpose,
        channel=channel,
    )
