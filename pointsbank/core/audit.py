"""The audit trail: who did what to what, and when; rows are added and never changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, bindparam, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from pointsbank.core.db import BigId, Model, Moment


class AuditEntry(Model):
    """One act of one person. Facts hold ids and states, never a name, phone or code."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "subject_kind", "subject_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(index=True)
    action: Mapped[str] = mapped_column(String(40))
    subject_kind: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int | None]
    facts: Mapped[dict[str, Any]]


# Written once and compiled once: it stands in every hot call.
NOTE = text(
    """
    INSERT INTO audit_entry (at, actor_id, action, subject_kind, subject_id, facts)
    VALUES (:at, :actor_id, :action, :subject_kind, :subject_id, :facts)
    """
).bindparams(bindparam("at", type_=Moment()), bindparam("facts", type_=JSON()))


def note(
    session: Session,
    *,
    at: datetime,
    actor_id: int | None,
    action: str,
    subject: tuple[str, int | None],
    **facts: Any,
) -> None:
    """Write one line of the audit trail in the running transaction.

    subject: the kind and id of what was acted on, such as ("task", 7).
    actor_id: None for a job or an operator's command.
    """
    session.execute(
        NOTE,
        {
            "at": at,
            "actor_id": actor_id,
            "action": action,
            "subject_kind": subject[0],
            "subject_id": subject[1],
            "facts": facts,
        },
    )
