"""The page of unusual patterns at counters."""

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pointsbank.core import clock
from pointsbank.core.db import reading
from pointsbank.rewards.watching import days_of
from pointsbank.rewards.watching_schemas import Named, named_findings
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.forms import settings

pages = Blueprint("unusual_pages", __name__)

OVERSEERS = ("administrator", "auditor")


@pages.get("/redemptions/unusual")
@roles_only(*OVERSEERS)
def show() -> ResponseReturnValue:
    """Show what an auditor should look at, and why."""
    zone = settings().zone
    first, last = days_of(
        request.args.get("first"), request.args.get("last"), clock.now(), zone
    )
    with reading() as session:
        found = named_findings(session, current_actor().paths(*OVERSEERS), first, last, zone)
    return render_template(
        "rewards/unusual.html",
        span={"first": first.isoformat(), "last": last.isoformat()},
        findings=[printed(each) for each in found],
        here=url_for("unusual_pages.show"),
    )


def printed(each: Named) -> dict[str, Any]:
    """Return a finding as the page prints it, with the way to its shop and its receipts."""
    finding = each.finding
    return {
        "title": each.title,
        "reason": each.reason,
        "merchant": each.merchant,
        "merchant_href": url_for("desk_pages.show_desk", merchant_id=finding.merchant_id),
        "first_at": finding.first_at,
        "last_at": finding.last_at,
        "receipts": [
            url_for("till_pages.show_receipt", redemption_id=receipt)
            for receipt in finding.receipts
        ],
    }
