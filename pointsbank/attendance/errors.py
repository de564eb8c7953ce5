"""What the attendance room refuses. A refused scan is not among these: it is a verdict, and
kept."""

from pointsbank.core.errors import Conflict, NotFound


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
