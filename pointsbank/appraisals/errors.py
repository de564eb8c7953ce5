"""What the room refuses."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound


class PaperNotFound(NotFound):
    """No such deduction, veto or exemption within what the person may see."""

    code = "evaluation_paper_not_found"
    message = "There is no such evaluation paper."


class AppraisalNotFound(NotFound):
    """No such democratic appraisal within what the person may see."""

    code = "appraisal_not_found"
    message = "There is no such democratic appraisal."


class PaperAboutOneself(NotAllowed):
    """Nobody enters anything about themself."""

    code = "paper_about_oneself"
    message = "Nobody enters an evaluation paper about themself; please ask a colleague."


class AnotherPersonNeeded(NotAllowed):
    """Who entered a paper, and whom it is about, never decide it."""

    code = "another_person_needed"
    message = (
        "This needs a second person: neither the one who entered it nor the one it is about."
    )


class PaperDecided(Conflict):
    """A paper is decided once."""

    code = "evaluation_paper_decided"
    message = "Somebody has decided this paper already."


class PaperNotInForce(Conflict):
    """Only what is in force can be lifted."""

    code = "paper_not_in_force"
    message = "Only what was confirmed and still holds can be lifted."


class NotEvaluated(Invalid):
    """Rule: research/domain.md 5: no deductions for residents."""

    code = "member_not_evaluated"
    message = (
        "Only party members and probationary members are evaluated; there are no deductions"
        " and no vetoes for residents and volunteers."
    )


class BadPaperDay(Invalid):
    """A paper is about this year or the one before, and never about a day to come."""

    code = "bad_paper_day"
    message = "The day must lie between %(first_on)s and %(last_on)s."


class BadExemptionSpan(Invalid):
    """An exemption begins within two years around now, and ends after it begins."""

    code = "bad_exemption_span"
    message = "An exemption begins between %(first_on)s and %(last_on)s and ends after that."


class NothingToEnter(Invalid):
    """Less than one step of an item's time is worth nothing."""

    code = "nothing_to_enter"
    message = "This item counts in steps of %(unit_minutes)s minutes. Please enter the time."


class NotOver70(Invalid):
    """The date of birth is known, and the person is younger."""

    code = "not_over_seventy"
    message = "By the date of birth kept here this member is %(age)s on that day, not 70."


class ExemptionStands(Conflict):
    """One exemption for one reason at a time."""

    code = "exemption_stands"
    message = "This member has an exemption for this reason then already."


class StatementStands(Conflict):
    """The member has said their side once already."""

    code = "statement_stands"
    message = "You have said your side already; it stands with the paper."


class NothingToAnswer(Conflict):
    """The member said nothing, or was answered already."""

    code = "nothing_to_answer"
    message = "There is nothing to answer here: nothing was said, or it was answered already."


class NotABranch(Invalid):
    """A democratic appraisal is held by a branch."""

    code = "appraisal_not_of_branch"
    message = "A democratic appraisal is held by a party branch."


class TooManyVotes(Invalid):
    """More votes for somebody than ballots were handed in."""

    code = "too_many_votes"
    message = (
        "For one member more votes were counted than ballots were handed in (%(ballots)s)."
    )


class CountedTwice(Invalid):
    """A member stands on the list once."""

    code = "counted_twice"
    message = "A member stands on the list twice."


class NotOfThisBranch(Invalid):
    """Only party members who belonged to the branch that day are appraised there."""

    code = "not_of_this_branch"
    message = "Only party members of this branch on that day are appraised there."


class AppraisalStands(Conflict):
    """One appraisal of a branch on one day."""

    code = "appraisal_stands"
    message = "The appraisal of this branch on that day was entered already."


class ReasonMissing(Invalid):
    """A decision is explained."""

    code = "paper_reason_missing"
    message = "Please say why; the member reads it."
