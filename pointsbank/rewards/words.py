"""The words for what rewards are: kinds, categories, periods of a limit, redemption days."""

from flask_babel import gettext, lazy_gettext

from pointsbank.rewards.days import monthday_numbers, weekday_names
from pointsbank.rewards.orders_queries import OrderLine
from pointsbank.rewards.queries import RedemptionLine, RewardLine
from pointsbank.rewards.voids_queries import AskedVoid
from pointsbank.web.languages import locale_name

KIND_WORDS = {
    "goods": lazy_gettext("Goods"),
    "service": lazy_gettext("Service"),
    "fee_offset": lazy_gettext("Fee offset"),
    "coupon": lazy_gettext("Discount coupon"),
    "loan": lazy_gettext("Tool on loan"),
    "by_points": lazy_gettext("By points"),
}
CATEGORY_WORDS = {
    "food": lazy_gettext("Food"),
    "daily": lazy_gettext("Daily needs"),
    "home": lazy_gettext("Home and repairs"),
    "care": lazy_gettext("Health and care"),
    "study": lazy_gettext("Books and learning"),
    "leisure": lazy_gettext("Culture and sport"),
    "travel": lazy_gettext("Travel and parking"),
    "tools": lazy_gettext("Tools"),
    "other": lazy_gettext("Other things"),
}
PERIOD_WORDS = {
    "ever": lazy_gettext("in all"),
    "year": lazy_gettext("a year"),
    "quarter": lazy_gettext("a quarter"),
    "month": lazy_gettext("a month"),
    "week": lazy_gettext("a week"),
    "day": lazy_gettext("a day"),
}
WEEKDAY_WORDS = {
    "MO": lazy_gettext("Mondays"),
    "TU": lazy_gettext("Tuesdays"),
    "WE": lazy_gettext("Wednesdays"),
    "TH": lazy_gettext("Thursdays"),
    "FR": lazy_gettext("Fridays"),
    "SA": lazy_gettext("Saturdays"),
    "SU": lazy_gettext("Sundays"),
}
WISH_STATE_WORDS = {
    "open": lazy_gettext("Waiting for an answer"),
    "fulfilled": lazy_gettext("It is here"),
    "declined": lazy_gettext("Not possible"),
}


def what_words(line: RedemptionLine | OrderLine | AskedVoid) -> str:
    """Return what was had or ordered as a page prints it; the points stand beside it."""
    if line.reward_kind == "by_points":
        return str(gettext("By points"))
    return line.reward_name if line.quantity == 1 else f"{line.reward_name} × {line.quantity}"


def days_words(weekdays: int, monthdays: int) -> str:
    """Return the redemption days as people say them; empty for every day."""
    said = [str(WEEKDAY_WORDS[name]) for name in weekday_names(weekdays)]
    numbers = monthday_numbers(monthdays)
    if numbers:
        joined = comma().join(str(number) for number in numbers)
        said.append(str(gettext("day %(days)s of the month", days=joined)))
    return comma().join(said)


def limit_words(reward: RewardLine) -> str:
    """Return how many one person may have, and in which time; empty without a limit."""
    limit, period = reward.limit_per_member, PERIOD_WORDS[reward.limit_period]
    if limit is None:
        return ""
    if reward.kind == "loan":
        return str(gettext("at most %(number)s each at a time", number=limit))
    return str(gettext("at most %(number)s each %(period)s", number=limit, period=period))


def comma() -> str:
    """Return what stands between the parts of a list."""
    return "、" if locale_name() == "zh" else ", "
