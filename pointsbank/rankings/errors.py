"""What the rankings room refuses."""

from pointsbank.core.errors import NotAllowed, NotFound


class RankingNotShown(NotAllowed):
    """Where the setting is off, nobody but those who answer for a branch sees a ranking."""

    code = "ranking_not_shown"
    message = "Rankings are not shown to members here."


class StandingNotFound(NotFound):
    """No such standing within what the person may see."""

    code = "standing_not_found"
    message = "Nothing has been counted for this person in this period."
