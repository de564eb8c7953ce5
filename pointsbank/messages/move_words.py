"""The words of messages about moves between branches."""

from flask_babel import lazy_gettext

from pointsbank.messages.wording import Words

MOVE_WORDS: dict[str, Words] = {
    "move_proposed": Words(
        lazy_gettext(
            "Another branch proposes to move a member. Please look at it and confirm or refuse."
        ),
        "proposal_pages.list_proposals",
    ),
    "move_confirmed": Words(
        lazy_gettext("The move to %(place)s that you proposed was confirmed."),
        "proposal_pages.list_proposals",
    ),
    "move_refused": Words(
        lazy_gettext("The move to %(place)s that you proposed was refused. Please read why."),
        "proposal_pages.list_proposals",
    ),
    "move_done": Words(
        lazy_gettext("You belong to %(place)s now. What you earned before came with you."),
    ),
}
