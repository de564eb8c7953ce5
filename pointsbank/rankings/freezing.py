"""Lines of a snapshot: ranked, and spelled for their digest; pure.

Rule: docs/evaluation.md, "Closing a period" and "The digest".
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from pointsbank.core.clock import moment_text
from pointsbank.scoring.evaluating import Evaluation

FORMAT = "pointsbank-snapshot/1"


@dataclass(frozen=True)
class Line:
    """One member as a snapshot has them; volunteer_no is how the digest names the person."""

    member_id: int
    volunteer_no: str
    rank: int | None
    table_name: str
    is_exempt: bool
    is_vetoed: bool
    base_hundredths: int
    bonus_hundredths: int
    deduction_hundredths: int
    evaluation_hundredths: int
    points_earned: int
    service_minutes: int
    parts: list[dict[str, Any]]


@dataclass(frozen=True)
class Head:
    """What a snapshot was made of; sums over the entries that its lines count."""

    period: str
    organization_code: str
    version: int
    standard_version: int
    cut_at: datetime
    entry_id: int
    entries: int
    sum_hundredths: int
    sum_points: int
    sum_minutes: int
    members: int


def line_of(
    evaluation: Evaluation,
    *,
    member_id: int,
    volunteer_no: str,
    table_name: str,
    is_exempt: bool,
    is_vetoed: bool,
) -> Line:
    """Return a member's line, without a rank yet."""
    return Line(
        member_id=member_id,
        volunteer_no=volunteer_no,
        rank=None,
        table_name=table_name,
        is_exempt=is_exempt,
        is_vetoed=is_vetoed,
        base_hundredths=evaluation.base_hundredths,
        bonus_hundredths=evaluation.bonus_hundredths,
        deduction_hundredths=evaluation.deduction_hundredths,
        evaluation_hundredths=evaluation.evaluation_hundredths,
        points_earned=evaluation.points_earned,
        service_minutes=evaluation.service_minutes,
        parts=[asdict(part) for part in evaluation.parts],
    )


def ranked(lines: Iterable[Line]) -> list[Line]:
    """Return the lines in order of volunteer number, each with its rank.

    Equal scores share a rank and the next is as far behind as there are people before it; who
    is exempt has none and takes nobody's.
    """
    kept = sorted(lines, key=lambda line: line.volunteer_no)
    scores = Counter(line.evaluation_hundredths for line in kept if not line.is_exempt)
    ranks, before = {}, 0
    for score in sorted(scores, reverse=True):
        ranks[score] = before + 1
        before += scores[score]
    return [
        replace(line, rank=None if line.is_exempt else ranks[line.evaluation_hundredths])
        for line in kept
    ]


def digest_of(head: Head, lines: Sequence[Line]) -> str:
    """Return the SHA-256 of a snapshot in hexadecimal, as docs/evaluation.md spells it."""
    written = [
        {
            "format": FORMAT,
            "period": head.period,
            "organization": head.organization_code,
            "version": head.version,
            "standard": head.standard_version,
            "cut_at": moment_text(head.cut_at),
            "entry": head.entry_id,
            "entries": head.entries,
            "hundredths": head.sum_hundredths,
            "points": head.sum_points,
            "minutes": head.sum_minutes,
            "members": head.members,
        },
        *(_spelled(line) for line in sorted(lines, key=lambda each: each.volunteer_no)),
    ]
    text = "".join(
        json.dumps(each, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"
        for each in written
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _spelled(line: Line) -> dict[str, Any]:
    return {
        "no": line.volunteer_no,
        "rank": line.rank,
        "table": line.table_name,
        "exempt": line.is_exempt,
        "vetoed": line.is_vetoed,
        "base": line.base_hundredths,
        "bonus": line.bonus_hundredths,
        "deduction": line.deduction_hundredths,
        "score": line.evaluation_hundredths,
        "points": line.points_earned,
        "minutes": line.service_minutes,
        "parts": [
            [part[name] for name in ("category", "kind", "earned", "cap", "score", "entries")]
            for part in line.parts
        ],
    }
