"""What the search for unusual patterns refuses."""

from pointsbank.core.errors import Invalid


class BadDaySpan(Invalid):
    """Patterns are looked for within a span of days."""

    code = "bad_day_span"
    message = "Days are written 2026-11-21, in their order, at most %(days)s of them."
