"""The words for the states of applications, revocations and plans."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext, lazy_gettext, ngettext

from pointsbank.certificates.policy import ACCOUNT_STOPPED, BARRED, TIME_FELL
from pointsbank.notices.words import reason_words as notice_reason

STATES: dict[str, Any] = {
    "applied": lazy_gettext("Applied for"),
    "noticed": lazy_gettext("In a public notice"),
    "awarded": lazy_gettext("Awarded"),
    "refused": lazy_gettext("Not awarded"),
    "withdrawn": lazy_gettext("Was withdrawn"),
    "revoked": lazy_gettext("Revoked"),
}
REVOCATIONS: dict[str, Any] = {
    "pending": lazy_gettext("Waits for a second person"),
    "confirmed": lazy_gettext("Confirmed by a second person"),
    "rejected": lazy_gettext("Refused by a second person"),
}
PLANS: dict[str, Any] = {
    "filed": lazy_gettext("Being carried out"),
    "self_rated": lazy_gettext("Rated by itself, waits for review"),
    "reviewed": lazy_gettext("Reviewed from above"),
    "noticed": lazy_gettext("In a public notice"),
    "awarded": lazy_gettext("Awarded"),
    "refused": lazy_gettext("Without stars"),
    "withdrawn": lazy_gettext("Was withdrawn"),
}
LEVELS: dict[str, Any] = {
    "volunteer": lazy_gettext("Volunteers, by hours of service"),
    "organization": lazy_gettext("Organizations, by marks"),
}
FULL_STAR = "★"
# What stands in place of words where no person said why.
REASONS: dict[str, Any] = {
    TIME_FELL: lazy_gettext("Service time was below the hours needed when the notice ended"),
    ACCOUNT_STOPPED: lazy_gettext("The account was stopped when the notice ended"),
    BARRED: lazy_gettext("A star was revoked, and the bar has not ended"),
}


def reason_words(reason: str) -> str:
    """Write a reason that was kept as a code in the reader's language; typed words stay."""
    return str(REASONS[reason]) if reason in REASONS else notice_reason(reason)


def correction_problem(ids: Sequence[int], reason: str) -> str:
    """Return what a correction of a notice lacks, "" when nothing does."""
    if not ids:
        return str(gettext("Please tick who is taken out of the notice."))
    return "" if reason else str(gettext("Please say in a few words why."))


def stars_words(stars: int) -> str:
    """Write ★★★ three stars: the sign for the eye and the word for the ear."""
    return f"{FULL_STAR * stars} {star_count(stars)}".strip()


def star_count(stars: int) -> str:
    """Write three stars in words."""
    if stars == 0:
        return str(gettext("no star"))
    return str(ngettext("%(num)s star", "%(num)s stars", stars))
