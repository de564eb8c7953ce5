"""What the rewards room refuses."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound, TooMany


class RewardNotFound(NotFound):
    """No such reward of this merchant."""

    code = "reward_not_found"
    message = "There is no such reward."


class RedemptionNotFound(NotFound):
    """No such redemption within what the person may see."""

    code = "redemption_not_found"
    message = "There is no such redemption."


class BadValidity(Invalid):
    """A span of time begins before it ends."""

    code = "bad_validity"
    message = "A reward's last moment must lie after its first."


class LoanDaysMissing(Invalid):
    """A tool is lent for a number of days; nothing else is."""

    code = "loan_days_missing"
    message = "A tool on loan needs the days it is lent for, and nothing else has any."


class PriceMissing(Invalid):
    """A price is told in points, or follows from the one in money."""

    code = "price_missing"
    message = "Please give the price in points, or what it costs in money."


class KindFixed(Conflict):
    """What was offered once stays of its kind: it is in people's passbooks."""

    code = "kind_fixed"
    message = "The kind can be changed only while it is a draft."


class StockCounted(Conflict):
    """A stock that is counted is added to; setting it would undo a sale beside it."""

    code = "stock_counted"
    message = "Say how many more came in. The number itself is counted by the sales."


class StockNotCounted(Conflict):
    """There are as many as are asked for: nothing to add to."""

    code = "stock_not_counted"
    message = "The stock of this reward is not counted."


class NotAPicture(Invalid):
    """A picture is a JPEG, PNG or WebP that can be decoded."""

    code = "not_a_picture"
    message = "This file is not a picture that can be read. Please choose a JPEG, PNG or WebP."


class PictureTooLarge(Invalid):
    """A picture of more pixels than any telephone makes."""

    code = "picture_too_large"
    message = "This picture is too large: at most %(megapixels)s million pixels."


class WishNotFound(NotFound):
    """No such wish of this community."""

    code = "wish_not_found"
    message = "There is no such wish."


class WishTitleMissing(Invalid):
    """A wish says what it is for."""

    code = "wish_title_missing"
    message = "Please write what you would like to have."


class WishAnswered(Conflict):
    """A wish is answered once, and voted for before."""

    code = "wish_answered"
    message = "This wish was answered already."


class TooManyWishes(Conflict):
    """One person's open wishes are bounded, so that the list stays one that people read."""

    code = "too_many_wishes"
    message = "You have %(limit)s open wishes. Please wait for an answer, or vote for others."


class MerchantStopped(Conflict):
    """The merchant takes no part at present."""

    code = "merchant_stopped"
    message = "This merchant is not taking points at present."


class RewardWithdrawn(Conflict):
    """The merchant took the reward back."""

    code = "reward_withdrawn"
    message = "This reward is no longer offered."


class RewardNotYet(Conflict):
    """The reward's first moment lies ahead."""

    code = "reward_not_yet"
    message = "This reward cannot be had yet."


class RewardOver(Conflict):
    """The reward's last moment is past."""

    code = "reward_over"
    message = "The time for this reward is over."


class RewardNotToday(Conflict):
    """The reward has redemption days, and this is none of them.

    The facts name them: weekdays and monthdays, as days.py spells them.
    """

    code = "reward_not_today"
    message = "This reward cannot be had today."


class RewardForOthers(NotAllowed):
    """Only members under one organization can have the reward."""

    code = "reward_for_others"
    message = "This reward is for the members of another community."


class StarsMissing(NotAllowed):
    """The reward asks for more service time than the member has."""

    code = "stars_missing"
    message = "This reward is for volunteers with %(stars)s stars: %(hours)s hours of service."


class OutOfStock(Conflict):
    """Fewer are left than are asked for."""

    code = "out_of_stock"
    message = "Not enough in stock: %(left)s left."


class LimitReached(Conflict):
    """One person has had as many as one person may."""

    code = "limit_reached"
    message = "One person can have at most %(limit)s of this."


class DayFull(Conflict):
    """One person spends at counters only so much a day."""

    code = "day_full"
    message = "One person can spend at most %(limit)s points a day at counters: %(left)s left."


class MonthFull(Conflict):
    """A merchant's contract bounds what a month may bring."""

    code = "month_full"
    message = (
        "This merchant can take %(left)s more points this month. Please tell the community."
    )


class LentNotSold(Conflict):
    """A tool is lent against a deposit and given back; it is not redeemed."""

    code = "lent_not_sold"
    message = "This is lent, not handed over for good. Please use the page of loans."


class TooManyPoints(Invalid):
    """A single redemption is bounded (docs/decisions/0011-default-limits.md)."""

    code = "too_many_points"
    message = "A single redemption can take at most %(limit)s points."


class StockTooLarge(Invalid):
    """A stock is a number that someone could count."""

    code = "stock_too_large"
    message = "A reward's stock can be at most %(limit)s."


class NotForOneself(NotAllowed):
    """Nobody takes points from themselves at their own counter, or gives any back."""

    code = "not_for_oneself"
    message = "You cannot do this for yourself. Please ask a colleague."


class VoidNotAllowed(NotAllowed):
    """A clerk voids what they handed over themselves, on the same day."""

    code = "void_not_allowed"
    message = (
        "Only the clerk who made a redemption can void it, on the same day. "
        "Later an administrator can."
    )


class NothingLeftToVoid(Conflict):
    """Fewer pieces of a redemption are left than are to be taken back."""

    code = "nothing_left_to_void"
    message = "Only %(left)s of this redemption are left to void."


class VoidDiffers(Conflict):
    """The second person agrees to what the first asked for, or to nothing."""

    code = "void_differs"
    message = "%(quantity)s were asked to be voided. Agree to that number, or refuse."


class VoidNotAsked(Conflict):
    """Only a void that somebody asked for can be refused."""

    code = "void_not_asked"
    message = "Nobody asks to void this redemption."


class OwnVoid(NotAllowed):
    """Whoever asked for a void does not decide it."""

    code = "own_void"
    message = "You asked for this void. A second administrator decides."


class ConfirmationOver(Conflict):
    """The minute to confirm is over, or one of the two said no."""

    code = "confirmation_over"
    message = "The time to confirm is over. No points were taken."


class AlreadyConfirmed(Conflict):
    """What was confirmed is handed over; the clerk can void it."""

    code = "already_confirmed"
    message = "This was confirmed already. The clerk can void it."


class MemberConfirms(NotAllowed):
    """Only whose points they are confirms."""

    code = "member_confirms"
    message = "Only the member can confirm this, on their own phone."


class DayNotClosable(Invalid):
    """A till is closed for today or a day before."""

    code = "day_not_closable"
    message = "Only today and days before it can be closed."


class DealsWaiting(Conflict):
    """A day is closed when nothing in it is open."""

    code = "deals_waiting"
    message = "%(number)s deals still wait for their member. Please wait a minute."


class VoucherShown(Invalid):
    """A voucher stands for an order; nobody's points are taken with it."""

    code = "voucher_shown"
    message = "This is a voucher. Please hand over what it stands for."


class TillLocked(TooMany):
    """Five wrong codes in a row lock a clerk's till for a minute."""

    code = "till_locked"
    message = "Too many wrong codes. Please wait %(retry_after_seconds)s seconds."


class NumberTaken(Conflict):
    """A redemption's number was drawn twice; the door draws another."""

    code = "number_taken"
    message = "Please try again."


class FormIncomplete(Invalid):
    """A deal needs a reward, a number of them, and a code."""

    code = "form_incomplete"
    message = "Please choose a reward, how many, and give the code."


class NotANumber(Invalid):
    """What came in is counted in whole numbers."""

    code = "not_a_number"
    message = "A whole number from 1 to %(most)s."
