"""The words of messages about stars, plans of organizations and honours."""

from flask_babel import lazy_gettext

from pointsbank.messages.wording import Words

CERTIFICATE_WORDS: dict[str, Words] = {
    "star_applied": Words(
        lazy_gettext("A member applies for a volunteer star. Please look at it."),
        "star_pages.show_application",
        ("application_id",),
    ),
    "star_refused": Words(
        lazy_gettext("Your application for %(stars)s stars was not granted: %(reason)s."),
        "own_star_pages.show",
    ),
    "star_refused_service_time_fell": Words(
        lazy_gettext(
            "Your application for %(stars)s stars was not granted: when the notice ended, your"
            " service was below %(hours)s hours."
        ),
        "own_star_pages.show",
    ),
    "star_refused_account_stopped": Words(
        lazy_gettext(
            "Your application for %(stars)s stars was not granted: when the notice ended, your"
            " account was stopped."
        ),
        "own_star_pages.show",
    ),
    "star_refused_star_revoked": Words(
        lazy_gettext(
            "Your application for %(stars)s stars was not granted: a star of yours was revoked"
            " and the bar has not ended."
        ),
        "own_star_pages.show",
    ),
    "star_refused_objection_upheld": Words(
        lazy_gettext(
            "Your application for %(stars)s stars was not granted: an objection to the public"
            " notice was upheld."
        ),
        "own_star_pages.show",
    ),
    "star_awarded": Words(
        lazy_gettext("You are a volunteer of %(stars)s stars now. Here is your certificate."),
        "own_star_pages.show_certificate",
        ("application_id",),
    ),
    "star_revoked": Words(
        lazy_gettext(
            "Your %(stars)s stars were revoked: %(reason)s. You can apply again from"
            " %(until_on)s on."
        ),
        "own_star_pages.show",
    ),
    "star_revocation_asked": Words(
        lazy_gettext(
            "Somebody asks that a volunteer star is revoked. It needs a second person: please"
            " decide."
        ),
        "star_pages.show_application",
        ("application_id",),
    ),
    "star_revocation_confirmed": Words(
        lazy_gettext("The star whose revocation you asked for was revoked."),
        "star_pages.show_application",
        ("application_id",),
    ),
    "star_revocation_rejected": Words(
        lazy_gettext("The star whose revocation you asked for stands."),
        "star_pages.show_application",
        ("application_id",),
    ),
    "plan_item_yours": Words(
        lazy_gettext("A task of your organization's plan of the year is yours. Please look."),
        "plan_pages.show_plan",
        ("plan_id",),
    ),
    "plan_item_overdue": Words(
        lazy_gettext(
            "“%(task)s” of the plan of the year was due on %(due_on)s. If it is done, please"
            " say so and what proves it."
        ),
        "plan_pages.show_plan",
        ("plan_id",),
    ),
    "plan_item_overdue_below": Words(
        lazy_gettext("“%(task)s” of the plan of the year was due on %(due_on)s and is open."),
        "plan_pages.show_plan",
        ("plan_id",),
    ),
    "plan_self_rated": Words(
        lazy_gettext("“%(organization)s” has rated its plan of the year. Please review it."),
        "plan_pages.show_plan",
        ("plan_id",),
    ),
    "plan_reviewed": Words(
        lazy_gettext(
            "The plan of the year was reviewed: %(marks)s marks, that is %(stars)s stars."
        ),
        "plan_pages.show_plan",
        ("plan_id",),
    ),
    "plan_awarded": Words(
        lazy_gettext("Your organization was awarded %(stars)s stars for %(year)s."),
        "plan_pages.show_plan",
        ("plan_id",),
    ),
    "honour_recorded": Words(
        lazy_gettext(
            "An honour of a member was recorded. It needs a second person: please compare it"
            " with the paper."
        ),
        "honour_pages.show_of_member",
        ("member_id",),
    ),
    "honour_confirmed": Words(
        lazy_gettext("“%(title)s” stands in your file now. We congratulate you."),
        "honour_pages.show_own",
    ),
    "honour_rejected": Words(
        lazy_gettext("An honour that you recorded was not confirmed: %(reason)s."),
        "honour_pages.show_of_member",
        ("member_id",),
    ),
}
