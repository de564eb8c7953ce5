"""What comes in and goes out around reviews, counts, co-signing and differences, in words."""

from typing import Any

from marshmallow import Schema, fields, validate

from pointsbank.attendance.counting import HEADS_MAX, HeadsSeen, Roll
from pointsbank.attendance.differences import DECISIONS, DifferenceFile, Shown
from pointsbank.attendance.models import DIRECTIONS, RESULTS
from pointsbank.attendance.review_words import reasons_in_words, title_or_code
from pointsbank.attendance.reviews import Evidence, ReviewFile
from pointsbank.attendance.schemas import NewScanIn, YesNo
from pointsbank.attendance.searching import WORDS_LENGTH_MAX, FoundPerson
from pointsbank.attendance.vouching import Vouching
from pointsbank.web.contract import Body, PageQuery, RowId, Text, Whole

NOTE_LENGTH_MAX = 200
SCANS_MAX = 200
# Reasons that a newer station may have and this service does not are kept as they come.
REASON = validate.Regexp(r"[a-z][a-z_]{0,23}\Z", error="A reason such as ok_in.")


class DeviceVerdict(Body):
    """What the station's screen showed while it had no network."""

    result = fields.String(required=True, validate=validate.OneOf(RESULTS))
    reason = fields.String(required=True, validate=REASON)
    direction = fields.String(allow_none=True, validate=validate.OneOf(DIRECTIONS))


class StationScanIn(NewScanIn):
    """A scan that a station kept, with what it showed for it."""

    device_verdict = fields.Nested(DeviceVerdict, allow_none=True)


class ScanBatch(Body):
    """What a station kept while it had no network, in the order of the scans."""

    scans = fields.List(
        fields.Nested(StationScanIn),
        required=True,
        validate=validate.Length(min=1, max=SCANS_MAX),
    )


class ReviewQuery(PageQuery):
    """Which part of the list."""

    state = fields.String(
        load_default="waiting", validate=validate.OneOf(("waiting", "decided"))
    )


class ReviewDecision(Body):
    """Whether an attendance counts; reason: needed where it does not."""

    decision = fields.String(required=True, validate=validate.OneOf(("approve", "refuse")))
    reason = Text(length_max=NOTE_LENGTH_MAX, length_min=0, load_default="")


class ReasonOut(Schema):
    """One thing that speaks against an attendance; words: for a person."""

    code = fields.String()
    weight = fields.Integer()
    words = fields.String()


class ReviewedOut(Schema):
    """A person by id and masked name."""

    id = fields.Integer()
    display_name = fields.String()


class ReviewShiftOut(Schema):
    """The shift of a review."""

    id = fields.Integer()
    title = fields.String()
    place_name = fields.String()
    organization = fields.String()
    starts_at = fields.AwareDateTime(format="iso")
    ends_at = fields.AwareDateTime(format="iso")


class ReviewOut(Schema):
    """An attendance that waits, or was decided."""

    id = fields.Integer()
    state = fields.String()
    score = fields.Integer()
    reasons = fields.List(fields.Nested(ReasonOut))
    shift = fields.Nested(ReviewShiftOut)
    member = fields.Nested(ReviewedOut)
    attendance_state = fields.String()
    held_reason = fields.String(allow_none=True)
    points = fields.Integer(allow_none=True)
    service_minutes = fields.Integer(allow_none=True)
    settled_at = fields.AwareDateTime(format="iso", allow_none=True)
    reviewed_by = fields.String(allow_none=True)
    reviewed_at = fields.AwareDateTime(format="iso", allow_none=True)
    note = fields.String(allow_none=True)
    may_decide = fields.Boolean()


class ReviewListOut(Schema):
    """A page of reviews."""

    items = fields.List(fields.Nested(ReviewOut))
    next = fields.String(allow_none=True)


class StayOut(Schema):
    """One time of coming and going."""

    occurrence = fields.Integer()
    came_at = fields.AwareDateTime(format="iso", allow_none=True)
    left_at = fields.AwareDateTime(format="iso", allow_none=True)


class ScanSeenOut(Schema):
    """One scan that a review rests on."""

    id = fields.Integer()
    at = fields.AwareDateTime(format="iso")
    recorded_at = fields.AwareDateTime(format="iso")
    code_kind = fields.String()
    direction = fields.String(allow_none=True)
    result = fields.String()
    reason = fields.String()
    counts = fields.Boolean()
    is_offline = fields.Boolean(data_key="offline")
    is_undone = fields.Boolean(data_key="undone")
    is_own = fields.Boolean(data_key="own")
    by_name = fields.String(data_key="by")
    device_people = fields.Integer()
    flags = fields.List(fields.String())
    note = fields.String(allow_none=True)


class OtherShiftOut(Schema):
    """Another shift at the same time."""

    title = fields.String()
    came_at = fields.AwareDateTime(format="iso")
    left_at = fields.AwareDateTime(format="iso")


class EvidenceOut(Schema):
    """What a review rests on; roll_calls: what each found, null where nobody said."""

    stays = fields.List(fields.Nested(StayOut))
    scans = fields.List(fields.Nested(ScanSeenOut))
    elsewhere = fields.List(fields.Nested(OtherShiftOut))
    answers = fields.List(fields.Boolean(allow_none=True), data_key="roll_calls")


class ReviewWithEvidenceOut(ReviewOut):
    """One review with what it rests on."""

    evidence = fields.Nested(EvidenceOut)


class SignatureOut(Schema):
    """Who vouched, for how many."""

    display_name = fields.String()
    people = fields.Integer()
    signed_at = fields.AwareDateTime(format="iso")


class VouchingOut(Schema):
    """Where the co-signing of a shift stands."""

    people = fields.Integer()
    needed = fields.Boolean()
    signed = fields.Boolean()
    signatures = fields.List(fields.Nested(SignatureOut))


class WantedSigner(Body):
    """Who is asked to vouch."""

    member_id = RowId(required=True)


class HeadCountIn(Body):
    """How many people the lead sees."""

    counted = Whole(required=True, least=0, most=HEADS_MAX)


class HeadCountOut(Schema):
    """A count of heads beside the scans."""

    id = fields.Integer()
    counted = fields.Integer()
    by_scans = fields.Integer()
    counted_at = fields.AwareDateTime(format="iso")


class HeadCountsOut(Schema):
    """The counts of a shift, the newest first."""

    items = fields.List(fields.Nested(HeadCountOut))
    next = fields.String(allow_none=True)


class CalledOut(Schema):
    """One person of a roll call; here is null until it is known."""

    member_id = fields.Integer()
    display_name = fields.String()
    here = fields.Boolean(allow_none=True)


class RollOut(Schema):
    """A roll call."""

    id = fields.Integer()
    shift_id = fields.Integer()
    called_at = fields.AwareDateTime(format="iso")
    open = fields.Boolean()
    people = fields.List(fields.Nested(CalledOut))


class RollAnswerIn(Body):
    """Whether somebody who was called is here."""

    member_id = RowId(required=True)
    here = YesNo(required=True)


class PeopleSearch(Body):
    """A name, a number, or the last four digits of a phone or more."""

    words = Text(length_max=WORDS_LENGTH_MAX, required=True)


class FoundPersonOut(Schema):
    """Somebody who may be meant."""

    member_id = fields.Integer()
    display_name = fields.String()
    volunteer_no = fields.String()
    organization_name = fields.String()
    claim = fields.String(allow_none=True)
    came_at = fields.AwareDateTime(format="iso", allow_none=True)
    left_at = fields.AwareDateTime(format="iso", allow_none=True)


class FoundPeopleOut(Schema):
    """At most twenty people."""

    items = fields.List(fields.Nested(FoundPersonOut))
    next = fields.String(allow_none=True)


class DifferenceDecision(Body):
    """What becomes of a difference; note: why, needed to let in."""

    decision = fields.String(required=True, validate=validate.OneOf(DECISIONS))
    note = Text(length_max=NOTE_LENGTH_MAX, length_min=0, load_default="")


class SideOut(Schema):
    """What one side said of a scan; title: for a person."""

    result = fields.String()
    reason = fields.String()
    title = fields.String()


class DifferenceOut(Schema):
    """A scan that station and server judged otherwise."""

    scan_id = fields.Integer()
    display_name = fields.String()
    volunteer_no = fields.String()
    direction = fields.String(allow_none=True)
    scanned_at = fields.AwareDateTime(format="iso")
    device = fields.Nested(SideOut)
    server = fields.Nested(SideOut)
    found_at = fields.AwareDateTime(format="iso")
    decision = fields.String(allow_none=True)
    decided_by = fields.String(allow_none=True)
    decided_at = fields.AwareDateTime(format="iso", allow_none=True)
    note = fields.String(allow_none=True)


class DifferencesOut(Schema):
    """The differences of a shift, the open ones first."""

    items = fields.List(fields.Nested(DifferenceOut))
    next = fields.String(allow_none=True)
    open = fields.Integer()


def shown_from(body: dict[str, Any]) -> Shown | None:
    """Return what the station showed for a scan of its batch."""
    verdict = body.get("device_verdict")
    if not verdict:
        return None
    return Shown(verdict["result"], verdict["reason"], verdict.get("direction"))


def review_out(found: ReviewFile, actor_id: int) -> dict[str, Any]:
    """Return a review as programs see it."""
    return {
        **{
            name: getattr(found, name)
            for name in (
                "id",
                "state",
                "score",
                "attendance_state",
                "held_reason",
                "points",
                "service_minutes",
                "settled_at",
                "reviewed_at",
                "note",
            )
        },
        "reasons": reasons_in_words(found),
        "shift": {
            "id": found.shift_id,
            "title": found.title,
            "place_name": found.place_name,
            "organization": found.organization_name,
            "starts_at": found.starts_at,
            "ends_at": found.ends_at,
        },
        "member": {"id": found.member_id, "display_name": found.display_name},
        "reviewed_by": found.reviewed_by_name or None,
        "may_decide": found.state == "waiting" and actor_id not in found.involved,
    }


def evidence_out(evidence: Evidence) -> dict[str, Any]:
    """Return what a review rests on as programs see it."""
    return {name: list(getattr(evidence, name)) for name in vars(evidence)}


def vouching_out(vouching: Vouching) -> dict[str, Any]:
    """Return where the co-signing stands."""
    return {
        "people": vouching.people,
        "needed": vouching.is_needed,
        "signed": vouching.is_signed,
        "signatures": list(vouching.signatures),
    }


def roll_out(roll: Roll) -> dict[str, Any]:
    """Return a roll call as programs see it."""
    return {
        "id": roll.id,
        "shift_id": roll.shift_id,
        "called_at": roll.called_at,
        "open": roll.is_open,
        "people": [
            {
                "member_id": each.member_id,
                "display_name": each.display_name,
                "here": each.is_here,
            }
            for each in roll.people
        ],
    }


def heads_out(seen: HeadsSeen) -> dict[str, Any]:
    """Return a count of heads."""
    return vars(seen)


def found_out(person: FoundPerson) -> dict[str, Any]:
    """Return somebody who may be meant."""
    return vars(person)


def side_out(result: str, reason: str) -> dict[str, str]:
    """Return what one side said of a scan, with its large word."""
    return {"result": result, "reason": reason, "title": title_or_code(reason)}


def difference_out(found: DifferenceFile) -> dict[str, Any]:
    """Return a difference as programs see it."""
    return {
        **{
            name: getattr(found, name)
            for name in (
                "scan_id",
                "display_name",
                "volunteer_no",
                "direction",
                "scanned_at",
                "found_at",
                "decision",
                "decided_at",
                "note",
            )
        },
        "device": side_out(found.device_result, found.device_reason),
        "server": side_out(found.server_result, found.server_reason),
        "decided_by": found.decided_by_name or None,
    }
