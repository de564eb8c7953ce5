"""Hands the places of care funds, which passbooks keep, to the liability report beside it."""

from collections.abc import Mapping

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.passbooks.models import CareFund


def fund_places(session: Session) -> Mapping[str, int]:
    """Return the organization of each care fund, by the code of the fund's account."""
    rows = session.execute(select(CareFund.id, CareFund.organization_id))
    return {f"care_fund:{row.id}": row.organization_id for row in rows}


def install(app: Flask) -> None:
    """Leave the query where the liability report looks for it."""
    app.extensions["fund_places"] = fund_places
