"""What running a job refuses."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound


class JobUnknown(NotFound):
    """No job has this name."""

    code = "job_unknown"
    message = "There is no job of this name; there are: %(names)s."


class DayNotOver(Invalid):
    """Expiry works for days that have come, never ahead of them."""

    code = "day_not_over"
    message = "The period of this job is a day such as 2026-11-21, today or before."


class LeaseLost(Conflict):
    """Another scheduler took the lease while this one was at work; the work is undone."""

    code = "lease_lost"
    message = "Another scheduler holds the lease."


class JobsForWhole(NotAllowed):
    """Jobs work for the whole installation, so a role over a part of it is too little."""

    code = "jobs_for_whole"
    message = "This is for those who look after the whole installation."


class JobAskedAlready(Conflict):
    """A run was asked for and has not begun yet."""

    code = "job_asked_already"
    message = "This job was asked for already. It begins within a minute."
