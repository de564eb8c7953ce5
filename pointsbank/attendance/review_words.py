"""The words of reviews: what speaks against an attendance, and each scan of it."""

from typing import Any

from flask_babel import gettext, lazy_gettext, ngettext

from pointsbank.attendance.reviews import ReviewFile, ScanSeen
from pointsbank.attendance.weighing import Weighed
from pointsbank.attendance.words import title_of

REASON_WORDS = {
    "same_device": lazy_gettext("Several people checked in on one phone."),
    "device_crowd": lazy_gettext("Many people checked in on one phone, more than a family."),
    "device_burst": lazy_gettext(
        "Two people checked in on one phone within two seconds; by hand nobody is that quick."
    ),
    "quick_pair": lazy_gettext("Checked in and out within ten seconds."),
    "overlap": lazy_gettext("Present at another shift at the same time."),
    "other_place": lazy_gettext("The phone was more than 500 m from the place."),
    "night": lazy_gettext("Recorded at night, outside of the shift."),
    "night_cluster": lazy_gettext("Several people were recorded at night."),
    "organizer_own": lazy_gettext("The person keeps the list of this shift."),
    "equal_hours": lazy_gettext(
        "Five people or more came and left in the same second as this one."
    ),
    "clock_skew": lazy_gettext("The phone's clock was wrong."),
    "typed_once": lazy_gettext("One of the marks was typed in, without a code."),
    "typed_throughout": lazy_gettext("Every mark was typed in, without a code."),
    "typed_crowd": lazy_gettext("Most people of this shift were typed in."),
    "walk_in": lazy_gettext("Joined on the spot."),
    "poster_unconfirmed": lazy_gettext("By the poster alone, without the screen's digits."),
    "let_in": lazy_gettext("Let in by the person in charge."),
    "absent_at_roll_call": lazy_gettext("Called up in the middle of the shift, and not there."),
    "head_count_short": lazy_gettext("Fewer people were counted than had checked in."),
}
STATE_WORDS = {
    "waiting": lazy_gettext("Waits for a second person"),
    "approved": lazy_gettext("Counted"),
    "refused": lazy_gettext("Not counted"),
}
KIND_WORDS = {
    "venue": lazy_gettext("venue code"),
    "personal": lazy_gettext("personal code"),
    "card": lazy_gettext("card"),
    "manual": lazy_gettext("typed number"),
    "redemption": lazy_gettext("redemption code"),
    "poster": lazy_gettext("poster"),
    "unknown": lazy_gettext("unknown code"),
}


def reasons_in_words(weighed: ReviewFile | Weighed) -> list[dict[str, Any]]:
    """Return the reasons with a sentence for each, in the language of this request."""
    return [
        {
            "code": each.code,
            "weight": each.weight,
            "words": str(REASON_WORDS.get(each.code, each.code)),
        }
        for each in weighed.reasons
    ]


def title_or_code(reason: str) -> str:
    """Return the large word of a verdict; a station may be newer than this service."""
    try:
        return title_of(reason)
    except KeyError:
        return reason


def scan_words(scan: ScanSeen) -> dict[str, Any]:
    """Return a scan as the page of a review prints it."""
    words = []
    if scan.is_own:
        words.append(str(gettext("by themselves")))
    else:
        words.append(str(gettext("by %(name)s", name=scan.by_name)))
    if scan.device_people > 1:
        words.append(
            str(
                ngettext(
                    "on a phone of %(num)s person",
                    "on a phone of %(num)s people",
                    scan.device_people,
                )
            )
        )
    if scan.is_offline:
        words.append(str(gettext("without network")))
    if "other_place" in scan.flags:
        words.append(str(gettext("more than 500 m away")))
    if "clock_skew" in scan.flags:
        words.append(str(gettext("clock differs")))
    if scan.is_undone:
        words.append(str(gettext("taken back")))
    return {
        "at": scan.at,
        "title": title_or_code(scan.reason),
        "kind": str(KIND_WORDS[scan.code_kind]),
        "words": words,
        "counts": scan.counts,
        "note": scan.note or "",
    }
