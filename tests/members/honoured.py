"""Honours as they are recorded."""

from datetime import date

from sqlalchemy.orm import Session

from pointsbank.members.honours import NewHonour, decide_honour, record_honour
from tests.builders import TODAY
from tests.moments import NOON
from tests.scoring.hands import actor_of

HONOUR = NewHonour("优秀志愿者", "区文明办", date(2026, 10, 1), "文明办〔2026〕3号", "授予证书")


def recorded_by(
    session: Session, recorder_id: int, member_id: int, honour: NewHonour = HONOUR
) -> int:
    """Record an honour of a member, and return its id."""
    return record_honour(
        session,
        actor=actor_of(session, recorder_id),
        member_id=member_id,
        honour=honour,
        today=TODAY,
        now=NOON,
    )


def confirmed_by(session: Session, who: int, member_id: int, honour_id: int) -> str:
    """Confirm an honour, and return its state."""
    return decide_honour(
        session,
        actor=actor_of(session, who),
        member_id=member_id,
        honour_id=honour_id,
        is_confirmed=True,
        reason="与原件一致",
        now=NOON,
    ).state
