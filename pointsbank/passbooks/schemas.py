"""What the book looks like in JSON, and its cover and lines on a page."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from flask import url_for
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from pointsbank.ledger.models import TRANSFER_POINTS_MAX
from pointsbank.ledger.queries import Line
from pointsbank.passbooks.disputes import DisputeFile
from pointsbank.passbooks.exporting import FORMATS, Words
from pointsbank.passbooks.policy import source_of
from pointsbank.passbooks.queries import Cover
from pointsbank.web.contract import Body, PageQuery, Text, When, Whole, cursor_from
from pointsbank.web.formats import day, full_day, local, moment, points
from pointsbank.web.languages import locale_name

DISPUTE_LENGTH_MAX = 300
# What the ledger prints beside a line.
REASON_LENGTH_MAX = 200
# No book was opened before, and nobody asks for a moment after.
FIRST_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
LAST_MOMENT = datetime(2100, 1, 1, tzinfo=UTC)
KIND_WORDS = {
    "earn": lazy_gettext("Deposit"),
    "spend": lazy_gettext("Withdrawal"),
    "reversal": lazy_gettext("Reversal"),
    "expire": lazy_gettext("Expired"),
    "gift_out": lazy_gettext("Gift given"),
    "gift_in": lazy_gettext("Gift received"),
    "donate": lazy_gettext("Donation"),
    "adjust_up": lazy_gettext("Adjustment, points added"),
    "adjust_down": lazy_gettext("Adjustment, points taken off"),
}
# What became of a dispute, in a few words.
STATE_WORDS = {
    "open": lazy_gettext("Disputed, answer by %(date)s"),
    "upheld": lazy_gettext("Disputed, taken back"),
    "rejected": lazy_gettext("Disputed, answered: the line stays"),
}


class LineOut(Schema):
    """One line of a passbook; points are above zero when they came in."""

    line = fields.Integer()
    occurred_at = fields.AwareDateTime(format="iso")
    recorded_at = fields.AwareDateTime(format="iso")
    kind = fields.String()
    points = fields.Integer()
    balance_after = fields.Integer()
    memo = fields.String()
    transfer_id = fields.Integer()
    reverses_line = fields.Integer(allow_none=True)
    expires_on = fields.Date(allow_none=True)
    source = fields.Dict(keys=fields.String())


class BookOut(Schema):
    """A page of one's own passbook, newest line first."""

    items = fields.List(fields.Nested(LineOut))
    next = fields.String(allow_none=True)


class NewDispute(Body):
    """What a member says is wrong with a line."""

    reason = Text(length_max=DISPUTE_LENGTH_MAX, required=True)


class DisputeOpened(Schema):
    """An open dispute."""

    id = fields.Integer()
    answer_by = fields.Date()


class NewAnswer(Body):
    """How a dispute is decided; points only where less than the whole line is taken back."""

    decision = fields.String(required=True, validate=validate.OneOf(["uphold", "reject"]))
    reason = Text(length_max=DISPUTE_LENGTH_MAX, length_min=0, load_default="")
    points = Whole(least=1, most=TRANSFER_POINTS_MAX)

    @validates_schema
    def _points_are_upheld(self, data: dict[str, Any], **_more: Any) -> None:
        if "points" in data and data.get("decision") == "reject":
            raise ValidationError("Not with this decision.", "points")


class DisputeQuery(PageQuery):
    """Which disputes to list."""

    state = fields.String(load_default="open", validate=validate.OneOf(["open", "answered"]))


class DisputeOut(Schema):
    """A dispute as those who answer it see it; points of the line are signed."""

    id = fields.Integer()
    member_id = fields.Integer()
    display_name = fields.String()
    line = fields.Integer()
    transfer_id = fields.Integer()
    points = fields.Integer()
    memo = fields.String()
    reason = fields.String()
    state = fields.String()
    overdue = fields.Boolean()
    opened_at = fields.AwareDateTime(format="iso")
    answer_by = fields.Date()
    answered_at = fields.AwareDateTime(format="iso", allow_none=True)
    answer = fields.String()
    reversal_id = fields.Integer(allow_none=True)


class DisputeListOut(Schema):
    """A page of disputes."""

    items = fields.List(fields.Nested(DisputeOut))
    next = fields.String(allow_none=True)


class NewReversal(Body):
    """Which points of a line are taken back, and why."""

    points = Whole(least=1, most=TRANSFER_POINTS_MAX, load_default=None)
    reason = Text(length_max=REASON_LENGTH_MAX, required=True)


class ReversalOut(Schema):
    """The line that takes another one back."""

    id = fields.Integer()
    line = fields.Integer()
    points = fields.Integer()
    balance_after = fields.Integer()
    reverses_id = fields.Integer()
    reverses_line = fields.Integer()


class MomentQuery(Body):
    """The moment as of which a balance is asked for."""

    at = When(required=True, validate=validate.Range(min=FIRST_MOMENT, max=LAST_MOMENT))


class PastBalanceOut(Schema):
    """What a book's balance was."""

    at = fields.AwareDateTime(format="iso")
    balance = fields.Integer()


class ExportQuery(Body):
    """In which form a book is handed out."""

    format = fields.String(load_default="csv", validate=validate.OneOf(FORMATS))


def export_words(note: str) -> Words:
    """Return what stands in a file of one's own book beside the figures."""
    return Words(
        name=gettext("My passbook"),
        note=note,
        headers=[
            gettext("Line"),
            gettext("Written"),
            gettext("Took place"),
            gettext("Kind"),
            gettext("For what"),
            gettext("Deposit"),
            gettext("Withdrawal"),
            gettext("Balance"),
            gettext("Takes back line"),
            gettext("Good through"),
            gettext("Other account"),
            gettext("Ledger no."),
        ],
        kinds={kind: str(word) for kind, word in KIND_WORDS.items()},
    )


def dispute_out(dispute: DisputeFile, today: date) -> dict[str, Any]:
    """Return a dispute as the contract has it."""
    return {
        **vars(dispute),
        "display_name": dispute.display_name,
        "memo": dispute.title,
        "overdue": dispute.is_overdue(today),
    }


def cover_words(cover: Cover, name: str, number: str) -> dict[str, Any]:
    """Return the cover as the component prints it."""
    first = cover.expiring[0] if cover.expiring else None
    return {
        "balance": cover.balance.available,
        "held": cover.balance.held,
        "name": name,
        "number": number,
        "pending": 0,
        "expiring": first.points if first else 0,
        "expiring_on": day_with_year(first.expires_on) if first else "",
    }


def day_with_year(on: date) -> str:
    """Write 2027年12月31日, or 31 Dec 2027."""
    return f"{on.year}年{day(on)}" if locale_name() == "zh" else f"{day(on)} {on.year}"


def memo_of(line: Line) -> str:
    """Return what a line prints: the ledger's words, or ours where a kind has its own.

    The ledger's words of a donation are the fund's name.
    """
    if line.kind == "donate":
        return str(gettext("Donated to %(fund)s", fund=line.reason))
    words = {
        "expire": lazy_gettext("Expired"),
        "gift_out": lazy_gettext("Gift to my family"),
        "gift_in": lazy_gettext("Gift from my family"),
    }
    return str(words.get(line.kind, line.reason))


def printed_line(
    line: Line,
    reversed_points: int,
    people: dict[int, str],
    on_page: set[int] | None,
    dispute: DisputeFile | None = None,
    behind: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Return one line as the component prints it.

    on_page: the lines that stand on the same page of their owner's book; None where others
    read the line, who are led to no book.
    dispute: the newest one of this line. behind: what other rooms know of it.
    """
    remarks = [
        gettext("%(points)s points were taken back", points=points(reversed_points))
        if reversed_points
        else "",
        state_words(dispute) if dispute else "",
    ]
    return {
        "line": line.line,
        "date": f"{local(line.recorded_at):%m-%d}",
        "title": memo_of(line),
        "why": " · ".join(remark for remark in remarks if remark),
        "source": [*source_words(line, on_page), *behind, *dispute_words(dispute)],
        "amount": line.points,
        "kind": "reversal" if line.kind == "reversal" else "in" if line.points > 0 else "out",
        "balance": line.balance_after,
        "by": people.get(line.actor_id or 0, ""),
        "open": False,
        "dispute_href": url_for("disputing_pages.ask", line=line.line)
        if on_page is not None
        else "",
        "is_disputed": dispute is not None and dispute.state == "open",
        "absent_href": absent_href(line) if on_page is not None else "",
    }


def absent_href(line: Line) -> str:
    """Return where its owner says that they did not take part in what a line was awarded for,
    empty for every other line."""
    kind, _, claim_id = line.key.partition(":")
    if kind != "award" or not claim_id.isdecimal():
        return ""
    return url_for("service_pages.of_claim", claim_id=int(claim_id))


def state_words(dispute: DisputeFile) -> str:
    """Return what became of a dispute, in a few words."""
    words: str = STATE_WORDS[dispute.state] % {"date": day(dispute.answer_by)}
    return words


def dispute_words(dispute: DisputeFile | None) -> list[tuple[str, str]]:
    """Return what was said against a line and what was answered, as terms and values."""
    if dispute is None:
        return []
    found = [(gettext("What you said"), dispute.reason)]
    if dispute.answer:
        found.append((gettext("Answer"), dispute.answer))
    return found


def source_words(line: Line, on_page: set[int] | None) -> list[tuple[str, str]]:
    """Return where a line came from, as terms and values."""
    found = [(gettext("Line"), str(line.line)), (gettext("Written"), moment(line.recorded_at))]
    if local(line.occurred_at).date() != local(line.recorded_at).date():
        found.append((gettext("Took place"), full_day(line.occurred_at)))
    if line.reverses_line:
        found.append((gettext("Takes back"), link_to_line(line.reverses_line, on_page)))
    found += origin_words(line, on_page)
    if line.expires_on:
        found.append((gettext("Good through"), full_day(line.expires_on)))
    found.append((gettext("Ledger no."), str(line.transfer_id)))
    return found


def origin_words(line: Line, on_page: set[int] | None) -> list[tuple[str, str]]:
    """Return what the key of a line tells of its cause, as a term and its value, or nothing."""
    source = source_of(line.key)
    if source["kind"] == "redemption":
        return [(gettext("Redemption no."), str(source["number"]))]
    if "id" not in source:
        return []
    if source["kind"] == "gift":
        return [(gettext("Gift no."), gift_words(int(source["id"]), on_page))]
    found = {
        "claim": (gettext("Where from"), gettext("Claim no. %(id)s", id=source["id"])),
        "dispute": (gettext("Where from"), gettext("Dispute no. %(id)s", id=source["id"])),
        "donation": (gettext("Donation no."), str(source["id"])),
    }.get(str(source["kind"]))
    return [found] if found else []


def gift_words(gift_id: int, on_page: set[int] | None) -> str:
    """Return the number of a gift; its people are led to it from their own books."""
    if on_page is None:
        return str(gift_id)
    href = url_for("gift_pages.show_gift", gift_id=gift_id)
    return Markup('<a href="{}">{}</a>').format(href, gift_id)


def link_to_line(line: int, on_page: set[int] | None) -> str:
    """Return a link to another line, on this page or on the one it begins; words for others."""
    words = gettext("line %(line)s", line=line)
    if on_page is None:
        return str(words)
    page = "" if line in on_page else url_for("book_pages.book", cursor=cursor_from(line + 1))
    return Markup('<a href="{}#line-{}">{}</a>').format(page, line, words)


def book_at(line: int) -> str:
    """Return where a line stands in its owner's book."""
    page = url_for("book_pages.book", cursor=cursor_from(line + 1))
    return f"{page}#line-{line}"
