"""How points, hours, dates and names are written on a page."""

from collections.abc import Iterable
from datetime import date, datetime

from flask import Flask, current_app
from flask_babel import gettext

from pointsbank.core.text import masked_name
from pointsbank.web.languages import locale_name

MINUS = "\u2212"
WEEKDAYS_ZH = "一二三四五六日"


def points(value: int) -> str:
    """Write 12,345."""
    return f"{value:,}".replace("-", MINUS)


def signed(value: int) -> str:
    """Write +25 or −120, with the true minus sign."""
    return f"+{value:,}" if value > 0 else f"{value:,}".replace("-", MINUS)


def hours(minutes: int) -> str:
    """Write minutes as 2小时30分; what was taken back gets a minus sign."""
    if minutes < 0:
        return MINUS + hours(-minutes)
    whole, rest = divmod(minutes, 60)
    if whole and rest:
        return str(gettext("%(hours)s h %(minutes)s min", hours=whole, minutes=rest))
    if whole:
        return str(gettext("%(hours)s h", hours=whole))
    return str(gettext("%(minutes)s min", minutes=rest))


def hundredths(value: int) -> str:
    """Write 8450 hundredths as 84.5."""
    return f"{value / 100:.2f}".rstrip("0").rstrip(".")


def local(moment: datetime) -> datetime:
    """Return a moment on the wall clock."""
    return moment.astimezone(current_app.extensions["settings"].zone)


def day(value: date | datetime) -> str:
    """Write 11月21日, or 21 Nov."""
    on = local(value).date() if isinstance(value, datetime) else value
    if locale_name() == "zh":
        return f"{on.month}月{on.day}日"
    return f"{on.day} {on:%b}"


def month_label(month: int) -> str:
    """Write 11月, or Nov."""
    return f"{month}月" if locale_name() == "zh" else f"{date(2000, month, 1):%b}"


def month_name(first_on: date) -> str:
    """Write 2026年11月, or November 2026."""
    if locale_name() == "zh":
        return f"{first_on.year}年{first_on.month}月"
    return f"{first_on:%B %Y}"


def full_day(value: date | datetime) -> str:
    """Write 2026-11-21, the form of printed lines."""
    on = local(value).date() if isinstance(value, datetime) else value
    return on.isoformat()


def weekday(value: date | datetime) -> str:
    """Write 周六, or Sat."""
    on = local(value).date() if isinstance(value, datetime) else value
    return f"周{WEEKDAYS_ZH[on.weekday()]}" if locale_name() == "zh" else f"{on:%a}"


def clock_time(value: datetime) -> str:
    """Write 13:30."""
    return f"{local(value):%H:%M}"


def moment(value: datetime) -> str:
    """Write 11月21日 13:30."""
    return f"{day(value)} {clock_time(value)}"


def full_moment(value: datetime) -> str:
    """Write 2026-11-21 13:30: what is kept for years says its year."""
    return f"{full_day(value)} {clock_time(value)}"


def several(said: Iterable[str]) -> str:
    """Write sentences or facts in a row: 甲；乙, or one; two."""
    return ("；" if locale_name() == "zh" else "; ").join(said)


def enumerated(names: Iterable[str]) -> str:
    """Write names in a row: 甲、乙, or one, two."""
    return ("、" if locale_name() == "zh" else ", ").join(names)


def root_groups(root: str) -> str:
    """Write a hash in groups of eight digits, so that an eye keeps its place in it."""
    return " ".join(root[place : place + 8] for place in range(0, len(root), 8))


def form_moment(value: datetime | None) -> str:
    """Write a moment as a datetime-local field takes it."""
    return f"{local(value):%Y-%m-%dT%H:%M}" if value else ""


def install(app: Flask) -> None:
    """Give the templates these filters."""
    app.jinja_env.filters.update(
        points=points,
        signed=signed,
        hours=hours,
        hundredths=hundredths,
        day=day,
        full_day=full_day,
        weekday=weekday,
        time=clock_time,
        moment=moment,
        full_moment=full_moment,
        form_moment=form_moment,
        mask=masked_name,
    )
