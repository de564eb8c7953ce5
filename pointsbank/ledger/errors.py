"""What the ledger refuses."""

from pointsbank.core.errors import Conflict, Invalid, NotFound


class BadPoints(Invalid):
    """Points are whole, at least 1, and at most the limit of one transfer."""

    code = "bad_points"
    message = "Points must be a whole number from 1 to %(limit)s."


class AccountNotFound(NotFound):
    """No account has this code."""

    code = "account_not_found"
    message = "There is no such account."


class AccountClosed(Conflict):
    """The account takes no more transfers."""

    code = "account_closed"
    message = "This account is closed."


class NotEnoughPoints(Conflict):
    """The available balance, open holds taken off, is below what is asked."""

    code = "not_enough_points"
    message = "Not enough points: %(available)s available, %(needed)s needed."


class TransferNotFound(NotFound):
    """No transfer has this id."""

    code = "transfer_not_found"
    message = "There is no such line in the ledger."


class AlreadyReversed(Conflict):
    """No more can be reversed than was transferred."""

    code = "already_reversed"
    message = "Only %(left)s points of this line are left to reverse."
