"""The words for unusual patterns: what each is called, and why it stands in the list."""

from typing import Any

from flask_babel import lazy_gettext

TITLES: dict[str, Any] = {
    "own_family": lazy_gettext("Own family at the till"),
    "same_pair": lazy_gettext("The same two people"),
    "late_voids": lazy_gettext("Voids right before closing"),
    "after_hours": lazy_gettext("Outside the opening hours"),
    "bursts": lazy_gettext("Very fast one after another"),
    "round_amounts": lazy_gettext("Round amounts"),
    "wrong_codes": lazy_gettext("Many wrong codes"),
}
REASONS: dict[str, Any] = {
    "own_family": lazy_gettext(
        "%(times)s times %(clerk)s handed over to %(member)s of the same household, for"
        " %(points)s points."
    ),
    "same_pair": lazy_gettext(
        "%(times)s times %(clerk)s handed over to %(member)s, for %(points)s points: a large"
        " part of all this clerk did."
    ),
    "late_voids": lazy_gettext(
        "%(times)s times %(clerk)s took something back in the last minutes of the day,"
        " %(points)s points in all."
    ),
    "after_hours": lazy_gettext(
        "%(times)s times %(clerk)s took points while the shop was closed, %(points)s points in"
        " all."
    ),
    "bursts": lazy_gettext(
        "%(times)s deals of %(clerk)s followed faster than people can be served, %(points)s"
        " points in all."
    ),
    "round_amounts": lazy_gettext(
        "%(times)s amounts that %(clerk)s typed are round, %(points)s points in all: half of"
        " what was typed, or more."
    ),
    "wrong_codes": lazy_gettext(
        "%(times)s wrong codes were tried at the till of %(clerk)s within a day."
    ),
}
