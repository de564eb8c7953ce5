"""What is refused about honours."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound


class HonourNotFound(NotFound):
    """No such honour, or not of a member within what the person may see."""

    code = "honour_not_found"
    message = "There is no such honour."


class OwnHonour(NotAllowed):
    """Nobody records, confirms or withdraws what honours themselves."""

    code = "own_honour"
    message = "Please ask a colleague: nobody records or confirms an honour of their own."


class HonourRecorded(Conflict):
    """The same title of the same day stands once."""

    code = "honour_recorded"
    message = "This honour is recorded already."


class HonourDecided(Conflict):
    """It was confirmed, rejected or withdrawn before."""

    code = "honour_decided"
    message = "This honour was decided or withdrawn before."


class SecondPersonForHonour(NotAllowed):
    """Whoever recorded an honour does not confirm it."""

    code = "second_person_for_honour"
    message = "A second person confirms an honour, who compares it with the paper."


class BadGrantedOn(Invalid):
    """An honour was granted on a day that has come."""

    code = "bad_granted_on"
    message = "An honour was granted today or earlier, at most %(years)s years ago."
