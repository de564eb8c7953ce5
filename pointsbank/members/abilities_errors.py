"""What is refused about skills, trainings and dates of birth."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound


class SkillNotFound(NotFound):
    """The list of skills has no such code."""

    code = "skill_not_found"
    message = "There is no such skill."


class SkillNotTold(Conflict):
    """Only what a person said of themselves can be confirmed."""

    code = "skill_not_told"
    message = "This person has not said that they can do this."


class OwnAbility(NotAllowed):
    """Nobody confirms their own skill or records their own training."""

    code = "own_ability"
    message = "Please ask a colleague: nobody confirms or records this for themselves."


class TrainingNotFound(NotFound):
    """No such training."""

    code = "training_not_found"
    message = "There is no such training."


class TrainingCodeTaken(Conflict):
    """A code names one training."""

    code = "training_code_taken"
    message = "This code already names a training."


class BadTrainingCode(Invalid):
    """A code is written the same way everywhere."""

    code = "bad_training_code"
    message = "A code has 2 to 24 small letters, digits or underscores, like first_aid."


class BadCompletedOn(Invalid):
    """A course was completed on a day that has come, within the years we keep."""

    code = "bad_completed_on"
    message = "A course was completed today or earlier, at most %(years)s years ago."


class UnknownNumbers(Invalid):
    """Some member numbers name nobody within the person's scope; numbers holds them."""

    code = "unknown_numbers"
    message = "These member numbers are not known: %(shown)s."


class CompletionNotFound(NotFound):
    """No such entry of a completed training within what the person may see."""

    code = "completion_not_found"
    message = "There is no such entry."


class BadBirthDay(Invalid):
    """A date of birth lies behind us, and within a human life."""

    code = "bad_birth_day"
    message = "This cannot be a date of birth. Please check the year, the month and the day."


class BirthDayStands(Conflict):
    """One's own date of birth is told once; age rules would mean nothing otherwise."""

    code = "birth_day_stands"
    message = "Your date of birth is entered already. If it is wrong, please ask your branch."
