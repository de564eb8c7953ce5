"""Reads of the outbox: sealed transfers by position; webhooks and their tries."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from pointsbank.core.actor import Actor
from pointsbank.ledger.models import Account, Block, Transfer
from pointsbank.organizations.queries import organizations_at
from pointsbank.outbox.errors import OutboxForWhole, WebhookNotFound
from pointsbank.outbox.models import Webhook, WebhookTry


@dataclass(frozen=True)
class Entry:
    """One sealed transfer at its position. Accounts are codes; nobody's name, no typed text."""

    position: int
    block: int
    sealed_at: datetime
    id: int
    key: str
    kind: str
    source: str
    target: str
    points: int
    occurred_at: datetime
    recorded_at: datetime
    expires_on: date | None
    reverses_id: int | None
    line: int | None
    balance_after: int | None


@dataclass(frozen=True)
class WebhookLine:
    """A webhook as its administrators see it; behind counts what it was not yet sent."""

    id: int
    name: str
    url: str
    state: str
    position: int
    behind: int
    failures: int
    failing_since: datetime | None
    next_try_at: datetime | None
    previous_until: datetime | None
    created_at: datetime

    @property
    def host(self) -> str:
        """Where it is sent, without the path, which may hold what its receiver keeps secret."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True)
class TryLine:
    """One try to send a batch; problem is one of calling.PROBLEMS, none when it was taken."""

    id: int
    first_position: int
    last_position: int
    tried_at: datetime
    milliseconds: int
    status: int | None
    problem: str | None


def check_whole(session: Session, actor: Actor, *roles: str) -> None:
    """Let pass who holds one of these roles over everything.

    That is a grant without an organization, or one over the single organization on top of the
    tree: with two tops, neither sees all. Raises OutboxForWhole.
    """
    paths = actor.paths(*roles)
    if "/" in paths:
        return
    tops = organizations_at(session, ("/",))
    if len(tops) != 1 or tops[0].path not in paths:
        raise OutboxForWhole


def newest_position(session: Session) -> int:
    """Return the position of the newest sealed transfer, 0 while nothing is sealed."""
    return session.scalar(select(func.max(Block.total))) or 0


def entries_after(session: Session, position: int, *, limit: int) -> list[Entry]:
    """Return what stands behind a position, in order, at most limit entries.

    Position p is the p-th sealed transfer, counted from 1 without a gap; it never changes and
    nothing is ever put in before it. The block is found by its running total, so the cost does
    not grow with the history: at most one block's ids are passed over.
    """
    blocks = _blocks_over(session, position, position + limit)
    if not blocks:
        return []
    first = blocks[0]
    begins_behind = session.scalar(select(Block.up_to).where(Block.no == first.no - 1)) or 0
    ids = session.scalars(
        select(Transfer.id)
        .where(Transfer.id > begins_behind, Transfer.id <= blocks[-1].up_to)
        .order_by(Transfer.id)
        .offset(max(0, position - (first.total - first.count)))
        .limit(limit)
    ).all()
    ends = [block.up_to for block in blocks]
    return [
        _entry(row, position + number, blocks[bisect_left(ends, row.id)])
        for number, row in enumerate(_rows(session, ids), start=1)
    ]


def _blocks_over(session: Session, position: int, last: int) -> list[Any]:
    """Return the blocks in which the positions behind one through another lie."""
    statement = (
        select(Block.no, Block.up_to, Block.total, Block.count, Block.sealed_at)
        .where(Block.total > position)
        .order_by(Block.total)
    )
    # Where the page ends is looked up too: a bound on a computed column would be no use of the
    # index, and every block after the page would be read.
    end = session.scalar(select(func.min(Block.total)).where(Block.total >= last))
    if end is not None:
        statement = statement.where(Block.total <= end)
    return list(session.execute(statement))


def _rows(session: Session, ids: Iterable[int]) -> list[Any]:
    source, target = aliased(Account), aliased(Account)
    return list(
        session.execute(
            select(
                Transfer.id,
                Transfer.key,
                Transfer.kind,
                source.code.label("source"),
                target.code.label("target"),
                Transfer.points,
                Transfer.occurred_at,
                Transfer.recorded_at,
                Transfer.expires_on,
                Transfer.reverses_id,
                Transfer.wallet_seq,
                Transfer.wallet_after,
            )
            .join(source, source.id == Transfer.source_id)
            .join(target, target.id == Transfer.target_id)
            .where(Transfer.id.in_(ids))
            .order_by(Transfer.id)
        )
    )


def _entry(row: Any, position: int, block: Any) -> Entry:
    return Entry(
        position=position,
        block=block.no,
        sealed_at=block.sealed_at,
        id=row.id,
        key=row.key,
        kind=row.kind,
        source=row.source,
        target=row.target,
        points=row.points,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        expires_on=row.expires_on,
        reverses_id=row.reverses_id,
        line=row.wallet_seq,
        balance_after=row.wallet_after,
    )


def webhooks_after(session: Session, after_id: int, *, limit: int) -> list[WebhookLine]:
    """Return webhooks in the order of their ids, behind this one."""
    newest = newest_position(session)
    found = session.scalars(
        select(Webhook).where(Webhook.id > after_id).order_by(Webhook.id).limit(limit)
    )
    return [_line(webhook, newest) for webhook in found]


def webhook_line(session: Session, webhook_id: int) -> WebhookLine:
    """Return one webhook.

    Raises WebhookNotFound.
    """
    webhook = session.get(Webhook, webhook_id)
    if webhook is None:
        raise WebhookNotFound
    return _line(webhook, newest_position(session))


def _line(webhook: Webhook, newest: int) -> WebhookLine:
    return WebhookLine(
        id=webhook.id,
        name=webhook.name,
        url=webhook.url,
        state=webhook.state,
        position=webhook.position,
        behind=max(0, newest - webhook.position),
        failures=webhook.failures,
        failing_since=webhook.failing_since,
        # Without a failure it only says when it was last sent something.
        next_try_at=webhook.next_try_at if webhook.failures else None,
        previous_until=webhook.previous_until,
        created_at=webhook.created_at,
    )


def tries_of(
    session: Session, webhook_id: int, *, before_id: int | None = None, limit: int
) -> list[TryLine]:
    """Return the tries of a webhook, newest first, before this one when it is given."""
    statement = (
        select(WebhookTry)
        .where(WebhookTry.webhook_id == webhook_id)
        .order_by(WebhookTry.id.desc())
        .limit(limit)
    )
    if before_id is not None:
        statement = statement.where(WebhookTry.id < before_id)
    return [
        TryLine(
            id=each.id,
            first_position=each.first_position,
            last_position=each.last_position,
            tried_at=each.tried_at,
            milliseconds=each.milliseconds,
            status=each.status,
            problem=each.problem,
        )
        for each in session.scalars(statement)
    ]
