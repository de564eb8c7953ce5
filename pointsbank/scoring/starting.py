"""From what a draft begins: the version in force, a shipped one, or almost nothing."""

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from pointsbank.scoring.contents import compact
from pointsbank.scoring.files import shipped
from pointsbank.scoring.queries import standard_on
from pointsbank.scoring.standards import content_of

IN_FORCE, EMPTY = "in_force", "empty"
# The least that every standard needs; the rest is entered.
LEAST: dict[str, Any] = {
    "name": "新标准",
    "rounding": "floor",
    "items": [
        {
            "code": "volunteer_hour",
            "name": "Volunteer service",
            "name_zh": "志愿服务",
            "category": "volunteer_service",
            "unit": "hour",
            "points": 10,
            "evaluation_hundredths": 50,
            "counts_minutes": True,
        },
        {
            "code": "deduction",
            "name": "Deduction",
            "name_zh": "扣分",
            "category": "deduction",
            "unit": "each",
            "evidence": "document",
        },
        {
            "code": "democratic_appraisal",
            "name": "Democratic appraisal",
            "name_zh": "民主评议",
            "category": "duty",
            "unit": "each",
            "evaluation_hundredths": 500,
            "evidence": "document",
        },
    ],
    "evaluation_tables": {
        "default": {
            "base_mode": "earn",
            "base": {"organization_life": 3000, "study": 1500, "duty": 1500},
            "bonus": {"volunteer_service": 2500, "post_service": 1000, "recognition": 500},
            "grades": {"excellent": 9000, "qualified": 7500, "basic": 6000},
        }
    },
}


def beginning(session: Session, source: str, *, today: date) -> Any:
    """Return the content from which a draft begins, still to be judged.

    source: in_force, empty, or the name of a shipped standard.
    Raises NoStandard, NoSuchShippedStandard.
    """
    if source == EMPTY:
        return LEAST
    if source == IN_FORCE:
        return compact(content_of(session, standard_on(session, today).id))
    return shipped(source)
