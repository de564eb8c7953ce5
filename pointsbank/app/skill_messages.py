"""Hands the inbox, which stands on a higher step, to those who judge what people can do."""

from datetime import datetime

from flask import Flask
from sqlalchemy.orm import Session

from pointsbank.messages.service import tell

KINDS = {
    "confirmed": "skill_confirmed",
    "refused": "skill_refused",
    "doubted": "skill_doubted",
}


def tell_of_skill(
    session: Session,
    *,
    member_id: int,
    outcome: str,
    skill_code: str,
    names: tuple[str, str],
    now: datetime,
) -> None:
    """Tell a person what became of a skill that they told. names: in Chinese and in English."""
    name_zh, name_en = names
    tell(
        session,
        key=f"skill:{member_id}:{skill_code}:{outcome}:{now.isoformat()}",
        member_id=member_id,
        kind=KINDS[outcome],
        facts={"skill_code": skill_code, "skill": name_zh, "skill_en": name_en},
        now=now,
    )


def install(app: Flask) -> None:
    """Leave the way to the inbox where the doors of skills look for it."""
    app.extensions["tell_of_skill"] = tell_of_skill
