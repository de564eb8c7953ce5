"""The words of messages about evaluation papers and appraisals."""

from flask_babel import lazy_gettext

from pointsbank.messages.wording import Words

APPRAISAL_WORDS: dict[str, Words] = {
    "evaluation_paper_entered": Words(
        lazy_gettext(
            "A paper for somebody's evaluation was entered in your branch. It needs a"
            " second person: please look at it and decide."
        ),
        "evaluation_paper_pages.show_paper",
        ("kind", "paper_id"),
    ),
    "evaluation_paper_confirmed": Words(
        lazy_gettext("An evaluation paper that you entered was confirmed."),
        "evaluation_paper_pages.show_paper",
        ("kind", "paper_id"),
    ),
    "evaluation_paper_refused": Words(
        lazy_gettext("An evaluation paper that you entered was refused. Please read why."),
        "evaluation_paper_pages.show_paper",
        ("kind", "paper_id"),
    ),
    "evaluation_paper_contested": Words(
        lazy_gettext(
            "A member says their side to an evaluation paper. Please read it and answer."
        ),
        "evaluation_paper_pages.show_paper",
        ("kind", "paper_id"),
    ),
    "deduction_entered": Words(
        lazy_gettext(
            "A deduction from your evaluation was entered and waits for a second"
            " person. You can read the reason and say your side."
        ),
        "own_paper_pages.list_own",
    ),
    "deduction_confirmed": Words(
        lazy_gettext(
            "A deduction from your evaluation was confirmed. You can read the reason"
            " and say your side. Your points are not touched."
        ),
        "own_paper_pages.list_own",
    ),
    "deduction_refused": Words(
        lazy_gettext(
            "A deduction that was entered about you was refused. Nothing was taken off."
        ),
        "own_paper_pages.list_own",
    ),
    "deduction_lifted": Words(
        lazy_gettext("A deduction from your evaluation was lifted. It no longer counts."),
        "own_paper_pages.list_own",
    ),
    "veto_entered": Words(
        lazy_gettext(
            "A veto over your evaluation was entered and waits for a second person. You"
            " can read the reason and say your side."
        ),
        "own_paper_pages.list_own",
    ),
    "veto_confirmed": Words(
        lazy_gettext(
            "A veto over your evaluation of this year was confirmed. You can read the"
            " reason and say your side; the branch committee decides the grade."
        ),
        "own_paper_pages.list_own",
    ),
    "veto_refused": Words(
        lazy_gettext("A veto that was entered about you was refused. It does not count."),
        "own_paper_pages.list_own",
    ),
    "veto_lifted": Words(
        lazy_gettext("A veto over your evaluation was lifted. It no longer counts."),
        "own_paper_pages.list_own",
    ),
    "statement_answered": Words(
        lazy_gettext(
            "What you said to a paper about your evaluation was answered. Please read it."
        ),
        "own_paper_pages.list_own",
    ),
    "exemption_confirmed": Words(
        lazy_gettext(
            "You are exempt from the evaluation, or evaluated as a mobile member, from"
            " now on as it is written there."
        ),
        "own_paper_pages.list_own",
    ),
    "exemption_refused": Words(
        lazy_gettext(
            "An exemption from the evaluation that was asked for you was refused."
            " Please ask your branch."
        ),
        "own_paper_pages.list_own",
    ),
    "exemption_ended": Words(
        lazy_gettext("Your exemption from the evaluation has ended. You are evaluated again."),
        "own_paper_pages.list_own",
    ),
    "late_entry_confirmed": Words(
        lazy_gettext(
            "Service of yours that had not been counted was entered late and confirmed. It"
            " gives time and evaluation, and no points."
        ),
        "own_paper_pages.list_own",
    ),
    "late_entry_refused": Words(
        lazy_gettext(
            "Service that was to be entered late for you was refused. Please read why."
        ),
        "own_paper_pages.list_own",
    ),
    "late_entry_lifted": Words(
        lazy_gettext("Service that was entered late for you was taken back."),
        "own_paper_pages.list_own",
    ),
    "appraisal_entered": Words(
        lazy_gettext(
            "The counts of a democratic appraisal were entered. They need a second"
            " person: please compare them with the paper and decide."
        ),
        "appraisal_pages.show_appraisal",
        ("appraisal_id",),
    ),
}
