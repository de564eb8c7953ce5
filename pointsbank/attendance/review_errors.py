"""What reviews, co-signatures, counts, roll calls and differences refuse."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound


class ReviewNotFound(NotFound):
    """No such attendance under review, or not within what the person may see."""

    code = "review_not_found"
    message = "There is no such attendance to look at."


class ReviewDecided(Conflict):
    """A review is decided once; facts: state."""

    code = "review_decided"
    message = "Somebody decided about this attendance already."


class OwnReview(NotAllowed):
    """Nobody decides what they organized, settled, or took part in themselves."""

    code = "own_review"
    message = (
        "You organized this shift, settled it, or it is your own attendance: "
        "somebody else has to decide."
    )


class ReviewNoteMissing(Invalid):
    """A refusal says why."""

    code = "review_note_missing"
    message = "Please say why the attendance is not counted."


class CoSignatureMissing(Conflict):
    """A large shift is vouched for by a second person before it is settled; facts: people."""

    code = "co_signature_missing"
    message = (
        "%(people)s people came. A second person has to sign for the list before it is settled."
    )


class CannotVouch(NotAllowed):
    """Whoever organizes a shift or scanned others in does not vouch for their own list."""

    code = "cannot_vouch"
    message = (
        "You organize this shift or scanned people in: somebody who was there has to sign."
    )


class NobodyCame(Conflict):
    """There is no list to vouch for, or nobody to call up."""

    code = "nobody_came"
    message = "Nobody is here yet."


class NoSuchSigner(NotFound):
    """Only who was there or oversees the shift can be asked."""

    code = "no_such_signer"
    message = "This person was not at the shift and does not oversee it."


class ShiftNotRunning(Conflict):
    """Heads are counted and people called up while they are there."""

    code = "shift_not_running"
    message = "This shift is not running now."


class HeadCountMissing(Invalid):
    """A form of a head count holds a whole number; facts: most."""

    code = "head_count_missing"
    message = "Please type how many people you see: a whole number up to %(most)s."


class RollCallNotFound(NotFound):
    """No such roll call, or this person was not called in it."""

    code = "roll_call_not_found"
    message = "Nobody of this name was called."


class RollCallAnswered(Conflict):
    """What was seen stands, save for a slip of the finger; facts: is_here."""

    code = "roll_call_answered"
    message = "This person was marked already, and that stands."


class DifferenceNotFound(NotFound):
    """No such difference within what the person may see."""

    code = "difference_not_found"
    message = "There is no such difference."


class DifferenceDecided(Conflict):
    """A difference is settled once; facts: decision."""

    code = "difference_decided"
    message = "This difference was settled already."


class DifferenceOfNobody(Conflict):
    """The server could not tell whose code it was, so nobody can be let in by it."""

    code = "difference_of_nobody"
    message = (
        "The code does not tell whose it is. Check the person in by name instead, "
        "then leave this one out."
    )


class StillRefused(Conflict):
    """What no lead can lift stands in the way; facts: reason."""

    code = "still_refused"
    message = "This cannot be let in: what stands in the way cannot be lifted here."


class WhyMissing(Invalid):
    """What is entered by hand says why."""

    code = "why_missing"
    message = "Please say why."
