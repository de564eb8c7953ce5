"""The words for the three meetings and one lecture (三会一课), and the theme day."""

from flask_babel import lazy_gettext

MEETING_WORDS = {
    "branch_assembly": lazy_gettext("Assembly of the branch"),
    "committee": lazy_gettext("Meeting of the branch committee"),
    "group": lazy_gettext("Meeting of a party group"),
    "lecture": lazy_gettext("Party lecture"),
    "theme_day": lazy_gettext("Theme day"),
}
