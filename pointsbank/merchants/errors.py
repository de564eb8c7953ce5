"""What the merchants room refuses."""

from pointsbank.core.errors import Conflict, Invalid, NotFound


class ShopNotFound(NotFound):
    """No such shop within what the person may see."""

    code = "shop_not_found"
    message = "There is no such shop."


class ShopNameTaken(Conflict):
    """Two shops of a merchant are told apart by their names."""

    code = "shop_name_taken"
    message = "This merchant already has a shop of this name."


class ShopClosed(Conflict):
    """A shop that was closed has no till."""

    code = "shop_closed"
    message = "This shop is closed. Please ask at another shop of this merchant."


class TooManyShops(Conflict):
    """A merchant has so many shops at most."""

    code = "too_many_shops"
    message = "A merchant can have at most %(most)s shops."


class PositionIncomplete(Invalid):
    """A place on the map is two numbers."""

    code = "position_incomplete"
    message = "A position needs both latitude and longitude."


class BadHours(Invalid):
    """Opening hours are spans of a day that do not touch."""

    code = "bad_hours"
    message = (
        "Opening hours are written 08:00-12:00, 14:00-18:00; spans of one day may not overlap."
    )


class NotATill(Invalid):
    """A code of ours that does not stand at a till."""

    code = "not_a_till"
    message = "This is not the code of a shop's till."


class TillCodeReplaced(NotFound):
    """The shop has a newer code, or is no more."""

    code = "till_code_replaced"
    message = "This code is not good any more. Please ask the shop for its new one."
