"""What a station says by itself: verdicts made without a network, and how it stands."""

from typing import Any

from flask_babel import gettext

from pointsbank.attendance.words import ACTIONS, PLAIN, PURPOSES, TITLES


def station_words() -> dict[str, Any]:
    """Return every sentence that the station's script needs; {names} are places it fills."""
    return {
        **verdict_words(),
        **screen_words(),
        "modes": {
            "quick": gettext("Network is good"),
            "offline": gettext("No network: judged on this device"),
            "by_hand": gettext("Offline by hand: judged on this device"),
        },
        "list": gettext("List"),
        "settle_them": gettext("Settle the differences"),
        "go_offline": gettext("Go offline"),
        "go_quick": gettext("Back to the network"),
        "list_ready": gettext(
            "List of %(people)s people on board, %(time)s", people="{people}", time="{time}"
        ),
        "list_missing": gettext("No list on board yet: offline, scans are kept unjudged"),
        "waiting": gettext("%(waiting)s wait for upload", waiting="{waiting}"),
        "store": {
            "missing": gettext(
                "This browser keeps nothing. Scanning goes on; do not close this page before"
                " everything is uploaded."
            ),
            "full": gettext(
                "This device's storage is full. Scanning goes on; do not close this page before"
                " everything is uploaded."
            ),
        },
        "upload": upload_words(),
        "foreign": gettext(
            "%(waiting)s scans of another person wait on this device. They go out once that"
            " person signs in here.",
            waiting="{waiting}",
        ),
        "leaving": gettext(
            "%(waiting)s scans are not uploaded yet. They stay on this device until you sign in"
            " here again. Sign out all the same?",
            waiting="{waiting}",
        ),
        "differing": gettext(
            "The server judged %(number)s scans otherwise than this device. Settle them in the"
            " list.",
            number="{number}",
        ),
    }


def verdict_words() -> dict[str, Any]:
    """Return the words of verdicts, the same that the server says where it says them too."""
    titles = {reason: str(word) for reason, word in TITLES.items()}
    actions = {reason: str(word) for reason, word in ACTIONS.items()}
    return {
        "titles": titles
        | {
            "not_on_list": gettext("Cannot be checked here"),
            "server_busy": gettext("Kept, not judged yet"),
        },
        "plain": {reason: str(word) for reason, word in PLAIN.items()},
        "actions": actions | {"not_on_list": gettext("Take them in, checked later")},
        "purposes": {kind: str(word) for kind, word in PURPOSES.items()},
        "arrived": gettext(
            "No. %(arrived)s of %(places)s", arrived="{arrived}", places="{places}"
        ),
        "today": gettext("Today %(duration)s", duration="{duration}"),
        "marked_in": gettext(
            "Checked in at %(time)s by %(name)s.", time="{time}", name="{name}"
        ),
        "marked_out": gettext(
            "Checked out at %(time)s by %(name)s.", time="{time}", name="{name}"
        ),
        "not_claimed": gettext(
            "%(left)s places are free; you can join on the spot.", left="{left}"
        ),
        "full": gettext("You can join the waiting list."),
        "waitlisted": gettext("The place in line is told after the upload."),
        "other_shift": gettext("This code belongs to another shift."),
        "too_early": gettext("Check-in opens at %(time)s.", time="{time}"),
        "too_late": gettext("It ended %(duration)s ago.", duration="{duration}"),
        "hours_minutes": gettext(
            "%(hours)s h %(minutes)s min", hours="{hours}", minutes="{minutes}"
        ),
        "hours": gettext("%(hours)s h", hours="{hours}"),
        "minutes": gettext("%(minutes)s min", minutes="{minutes}"),
        "not_on_list": gettext(
            "Not on the list on board. See who stands there and ask the name; the server checks"
            " the code later."
        ),
        "general_code": gettext(
            "This is the general code. Ask for the code of this shift, or see who stands there;"
            " the server checks it later."
        ),
        "kept_titles": {
            "ok_in": gettext("Checked in offline"),
            "ok_out": gettext("Checked out offline"),
            "waitlisted": gettext("In line, offline"),
        },
        "kept": gettext("It uploads by itself once there is a network."),
        "kept_slow": gettext("The network is slow; it is kept on this device."),
        "unjudged": gettext("The server judges it once there is a network."),
        "here": gettext("this device"),
    }


def screen_words() -> dict[str, Any]:
    """Return the words on buttons, and of what happens to a scan."""
    return {
        "sending": gettext("Sending"),
        "back": gettext("Back to scanning"),
        "again": gettext("Scan again"),
        "confirm": gettext("Record it all the same"),
        "undo": gettext("Take back (%(seconds)s s)", seconds="{seconds}"),
        "undone": gettext("Taken back"),
        "undone_here": gettext("It is sent all the same, and stands on record as taken back."),
        "not_undone": gettext("It could not be taken back"),
        "no_answer": gettext("The network does not answer. Try again in a moment."),
        "refused": gettext("The server did not take it"),
        "unknown": gettext("not recognised"),
        "waits": gettext("To upload"),
        "tail": gettext("number ends in %(tail)s", tail="{tail}"),
        "read": gettext("Understood"),
    }


def upload_words() -> dict[str, str]:
    """Return why nothing is uploaded, by what came instead of an answer."""
    kept = {"waiting": "{waiting}"}
    return {
        "signed_out": gettext(
            "%(waiting)s scans wait: please sign in again. They stay on this device.", **kept
        ),
        "not_allowed": gettext(
            "%(waiting)s scans wait: the server says that this account may not upload them."
            " They stay on this device.",
            **kept,
        ),
        "busy": gettext(
            "%(waiting)s scans wait: the server is busy and is asked again by itself.", **kept
        ),
        "strange": gettext(
            "%(waiting)s scans wait: what answers is not our server. Perhaps this Wi-Fi asks"
            " to sign in first.",
            **kept,
        ),
    }
