"""What is refused of registering at home as well."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound


class RegistrationNotFound(NotFound):
    """No such registration, or none that this person may see."""

    code = "registration_not_found"
    message = "There is no such registration."


class NotPartyMember(NotAllowed):
    """Only party members have a work unit's branch and a home community to register with."""

    code = "not_party_member"
    message = "Registering at home is for party members. Please ask your branch secretary."


class NotACommunity(Invalid):
    """A home is a community."""

    code = "not_a_community"
    message = "There is no community with this code. Please choose one from the list."


class NotAWorkUnit(Invalid):
    """The other side is a work unit."""

    code = "not_a_work_unit"
    message = "There is no work unit with this code. Please choose one from the list."


class AlreadyRegistered(Conflict):
    """One home and one unit at a time."""

    code = "already_registered"
    message = "There is a registration already. End it before another one begins."


class OwnRegistration(NotAllowed):
    """Nobody accepts or confirms their own registration, nor writes about themselves."""

    code = "own_registration"
    message = "Please ask a colleague: nobody decides on their own registration."


class OtherSideDecides(NotAllowed):
    """The community accepts and comments; the work unit confirms."""

    code = "other_side_decides"
    message = "This is for the other side to do: the community accepts, the work unit confirms."


class RegistrationMoved(Conflict):
    """Somebody was faster, or the registration is past this step."""

    code = "registration_moved"
    message = "This registration stands otherwise by now. Please look at it again."


class BadFirstDay(Invalid):
    """A registration begins within a year of today."""

    code = "bad_first_day"
    message = "The first day lies at most %(days)s days before or after today."


class NoCommentedQuarter(Invalid):
    """A comment is about a quarter in which the person was registered."""

    code = "no_commented_quarter"
    message = "The person was not registered in this quarter."
