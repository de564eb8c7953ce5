"""Shows every member how much each organizer near them enters by hand."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import Schema, fields, validate

from pointsbank.core import clock
from pointsbank.core.db import reading
from pointsbank.organizations.queries import OrganizationNode
from pointsbank.rankings.by_hand import COMMUNITY, DISTRICT, HandShare, hand_shares, home_of
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import Blueprint as ApiBlueprint
from pointsbank.web.contract import Body

api = ApiBlueprint("manual_api", __name__, description="What is entered by hand, and by whom.")
pages = Blueprint("manual_pages", __name__)

# Rule: docs/ledger.md, "Manual adjustments": the last twelve months.
SHOWN_FOR = timedelta(days=365)


class SharesQuery(Body):
    """Whose organizers to show: of one's community, or of the whole district."""

    of = fields.String(load_default=COMMUNITY, validate=validate.OneOf([COMMUNITY, DISTRICT]))


class ShareOut(Schema):
    """One organizer; the name is masked."""

    display_name = fields.String()
    organization = fields.String()
    by_scan = fields.Integer()
    by_hand = fields.Integer()
    percent = fields.Integer()


class SharesOut(Schema):
    """All organizers of a community or district, the largest share by hand first."""

    organization = fields.String()
    since = fields.AwareDateTime(format="iso")
    items = fields.List(fields.Nested(ShareOut))
    next = fields.String(allow_none=True)


def found_shares(of: str, since: datetime) -> tuple[OrganizationNode, list[HandShare]]:
    """Return the reader's community or district, and the share of each organizer there."""
    with reading() as session:
        home = home_of(session, current_actor().organization_id, of)
        return home, hand_shares(session, [home.path], since)


@api.get("/manual-entries")
@api.arguments(SharesQuery, location="query")
@api.response(200, SharesOut)
@members_only
def list_shares(query: dict[str, Any]) -> dict[str, Any]:
    """Answer how much each organizer entered by hand in the last twelve months."""
    since = clock.now() - SHOWN_FOR
    home, shares = found_shares(query["of"], since)
    return {
        "organization": home.name,
        "since": since,
        "items": [
            {
                "display_name": share.name,
                "organization": share.place,
                "by_scan": share.by_scan,
                "by_hand": share.by_hand,
                "percent": share.percent,
            }
            for share in shares
        ],
        "next": None,
    }


@pages.get("/manual-entries")
@members_only
def show_shares() -> ResponseReturnValue:
    """Show the same as a page."""
    of = DISTRICT if request.args.get("of") == DISTRICT else COMMUNITY
    home, shares = found_shares(of, clock.now() - SHOWN_FOR)
    here = url_for("manual_pages.show_shares")
    return render_template(
        "app/manual_entries.html",
        place=home.name,
        shares=shares,
        scopes=[
            {"href": here, "label": gettext("My community"), "current": of == COMMUNITY},
            {
                "href": f"{here}?of={DISTRICT}",
                "label": gettext("The whole district"),
                "current": of == DISTRICT,
            },
        ],
    )
