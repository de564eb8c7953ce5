"""The words for what a statement of a merchant is made of."""

from typing import Any

from flask_babel import gettext, lazy_gettext

from pointsbank.core.money import yuan

STATES: dict[str, Any] = {
    "open": lazy_gettext("Month is running"),
    "empty": lazy_gettext("Nothing was taken"),
    "closed": lazy_gettext("Waits for the merchant"),
    "disputed": lazy_gettext("Lines are disputed"),
    "confirmed": lazy_gettext("Confirmed by the merchant"),
    "approved": lazy_gettext("Approved, to be paid"),
    "paid": lazy_gettext("Paid"),
}
KINDS: dict[str, Any] = {
    "redemption": lazy_gettext("Redemption"),
    "void": lazy_gettext("Taken back"),
    "loan": lazy_gettext("Tool loan"),
    "other": lazy_gettext("Other"),
}
DISPUTES: dict[str, Any] = {
    "open": lazy_gettext("Disputed, waits for an answer"),
    "accepted": lazy_gettext("Dispute accepted"),
    "rejected": lazy_gettext("Dispute rejected"),
}
LATE: dict[str, Any] = {
    "confirmation": lazy_gettext("Confirmation is overdue"),
    "payment": lazy_gettext("Payment is overdue"),
}


def rate(fen: int) -> str:
    """Write what 100 points are worth."""
    return str(gettext("%(money)s for 100 points", money=yuan(fen)))
