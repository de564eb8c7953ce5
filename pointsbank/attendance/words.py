"""The words of every verdict of a scan."""

from datetime import datetime
from typing import Any

from flask_babel import gettext, lazy_gettext

from pointsbank.attendance.verdicts import UNDO_SECONDS
from pointsbank.tasks.eligibility_words import missing_words
from pointsbank.web.formats import clock_time, hours, moment

TITLES = {
    "ok_in": lazy_gettext("Check-in recorded"),
    "ok_out": lazy_gettext("Check-out recorded"),
    "repeat_just_now": lazy_gettext("Already recorded"),
    "waitlisted": lazy_gettext("On the waiting list"),
    "already_in": lazy_gettext("Checked in before"),
    "already_out": lazy_gettext("Checked out before"),
    "not_claimed": lazy_gettext("Not claimed"),
    "full": lazy_gettext("All places are taken"),
    "wrong_shift": lazy_gettext("Another shift"),
    "too_early": lazy_gettext("Too early"),
    "too_late": lazy_gettext("Too late"),
    "code_expired": lazy_gettext("The code has expired"),
    "wrong_digits": lazy_gettext("The four digits are not right"),
    "digits_locked": lazy_gettext("Too many wrong digits"),
    "poster_waiting": lazy_gettext("Without the four digits"),
    "card_revoked": lazy_gettext("This card is no longer good"),
    "bad_code": lazy_gettext("Not one of our codes"),
    "bad_signature": lazy_gettext("The code is not genuine"),
    "wrong_purpose": lazy_gettext("The wrong code"),
    "not_member": lazy_gettext("Not registered"),
    "suspended": lazy_gettext("The account is stopped"),
    "no_permission": lazy_gettext("Not your shift to scan"),
    "no_shift": lazy_gettext("No shift is running"),
    "called_off": lazy_gettext("Called off"),
    "not_in": lazy_gettext("Not checked in yet"),
    "settled": lazy_gettext("Settled already"),
    "not_eligible": lazy_gettext("This shift asks for more"),
    "no_more_pairs": lazy_gettext("Came in three times already"),
}
PLAIN = {
    "repeat_just_now": lazy_gettext("Recorded a moment ago; once is enough."),
    "code_expired": lazy_gettext("Ask for a new code and scan once more."),
    "wrong_digits": lazy_gettext(
        "They stand on the screen at the place and are new every five minutes. Look once more."
    ),
    "digits_locked": lazy_gettext(
        "Please wait ten minutes, or tell the person in charge your member number."
    ),
    "poster_waiting": lazy_gettext(
        "You can go on without them: the person in charge then confirms it later."
    ),
    "card_revoked": lazy_gettext("A new card was made, or this one was reported lost."),
    "bad_code": lazy_gettext("This is not a code of this service, or not all of it was read."),
    "bad_signature": lazy_gettext("It was not made by this service. The try is kept."),
    "not_member": lazy_gettext("Nobody here has this code."),
    "suspended": lazy_gettext("Please ask the branch."),
    "no_permission": lazy_gettext("Only the organizer of this shift can scan people in."),
    "no_shift": lazy_gettext("Choose the shift first, then scan once more."),
    "called_off": lazy_gettext("This shift does not take place."),
    "not_in": lazy_gettext("Check in first."),
    "settled": lazy_gettext("The shift has been settled; nothing more changes."),
    "not_eligible": lazy_gettext("Something that this shift asks for is missing."),
    "no_more_pairs": lazy_gettext(
        "A person can come in three times on one shift. Please ask the person in charge."
    ),
}
FLAGS = {
    "poster_unconfirmed": lazy_gettext("It waits until somebody in charge has confirmed it."),
    "other_place": lazy_gettext("Far from the place of the shift; this is noted."),
    "same_device": lazy_gettext(
        "This phone has just checked another person in; this is noted."
    ),
}
PURPOSES = {
    "redemption": lazy_gettext("This is a redemption code, not a check-in code."),
    "poster": lazy_gettext("This is a poster's code. Scan the code on the screen."),
    "venue": lazy_gettext(
        "This is the venue's code. Volunteers scan it with their own phones."
    ),
}
ACTIONS = {
    "already_in": lazy_gettext("Check out instead"),
    "already_out": lazy_gettext("Check out now instead"),
    "not_claimed": lazy_gettext("Join on the spot"),
    "wrong_shift": lazy_gettext("Join this shift instead"),
    "full": lazy_gettext("Join the waiting list"),
    "poster_waiting": lazy_gettext("Go on without the digits"),
    "too_early": lazy_gettext("Let them in, with a reason"),
    "too_late": lazy_gettext("Let them in, with a reason"),
    "not_eligible": lazy_gettext("Let them in, with a reason"),
}
BACK_IN = lazy_gettext("Come back in")


def _time(written: str | None) -> str:
    return clock_time(datetime.fromisoformat(written)) if written else ""


def title_of(reason: str) -> str:
    """Return the large word of a verdict with this reason."""
    return str(TITLES[reason])


def detail_of(facts: dict[str, Any]) -> str:
    """Return the line that says why, or what was recorded."""
    reason = facts["reason"]
    words = SPECIAL[reason](facts) if reason in SPECIAL else str(PLAIN[reason])
    return " ".join([words, *(str(FLAGS[flag]) for flag in facts["flags"] if flag in FLAGS)])


def _arrived_words(facts: dict[str, Any]) -> str:
    counts = facts["counts"]
    words = gettext(
        "No. %(arrived)s of %(places)s", arrived=counts["arrived"], places=counts["places"]
    )
    return f"{words} · {_time(facts['at'])}"


def _left_words(facts: dict[str, Any]) -> str:
    duration = hours(facts["minutes"] or 0)
    gives = facts["points_preview"] or {"points": 0}
    if gives["points"]:
        return str(
            gettext(
                "Today %(duration)s · about +%(points)s points",
                duration=duration,
                points=gives["points"],
            )
        )
    return str(gettext("Today %(duration)s", duration=duration))


def _marked_words(facts: dict[str, Any]) -> str:
    first = facts["first"]
    if first is None:
        return ""
    at, by = _time(first["at"]), first["by"]
    if facts["reason"] == "already_in":
        return str(gettext("Checked in at %(time)s by %(name)s.", time=at, name=by))
    return str(gettext("Checked out at %(time)s by %(name)s.", time=at, name=by))


def _not_claimed_words(facts: dict[str, Any]) -> str:
    left = facts["counts"]["places"] - facts["counts"]["claimed"]
    return str(gettext("%(left)s places are free; you can join on the spot.", left=left))


def _full_words(facts: dict[str, Any]) -> str:
    if facts["position"]:
        return str(gettext("No. %(position)s in line.", position=facts["position"]))
    return str(gettext("You can join the waiting list."))


def _elsewhere_words(facts: dict[str, Any]) -> str:
    other = facts["elsewhere"]
    if other is None:
        return str(gettext("This code belongs to another shift."))
    starts_at = moment(datetime.fromisoformat(other["starts_at"]))
    return str(
        gettext("The claim is for: %(time)s · %(title)s", time=starts_at, title=other["title"])
    )


def _window_words(facts: dict[str, Any]) -> str:
    if facts["reason"] == "too_early":
        words = gettext("Check-in opens at %(time)s.", time=_time(facts["opens_at"]))
    else:
        over = datetime.fromisoformat(facts["at"]) - datetime.fromisoformat(
            facts["shift"]["ends_at"]
        )
        minutes = max(0, int(over.total_seconds()) // 60)
        words = gettext("It ended %(duration)s ago.", duration=hours(minutes))
    if facts["may_confirm"] or facts["result"] == "refuse":
        return str(words)
    return f"{words} {gettext('Ask the person in charge.')}"


def _missing_words(facts: dict[str, Any]) -> str:
    return " ".join(missing_words(facts["missing"])) or str(PLAIN["not_eligible"])


def _purpose_words(facts: dict[str, Any]) -> str:
    return str(PURPOSES[facts["code_kind"]])


SPECIAL = {
    "ok_in": _arrived_words,
    "ok_out": _left_words,
    "already_in": _marked_words,
    "already_out": _marked_words,
    "not_claimed": _not_claimed_words,
    "full": _full_words,
    "waitlisted": _full_words,
    "wrong_shift": _elsewhere_words,
    "too_early": _window_words,
    "too_late": _window_words,
    "wrong_purpose": _purpose_words,
    "not_eligible": _missing_words,
}


def action_of(facts: dict[str, Any]) -> str | None:
    """Return the word on the button that goes on from here, None when there is nothing to
    press."""
    if facts["undo_until"]:
        return str(gettext("Take it back"))
    if not facts["may_confirm"]:
        return None
    if facts["reason"] == "already_out" and facts["direction"] == "in":
        return str(BACK_IN)
    return str(ACTIONS[facts["reason"]])


def result_words(
    shown: dict[str, Any],
    *,
    acts: list[dict[str, Any]],
    undo: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a verdict as the page of one verdict prints it; undo is how it is taken back."""
    person, shift = shown.get("person"), shown.get("shift")
    line = ""
    if shift and shown.get("at"):
        line = f"{_time(shown['at'])} · {shift['place_name']}"
    return {
        "verdict": {
            **{name: shown[name] for name in ("result", "reason", "title", "detail")},
            "name": person["display_name"] if person else "",
            "line": line,
            "needs_reason": shown.get("needs_reason", False),
        },
        "counts": shown.get("counts"),
        "last": [],
        "acts": acts,
        "undo": undo,
        "seconds_to_undo": UNDO_SECONDS if undo else 0,
    }
