"""What series, single dates of them and standing claims refuse."""

from pointsbank.core.errors import Conflict, Invalid, NotFound


class SeriesNotFound(NotFound):
    """No such series within what the person may see."""

    code = "series_not_found"
    message = "There is no such series."


class StandingClaimNotFound(NotFound):
    """No such standing claim of this person."""

    code = "standing_claim_not_found"
    message = "There is no such standing claim."


class BadRule(Invalid):
    """A rule of recurrence that cannot be read, or is of a kind that is not taken."""

    code = "bad_rule"
    message = "A rule of recurrence is written like FREQ=WEEKLY;BYDAY=SA."


class BadSpan(Invalid):
    """A series, or a change of one, begins and ends on days that can be."""

    code = "bad_span"
    message = "These days do not fit: look again at the first and the last day."


class SeriesEnded(Conflict):
    """A series that is over, or that another one carries on, stays as it is."""

    code = "series_ended"
    message = "This series has ended."


class ShiftRepeats(Conflict):
    """A shift belongs to one series."""

    code = "shift_repeats"
    message = "This shift belongs to a series already."


class TooManySeries(Conflict):
    """So that one task stays a task that people can read."""

    code = "too_many_series"
    message = "A task has %(most)s running series at most."


class ApprovalMissing(Conflict):
    """What many people come to is looked at by a second person first."""

    code = "approval_missing"
    message = "More than %(most)s places need an approval. Plan a task of its own for them."


class DateCalledOff(Conflict):
    """A date that does not take place is neither claimed nor changed."""

    code = "date_called_off"
    message = "This date has been called off."


class DateUnderWay(Conflict):
    """What has begun is recorded as it was planned."""

    code = "date_under_way"
    message = "This date has begun and stays as it was planned."


class PlacesBelowClaims(Conflict):
    """Nobody loses a place because a date was changed."""

    code = "places_below_claims"
    message = "%(claimed)s places are taken or kept. There cannot be fewer."


class NotOfTheSeries(Invalid):
    """A standing claim is for weekdays on which the series takes place, and a role of it."""

    code = "not_of_the_series"
    message = "The series has no such weekday or role."
