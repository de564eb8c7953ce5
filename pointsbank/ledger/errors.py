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


class PartOfMove(Conflict):
    """A line of a gift or donation is taken back with its counterpart, never alone."""

    code = "part_of_move"
    message = "This line belongs to a gift or a donation and can only be reversed as a whole."


class HoldNotFound(NotFound):
    """No hold has this id."""

    code = "hold_not_found"
    message = "There is no such hold."


class HoldDecided(Conflict):
    """The hold was settled, voided or expired before; state tells which."""

    code = "hold_decided"
    message = "These points are no longer held: they were paid, released or out of time."


class BudgetSpent(Conflict):
    """The issue budget of the month holds fewer points than are to be issued."""

    code = "budget_spent"
    message = "Only %(left)s points are left of the issue budget of %(month)s."


class BudgetBelowIssued(Conflict):
    """A month's budget is not set below what was already issued in it."""

    code = "budget_below_issued"
    message = "%(issued)s points were already issued in %(month)s; the budget cannot be lower."


class BlockNotFound(NotFound):
    """No block with this number was sealed yet."""

    code = "block_not_found"
    message = "There is no block with this number."
