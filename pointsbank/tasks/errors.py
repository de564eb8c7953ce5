"""What the tasks room refuses."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound


class TaskNotFound(NotFound):
    """No such task within what the person may see."""

    code = "task_not_found"
    message = "There is no such task."


class ShiftNotFound(NotFound):
    """No such shift within what the person may see."""

    code = "shift_not_found"
    message = "There is no such shift."


class RoleNotFound(NotFound):
    """No such role on this shift."""

    code = "shift_role_not_found"
    message = "There is no such role on this shift."


class ClaimNotFound(NotFound):
    """No such claim of this person."""

    code = "claim_not_found"
    message = "There is no such claim."


class ShiftEndsBeforeStart(Invalid):
    """A shift is a span of time."""

    code = "ends_before_start"
    message = "A shift ends after it starts."


class ShiftTooLong(Invalid):
    """Longer than a day is several shifts."""

    code = "shift_too_long"
    message = "A shift lasts 24 hours at most. Make several shifts of it."


class ShiftInThePast(Invalid):
    """Nobody can claim what is over."""

    code = "shift_in_the_past"
    message = "A shift that is already over cannot be published."


class HalfAPosition(Invalid):
    """A place on the map has both numbers."""

    code = "half_a_position"
    message = "A position needs both latitude and longitude."


class NotOpen(Conflict):
    """Members can claim only what is published and not called off."""

    code = "task_not_open"
    message = "This task is not open."


class ShiftOver(Conflict):
    """After the end of a shift its places stand as they are."""

    code = "shift_over"
    message = "This shift is already over."


class BadEligibility(Invalid):
    """What is asked of people is a tree of known rules that somebody can fulfil."""

    code = "bad_eligibility"
    message = "These requirements are not written as we read them."


class NotEligible(NotAllowed):
    """The person lacks what is asked for; missing holds the easiest way to get it."""

    code = "not_eligible"
    message = "You do not have everything yet that is asked for here."
