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

# The scheduler renews its lease every few seconds; this long without means that it stands still.
SCHEDULER_SILENT = timedelta(minutes=2)

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
        is_ready = all(state == "ok" for state in checks.values())
        return jsonify(status="ok" if is_ready else "not ready", checks=checks), (
            200 if is_ready else 503
        )

    @app.get("/metrics")
    @anyone
    def metrics() -> Response:
        return figures()


def readiness(session: Session) -> dict[str, str]:
    """Return what the service needs, each "ok" or the reason why it is not."""
    current = MigrationContext.configure(session.connection()).get_current_revision()
    if current != HEAD:
        return {
            "database": "ok",
            "migrations": "run pointsbank migrate",
            "scheduler": "unknown",
        }
    lease = session.scalar(select(JobLease.expires_at).order_by(JobLease.expires_at.desc()))
    if lease is None:
        scheduler = "has not run yet"
    elif lease < clock.now() - SCHEDULER_SILENT:
        scheduler = "stands still"
    else:
        scheduler = "ok"
    return {"database": "ok", "migrations": "ok", "scheduler": scheduler}
