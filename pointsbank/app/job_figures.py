"""How each job stands, as Prometheus reads it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy.orm import Session

from pointsbank.jobs.models import TROUBLES
from pointsbank.jobs.table import JOBS
from pointsbank.jobs.watching import Standing, standing_of

MEANINGS = {
    "last_run_timestamp_seconds": "When the last run of a job began.",
    "last_success_timestamp_seconds": "When the last run of a job that was done ended.",
    "duration_seconds": "How long the last run of a job that was done took.",
    "rows": "How many things the last run of a job that was done did.",
    "lag_seconds": "How much later than due the last run of a job began.",
    "late_seconds": "For how long something of a job has been due and undone; 0: nothing.",
    "next_run_timestamp_seconds": "When a job is due next.",
    "failures_total": "How often a job has failed.",
    "running_since_timestamp_seconds": "Since when a job is at work; 0: it is not.",
}


def job_figures(
    session: Session, registry: CollectorRegistry, now: datetime, zone: ZoneInfo
) -> None:
    """Add the figures of every job to a registry; what is not known of a job is left out."""
    gauges = {
        name: Gauge(f"pointsbank_job_{name}", meaning, ["job"], registry=registry)
        for name, meaning in MEANINGS.items()
    }
    troubles = Gauge(
        "pointsbank_job_trouble",
        "1 for a job in this trouble, of which administrators were told.",
        ["job", "trouble"],
        registry=registry,
    )
    for job in JOBS.values():
        standing = standing_of(session, job, now, zone)
        for name, value in values_of(standing, now).items():
            if value is not None:
                gauges[name].labels(job.name).set(value)
        for trouble in TROUBLES:
            troubles.labels(job.name, trouble).set(standing.trouble == trouble)


def values_of(standing: Standing, now: datetime) -> dict[str, float | None]:
    """Return the figures of a job by the ends of their names."""
    last, done = standing.last, standing.last_done
    took = done.milliseconds if done else None
    return {
        "last_run_timestamp_seconds": last.started_at.timestamp() if last else None,
        "last_success_timestamp_seconds": (
            done.finished_at.timestamp() if done and done.finished_at else None
        ),
        "duration_seconds": None if took is None else took / 1000,
        "rows": done.count if done else None,
        "lag_seconds": last.lag_seconds if last else None,
        "late_seconds": standing.late_seconds(now),
        "next_run_timestamp_seconds": (
            standing.next_at.timestamp() if standing.next_at else None
        ),
        "failures_total": standing.failures,
        "running_since_timestamp_seconds": (
            standing.running_since.timestamp() if standing.running_since else 0
        ),
    }
