"""What the room refuses about the plans of organizations."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound


class PlanNotFound(NotFound):
    """No such plan, or not within what the person may see."""

    code = "plan_not_found"
    message = "There is no such plan."


class PlanFiled(Conflict):
    """An organization has one plan a year."""

    code = "plan_filed"
    message = "This organization has a plan for this year already."


class PlanMoved(Conflict):
    """The plan is not at the stage that this needs."""

    code = "plan_moved"
    message = "This plan is at another stage now. Please look at it again."


class BadPlanYear(Invalid):
    """A plan is for the running year or the next."""

    code = "bad_plan_year"
    message = "A plan is for this year or the next one."


class MarksNotWhole(Invalid):
    """The marks of a plan sum to 100."""

    code = "marks_not_whole"
    message = "The marks of all items together are 100; these are %(sum)s."


class DueOutsideYear(Invalid):
    """An item is due within the plan's year."""

    code = "due_outside_year"
    message = "Item %(no)s must be due within the year of the plan."


class OwnerElsewhere(Invalid):
    """An item is owned by somebody of the organization."""

    code = "owner_elsewhere"
    message = "The owner of item %(no)s is not a member of this organization."


class PlanBegun(Conflict):
    """What was delivered is not planned anew."""

    code = "plan_begun"
    message = "Something of this plan is delivered already; it cannot be changed any more."


class PlanItemNotFound(NotFound):
    """The plan has no such item."""

    code = "plan_item_not_found"
    message = "The plan has no such item."


class MarksMissing(Invalid):
    """Every item is judged."""

    code = "marks_missing"
    message = "Please give marks to every item, 0 where nothing was delivered."


class MarksTooHigh(Invalid):
    """No item has more marks than the plan gives it."""

    code = "marks_too_high"
    message = "Item %(no)s has at most %(marks)s marks."


class ItemNotDelivered(Invalid):
    """Only what is delivered counts."""

    code = "item_not_delivered"
    message = "Item %(no)s was not delivered, so its marks are 0."


class ShownFromAbove(NotAllowed):
    """Whoever looks after an organization neither reviews nor judges what it is awarded."""

    code = "shown_from_above"
    message = "A notice of stars is drafted for an organization above those that it names."


class ReviewFromAbove(NotAllowed):
    """Whoever filed or rated a plan does not review it; somebody above does."""

    code = "review_from_above"
    message = "An administrator of an organization above reviews a plan, and another person."
