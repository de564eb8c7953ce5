"""What the tasks room refuses."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound


class TaskNotFound(NotFound):
    """No such task within what the person may see."""

    code = "task_not_found"
    message = "There is no such task."


class ShiftNotFound(NotFound):
    """No such shift within what the person may see."""

    code = "shift_not_found"
    message = "There is no such shift."


class RoleNotFound(NotFound):
    """No such role on this shift."""

    code = "shift_role_not_found"
    message = "There is no such role on this shift."


class ClaimNotFound(NotFound):
    """No such claim of this person."""

    code = "claim_not_found"
    message = "There is no such claim."


class CoefficientTooHigh(Invalid):
    """A standard bounds what a task may multiply each item by."""

    code = "coefficient_too_high"
    message = "By the standard in force this work counts at most %(most)s percent."


class ShiftEndsBeforeStart(Invalid):
    """A shift is a span of time."""

    code = "ends_before_start"
    message = "A shift ends after it starts."


class ShiftTooLong(Invalid):
    """Longer than a day is several shifts."""

    code = "shift_too_long"
    message = "A shift lasts 24 hours at most. Make several shifts of it."


class ShiftInThePast(Invalid):
    """Nobody can claim what has begun; only a mobilization is published while it runs."""

    code = "shift_in_the_past"
    message = "A shift that has already begun cannot be published. Please give it a later time."


class HalfAPosition(Invalid):
    """A place on the map has both numbers."""

    code = "half_a_position"
    message = "A position needs both latitude and longitude."


class NotOpen(Conflict):
    """Members can claim only what is published and not called off."""

    code = "task_not_open"
    message = "This task is not open."


class ShiftOver(Conflict):
    """After the end of a shift its places stand as they are."""

    code = "shift_over"
    message = "This shift is already over."


class BadEligibility(Invalid):
    """What is asked of people is a tree of known rules that somebody can fulfil."""

    code = "bad_eligibility"
    message = "These requirements are not written as we read them."


class NotEligible(NotAllowed):
    """The person lacks what is asked for; missing holds the easiest way to get it."""

    code = "not_eligible"
    message = "You do not have everything yet that is asked for here."


class GroupNotFound(NotFound):
    """No such kept places within what the person may see."""

    code = "group_not_found"
    message = "There are no such kept places."


class PlacesNotFree(Conflict):
    """A group keeps only places that nobody has; free is how many those are."""

    code = "places_not_free"
    message = "Only %(free)s places are free."


class TooManyKept(Conflict):
    """One branch leaves half of the free places to others; most is what it may keep."""

    code = "too_many_kept"
    message = "A branch may keep half of the free places, here %(most)s; the rest are for all."


class GroupTooLate(Conflict):
    """From 24 hours before the start every free place is everyone's."""

    code = "group_too_late"
    message = (
        "Places can be kept until 24 hours before the start. Ask your people to claim theirs"
        " themselves."
    )


class GroupPlacesTaken(Conflict):
    """Nobody loses a place because their group keeps fewer; taken is how many have one."""

    code = "group_places_taken"
    message = "%(taken)s people of your group have a place. Keep at least so many."


class GroupReleased(Conflict):
    """The places that the group kept are everyone's again."""

    code = "group_released"
    message = "The places were released. They are no longer kept for your people."


class KeptPlacesTaken(Conflict):
    """Somebody in the waiting line is invited by a group whose places are all taken."""

    code = "kept_places_taken"
    message = (
        "The places kept for your group are all taken. You keep your place in the waiting line."
    )


class InvitationNotFound(NotFound):
    """No such invitation of this person."""

    code = "invitation_not_found"
    message = "There is no such invitation."


class InvitationAnswered(Conflict):
    """The invitation was answered before; state says how."""

    code = "invitation_answered"
    message = "You have answered this invitation already."


class InvitationLapsed(Conflict):
    """The time to answer is over."""

    code = "invitation_lapsed"
    message = "The time to answer is over. You can still claim a place yourself."


class BadAnswerBy(Invalid):
    """An invitation is answered after it is sent and before the shift starts."""

    code = "bad_answer_by"
    message = "The last moment to answer lies ahead, and before the start of the shift."


class InviteesMissing(Invalid):
    """An invitation is for somebody."""

    code = "invitees_missing"
    message = "Please choose whom to invite."


class BreakTooLong(Invalid):
    """Rest is a part of a shift, not the whole of it."""

    code = "break_too_long"
    message = "The break is shorter than the shift."


class RolesUnclear(Invalid):
    """People choose a role by its name."""

    code = "roles_unclear"
    message = "Where there are several roles, each has a name of its own."


class TooManyPlaces(Invalid):
    """So many people are several shifts."""

    code = "too_many_places"
    message = "A shift has at most %(most)s places. Make several shifts of it."


class BadClaimWindow(Invalid):
    """Claims close after they open."""

    code = "bad_claim_window"
    message = "Claims close after they open."


class UnknownSkill(Invalid):
    """A skill that people can tell of is in the list."""

    code = "unknown_skill"
    message = "There is no such skill."


class InsuranceMissing(Invalid):
    """Dangerous work is insured before anybody can claim it."""

    code = "insurance_missing"
    message = "Work of high risk needs an insurance. Please enter its number first."


class RiskNoteMissing(Invalid):
    """Whoever comes is told before what may happen."""

    code = "risk_note_missing"
    message = "This work is risky. Please say first what to mind."


class OwnTask(NotAllowed):
    """A second person looks at what many people will come to."""

    code = "own_task"
    message = "Somebody else approves a task than who organizes it."


class NotSubmitted(Conflict):
    """Only what waits for approval is approved or sent back."""

    code = "task_not_submitted"
    message = "This task does not wait for approval."


class NotADraft(Conflict):
    """What members see, or somebody judges, does not change under their eyes."""

    code = "task_not_a_draft"
    message = "Only a draft can be changed as a whole."


class ClaimsNotOpenYet(Conflict):
    """Claims begin at the moment that the organizer named."""

    code = "claims_not_open"
    message = "Places of this task cannot be claimed yet."


class ClaimsClosed(Conflict):
    """Claims end at the moment that the organizer named."""

    code = "claims_closed"
    message = "Places of this task cannot be claimed any more."


class OfferLapsed(Conflict):
    """Who did not answer in time made room for the next in line."""

    code = "offer_lapsed"
    message = "The time to accept is over, and the place went to the next in line."


class CalendarNotFound(NotFound):
    """No living calendar address is spelled so."""

    code = "calendar_not_found"
    message = "There is no calendar at this address."
