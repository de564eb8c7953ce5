"""What the scoring room refuses."""

from pointsbank.core.errors import Invalid, NotFound


class NoStandard(NotFound):
    """No version of the scoring standard was in force on that day."""

    code = "no_standard"
    message = "No scoring standard is in force on this day."


class UnknownScoringItem(Invalid):
    """Work is scored only by an item of the standard in force."""

    code = "unknown_scoring_item"
    message = "The scoring standard in force has no such item."
