"""What an operator asks: liveness, readiness, figures."""

from datetime import timedelta

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, Response, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.db import reading
from pointsbank.core.settings import ROOT
from pointsbank.jobs.models import JobLease
from pointsbank.web.access import anyone
from pointsbank.web.metrics import figures

# The scheduler renews its lease every few seconds; so long without, and it stands still.
SCHEDULER_SILENT = timedelta(minutes=2)

OK = "ok"
NOT_MIGRATED = "run pointsbank migrate"
NEVER_RAN = "has not run yet: start pointsbank jobs"
STANDS_STILL = "stands still: start pointsbank jobs"
FAULTS = (NOT_MIGRATED, STANDS_STILL)

HEAD = ScriptDirectory(str(ROOT / "migrations")).get_current_head()


def install(app: Flask) -> None:
    """Add the three addresses."""

    @app.get("/healthz")
    @anyone
    def healthz() -> ResponseReturnValue:
        return jsonify(status="ok")

    @app.get("/readyz")
    @anyone
    def readyz() -> ResponseReturnValue:
        with reading() as session:
            checks = readiness(session)
        is_ready = not any(state in FAULTS for state in checks.values())
        return jsonify(status="ok" if is_ready else "not ready", checks=checks), (
            200 if is_ready else 503
        )

    @app.get("/metrics")
    @anyone
    def metrics() -> Response:
        return figures()


def migrations_missing(session: Session) -> bool:
    """Tell whether the database is not at the newest migration."""
    return MigrationContext.configure(session.connection()).get_current_revision() != HEAD


def readiness(session: Session) -> dict[str, str]:
    """Return the state of what the service needs, in words that tell what to do.

    A scheduler that was never started is told and is no fault: pages and scans work without it.
    One that ran and renews its lease no more is a fault, because somebody counted on it.
    """
    if migrations_missing(session):
        return {"database": OK, "migrations": NOT_MIGRATED, "scheduler": "unknown"}
    lease = session.scalar(select(JobLease.expires_at).order_by(JobLease.expires_at.desc()))
    if lease is None:
        scheduler = NEVER_RAN
    elif lease < clock.now() - SCHEDULER_SILENT:
        scheduler = STANDS_STILL
    else:
        scheduler = OK
    return {"database": OK, "migrations": OK, "scheduler": scheduler}
