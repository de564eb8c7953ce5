"""The words of messages about the scheduler's jobs, to who administers everything."""

from flask_babel import lazy_gettext

from pointsbank.messages.wording import Words

JOB_WORDS: dict[str, Words] = {
    "calendar_missing": Words(
        lazy_gettext(
            "The holidays of %(year)s are not loaded yet. Please load the announcement: until"
            " then the days of public notices are counted Monday to Friday."
        ),
        "organization_pages.show_calendar",
    ),
    "job_failing": Words(
        lazy_gettext(
            "A job of this service fails again and again: “%(job)s”. Please tell whoever runs"
            " the service today; what it should have done is not lost, and is done once it"
            " works again."
        ),
        "job_pages.show_job",
        ("job",),
    ),
    "job_stuck": Words(
        lazy_gettext(
            "A job of this service has been at work for too long: “%(job)s”. It holds up the"
            " others. Please tell whoever runs the service today."
        ),
        "job_pages.show_job",
        ("job",),
    ),
    "job_late": Words(
        lazy_gettext(
            "A job of this service is late: “%(job)s”. Please tell whoever runs the service"
            " today."
        ),
        "job_pages.show_job",
        ("job",),
    ),
    "job_well": Words(
        lazy_gettext(
            "All clear: the job “%(job)s”, which was in trouble since %(began_at)s, works"
            " again."
        ),
        "job_pages.show_job",
        ("job",),
    ),
}
