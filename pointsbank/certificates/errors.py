"""What the room refuses about the stars of volunteers."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound, TooMany


class StarNotReached(Conflict):
    """A star is applied for once its hours are served."""

    code = "star_not_reached"
    message = "This star needs %(hours)s hours of service; %(done)s are served so far."


class StarHeld(Conflict):
    """Nobody applies for what they have, nor for less."""

    code = "star_held"
    message = "This star, or a higher one, was awarded already."


class StarAppliedFor(Conflict):
    """One application at a time."""

    code = "star_applied_for"
    message = "An application is on its way. Please wait for its end, or withdraw it first."


class ApplicantBarred(Conflict):
    """After a star was revoked nobody applies again for some years."""

    code = "applicant_barred"
    message = "A star was revoked. It is possible to apply again from %(until)s on."


class StarApplicationNotFound(NotFound):
    """No such application, or not within what the person may see."""

    code = "star_application_not_found"
    message = "There is no such application for a star."


class StarApplicationMoved(Conflict):
    """The application is not at the stage that this needs."""

    code = "star_application_moved"
    message = "This application was decided or withdrawn meanwhile. Please look at it again."


class OwnStar(NotAllowed):
    """Nobody decides on their own star; a CHECK of the table says so too."""

    code = "own_star"
    message = "Please ask a colleague: nobody decides on their own star."


class NothingChosen(Invalid):
    """A notice is about somebody."""

    code = "nothing_chosen"
    message = "Please choose at least one line for the notice."


class RevocationNotFound(NotFound):
    """No such revocation, or not within what the person may see."""

    code = "revocation_not_found"
    message = "There is no such revocation."


class RevocationAsked(Conflict):
    """A star is taken back once."""

    code = "revocation_asked"
    message = "Somebody asked for this already. A second person decides."


class RevocationDecided(Conflict):
    """Somebody decided it before."""

    code = "revocation_decided"
    message = "This was decided before."


class SecondPersonForStar(NotAllowed):
    """Whoever asked to revoke a star does not decide it, nor does whoever has it."""

    code = "second_person_for_star"
    message = "A second person decides: neither who asked for it nor who has the star."


class BadLevels(Invalid):
    """A set of levels rises from one star to five."""

    code = "bad_levels"
    message = "Each star must need more than the one before it."


class LevelsTooSoon(Invalid):
    """What holds today was promised to those who apply today."""

    code = "levels_too_soon"
    message = "A new set of levels is valid from tomorrow at the earliest."


class LevelsNotFound(NotFound):
    """Only a set that is still to come is taken back."""

    code = "levels_not_found"
    message = "There is no such set of levels that is still to come."


class WholeNeeded(NotAllowed):
    """The same levels hold for everyone, so only one who answers for everyone sets them."""

    code = "whole_needed"
    message = "Only an administrator of the whole district sets the levels."


class StarNumberNotFound(NotFound):
    """No award has this number; whether it is mistyped or invented is not said."""

    code = "star_number_not_found"
    message = "No star was awarded under this number. Please compare it with the paper."


class TooManyNumbers(TooMany):
    """Whoever tries many numbers is looking for people, not at a certificate."""

    code = "too_many_numbers"
    message = "Many numbers were looked up from here. Please wait %(minutes)s minutes."
