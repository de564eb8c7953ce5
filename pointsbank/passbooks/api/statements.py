"""The JSON door of proofs and statement files of one's own passbook."""

from typing import Any

from flask import current_app

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading
from pointsbank.core.settings import Settings
from pointsbank.members.queries import member_of
from pointsbank.passbooks.statement_schemas import ProofOut, StatementOut
from pointsbank.passbooks.statements import (
    line_proof,
    read_statement_period,
    statement_file,
    statement_of,
)
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import Blueprint

api = Blueprint("statements_api", __name__, description="Proofs of one's own passbook.")


@api.get("/me/passbook/<id:line>/proof")
@api.response(200, ProofOut)
@members_only
def my_proof(line: int) -> dict[str, Any]:
    """Return what proves one line of one's own book, or the line with unsealed: true."""
    with reading() as session:
        return line_proof(session, current_actor().member_id, line)


@api.get("/me/passbook/statements/<string:period>")
@api.response(200, StatementOut)
@members_only
def my_statement(period: str) -> dict[str, Any]:
    """Return the statement file of a month (2026-11) or a year (2026) of one's own book."""
    settings: Settings = current_app.extensions["settings"]
    asked = read_statement_period(period, local_day(clock.now(), settings.zone))
    member_id = current_actor().member_id
    with reading() as session:
        person = member_of(session, member_id)
        return statement_file(
            session,
            statement_of(session, member_id, asked, settings.zone),
            service=settings.public_url,
            holder_name=person.name,
            volunteer_no=person.volunteer_no,
        )
