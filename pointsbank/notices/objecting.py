"""An objection to a notice, under one's name or without it but with facts."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import BigInteger, bindparam, delete, insert, select, text
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.core.keys import keyed_hash
from pointsbank.core.text import halfwidth, holds_private_number
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell_each
from pointsbank.notices.drafting import lock_row
from pointsbank.notices.errors import NoticeNotFound, PrivateNumber, ReasonMissing
from pointsbank.notices.models import (
    ANSWER_DAYS,
    DECISION_DAYS,
    UNDECIDED,
    Objection,
    ObjectionTry,
)
from pointsbank.notices.objection_errors import (
    AlreadyObjected,
    FactsMissing,
    LineUnknown,
    NoticeNotOpen,
    TooManyObjections,
)
from pointsbank.notices.policy import REVIEWERS
from pointsbank.notices.queries import NoticeFile, people_in
from pointsbank.organizations.workdays import working_day_after

REASON_LENGTH_MAX = 400
FACTS_LENGTH_MAX = 1000
# Fewer characters name no time, no place and no deed.
FACTS_LENGTH_MIN = 15
# 32 letters without 0, O, 1 and I: 60 bits in twelve of them, far from any guess.
RECEIPT_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
RECEIPT_LETTERS = 12
GROUP = 4
# A hall or an office shares one address; a notice draws a few dozen honest words in an hour at
# most. Whoever signs in is never limited by these.
TRIES_MINUTES = 60
CLIENT_TRIES_MAX = 10
NOTICE_TRIES_MAX = 60

# The guard: of any number at once as many are taken as are left in this hour.
TAKE = (
    text(
        """
    INSERT INTO objection_try (key_hash, tries, since) VALUES (:key_hash, 1, :now)
    ON CONFLICT (key_hash) DO UPDATE SET
        tries = CASE WHEN objection_try.since <= :window THEN 1
                     ELSE objection_try.tries + 1 END,
        since = CASE WHEN objection_try.since <= :window THEN :now
                     ELSE objection_try.since END
        WHERE objection_try.since <= :window OR objection_try.tries < :most
    RETURNING tries
    """
    )
    .bindparams(bindparam("now", type_=Moment()), bindparam("window", type_=Moment()))
    .columns(tries=BigInteger())
)


@dataclass(frozen=True)
class NewObjection:
    """What is said. line_no: None when it is about the whole notice."""

    reason: str
    facts: str = ""
    line_no: int | None = None


@dataclass(frozen=True)
class Anonymous:
    """What stands for somebody without a name: keyed hashes of a receipt and of an address."""

    receipt_hash: bytes
    client_hash: bytes


@dataclass(frozen=True)
class Raised:
    """An objection, with the local days by which it is answered and decided."""

    id: int
    answer_by: date
    decide_by: date


def receipt_from(typed: str) -> str:
    """Return a receipt's code as it was typed, in the one spelling that is hashed."""
    return "".join(each for each in halfwidth(typed).upper() if each not in " -—–·.")


def spelled_receipt(code: str) -> str:
    """Write a receipt's code as people copy it: ABCD-EFGH-JKLM."""
    return "-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))


def anonymous(secret: str, *, receipt: str, client: str) -> Anonymous:
    """Return what is kept of a receipt that the door drew and of the address that asked."""
    return Anonymous(
        receipt_hash(secret, receipt), keyed_hash(secret, "objection client", client)
    )


def receipt_hash(secret: str, receipt: str) -> bytes:
    """Return the hash under which a receipt stands."""
    return keyed_hash(secret, "objection receipt", receipt_from(receipt))


def raise_objection(
    session: Session,
    *,
    notice_id: int,
    by: int | Anonymous,
    wanted: NewObjection,
    today: date,
    now: datetime,
) -> Raised:
    """Say something against a notice while it is shown, and tell those who answer.

    by: a member's id, or what stands for somebody without a name.
    Raises NoticeNotFound, NoticeNotOpen, LineUnknown, ReasonMissing, FactsMissing,
    PrivateNumber, AlreadyObjected, TooManyObjections.
    """
    _judge_words(wanted, is_named=isinstance(by, int))
    found = lock_row(session, notice_id)
    if found.opened_on is None or today < found.opened_on:
        raise NoticeNotFound
    if not found.is_shown(today):
        raise NoticeNotOpen
    people = people_in(session, notice_id)
    line_no = 1 if len(people) == 1 else wanted.line_no
    if line_no is not None and not 1 <= line_no <= len(people):
        raise LineUnknown
    about_id = people[line_no - 1] if line_no is not None else None
    if isinstance(by, int):
        _judge_repeat(session, found, by, line_no)
    else:
        _judge_number(session, found, by, now)
    answer_by = working_day_after(session, today, ANSWER_DAYS)
    decide_by = working_day_after(session, today, DECISION_DAYS)
    raised = Raised(
        session.execute(
            insert(Objection)
            .values(
                notice_id=notice_id,
                line_no=line_no,
                objector_id=by if isinstance(by, int) else None,
                receipt_hash=None if isinstance(by, int) else by.receipt_hash,
                reason=wanted.reason,
                facts=wanted.facts,
                raised_at=now,
                answer_by=answer_by,
                decide_by=decide_by,
                state="raised",
                answer="",
                decision="",
            )
            .returning(Objection.id)
        ).scalar_one(),
        working_day_after(session, today, ANSWER_DAYS),
        working_day_after(session, today, DECISION_DAYS),
    )
    objector_id = by if isinstance(by, int) else None
    _tell_answerers(session, found, raised, {objector_id, about_id}, now)
    note(
        session,
        at=now,
        actor_id=objector_id,
        action="raise_objection",
        subject=("objection", raised.id),
        notice_id=notice_id,
    )
    return raised


def forget_tries(session: Session, now: datetime) -> int:
    """Forget the counts of hours that are over, and return how many."""
    forgotten = session.scalars(
        delete(ObjectionTry)
        .where(ObjectionTry.since <= now - timedelta(minutes=TRIES_MINUTES))
        .returning(ObjectionTry.key_hash)
        .execution_options(synchronize_session=False)
    )
    return len(forgotten.all())


def _judge_words(wanted: NewObjection, *, is_named: bool) -> None:
    if not wanted.reason:
        raise ReasonMissing
    if not is_named and len(wanted.facts) < FACTS_LENGTH_MIN:
        raise FactsMissing(letters=FACTS_LENGTH_MIN)
    if holds_private_number(wanted.reason) or holds_private_number(wanted.facts):
        raise PrivateNumber


def _judge_repeat(
    session: Session, found: NoticeFile, objector_id: int, line_no: int | None
) -> None:
    standing = session.scalar(
        select(Objection.id).where(
            Objection.notice_id == found.id,
            Objection.objector_id == objector_id,
            Objection.line_no.is_not_distinct_from(line_no),
            Objection.state.in_(UNDECIDED),
        )
    )
    if standing is not None:
        raise AlreadyObjected(objection_id=standing)


def _judge_number(session: Session, found: NoticeFile, by: Anonymous, now: datetime) -> None:
    window = now - timedelta(minutes=TRIES_MINUTES)
    of_notice = f"notice {found.id}".encode().ljust(32, b"\0")
    for key_hash, most in (
        (by.client_hash, CLIENT_TRIES_MAX),
        (of_notice, NOTICE_TRIES_MAX),
    ):
        values = {"key_hash": key_hash, "now": now, "window": window, "most": most}
        if session.execute(TAKE, values).first() is None:
            raise TooManyObjections(
                minutes=TRIES_MINUTES, retry_after_seconds=TRIES_MINUTES * 60
            )


def _tell_answerers(
    session: Session,
    found: NoticeFile,
    raised: Raised,
    concerned: set[int | None],
    now: datetime,
) -> None:
    tell_each(
        session,
        key=f"objection:{raised.id}:raised",
        member_ids=set(role_holders_over(session, found.path, REVIEWERS)) - concerned,
        kind="objection_raised",
        facts={
            "objection_id": raised.id,
            "title": found.title,
            "answer_on": raised.answer_by.isoformat(),
        },
        now=now,
    )
