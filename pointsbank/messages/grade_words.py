"""The words of messages about yearly grades."""

from flask_babel import lazy_gettext

from pointsbank.messages.wording import Words

GRADE_WORDS: dict[str, Words] = {
    "grade_decided": Words(
        lazy_gettext(
            "Your branch has decided on your grade of %(period)s. See it with its reasons; it"
            " is shown in public before it is final, and until then you can object."
        ),
    ),
    "grade_final": Words(
        lazy_gettext("Your grade of %(period)s is final. See it with its reasons."),
    ),
}
