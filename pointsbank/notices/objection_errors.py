"""What reviews of notices and objections to them refuse."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound, TooMany


class NoticeReviewed(Conflict):
    """A draft is reviewed once; what was reviewed is corrected by a new version."""

    code = "notice_reviewed"
    message = "This notice was reviewed already or taken back. Please load the page again."


class DraftReviewedByAnother(NotAllowed):
    """Who drafted a notice does not review it."""

    code = "draft_reviewed_by_another"
    message = "You drafted this notice. Somebody else has to review it."


class OwnLine(NotAllowed):
    """Nobody reviews their own line, nor answers what is said against it."""

    code = "own_line"
    message = "This is about you. Somebody else has to decide it."


class NoticeNotOpen(Conflict):
    """Objections are taken while the window lasts."""

    code = "notice_not_open"
    message = "The time for objections to this notice is over, or has not begun."


class LineUnknown(NotFound):
    """An objection is about the whole notice, or about a line of it."""

    code = "line_unknown"
    message = "This notice has no such line."


class FactsMissing(Invalid):
    """Without a name an objection can only be judged by facts."""

    code = "facts_missing"
    message = (
        "Without your name we can only go by facts. Please write at least %(letters)s"
        " characters: what happened, when and where."
    )


class AlreadyObjected(Conflict):
    """One objection of a person to one line is dealt with at a time."""

    code = "already_objected"
    message = "You have said this already, and it is being dealt with."


class TooManyObjections(TooMany):
    """Objections without a name are limited by place and by notice."""

    code = "too_many_objections"
    message = (
        "Too many objections without a name came in. Please wait %(minutes)s minutes, sign in,"
        " or tell the branch committee."
    )


class ObjectionNotFound(NotFound):
    """No such objection within what the person may see, or no such receipt."""

    code = "objection_not_found"
    message = "There is no such objection."


class ObjectionAnswered(Conflict):
    """An objection is answered once."""

    code = "objection_answered"
    message = "This objection was answered already. Please load the page again."


class ObjectionDecided(Conflict):
    """An objection is decided once, after it was accepted for investigation."""

    code = "objection_decided"
    message = "This objection is not open for a decision. Please load the page again."


class OwnObjection(NotAllowed):
    """Nobody answers or decides their own objection."""

    code = "own_objection"
    message = "You raised this objection. Somebody else has to decide it."
