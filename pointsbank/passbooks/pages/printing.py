"""One line of a book as the component prints it, in its owner's hands or in those of others."""

from collections.abc import Sequence
from typing import Any

from flask import url_for
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup

from pointsbank.ledger.queries import Line
from pointsbank.passbooks.disputes import DisputeFile
from pointsbank.passbooks.policy import source_of
from pointsbank.passbooks.schemas import memo_of
from pointsbank.web.contract import cursor_from
from pointsbank.web.formats import day, full_day, local, moment, points

# What became of a dispute, in a few words.
STATE_WORDS = {
    "open": lazy_gettext("Disputed, answer by %(date)s"),
    "upheld": lazy_gettext("Disputed, taken back"),
    "rejected": lazy_gettext("Disputed, answered: the line stays"),
}


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
    }


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
