"""What grading refuses."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound


class ReviewNotFound(NotFound):
    """No such review within the person's branches."""

    code = "grade_review_not_found"
    message = "There are no such grades."


class CaseNotFound(NotFound):
    """Nobody's grade is decided here who is exempt, or not of the branch."""

    code = "grade_case_not_found"
    message = "This person's grade is not decided here."


class GradesAreYearly(Invalid):
    """Grades are given for a year."""

    code = "grades_are_yearly"
    message = "Grades are given for a whole year."


class ReviewExists(Conflict):
    """A branch decides on a year's grades once."""

    code = "grade_review_exists"
    message = "The grades of this year were begun already."


class ReviewNotOpen(Conflict):
    """What was confirmed, shown or locked takes no further voice."""

    code = "grade_review_not_open"
    message = "These grades are not open any more."


class ReviewNotConfirmed(Conflict):
    """A notice of grades waits until every case is decided."""

    code = "grade_review_not_confirmed"
    message = "Every case must be decided before the grades are shown."


class OwnCase(NotAllowed):
    """Nobody says or decides anything in their own case."""

    code = "own_grade_case"
    message = "This is your own case: the others decide, and you stay out of it."


class CaseDecided(Conflict):
    """A case is decided once; it can be asked again."""

    code = "grade_case_decided"
    message = "This grade was decided already."


class CaseNotDecided(Conflict):
    """Only a decision can be taken back."""

    code = "grade_case_not_decided"
    message = "This grade is not decided yet."


class NoMajority(Conflict):
    """A decision needs two voices, and more than half of those said."""

    code = "no_majority"
    message = (
        "There are %(voices)s voices. A decision needs at least %(least)s, and more than half"
        " of them for this grade."
    )


class ReasonNeeded(Invalid):
    """Another grade than the advised one needs a reason."""

    code = "reason_needed"
    message = "Please say why the grade is another than the advised one."
