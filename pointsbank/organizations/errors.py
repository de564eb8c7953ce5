"""What the organizations room refuses."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound


class OrganizationNotFound(NotFound):
    """No such organization within what the person may see."""

    code = "organization_not_found"
    message = "There is no such organization."


class MerchantNotFound(NotFound):
    """No such merchant within what the person may see."""

    code = "merchant_not_found"
    message = "There is no such merchant."


class OrganizationCodeTaken(Conflict):
    """A code names one organization."""

    code = "organization_code_taken"
    message = "This organization code is already in use."


class TreeTooDeep(Invalid):
    """The path of a node must fit its column."""

    code = "tree_too_deep"
    message = "Organizations can stand at most %(levels)s levels below one another."


class UnknownKind(Invalid):
    """Kinds are words from a fixed list."""

    code = "unknown_kind"
    message = "This kind is not known."


class MerchantNameMissing(Invalid):
    """A merchant has a name that fits its column."""

    code = "merchant_name_missing"
    message = "A merchant needs a name of at most 120 characters."


class CalendarForWhole(NotAllowed):
    """One calendar counts everywhere, so a role over a part is too little to change it."""

    code = "calendar_for_whole"
    message = "The calendar is kept by those who look after the whole installation."


class CalendarDayUnknown(Invalid):
    """Only a day that was loaded can be taken off."""

    code = "calendar_day_unknown"
    message = "This day was not loaded."
