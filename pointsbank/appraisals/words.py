"""The words for kinds of papers, reasons, states and grades."""

from flask_babel import lazy_gettext

KIND_WORDS = {
    "deductions": lazy_gettext("Deduction"),
    "vetoes": lazy_gettext("Veto"),
    "exemptions": lazy_gettext("Exemption"),
    "late_entries": lazy_gettext("Late entry"),
}
LIST_WORDS = {
    "deductions": lazy_gettext("Deductions"),
    "vetoes": lazy_gettext("Vetoes"),
    "exemptions": lazy_gettext("Exemptions"),
    "late_entries": lazy_gettext("Late entries"),
}
STATE_WORDS = {
    "pending": lazy_gettext("Waits for a second person"),
    "confirmed": lazy_gettext("In force"),
    "refused": lazy_gettext("Not accepted"),
    "lifted": lazy_gettext("Taken back"),
    "ended": lazy_gettext("Ended"),
}
VETO_WORDS = {
    "discipline": lazy_gettext("Party discipline"),
    "crime": lazy_gettext("Criminal offence"),
    "cult": lazy_gettext("Cult or illegal religious activity"),
    "social_harm": lazy_gettext("Serious harm to the public"),
    "falsified": lazy_gettext("Falsified records"),
    "other": lazy_gettext("Another reason, as the document says"),
}
EXEMPTION_WORDS = {
    "over_70": lazy_gettext("Aged 70 or over"),
    "long_illness": lazy_gettext("Long illness"),
    "mobile": lazy_gettext("Lives elsewhere: evaluated by the table for mobile members"),
    "other": lazy_gettext("Another reason"),
}
REASON_WORDS = {"vetoes": VETO_WORDS, "exemptions": EXEMPTION_WORDS}
VOTE_WORDS = {
    "excellent": lazy_gettext("Excellent"),
    "qualified": lazy_gettext("Qualified"),
    "basic": lazy_gettext("Basically qualified"),
    "unqualified": lazy_gettext("Unqualified"),
}
