"""What the template of each kind has places for, and how a notice's digest is spelled."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pointsbank.core.text import cleaned, holds_private_number, masked_name
from pointsbank.notices.errors import BadNotice, PrivateNumber
from pointsbank.notices.queries import ShownLine

TITLE_LENGTH_MAX = 120
TEXT_LENGTH_MAX = 120
LINES_MAX = 5000
WHOLE_MAX = 10**12
STARS_MAX = 5
DIGEST = re.compile(r"[0-9a-f]{64}")
FULL_HUNDREDTHS = 100 * 100
GRADES = ("excellent", "qualified", "basic", "unqualified")
MEASURES = ("evaluation", "points", "minutes")


@dataclass(frozen=True)
class Place:
    """A place of a template. kind: text, whole, hundredths, minutes, stars, day, digest, or the
    words it may be.
    """

    kind: str | tuple[str, ...]
    is_needed: bool = True


TEXT, WHOLE, DAY = Place("text"), Place("whole"), Place("day")
MAYBE_TEXT, MAYBE_WHOLE = Place("text", is_needed=False), Place("whole", is_needed=False)
MAYBE_DAY, MAYBE_DIGEST = Place("day", is_needed=False), Place("digest", is_needed=False)

# What the template of a kind is filled with, beside its lines.
NOTICE_PLACES: Mapping[str, Mapping[str, Place]] = {
    "ranking": {
        "period": TEXT,
        "measure": Place(MEASURES, is_needed=False),
        "standard": MAYBE_WHOLE,
        # All who are ranked, and those of them below the lowest band, who are not named.
        "members": WHOLE,
        "unnamed": MAYBE_WHOLE,
        "snapshot": MAYBE_WHOLE,
        "snapshot_digest": MAYBE_DIGEST,
    },
    "grade": {
        "period": TEXT,
        "standard": MAYBE_WHOLE,
        "members": WHOLE,
        "exempt": MAYBE_WHOLE,
        "unnamed": MAYBE_WHOLE,
        "snapshot": MAYBE_WHOLE,
        "snapshot_digest": MAYBE_DIGEST,
    },
    "post": {"task": TEXT, "from_on": DAY, "until_on": MAYBE_DAY, "place": MAYBE_TEXT},
    "star": {"year": WHOLE, "rule": MAYBE_TEXT},
    "organization_star": {"year": WHOLE, "rule": MAYBE_TEXT},
    "certificate": {"purpose": MAYBE_TEXT, "from_on": MAYBE_DAY, "until_on": MAYBE_DAY},
}
# What each of its lines says of whoever it is about.
LINE_PLACES: Mapping[str, Mapping[str, Place]] = {
    "ranking": {"band": TEXT},
    "grade": {"grade": Place(GRADES)},
    "post": {"post": TEXT},
    "star": {"stars": Place("stars"), "minutes": Place("minutes")},
    "organization_star": {"stars": Place("stars"), "marks": MAYBE_WHOLE},
    "certificate": {
        "minutes": Place("minutes"),
        "number": MAYBE_TEXT,
        "from_on": MAYBE_DAY,
        "until_on": MAYBE_DAY,
    },
}


def judged_title(title: str) -> str:
    """Return a title as it will be printed.

    Raises BadNotice, PrivateNumber.
    """
    title = cleaned(title)
    if not 1 <= len(title) <= TITLE_LENGTH_MAX:
        raise BadNotice(what="title")
    if holds_private_number(title):
        raise PrivateNumber
    return title


def judged_facts(facts: Mapping[str, Any], places: Mapping[str, Place]) -> dict[str, Any]:
    """Return facts as they fill the places of a template; nothing else gets into a notice.

    Raises BadNotice for a fact without a place, a place without a fact, a wrong kind of value;
    PrivateNumber.
    """
    for name in sorted({*facts, *places}):
        place = places.get(name)
        if place is None or (place.is_needed and name not in facts):
            raise BadNotice(what=name[:TEXT_LENGTH_MAX])
    return {name: _judged(name, value, places[name].kind) for name, value in facts.items()}


def _judged(name: str, value: Any, kind: str | tuple[str, ...]) -> Any:
    if isinstance(kind, tuple):
        fits = value in kind
    elif kind == "text":
        value = cleaned(value) if isinstance(value, str) else ""
        if holds_private_number(value):
            raise PrivateNumber
        fits = 1 <= len(value) <= TEXT_LENGTH_MAX
    elif kind == "day":
        fits = isinstance(value, str) and _is_day(value)
    elif kind == "digest":
        fits = isinstance(value, str) and DIGEST.fullmatch(value) is not None
    else:
        lowest, highest = (1, STARS_MAX) if kind == "stars" else (0, WHOLE_MAX)
        fits = type(value) is int and lowest <= value <= highest
    if not fits:
        raise BadNotice(what=name)
    return value


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def digest_of(
    *, kind: str, no: int, title: str, facts: Mapping[str, Any], lines: Sequence[ShownLine]
) -> str:
    """Return the SHA-256 of a notice in the spelling of docs/notices.md, in hexadecimal.

    Names of people are masked first, whatever is shown: giving or taking back consent changes
    what is read and not what was decided.
    """
    spelled = {
        "facts": dict(facts),
        "kind": kind,
        "lines": [
            {
                "about": line.about,
                "facts": dict(line.facts),
                "name": masked_name(line.name) if line.about == "member" else line.name,
                "no": line.no,
            }
            for line in lines
        ],
        "no": no,
        "title": title,
    }
    text = json.dumps(spelled, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
