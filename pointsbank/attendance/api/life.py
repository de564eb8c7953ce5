"""The JSON door of a branch's organization life."""

from typing import Any

from marshmallow import Schema, fields, validate

from pointsbank.attendance.life_queries import FIRST_YEAR, LAST_YEAR, Life, life_of
from pointsbank.core import clock
from pointsbank.core.calendar import local_day, read_period
from pointsbank.core.db import reading
from pointsbank.organizations.queries import organization_by_code
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint, Body, QueryWhole
from pointsbank.web.forms import settings

api = Blueprint("life_api", __name__, description="The meetings a branch held in a year.")

READERS = ("administrator", "secretary", "committee", "auditor")


class LifeQuery(Body):
    """Which branch, and which year; the running one without."""

    organization_code = fields.String(required=True, validate=validate.Length(max=32))
    year = QueryWhole(least=FIRST_YEAR, most=LAST_YEAR)


class RhythmOut(Schema):
    """How often a kind of meeting was held, and how often it usually is by now."""

    kind = fields.String()
    held = fields.Integer()
    usual = fields.Integer()
    missing = fields.Integer()
    by_month = fields.List(fields.Integer())


class MeetingOut(Schema):
    """One meeting that took place."""

    shift_id = fields.Integer()
    title = fields.String()
    kind = fields.String()
    held_on = fields.Date()
    took_part = fields.Integer()


class AttendeeOut(Schema):
    """A party member of the branch, and how many meetings they were at; the name is masked."""

    member_id = fields.Integer()
    display_name = fields.String()
    volunteer_no = fields.String()
    took_part = fields.Integer()


class LifeOut(Schema):
    """A branch's organization life of one year."""

    year = fields.Integer()
    rhythms = fields.List(fields.Nested(RhythmOut))
    meetings = fields.List(fields.Nested(MeetingOut))
    attendees = fields.List(fields.Nested(AttendeeOut))


@api.get("/organization-life")
@api.arguments(LifeQuery, location="query")
@api.response(200, LifeOut)
@roles_only(*READERS)
def show_life(query: dict[str, Any]) -> Life:
    """Answer which meetings a branch held in a year, and who took part."""
    zone = settings().zone
    today = local_day(clock.now(), zone)
    period = read_period(str(query.get("year", today.year)))
    with reading() as session:
        branch = organization_by_code(
            session, query["organization_code"], current_actor().paths(*READERS)
        )
        return life_of(session, branch, period, zone=zone, today=today)
