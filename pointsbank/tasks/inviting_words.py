"""What became of an invitation, in words."""

from flask_babel import gettext


def asked_words() -> str:
    """Return what is said after inviting; who has a place already is asked nothing."""
    return str(gettext("They are asked and told. Whether they come is theirs to say."))


def state_words() -> dict[str, str]:
    """Return the word for what became of an invitation, and for a person without one."""
    return {
        "": "",
        "open": gettext("no answer yet"),
        "invited": gettext("no answer yet"),
        "accepted": gettext("accepted"),
        "claimed": gettext("has a place"),
        "waitlisted": gettext("waits in line"),
        "declined": gettext("said no"),
        "lapsed": gettext("did not answer"),
    }
