"""What the attendance room refuses. A refused scan is not among these: it is a verdict, and
kept."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound


class ScanNotFound(NotFound):
    """No such scan of this person."""

    code = "scan_not_found"
    message = "There is no such scan."


class UndoTooLate(Conflict):
    """A scan can be taken back for a minute, by whoever made it."""

    code = "undo_too_late"
    message = "A scan can be taken back within 60 seconds only."


class CannotUndo(Conflict):
    """Nothing stands on this scan, or something later stands on it."""

    code = "cannot_undo"
    message = "This scan cannot be taken back."


class ShiftNotOver(Conflict):
    """Settling waits for the end."""

    code = "shift_not_over"
    message = "This shift is not over yet."


class StationOver(Conflict):
    """The keys of a shift's codes are not handed out once it is long over."""

    code = "station_over"
    message = "This shift has been over for two hours; its station needs no list any more."


class OvertimeNotFound(NotFound):
    """Nobody asked for overtime of this shift, or it is not within what the person may see."""

    code = "overtime_not_found"
    message = "Nobody asked for overtime of this shift."


class OvertimeOutOfBounds(Invalid):
    """Overtime is after the end, and not a shift of its own; facts: hours."""

    code = "overtime_out_of_bounds"
    message = "Overtime ends after the shift does, and %(hours)s hours later at most."


class OvertimeDecided(Conflict):
    """Overtime is decided once."""

    code = "overtime_decided"
    message = "This overtime was decided already."


class OvertimePending(Conflict):
    """What is asked for is decided, or taken back, before the shift is settled."""

    code = "overtime_pending"
    message = (
        "The overtime of this shift waits for a decision. Let it be decided or take it back, "
        "then settle."
    )


class OwnOvertime(NotAllowed):
    """Who asked for overtime does not decide about it."""

    code = "own_overtime"
    message = "You asked for this overtime: somebody else has to decide."


class SettledBefore(Conflict):
    """Once a shift is settled its hours stand."""

    code = "settled_before"
    message = "This shift has been settled; its hours stand as they are."


class OwnAttendance(NotAllowed):
    """Nobody completes their own marks."""

    code = "own_attendance"
    message = "This is your own attendance: somebody else has to do this."


class CheckOutOutOfBounds(Invalid):
    """People leave after they came, and not in the future."""

    code = "check_out_out_of_bounds"
    message = "A check-out is after the check-in, and not in the future."


class NobodyLacksCheckOut(Conflict):
    """These people have a check-out, or never came."""

    code = "nobody_lacks_check_out"
    message = "There is no check-out missing here."


class NotHeld(Conflict):
    """Nothing about this person waits for the lead."""

    code = "not_held"
    message = "Nothing about this person waits for you."


class NotAttended(NotFound):
    """The person stands nowhere on this shift's list."""

    code = "not_attended"
    message = "You are not on the list of this shift."


class NoShowNotFound(NotFound):
    """No such record, or not within what the person may see."""

    code = "no_show_not_found"
    message = "There is no such record."


class HasCome(Conflict):
    """Somebody who came, or never had a place, did not stay away."""

    code = "has_come"
    message = "This person came, or had no place on this shift."


class AnswerTooLate(Conflict):
    """A record can be answered for some days; facts: days."""

    code = "answer_too_late"
    message = "This could be answered within %(days)s days only."


class NoShowDecided(Conflict):
    """A record is decided once; facts: state."""

    code = "no_show_decided"
    message = "This was decided already."


class OwnNoShow(NotAllowed):
    """Who recorded it, or whom it is about, does not decide."""

    code = "own_no_show"
    message = "You recorded this, or it is about you: somebody else has to decide."


class WalkInNotTaken(Conflict):
    """The check-in of somebody new was refused, so they were not registered; reason: why."""

    code = "walk_in_not_taken"
    message = "The person could not be checked in and was not registered."
