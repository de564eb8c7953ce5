"""Trials of drafts as programs send and see them."""

from typing import Any

from marshmallow import Schema, fields

from pointsbank.rankings.trials import TrialFile
from pointsbank.web.contract import Body, Text


class WantedTrial(Body):
    """Over which period, and with whose members."""

    period = Text(length_max=24, required=True)
    organization_code = Text(length_max=32, required=True)


class TrialLineOut(Schema):
    """A trial with its counts."""

    id = fields.Integer()
    standard_id = fields.Integer()
    period = fields.String()
    organization = fields.String()
    ran_by = fields.String()
    ran_at = fields.AwareDateTime(format="iso")
    digest = fields.String()
    standard_version = fields.Integer()
    members = fields.Integer()
    moved = fields.Integer()
    up = fields.Integer()
    down = fields.Integer()
    rank_changes = fields.Integer()
    grade_changes = fields.Integer()
    not_counted = fields.Integer()


class TrialOut(TrialLineOut):
    """A trial with who moved furthest; scores in whole points, names masked."""

    lines = fields.List(fields.Dict())


class TrialsOut(Schema):
    """A page of trials, the newest first, without their lines."""

    items = fields.List(fields.Nested(TrialLineOut))
    next = fields.String(allow_none=True)


def trial_out(found: TrialFile) -> dict[str, Any]:
    """Return a trial; each line says who moved from where to where, and by which parts."""
    return {
        **vars(found),
        **found.summary,
        "organization": found.organization_name,
        "lines": [line_out(line, found.names) for line in found.summary["lines"]],
    }


def line_out(line: dict[str, Any], names: dict[int, str]) -> dict[str, Any]:
    """Return how one member moved; hundredths become a score."""
    return {
        "member": {
            "id": line["member_id"],
            "display_name": names.get(line["member_id"], ""),
        },
        "old": {**line["old"], "score": line["old"]["score"] / 100},
        "new": {**line["new"], "score": line["new"]["score"] / 100},
        "parts": [
            {**part, "old": part["old"] / 100, "new": part["new"] / 100}
            for part in line["parts"]
        ],
    }
