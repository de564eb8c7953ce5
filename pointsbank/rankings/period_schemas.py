"""What the doors of closed periods take and answer, and the words of their stages."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext, lazy_gettext
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.text import masked_name
from pointsbank.rankings.correcting import CorrectionFile
from pointsbank.rankings.courses import NAMING_ROLES, Way, way_of
from pointsbank.rankings.models import PERIOD_LENGTH_MAX
from pointsbank.rankings.policy import MONTHS_A_YEAR, months_in
from pointsbank.rankings.schemas import SnapshotPartOut
from pointsbank.rankings.snapshots import Change, Closed, NamedLine, SnapshotFile
from pointsbank.web.access import current_actor
from pointsbank.web.contract import Body, PageQuery, QueryWhole, RowId, Text
from pointsbank.web.forms import settings

REASON_LENGTH_MAX = 200
VERSION_MAX = 10_000

STAGE_WORDS = {
    "running": lazy_gettext("Running"),
    "settling": lazy_gettext("Last entries are being settled"),
    "unclosed": lazy_gettext("To be closed tonight"),
    "asked": lazy_gettext("A correction waits"),
    "late": lazy_gettext("Entries came after closing"),
    "corrected": lazy_gettext("Corrected, to be shown anew"),
    "upheld": lazy_gettext("An objection was upheld"),
    "closed": lazy_gettext("Closed, to be shown"),
    "unshown": lazy_gettext("Period closed"),
    "draft": lazy_gettext("Notice drafted"),
    "reviewed": lazy_gettext("Notice reviewed"),
    "open": lazy_gettext("Before the public"),
    "contested": lazy_gettext("Objections to answer"),
    "withdrawn": lazy_gettext("Notice withdrawn"),
    "locked": lazy_gettext("Notice locked"),
    "archived": lazy_gettext("Archived"),
}


def asked_way(session: Session, period: str, organization_id: int) -> Way:
    """Return how far the period in the address is, for who reads it at either door."""
    return way_of(
        session,
        period=period,
        organization_id=organization_id,
        actor=current_actor(),
        visibility=settings().ranking_visibility,
        zone=settings().zone,
        now=clock.now(),
    )


class ClosedQuery(PageQuery):
    """Which closed periods are asked for; all of one's scope when not told."""

    period = fields.String(validate=validate.Length(max=PERIOD_LENGTH_MAX))


class VersionQuery(Body):
    """Which version is asked for; the newest when not told."""

    version = QueryWhole(least=1, most=VERSION_MAX)


class ClosedOut(Schema):
    """A closed period of an organization, by its newest version."""

    period = fields.String()
    organization_id = fields.Integer()
    organization = fields.String()
    version = fields.Integer()
    members = fields.Integer()
    notice_id = fields.Integer(allow_none=True)
    archived_at = fields.AwareDateTime(format="iso", allow_none=True)


class ClosedListOut(Schema):
    """A page of closed periods."""

    items = fields.List(fields.Nested(ClosedOut))
    next = fields.String(allow_none=True)


class SnapshotLineOut(Schema):
    """One member of a snapshot; scores in hundredths, as the digest has them."""

    member_id = fields.Integer()
    name = fields.String(metadata={"description": "masked for auditors"})
    volunteer_no = fields.String()
    rank = fields.Integer(allow_none=True)
    table = fields.String()
    is_exempt = fields.Boolean()
    is_vetoed = fields.Boolean()
    base_hundredths = fields.Integer()
    bonus_hundredths = fields.Integer()
    deduction_hundredths = fields.Integer()
    evaluation_hundredths = fields.Integer()
    points_earned = fields.Integer()
    service_minutes = fields.Integer()
    parts = fields.List(fields.Nested(SnapshotPartOut))


class SnapshotOut(Schema):
    """One version of a closed period with its lines."""

    period = fields.String()
    organization_id = fields.Integer()
    organization_code = fields.String()
    version = fields.Integer()
    versions = fields.Integer(metadata={"description": "how many there are"})
    stage = fields.String()
    came_after = fields.Integer(
        metadata={"description": "entries after the newest version was cut"}
    )
    standard_version = fields.Integer()
    cut_at = fields.AwareDateTime(format="iso")
    entry_id = fields.Integer()
    entries = fields.Integer()
    sum_hundredths = fields.Integer()
    sum_points = fields.Integer()
    sum_minutes = fields.Integer()
    digest = fields.String()
    reason = fields.String()
    made_at = fields.AwareDateTime(format="iso")
    lines = fields.List(fields.Nested(SnapshotLineOut))


class LineChangeOut(Schema):
    """How one member's line differs; null: not in that version."""

    member_id = fields.Integer()
    name = fields.String()
    is_own = fields.Boolean(metadata={"description": "more than the rank differs"})
    score_before = fields.Integer(allow_none=True)
    score_after = fields.Integer(allow_none=True)
    rank_before = fields.Integer(allow_none=True)
    rank_after = fields.Integer(allow_none=True)
    because_of = fields.List(fields.Integer())


class LineChangesOut(Schema):
    """What a version changed against the one before it."""

    version = fields.Integer()
    reason = fields.String()
    items = fields.List(fields.Nested(LineChangeOut))


class WantedPeriodCorrection(Body):
    """Why a closed period is to be counted anew."""

    reason = Text(required=True, length_max=REASON_LENGTH_MAX)
    objection_id = RowId(load_default=None, allow_none=True)


class PeriodCorrectionDecision(Body):
    """What the second person says."""

    decision = fields.String(required=True, validate=validate.OneOf(["confirm", "refuse"]))
    reason = Text(required=True, length_max=REASON_LENGTH_MAX)


class PeriodCorrectionOut(Schema):
    """One correction, and the version that it became."""

    id = fields.Integer()
    period = fields.String()
    organization_id = fields.Integer()
    state = fields.String()
    reason = fields.String()
    objection_id = fields.Integer(allow_none=True)
    asked_at = fields.AwareDateTime(format="iso")
    decided_at = fields.AwareDateTime(format="iso", allow_none=True)


class StageOut(Schema):
    """How far a period is."""

    stage = fields.String()


def reads_names(actor: Actor, path: str) -> bool:
    """Tell whether somebody may read the full names of an organization's members here."""
    return actor.oversees(path, *NAMING_ROLES)


def name_for(name: str, *, is_full: bool) -> str:
    """Return a name as its reader may read it."""
    return name if is_full else masked_name(name)


def closed_out(found: Closed) -> dict[str, Any]:
    """Return a closed period as programs see it."""
    return {**found.__dict__, "organization": found.organization_name}


def snapshot_out(
    way: Way, snapshot: SnapshotFile, lines: Sequence[NamedLine], *, is_full: bool
) -> dict[str, Any]:
    """Return a version with its lines as programs see it."""
    return {
        **snapshot.__dict__,
        "versions": len(way.versions),
        "stage": way.stage,
        "came_after": way.late,
        "lines": [
            {
                **each.line.__dict__,
                "table": each.line.table_name,
                "name": name_for(each.name, is_full=is_full),
            }
            for each in lines
        ],
    }


def change_out(change: Change, names: dict[int, str]) -> dict[str, Any]:
    """Return a difference as programs see it."""
    before, after = change.before, change.after
    return {
        "member_id": change.member_id,
        "name": names[change.member_id],
        "is_own": change.is_own,
        "score_before": before.evaluation_hundredths if before else None,
        "score_after": after.evaluation_hundredths if after else None,
        "rank_before": before.rank if before else None,
        "rank_after": after.rank if after else None,
        "because_of": list(change.because_of),
    }


def correction_out(found: CorrectionFile) -> dict[str, Any]:
    """Return a correction as programs see it."""
    return dict(found.__dict__)


def next_step(way: Way) -> str:
    """Say what comes next for a period, in one sentence."""
    sentences = {
        "running": gettext("The period is still running. Nothing is to be done."),
        "settling": gettext(
            "The period is over. Its last entries are being settled; it is closed by itself."
        ),
        "unclosed": gettext("The period is closed by itself tonight."),
        "asked": gettext("A correction was asked for. Another person looks at it and decides."),
        "late": gettext(
            "Entries came after closing, so what stands is not all. Correct the period."
        ),
        "corrected": gettext("The period was corrected. Show the corrected version now."),
        "upheld": gettext(
            "An objection was upheld. Enter what was wrong, such as an adjustment, then correct"
            " the period."
        ),
        "closed": gettext("The period is closed. Draft its notice; another person reviews it."),
        "unshown": gettext(
            "The period is closed, and nothing of it is shown in public. Archive it when you"
            " have looked at it."
        ),
        "draft": gettext(
            "The notice is drafted. Somebody else than who drafted it reviews it."
        ),
        "reviewed": gettext("The notice is reviewed and opens on the next working day."),
        "open": gettext("The notice is before the public. Whoever finds a mistake can object."),
        "contested": gettext("Somebody objects. Please answer and decide in time."),
        "locked": gettext("The notice is locked. The period is archived by itself tonight."),
        "archived": gettext("The period is archived. It stays readable."),
    }
    if way.stage in ("closed", "unshown") and months_in(way.period) == MONTHS_A_YEAR:
        return str(gettext("The year is closed. The branch committee decides on the grades."))
    return str(sentences[way.stage])
