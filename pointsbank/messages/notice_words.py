"""The words of messages about public notices and objections to them."""

from flask_babel import lazy_gettext

from pointsbank.messages.wording import Words

NOTICE_WORDS: dict[str, Words] = {
    "notice_to_review": Words(
        lazy_gettext(
            "The public notice “%(title)s” was drafted. Please look at it: it opens once it was"
            " reviewed by somebody else than who drafted it."
        ),
        "notice_desk_pages.show_notice",
        ("notice_id",),
    ),
    "notice_names_you": Words(
        lazy_gettext(
            "The public notice “%(title)s” has a line about you. It is shown until"
            " %(closes_on)s; until then you can object."
        ),
        "notice_pages.show_notice",
        ("notice_id",),
    ),
    "objection_raised": Words(
        lazy_gettext(
            "Somebody objects to the public notice “%(title)s”. Please answer by %(answer_on)s."
        ),
        "objection_pages.show_objection",
        ("objection_id",),
    ),
    "objection_accepted": Words(
        lazy_gettext(
            "Your objection to the public notice “%(title)s” is being looked into. It is"
            " decided by %(decide_on)s."
        ),
        "own_objection_pages.show_one",
        ("objection_id",),
    ),
    "objection_dismissed": Words(
        lazy_gettext(
            "Your objection to the public notice “%(title)s” was not taken up. Please read why."
        ),
        "own_objection_pages.show_one",
        ("objection_id",),
    ),
    "objection_upheld": Words(
        lazy_gettext(
            "Your objection to the public notice “%(title)s” was upheld. The notice is being"
            " corrected."
        ),
        "own_objection_pages.show_one",
        ("objection_id",),
    ),
    "objection_rejected": Words(
        lazy_gettext(
            "Your objection to the public notice “%(title)s” was rejected. Please read why."
        ),
        "own_objection_pages.show_one",
        ("objection_id",),
    ),
    "notice_contested": Words(
        lazy_gettext(
            "An objection to the public notice “%(title)s” was upheld. Please correct the"
            " notice or withdraw it; until then it does not become final."
        ),
        "notice_desk_pages.show_notice",
        ("notice_id",),
    ),
    "objections_due": Words(
        lazy_gettext(
            "%(objections)s objections to public notices have to be answered or decided by"
            " tomorrow."
        ),
        "objection_pages.list_objections",
    ),
    "objections_late": Words(
        lazy_gettext(
            "%(objections)s objections to public notices are overdue. Please answer or decide"
            " them today."
        ),
        "objection_pages.list_objections",
    ),
}
