"""Who may knock at series, single dates and standing claims."""

from datetime import timedelta

from sqlalchemy.orm import Session

from tests.laws.doors import MEMBERS, ORGANIZER, Row, door, fields, form
from tests.laws.world import (
    COMMUNITY,
    OPEN_TASK,
    OWN,
    PERSON,
    SHARED,
    Kind,
    Made,
    World,
    an_open_shift,
)
from tests.tasks.repeating import TODAY, a_series, a_standing

RULE = "FREQ=WEEKLY;BYDAY=SA"
TOMORROW = (TODAY + timedelta(days=1)).isoformat()
SATURDAY = {"repeats": "weekly", "weekday_SA": "1", "every": "1", "weeks_ahead": "4"}


def make_series(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A series of an open task of that side."""
    return a_series(session, shift_id=an_open_shift(session, world, place, actor, made))


def make_standing(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A standing claim of whoever acts; elsewhere another member's."""
    series_id = make_series(session, world, OWN, actor, made)
    return a_standing(session, series_id, actor if place == OWN else None).id


SERIES = Kind(COMMUNITY, make_series)
ANY_SERIES = Kind(SHARED, make_series)
STANDING_CLAIM = Kind(PERSON, make_standing)
SHIFT_TO_COME = Kind(COMMUNITY, an_open_shift)

ROWS: list[Row] = [
    door(
        "POST",
        "/api/v1/shifts/<id:shift_id>/series",
        ORGANIZER,
        fields(rule=RULE),
        shift_id=SHIFT_TO_COME,
    ),
    door("GET", "/api/v1/tasks/<id:task_id>/series", MEMBERS, task_id=OPEN_TASK),
    door("GET", "/api/v1/series/<id:series_id>", MEMBERS, series_id=ANY_SERIES),
    door(
        "POST",
        "/api/v1/series/<id:series_id>/following",
        ORGANIZER,
        fields(from_on=TOMORROW, starts="09:00"),
        series_id=SERIES,
    ),
    door("POST", "/api/v1/series/<id:series_id>/end", ORGANIZER, fields(), series_id=SERIES),
    door(
        "PATCH",
        "/api/v1/shifts/<id:shift_id>",
        ORGANIZER,
        fields(place_name="西门"),
        shift_id=SHIFT_TO_COME,
    ),
    door(
        "POST",
        "/api/v1/shifts/<id:shift_id>/cancellation",
        ORGANIZER,
        fields(reason="下雨"),
        shift_id=SHIFT_TO_COME,
    ),
    door(
        "POST",
        "/api/v1/series/<id:series_id>/standing-claims",
        MEMBERS,
        fields(weekdays=["SA"]),
        series_id=ANY_SERIES,
    ),
    door("GET", "/api/v1/me/standing-claims", MEMBERS),
    door(
        "DELETE",
        "/api/v1/standing-claims/<id:standing_id>",
        MEMBERS,
        standing_id=STANDING_CLAIM,
    ),
    door("GET", "/shifts/<id:shift_id>/series/new", ORGANIZER, shift_id=SHIFT_TO_COME),
    door(
        "POST",
        "/shifts/<id:shift_id>/series",
        ORGANIZER,
        form(**SATURDAY),
        shift_id=SHIFT_TO_COME,
    ),
    door("GET", "/series/<id:series_id>", ORGANIZER, series_id=SERIES),
    door("GET", "/series/<id:series_id>/following", ORGANIZER, series_id=SERIES),
    door(
        "POST",
        "/series/<id:series_id>/following",
        ORGANIZER,
        form(
            repeats="keep",
            from_on=TOMORROW,
            starts="09:00",
            lasts_minutes="60",
            weeks_ahead="4",
            places_0="5",
        ),
        series_id=SERIES,
    ),
    door(
        "POST",
        "/series/<id:series_id>/end",
        ORGANIZER,
        form(from_on=TOMORROW),
        series_id=SERIES,
    ),
    door("GET", "/shifts/<id:shift_id>/change", ORGANIZER, shift_id=SHIFT_TO_COME),
    door(
        "POST",
        "/shifts/<id:shift_id>/change",
        ORGANIZER,
        form(place_name="西门"),
        shift_id=SHIFT_TO_COME,
    ),
    door(
        "POST",
        "/shifts/<id:shift_id>/cancellation",
        ORGANIZER,
        form(reason="下雨"),
        shift_id=SHIFT_TO_COME,
    ),
    door("GET", "/series/<id:series_id>/standing-claim", MEMBERS, series_id=ANY_SERIES),
    door(
        "POST",
        "/series/<id:series_id>/standing-claims",
        MEMBERS,
        form(weekday_SA="1"),
        series_id=ANY_SERIES,
    ),
    door(
        "POST",
        "/standing-claims/<id:standing_id>/end",
        MEMBERS,
        standing_id=STANDING_CLAIM,
    ),
]
