"""What the secretary's reports refuse."""

from pointsbank.core.errors import Conflict, Invalid, NotFound


class NoUnitSheet(NotFound):
    """Nobody of this unit was registered at home in the quarter, as far as one may see."""

    code = "no_unit_sheet"
    message = "Nobody of this work unit was registered at home in this quarter."


class NoTableYet(Conflict):
    """A table for the wall is made of what was counted."""

    code = "no_table_yet"
    message = "Nothing has been counted for this quarter yet."


class NotAYear(Invalid):
    """An archive holds a calendar year."""

    code = "not_a_year"
    message = "A year is written 2026."
