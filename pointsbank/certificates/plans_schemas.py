"""Plans of organizations as programs and pages send and see them."""

from typing import Any

from marshmallow import Schema, fields, validate

from pointsbank.certificates.models import MARKS_ALL, TASK_LENGTH_MAX, TEXT_LENGTH_MAX
from pointsbank.certificates.plans_queries import PlanFile, PlanItemLine
from pointsbank.certificates.words import reason_words
from pointsbank.scoring.schemas import Day
from pointsbank.web.contract import Body, PageQuery, QueryWhole, RowId, Text, Whole

ITEMS_MAX = 30
YEAR_LEAST, YEAR_MOST = 2020, 2099
PLANS_MAX = 200


class PlannedItem(Body):
    """One task: how it is done, whose it is, its last day and its marks."""

    task = Text(length_max=TASK_LENGTH_MAX, required=True)
    measures = Text(length_max=TEXT_LENGTH_MAX, length_min=0, load_default="")
    owner_id = RowId(required=True)
    due_on = Day(required=True)
    marks = Whole(least=1, most=MARKS_ALL, required=True)


class PlannedItems(Body):
    """All items of a plan; their marks together are 100."""

    items = fields.List(
        fields.Nested(PlannedItem),
        required=True,
        validate=validate.Length(min=1, max=ITEMS_MAX),
    )


class NewPlan(PlannedItems):
    """A plan of an organization for a year."""

    organization_id = RowId(required=True)
    year = Whole(least=YEAR_LEAST, most=YEAR_MOST, required=True)


class ItemDelivery(Body):
    """What proves that an item is delivered."""

    evidence = Text(length_max=TEXT_LENGTH_MAX, required=True)


class GivenMarks(Body):
    """Marks of one item."""

    no = Whole(least=1, most=ITEMS_MAX, required=True)
    marks = Whole(least=0, most=MARKS_ALL, required=True)


class SelfRating(Body):
    """Marks of every item."""

    marks = fields.List(
        fields.Nested(GivenMarks),
        required=True,
        validate=validate.Length(min=1, max=ITEMS_MAX),
    )


class PlanReview(SelfRating):
    """Marks of every item, and what the reviewer says."""

    words = Text(length_max=TEXT_LENGTH_MAX, required=True)


class NewPlansNotice(Body):
    """Reviewed plans of one year, to be shown together."""

    organization_id = RowId(required=True)
    plan_ids = fields.List(
        RowId(), required=True, validate=validate.Length(min=1, max=PLANS_MAX)
    )


class PlansCorrection(Body):
    """Which plans are taken out of a notice after an objection, and why."""

    plan_ids = fields.List(
        RowId(), required=True, validate=validate.Length(min=1, max=PLANS_MAX)
    )
    reason = Text(length_max=200, required=True)


class StarYearQuery(Body):
    """Which year; the running one when none is named."""

    year = QueryWhole(least=YEAR_LEAST, most=YEAR_MOST)


class PlansQuery(PageQuery):
    """Which plans to list; those of all years when none is named."""

    year = QueryWhole(least=YEAR_LEAST, most=YEAR_MOST)


class ItemOwnerOut(Schema):
    """Whose item it is; the name is masked."""

    id = fields.Integer()
    display_name = fields.String()


class PlanItemOut(Schema):
    """One item of a plan."""

    no = fields.Integer()
    task = fields.String()
    measures = fields.String()
    owner = fields.Nested(ItemOwnerOut)
    due_on = fields.Date()
    marks = fields.Integer()
    delivered_on = fields.Date(allow_none=True)
    evidence = fields.String()
    self_marks = fields.Integer(allow_none=True)
    reviewed_marks = fields.Integer(allow_none=True)


class PlanLineOut(Schema):
    """A plan as it stands in a list."""

    id = fields.Integer()
    organization_id = fields.Integer()
    organization = fields.String()
    year = fields.Integer()
    state = fields.String()
    stars = fields.Integer()
    delivered_marks = fields.Integer()
    items_delivered = fields.Integer()
    items_planned = fields.Integer()
    self_marks = fields.Integer()
    reviewed_marks = fields.Integer()
    review = fields.String()
    notice_id = fields.Integer(allow_none=True)
    awarded_on = fields.Date(allow_none=True)


class PlanOut(PlanLineOut):
    """A plan with its items."""

    items = fields.List(fields.Nested(PlanItemOut))


class PlansOut(Schema):
    """A page of plans, the newest first."""

    items = fields.List(fields.Nested(PlanLineOut))
    next = fields.String(allow_none=True)


class BandOut(Schema):
    """Organizations between two marks, by name."""

    stars = fields.Integer()
    least = fields.Integer()
    most = fields.Integer()
    organizations = fields.List(fields.String())


class BandsOut(Schema):
    """The bands, the highest first; below: how many are under the lowest."""

    year = fields.Integer()
    items = fields.List(fields.Nested(BandOut))
    below = fields.Integer()
    next = fields.String(allow_none=True)


class StarredOut(Schema):
    """An organization with its stars."""

    id = fields.Integer()
    name = fields.String()
    stars = fields.Integer()
    awarded_on = fields.Date()


class AllStarredOut(Schema):
    """The organizations with stars of a year, the most first."""

    year = fields.Integer()
    items = fields.List(fields.Nested(StarredOut))
    next = fields.String(allow_none=True)


def plan_line_out(plan: PlanFile) -> dict[str, Any]:
    """Return a plan as a list shows it."""
    return {
        **vars(plan),
        "organization": plan.organization_name,
        "review": reason_words(plan.review),
        "items_planned": plan.items,
        "delivered_marks": plan.delivered,
    }


def plan_out(plan: PlanFile, items: list[PlanItemLine]) -> dict[str, Any]:
    """Return a plan with its items."""
    return {
        **plan_line_out(plan),
        "items": [
            {**vars(each), "owner": {"id": each.owner_id, "display_name": each.owner_name}}
            for each in items
        ],
    }
