"""What an operator asks: liveness, readiness, figures."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import structlog
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, Response, jsonify
from flask.typing import ResponseReturnValue
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from pointsbank.app.job_figures import job_figures
from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading
from pointsbank.core.settings import ROOT
from pointsbank.jobs.models import JobLease
from pointsbank.jobs.watching import jobs_in_trouble
from pointsbank.ledger.queries import seal_state
from pointsbank.ledger.verifying import last_verification
from pointsbank.rankings.checking import last_check
from pointsbank.tasks.series_queries import series_behind
from pointsbank.web.access import anyone
from pointsbank.web.metrics import figures

# The scheduler renews its lease every few seconds; so long without, and it stands still.
SCHEDULER_SILENT = timedelta(minutes=2)
# It is verified every night; after so long two nights were missed.
VERIFICATION_OLD = timedelta(hours=48)

OK = "ok"
NOT_MIGRATED = "run pointsbank migrate"
NEVER_RAN = "has not run yet: start pointsbank jobs"
STANDS_STILL = "stands still: start pointsbank jobs"
NOT_VERIFIED = "not verified yet: run pointsbank ledger verify --record"
WRONG = "wrong: "
NOT_CHECKED = "not checked yet: the job rankings_check does it at night"
IN_TROUBLE = "in trouble: "
STANDINGS_WRONG = "standings differed: "
HURTS = (IN_TROUBLE, STANDINGS_WRONG)
FAULTS = (NOT_MIGRATED, STANDS_STILL, WRONG)

logger = structlog.get_logger()

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
            checks = readiness(session, app.extensions["settings"].zone)
        is_ready = not any(state.startswith(FAULTS) for state in checks.values())
        is_hurt = any(state.startswith(HURTS) for state in checks.values())
        status = "degraded" if is_hurt else "ok"
        return jsonify(status=status if is_ready else "not ready", checks=checks), (
            200 if is_ready else 503
        )

    @app.get("/metrics")
    @anyone
    def metrics() -> Response:
        answer = figures()
        answer.data = answer.data + database_figures(app.extensions["settings"].zone)
        return answer


def migrations_missing(session: Session) -> bool:
    """Tell whether the database is not at the newest migration."""
    return MigrationContext.configure(session.connection()).get_current_revision() != HEAD


def readiness(session: Session, zone: ZoneInfo) -> dict[str, str]:
    """Return the state of what the service needs, in words that tell what to do.

    A scheduler that was never started is told and is no fault: pages and scans work without it.
    One that ran and renews its lease no more is a fault, because somebody counted on it. So is
    a ledger whose last verification found offenders.
    """
    if migrations_missing(session):
        return {
            "database": OK,
            "migrations": NOT_MIGRATED,
            "scheduler": "unknown",
            "ledger": "unknown",
            "series": "unknown",
            "jobs": "unknown",
            "rankings": "unknown",
        }
    lease = session.scalar(select(JobLease.expires_at).order_by(JobLease.expires_at.desc()))
    if lease is None:
        scheduler = NEVER_RAN
    elif lease < clock.now() - SCHEDULER_SILENT:
        scheduler = STANDS_STILL
    else:
        scheduler = OK
    return {
        "database": OK,
        "migrations": OK,
        "scheduler": scheduler,
        "ledger": ledger_check(session, is_scheduled=scheduler == OK),
        "series": series_check(session, zone),
        "jobs": jobs_check(session),
        "rankings": rankings_check(session),
    }


def ledger_check(session: Session, *, is_scheduled: bool) -> str:
    """Return what the last verification of the ledger found, and whether one is missing."""
    last = last_verification(session)
    if last is None:
        return NOT_VERIFIED
    if last.offender_count:
        return f"{WRONG}{last.offender_count} offenders; run pointsbank ledger verify"
    age = clock.now() - last.finished_at
    if is_scheduled and age > VERIFICATION_OLD:
        hours = int(age.total_seconds() // 3600)
        return f"last verified {hours} hours ago: look for failures of the job verify"
    return OK


def jobs_check(session: Session) -> str:
    """Return which jobs are in trouble, as whoever leads has found.

    It makes the service degraded and not unready: pages and scans work without them, and a
    balancer that took the web workers away would help nobody.
    """
    found = [
        f"{row.job} ({row.trouble} since {row.trouble_since:%Y-%m-%dT%H:%MZ})"
        for row in jobs_in_trouble(session)
    ]
    return IN_TROUBLE + ", ".join(found) if found else OK


def rankings_check(session: Session) -> str:
    """Return whether the last night's check found standings that differ from their entries.

    It makes the service degraded and not unready: the next roll-up makes them anew. It is said
    until the next night's check has found nothing.
    """
    last = last_check(session)
    if last is None:
        return NOT_CHECKED
    if last.wrong:
        found = f"{last.wrong} of {last.compared} on {last.day}"
        return f"{STANDINGS_WRONG}{found}; find out who wrote"
    return OK


def series_check(session: Session, zone: ZoneInfo) -> str:
    """Return whether series lack dates that two nights should have made.

    It is told and is no fault: what was made before can be claimed all the same.
    """
    behind = series_behind(session, local_day(clock.now(), zone))
    return f"{behind} behind: look for failures of the job series" if behind else OK


def database_figures(zone: ZoneInfo) -> bytes:
    """Return what is counted in the database as Prometheus text; none while it does not answer.

    They are read from the database at each call: every worker would tell the same.
    """
    registry = CollectorRegistry()

    def tell(name: str, meaning: str, value: float) -> None:
        Gauge(name, meaning, registry=registry).set(value)

    try:
        with reading() as session:
            state = seal_state(session)
            last = last_verification(session)
            behind = series_behind(session, local_day(clock.now(), zone))
            standings = last_check(session)
            job_figures(session, registry, clock.now(), zone)
    except SQLAlchemyError as fault:
        logger.warning("ledger_figures_missing", kind=type(fault).__name__)
        return b""
    tell("pointsbank_ledger_sealed_block", "Number of the newest block.", state.block_no)
    tell("pointsbank_ledger_sealed_transfers", "Transfers in blocks.", state.sealed)
    tell(
        "pointsbank_ledger_unsealed_transfers",
        "Transfers after the newest block, counted up to 100000.",
        state.waiting,
    )
    tell("pointsbank_series_behind", "Series that lack dates for two nights.", behind)
    if standings is not None:
        tell(
            "pointsbank_rankings_disagreements",
            "Standings that the last night's check found to differ from their entries.",
            standings.wrong,
        )
        tell(
            "pointsbank_rankings_compared",
            "Standings that the last night's check computed anew.",
            standings.compared,
        )
        tell(
            "pointsbank_rankings_checked_timestamp_seconds",
            "When standings were last checked.",
            standings.checked_at.timestamp(),
        )
    if last is not None:
        tell(
            "pointsbank_ledger_offenders",
            "Offenders that the last verification found.",
            last.offender_count,
        )
        tell(
            "pointsbank_ledger_verified_timestamp_seconds",
            "When the last verification ended.",
            last.finished_at.timestamp(),
        )
    return generate_latest(registry)
