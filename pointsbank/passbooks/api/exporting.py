"""The JSON door's file of one's whole book."""

import tempfile
from typing import Any

from flask import send_file
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.db import reading
from pointsbank.core.sheets import CSV_TYPE, XLSX_TYPE
from pointsbank.members.queries import member_of
from pointsbank.passbooks.exporting import write_account
from pointsbank.passbooks.queries import account_code
from pointsbank.passbooks.schemas import ExportQuery, export_words
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import Blueprint
from pointsbank.web.formats import local
from pointsbank.web.forms import settings

api = Blueprint("exporting_api", __name__, description="One's own passbook as a file.")

TYPES = {"csv": CSV_TYPE, "xlsx": XLSX_TYPE, "beancount": "text/plain"}


@api.get("/me/passbook/export")
@api.arguments(ExportQuery, location="query")
@api.alt_response(200, description="The whole book, oldest line first.", content_type=CSV_TYPE)
@members_only
def export_book(query: dict[str, Any]) -> ResponseReturnValue:
    """Hand one's whole book out as a file."""
    form, member_id, now = query["format"], current_actor().member_id, local(clock.now())
    with reading() as session:
        number = member_of(session, member_id).volunteer_no
        # Made only once nothing refuses: it is sent after the view returns, and closed then.
        file = tempfile.TemporaryFile()  # noqa: SIM115
        write_account(
            session,
            file,
            code=account_code(member_id),
            form=form,
            zone=settings().zone,
            words=export_words(
                gettext(
                    "Passbook no. %(number)s, as of %(time)s",
                    number=number,
                    time=f"{now:%Y-%m-%d %H:%M}",
                )
            ),
        )
    file.seek(0)
    return send_file(
        file,
        mimetype=TYPES[form],
        as_attachment=True,
        download_name=f"passbook-{now:%Y-%m-%d}.{form}",
    )
