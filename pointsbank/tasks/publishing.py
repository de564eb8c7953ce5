"""Writes of what members see: a draft opened for claims, a task called off."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.tasks.errors import NotOpen, ShiftInThePast
from pointsbank.tasks.models import Task
from pointsbank.tasks.queries import own_task


def publish_task(
    session: Session, *, task_id: int, actor_id: int, paths: Sequence[str], now: datetime
) -> None:
    """Open a draft for claims; a repeat changes nothing.

    Raises TaskNotFound, NotOpen for a task that was called off, ShiftInThePast.
    """
    task = own_task(session, task_id, paths)
    if task.state == "open":
        return
    if task.state != "draft":
        raise NotOpen
    if any(shift.ends_at <= now for shift in task.shifts):
        raise ShiftInThePast
    session.execute(
        update(Task)
        .where(Task.id == task_id, Task.state == "draft")
        .values(state="open", published_at=now)
    )
    note(session, at=now, actor_id=actor_id, action="task_published", subject=("task", task_id))


def call_off_task(
    session: Session,
    *,
    task_id: int,
    actor_id: int,
    paths: Sequence[str],
    reason: str,
    now: datetime,
) -> None:
    """Call a task off; its claims stay as history and nothing more can be claimed. A repeat
    changes nothing.

    Raises TaskNotFound.
    """
    own_task(session, task_id, paths)
    called_off = session.execute(
        update(Task)
        .where(Task.id == task_id, Task.state != "cancelled")
        .values(state="cancelled")
        .returning(Task.id)
    ).first()
    if called_off is not None:
        note(
            session,
            at=now,
            actor_id=actor_id,
            action="task_called_off",
            subject=("task", task_id),
            reason=reason,
        )
