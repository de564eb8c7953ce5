"""Hands the passbook what stands behind lines entered by hand, which scoring keeps above it."""

from collections.abc import Sequence

from flask import Flask
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.ledger.queries import Line
from pointsbank.scoring.adjustments import adjusted_lines
from pointsbank.scoring.schemas import REASON_WORDS

BY_HAND = ("adjust_up", "adjust_down")


def words_behind(session: Session, lines: Sequence[Line]) -> dict[int, list[tuple[str, str]]]:
    """Return reason and people behind lines entered by hand, as terms and values by transfer.

    Both people are masked.
    """
    ids = [line.transfer_id for line in lines if line.kind in BY_HAND]
    return {
        transfer_id: [
            (gettext("Entered by hand"), str(REASON_WORDS[found.reason_code])),
            (gettext("Asked for by"), found.author_name),
            (gettext("Approved by"), found.decided_by_name),
        ]
        for transfer_id, found in adjusted_lines(session, ids).items()
    }


def install(app: Flask) -> None:
    """Let the passbook find it."""
    app.extensions["words_behind"] = words_behind
