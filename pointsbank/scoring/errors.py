"""What the scoring room refuses."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound


class NoStandard(NotFound):
    """No version of the scoring standard was in force on that day."""

    code = "no_standard"
    message = "No scoring standard is in force on this day."


class UnknownScoringItem(Invalid):
    """Work is scored only by an item of the standard in force."""

    code = "unknown_scoring_item"
    message = "The scoring standard in force has no such item."


class AdjustmentNotFound(NotFound):
    """No such adjustment, or of a member outside of the reader's scope."""

    code = "adjustment_not_found"
    message = "There is no such manual adjustment."


class AdjustmentForOneself(NotAllowed):
    """Whoever asks and whoever gains are two people; a CHECK of the table says so too."""

    code = "adjustment_for_oneself"
    message = "Nobody asks for a manual adjustment of their own points or time."


class SecondPersonNeeded(NotAllowed):
    """Whoever asked for an adjustment does not decide it, nor does whoever it is for."""

    code = "second_person_needed"
    message = "A second person decides: neither who asked for it nor who it is for."


class OneMeasureNeeded(Invalid):
    """An adjustment has points or minutes, never both: minutes by hand earn no points."""

    code = "one_measure_needed"
    message = "Give either points or service minutes, above or below 0."


class BadOccurredOn(Invalid):
    """What is entered by hand happened within the last days, not in the future."""

    code = "bad_occurred_on"
    message = "It must have happened within the last %(days)s days, and not in the future."


class AdjustmentMonthFull(Conflict):
    """So much by hand for one person in one month, and no more."""

    code = "adjustment_month_full"
    message = "By hand only %(left)s are left for this member this month."


class AdjustmentDecided(Conflict):
    """Somebody decided it before."""

    code = "adjustment_decided"
    message = "This manual adjustment was decided before."


class AdjustmentLapsed(Conflict):
    """Nobody decided it in time."""

    code = "adjustment_lapsed"
    message = "This manual adjustment was not decided in time and has lapsed."


class DayAlreadyFull(Conflict):
    """Entered by hand or not, no local day counts more than its limit."""

    code = "day_already_full"
    message = "That day counts %(counted)s minutes already, and no day more than %(most)s."


class NotEnoughMinutes(Conflict):
    """Service time cannot fall below nothing."""

    code = "not_enough_minutes"
    message = "The member has only %(minutes)s minutes of service time."
