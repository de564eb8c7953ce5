"""What setting a budget refuses."""

from pointsbank.core.errors import Conflict, Invalid


class NotAMonth(Invalid):
    """A month is written as its year and its number."""

    code = "not_a_month"
    message = "A month is written 2026-11."


class MonthOver(Conflict):
    """What was issued in a month that is over cannot be limited any more."""

    code = "month_over"
    message = "This month is over; its budget can no longer be set."


class NotAnIssuer(Conflict):
    """Organizations within a community issue from the community's budget."""

    code = "not_an_issuer"
    message = "This organization issues from the budget of its community. Set that one."
