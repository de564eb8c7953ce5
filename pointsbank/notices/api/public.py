"""The JSON door that everyone may use: open notices, objections without a name, receipts."""

from typing import Any

from flask import request

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.keys import draw_letters
from pointsbank.notices.objecting import (
    RECEIPT_ALPHABET,
    RECEIPT_LETTERS,
    NewObjection,
    anonymous,
    raise_objection,
    receipt_hash,
    spelled_receipt,
)
from pointsbank.notices.objections import objection_by_receipt
from pointsbank.notices.queries import public_notice, public_notices, shown_lines
from pointsbank.notices.schemas import (
    AnonymousRaised,
    CourseOut,
    NewObjectionBody,
    PublicNoticeOut,
    PublicNoticesOut,
    PublicQuery,
    ReceiptBody,
    listed,
    public_out,
)
from pointsbank.organizations.queries import organization_by_code
from pointsbank.web.access import anyone, for_programs
from pointsbank.web.contract import Blueprint, cursor_from, position_from
from pointsbank.web.forms import settings

api = Blueprint("public_notices_api", __name__, description="Public notices, for everyone.")


@api.get("/public-notices")
@api.arguments(PublicQuery, location="query")
@api.response(200, PublicNoticesOut, headers={"X-Robots-Tag": {"schema": {"type": "string"}}})
@anyone
def list_open(query: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """List the notices that are open today, of an organization and all below it."""
    limit, today = query["limit"], local_day(clock.now(), settings().zone)
    with reading() as session:
        code = query.get("organization_code")
        path = organization_by_code(session, code).path if code else "/"
        found = public_notices(
            session,
            today,
            path=path,
            after_id=position_from(query.get("cursor")) or 0,
            limit=limit + 1,
        )
    answer = {
        "items": [listed(each) for each in found[:limit]],
        "next": cursor_from(found[limit - 1].id) if len(found) > limit else None,
    }
    return answer, 200, {"X-Robots-Tag": "noindex"}


@api.get("/public-notices/<id:notice_id>")
@api.response(200, PublicNoticeOut)
@anyone
def show_open(notice_id: int) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Answer an open notice with everything its digest is made of."""
    today = local_day(clock.now(), settings().zone)
    with reading() as session:
        found = public_notice(session, notice_id, today)
        lines = shown_lines(session, notice_id)
    return public_out(found, lines), 200, {"X-Robots-Tag": "noindex"}


@api.post("/public-notices/<id:notice_id>/objections")
@api.arguments(NewObjectionBody)
@api.response(201, AnonymousRaised)
@for_programs
@anyone
def object_without_name(body: dict[str, Any], notice_id: int) -> dict[str, Any]:
    """Object without a name but with facts; the receipt is answered this once."""
    now, secret = clock.now(), settings().secret_key
    receipt = draw_letters(RECEIPT_ALPHABET, RECEIPT_LETTERS)
    by = anonymous(secret, receipt=receipt, client=request.remote_addr or "")
    raised = run(
        lambda session: raise_objection(
            session,
            notice_id=notice_id,
            by=by,
            wanted=NewObjection(**body),
            today=local_day(now, settings().zone),
            now=now,
        )
    )
    return {**vars(raised), "receipt": spelled_receipt(receipt)}


@api.post("/objection-receipts")
@api.arguments(ReceiptBody)
@api.response(200, CourseOut)
@for_programs
@anyone
def follow(body: dict[str, Any]) -> dict[str, Any]:
    """Answer what became of the objection that a receipt belongs to."""
    with reading() as session:
        found = objection_by_receipt(
            session, receipt_hash(settings().secret_key, body["receipt"])
        )
    return vars(found)
