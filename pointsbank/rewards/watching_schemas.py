"""Unusual patterns as programs and pages see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from pointsbank.members.queries import display_names
from pointsbank.organizations.queries import merchants_within
from pointsbank.rewards.watching import Finding, facts_of, judged
from pointsbank.rewards.watching_words import REASONS, TITLES
from pointsbank.web.contract import Body
from pointsbank.web.formats import points


class UnusualQuery(Body):
    """From which local day through which; the last 30 if none is named."""

    first = fields.String()
    last = fields.String()


class UnusualNameOut(Schema):
    """A merchant by its name."""

    id = fields.Integer()
    name = fields.String()


class UnusualPersonOut(Schema):
    """Somebody, as others see the name."""

    display_name = fields.String()


class FindingOut(Schema):
    """Something to look at. reason is for people, in the language asked for; redemptions: the
    ids of the last of them.
    """

    kind = fields.String()
    reason = fields.String()
    merchant = fields.Nested(UnusualNameOut)
    clerk = fields.Nested(UnusualPersonOut)
    member = fields.Nested(UnusualPersonOut, allow_none=True)
    times = fields.Integer()
    points = fields.Integer()
    first_at = fields.AwareDateTime(format="iso")
    last_at = fields.AwareDateTime(format="iso")
    redemptions = fields.List(fields.Integer())


class FindingsOut(Schema):
    """What is unusual in a span of days, the gravest pattern first."""

    first = fields.Date()
    last = fields.Date()
    items = fields.List(fields.Nested(FindingOut))


@dataclass(frozen=True)
class Named:
    """A finding with the names of the merchant and of its people, masked."""

    finding: Finding
    merchant: str
    clerk: str
    member: str | None

    @property
    def title(self) -> str:
        """What the pattern is called."""
        return str(TITLES[self.finding.kind])

    @property
    def reason(self) -> str:
        """Why it stands in the list."""
        return str(REASONS[self.finding.kind]) % {
            "times": points(self.finding.times),
            "points": points(self.finding.points),
            "clerk": self.clerk,
            "member": self.member,
        }


def named_findings(
    session: Session, paths: Sequence[str], first: date, last: date, zone: ZoneInfo
) -> list[Named]:
    """Return what is unusual at the counters under these paths on these days."""
    findings = judged(facts_of(session, paths, first, last, zone))
    ids = sorted({each.merchant_id for each in findings})
    merchants = merchants_within(session, (), ids=ids, limit=len(ids)) if ids else []
    shops = {each.id: each.name for each in merchants}
    people = {each.clerk_id for each in findings}
    people |= {each.member_id for each in findings if each.member_id is not None}
    names = display_names(session, people)
    return [
        Named(
            each,
            shops[each.merchant_id],
            names[each.clerk_id],
            names[each.member_id] if each.member_id is not None else None,
        )
        for each in findings
    ]


def finding_out(named: Named) -> dict[str, Any]:
    """Return a finding as programs see it."""
    each = named.finding
    return {
        "kind": each.kind,
        "reason": named.reason,
        "merchant": {"id": each.merchant_id, "name": named.merchant},
        "clerk": {"display_name": named.clerk},
        "member": {"display_name": named.member} if named.member else None,
        "times": each.times,
        "points": each.points,
        "first_at": each.first_at,
        "last_at": each.last_at,
        "redemptions": list(each.receipts),
    }
