"""Volunteer stars as programs and pages send and see them."""

from typing import Any

from marshmallow import Schema, fields, validate

from pointsbank.certificates.models import (
    BAR_YEARS_MAX,
    HOURS_MAX,
    LEVEL_KINDS,
    REASON_LENGTH_MAX,
    STAR_STATES,
    STARS_MAX,
)
from pointsbank.certificates.policy import OWN_REASONS, way_of
from pointsbank.certificates.queries import ApplicationFile, RevocationFile
from pointsbank.certificates.words import reason_words
from pointsbank.scoring.schemas import Day
from pointsbank.web.contract import Body, PageQuery, RowId, Text, Whole

NUMBER_TYPED_MAX = 40
# So many lines fit one notice that people still read.
LINES_MAX = 200


class Stars(Whole):
    """One star to five."""

    def __init__(self, **more: Any) -> None:
        """Bound the number."""
        super().__init__(least=1, most=STARS_MAX, **more)


class WantedStar(Body):
    """The star that a member applies for."""

    stars = Stars(required=True)


class StarRefusal(Body):
    """Why something is refused."""

    reason = Text(length_max=REASON_LENGTH_MAX, required=True)


class NewStarNotice(Body):
    """Applications of one organization, to be shown together."""

    organization_id = RowId(required=True)
    application_ids = fields.List(
        RowId(), required=True, validate=validate.Length(min=1, max=LINES_MAX)
    )


class StarCorrection(Body):
    """Who is taken out of a notice after an objection, and why."""

    application_ids = fields.List(
        RowId(), required=True, validate=validate.Length(min=1, max=LINES_MAX)
    )
    reason = Text(length_max=REASON_LENGTH_MAX, required=True)


class NewRevocation(Body):
    """Why a star is to be revoked, and for how many years its member may not apply again."""

    reason = Text(length_max=REASON_LENGTH_MAX, required=True)
    bar_years = Whole(least=1, most=BAR_YEARS_MAX, required=True)


class RevocationDecision(Body):
    """What the second person decides, and why."""

    decision = fields.String(required=True, validate=validate.OneOf(["confirm", "reject"]))
    reason = Text(length_max=REASON_LENGTH_MAX, required=True)


class NewLevels(Body):
    """A set of levels: what one star needs, two, and so on to five, from a day on."""

    kind = fields.String(required=True, validate=validate.OneOf(LEVEL_KINDS))
    valid_from = Day(required=True)
    levels = fields.List(
        Whole(least=1, most=HOURS_MAX),
        required=True,
        validate=validate.Length(equal=STARS_MAX),
    )


class LevelsNamed(Body):
    """A set of levels by its kind and day."""

    kind = fields.String(required=True, validate=validate.OneOf(LEVEL_KINDS))
    valid_from = Day(required=True)


class NumberTyped(Body):
    """A number as it stands on a certificate; spaces and dashes do not matter."""

    number = Text(length_max=NUMBER_TYPED_MAX, required=True)


class StarsQuery(PageQuery):
    """Which applications to list; all when no state is named."""

    state = fields.String(validate=validate.OneOf(STAR_STATES))


class LevelsOut(Schema):
    """One set of levels."""

    kind = fields.String()
    valid_from = fields.Date()
    levels = fields.List(fields.Integer())


class AllLevelsOut(Schema):
    """Every set of levels, the newest of a kind first."""

    items = fields.List(fields.Nested(LevelsOut))
    next = fields.String(allow_none=True)


class StarApplicantOut(Schema):
    """Whose application it is; the name is masked."""

    id = fields.Integer()
    display_name = fields.String()


class StarApplicationOut(Schema):
    """An application for a star."""

    id = fields.Integer()
    member = fields.Nested(StarApplicantOut)
    organization = fields.String()
    organization_id = fields.Integer()
    stars = fields.Integer()
    hours_needed = fields.Integer()
    service_minutes = fields.Integer()
    state = fields.String()
    applied_at = fields.AwareDateTime(format="iso")
    notice_id = fields.Integer(allow_none=True)
    decided_at = fields.AwareDateTime(format="iso", allow_none=True)
    decision_reason = fields.String()
    decision_code = fields.String(allow_none=True)
    number = fields.String(allow_none=True)
    awarded_on = fields.Date(allow_none=True)


class StarApplicationsOut(Schema):
    """A page of applications, the newest first."""

    items = fields.List(fields.Nested(StarApplicationOut))
    next = fields.String(allow_none=True)


class OwnStarsOut(Schema):
    """How far one's own service time has come, and what was applied for."""

    service_minutes = fields.Integer()
    stars_held = fields.Integer()
    stars_reached = fields.Integer()
    next_stars = fields.Integer()
    next_hours = fields.Integer()
    missing_minutes = fields.Integer()
    barred_until = fields.Date(allow_none=True)
    levels = fields.List(fields.Integer())
    applications = fields.List(fields.Nested(StarApplicationOut))


class NoticeDrafted(Schema):
    """The notice that was drafted; null when nobody was left for a new version."""

    notice_id = fields.Integer(allow_none=True)


class RevocationOut(Schema):
    """A revocation; names are masked."""

    id = fields.Integer()
    application_id = fields.Integer()
    stars = fields.Integer()
    reason = fields.String()
    bar_years = fields.Integer()
    state = fields.String()
    asked_by = fields.String()
    asked_at = fields.AwareDateTime(format="iso")
    decided_by = fields.String()
    decided_at = fields.AwareDateTime(format="iso", allow_none=True)
    decision_reason = fields.String()
    barred_until = fields.Date(allow_none=True)


class AwardOut(Schema):
    """What a number proves."""

    number = fields.String()
    is_valid = fields.Boolean()
    stars = fields.Integer()
    display_name = fields.String()


def application_out(found: ApplicationFile) -> dict[str, Any]:
    """Return an application as programs see it."""
    return {
        **vars(found),
        "member": {"id": found.member_id, "display_name": found.display_name},
        "organization": found.organization_name,
        "decision_reason": reason_words(found.decision_reason),
        "decision_code": found.decision_reason
        if found.decision_reason in OWN_REASONS
        else None,
    }


def revocation_out(found: RevocationFile) -> dict[str, Any]:
    """Return a revocation as programs see it."""
    return {
        **vars(found),
        "asked_by": found.asked_by_name,
        "decided_by": found.decided_by_name,
    }


def own_stars_out(
    minutes: int,
    levels: dict[int, int],
    held: int,
    until: Any,
    applications: list[ApplicationFile],
) -> dict[str, Any]:
    """Return how far somebody is, as programs see it."""
    way = way_of(levels, minutes)
    return {
        "service_minutes": minutes,
        "stars_held": held,
        "stars_reached": way.reached,
        "next_stars": way.next_stars,
        "next_hours": way.needed_hours,
        "missing_minutes": way.missing_minutes,
        "barred_until": until,
        "levels": [levels[stars] for stars in sorted(levels)],
        "applications": [application_out(each) for each in applications],
    }
