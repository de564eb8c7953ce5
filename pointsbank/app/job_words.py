"""What jobs, their states and troubles are called."""

from typing import Any

from flask_babel import lazy_gettext

from pointsbank.jobs.running import BY_COMMAND
from pointsbank.jobs.watching import RunLine

JOB_WORDS: dict[str, Any] = {
    "rankings": lazy_gettext("Count rankings"),
    "rankings_check": lazy_gettext("Check the rankings by a sample"),
    "closing": lazy_gettext("Close periods"),
    "notices": lazy_gettext("Open and lock public notices"),
    "stars": lazy_gettext("Volunteer and organization stars"),
    "expiry": lazy_gettext("Let points, holds and orders expire"),
    "contracts": lazy_gettext("Begin and end merchants' contracts"),
    "series": lazy_gettext("Make the dates of series"),
    "reminders": lazy_gettext("Remind people in the morning"),
    "shift_reminders": lazy_gettext("Remind people of shifts"),
    "seal": lazy_gettext("Seal the ledger"),
    "verify": lazy_gettext("Verify the ledger"),
    "places": lazy_gettext("Hand on places"),
    "settlement": lazy_gettext("Cut off merchants' months"),
    "confirmations": lazy_gettext("Give back unconfirmed deals"),
    "orders": lazy_gettext("Give back unfetched orders"),
    "webhooks": lazy_gettext("Send to other systems"),
}
STATE_WORDS: dict[str, Any] = {
    "fresh": lazy_gettext("in order"),
    "working": lazy_gettext("at work"),
    "never": lazy_gettext("has never run"),
    "resting": lazy_gettext("rests: the clock was set back"),
    "late": lazy_gettext("late"),
    "failing": lazy_gettext("fails"),
    "stuck": lazy_gettext("stuck"),
}
BAD_STATES = ("late", "failing", "stuck")


def job_words(name: str) -> str:
    """Return what a job is called; its name where nobody gave it words."""
    return str(JOB_WORDS.get(name, name))


def runner_words(line: RunLine, asker: str | None) -> str:
    """Return who ran it: a person who asked, a command, or a scheduler by its process."""
    if asker is not None:
        return asker
    if line.holder is None or line.holder == BY_COMMAND:
        return str(lazy_gettext("by command")) if line.holder else "–"
    return ":".join(line.holder.split(":")[:2])
