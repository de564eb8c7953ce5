"""What the room refuses."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound


class LineNotFound(NotFound):
    """The person's passbook has no such line."""

    code = "line_not_found"
    message = "Your passbook has no such line."


class DisputeNotFound(NotFound):
    """No such dispute, or not within what the person may see."""

    code = "dispute_not_found"
    message = "There is no such dispute."


class LineDisputed(Conflict):
    """A line has one open dispute at a time; facts: dispute_id, answer_by."""

    code = "line_disputed"
    message = "You disputed this line already, and will be answered by %(answer_by)s."


class AlreadyAnswered(Conflict):
    """A dispute is answered once; facts: state."""

    code = "already_answered"
    message = "This dispute was answered already."


class AnswerReasonMissing(Invalid):
    """A dispute that is not upheld is answered by a reason."""

    code = "answer_reason_missing"
    message = "Please say why the line stays as it is."


class AnswerIncomplete(Invalid):
    """The form of an answer names no decision, or points that are no number."""

    code = "answer_incomplete"
    message = "Please choose what happens to the line; points are a whole number, or left out."


class OwnBook(NotAllowed):
    """Nobody decides about a line of their own passbook."""

    code = "own_book"
    message = "This is a line of your own passbook: someone else has to decide about it."


class LineNotReversible(Conflict):
    """A reversal is not reversed; what it took wrongly comes by an adjustment."""

    code = "line_not_reversible"
    message = "This line takes another one back and cannot be reversed. Write an adjustment."


class GiftToOneself(Invalid):
    """A gift goes to another person."""

    code = "gift_to_oneself"
    message = "You cannot give points to yourself."


class NotOfHousehold(NotFound):
    """Gifts stay within a registered household; a stranger is told of like nobody at all."""

    code = "not_of_household"
    message = "This person does not belong to your household."


class GiftMonthFull(Conflict):
    """A member gives a limited number of points in a calendar month; facts: left, limit."""

    code = "gift_month_full"
    message = "You can give %(limit)s points a month; %(left)s are left for this month."


class ReceivedPoints(Conflict):
    """What was received is not given on; giftable tells how many points were earned."""

    code = "received_points"
    message = (
        "Points that were given to you can be redeemed or donated, not given on. "
        "You can give %(giftable)s points that you earned."
    )


class GiftNotFound(NotFound):
    """No such gift, or not within what the person may see."""

    code = "gift_not_found"
    message = "There is no such gift."


class OwnGift(NotAllowed):
    """Nobody takes back a gift that they gave or received."""

    code = "own_gift"
    message = "You are part of this gift: another administrator has to decide about it."


class CareFundNotFound(NotFound):
    """No such fund within what the person may see."""

    code = "care_fund_not_found"
    message = "There is no such care fund."


class CareFundStands(Conflict):
    """An organization has one care fund."""

    code = "care_fund_stands"
    message = "This organization already has a care fund."


class SpendingNotFound(NotFound):
    """No such spending of a fund within the person's scope."""

    code = "spending_not_found"
    message = "There is no such spending."


class SpendingDecided(Conflict):
    """A spending is decided once, and lapses when nobody does in time; facts: state."""

    code = "spending_decided"
    message = "This spending is no longer waiting for a decision."


class OwnSpending(NotAllowed):
    """Who asked for a spending does not decide it."""

    code = "own_spending"
    message = "You asked for this spending: a second person has to decide."


class GainingMerchant(NotAllowed):
    """A clerk neither asks for nor decides what a fund spends at their own merchant."""

    code = "gaining_merchant"
    message = "You work at this merchant: somebody else has to do this."


class MerchantNotTakingPart(Conflict):
    """A fund spends at merchants that take part."""

    code = "merchant_not_taking_part"
    message = "This merchant does not take part at present."


class RefusalReasonMissing(Invalid):
    """A spending is refused with a reason."""

    code = "refusal_reason_missing"
    message = "Please say why the spending is refused."


class GivingIncomplete(Invalid):
    """A form of a gift or a donation names a person and whole points."""

    code = "giving_incomplete"
    message = "Please give a whole number of points from 1 to %(most)s."


class BadStatementPeriod(Invalid):
    """A statement is for a month or a year."""

    code = "bad_statement_period"
    message = "A statement is for a month, written 2026-11, or for a year, written 2026."


class FuturePeriod(Invalid):
    """The month or year has not begun."""

    code = "future_period"
    message = "This month or year has not begun yet."


class LineNotAsSealed(Conflict):
    """A line is not what was sealed: the ledger was changed, and gives no proof of it."""

    code = "line_not_as_sealed"
    message = (
        "A line of this book is no longer what was sealed, so it cannot be proven. "
        "Please tell the community office."
    )


class PurposeMissing(Invalid):
    """A fund spends on something."""

    code = "purpose_missing"
    message = "Please say what the points are spent on."


class FundNameMissing(Invalid):
    """A fund has a name."""

    code = "fund_name_missing"
    message = "Please give the care fund a name."
