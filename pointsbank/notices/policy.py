"""Who does what with notices, and for how many working days each kind is shown."""

from pointsbank.notices.models import WINDOW_DAYS, WINDOW_DAYS_AGAIN, WINDOW_DAYS_CERTIFICATE

# Who reviews a notice and answers what is said against it, within their scope (支委会).
REVIEWERS = ("administrator", "secretary", "committee")
READERS = (*REVIEWERS, "organizer", "auditor")
# An auditor reads what was said and decided; an organizer sees notices only.
OBJECTION_READERS = (*REVIEWERS, "auditor")


# A reason that a job gives is kept as a code and worded for its reader (notices/words.py).
OBJECTION_UPHELD = "objection_upheld"


def window_days_of(kind: str, *, is_again: bool = False) -> int:
    """Return for how many working days a notice of this kind is shown.

    is_again: it replaces one that the public has seen.
    """
    if is_again:
        return WINDOW_DAYS_AGAIN
    return WINDOW_DAYS_CERTIFICATE if kind == "certificate" else WINDOW_DAYS
