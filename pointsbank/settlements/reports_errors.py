"""What the reports refuse."""

from pointsbank.core.errors import Invalid


class BadMonthSpan(Invalid):
    """A report covers a few months, the running one at most."""

    code = "bad_month_span"
    message = "A report covers %(months)s months at most, in their order, and none to come."
