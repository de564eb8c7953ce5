"""How the scheduler's jobs stand, for those who look after everything, and asking for a run."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Blueprint, Flask, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from pointsbank.app.job_words import BAD_STATES, STATE_WORDS, job_words, runner_words
from pointsbank.core import clock
from pointsbank.core.db import glance, reading, transaction
from pointsbank.jobs.asking import ask_to_run, asked_at, askers_of, check_whole
from pointsbank.jobs.models import JobLease
from pointsbank.jobs.table import JOBS, job_named
from pointsbank.jobs.watching import (
    RunLine,
    Standing,
    failures_of,
    jobs_in_trouble,
    runs_of,
    standing_of,
)
from pointsbank.members.queries import display_names
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint as ApiBlueprint
from pointsbank.web.forms import attempt, settings

pages = Blueprint("job_pages", __name__)
api = ApiBlueprint("jobs_api", __name__, description="The scheduler's jobs.")

RUNS_SHOWN = 30
FAILURES_SHOWN = 10
MILLISECONDS = 1000
MINUTE, HOUR, DAY = 60, 3600, 86400


class RunOut(Schema):
    """One run of a job. lag_seconds: how much later it began than it was due."""

    period = fields.String()
    state = fields.String()
    due_at = fields.AwareDateTime(allow_none=True)
    started_at = fields.AwareDateTime()
    finished_at = fields.AwareDateTime(allow_none=True)
    milliseconds = fields.Integer(allow_none=True)
    count = fields.Integer(allow_none=True)
    holder = fields.String(allow_none=True)
    lag_seconds = fields.Integer(allow_none=True)
    failures = fields.Integer()
    fault = fields.String(allow_none=True)
    failed_at = fields.AwareDateTime(allow_none=True)


class JobOut(Schema):
    """How a job stands. late_since: since when something of it is due and not done."""

    name = fields.String()
    state = fields.String()
    last = fields.Nested(RunOut, allow_none=True)
    last_done = fields.Nested(RunOut, allow_none=True)
    late_since = fields.AwareDateTime(allow_none=True)
    next_at = fields.AwareDateTime(allow_none=True)
    running_since = fields.AwareDateTime(allow_none=True)
    failing_since = fields.AwareDateTime(allow_none=True)
    failures = fields.Integer()
    asked_at = fields.AwareDateTime(allow_none=True)


class JobsOut(Schema):
    """All jobs, in the order in which they are run."""

    items = fields.List(fields.Nested(JobOut))


class RunsOut(Schema):
    """The last runs of a job, the newest first."""

    items = fields.List(fields.Nested(RunOut))


class AskedOut(Schema):
    """A request for a run; it begins within a minute."""

    id = fields.Integer()


@api.get("/jobs")
@api.response(200, JobsOut)
@roles_only("administrator")
def list_all() -> dict[str, Any]:
    """Tell how every job stands."""
    now = clock.now()
    with reading() as session:
        check_whole(session, current_actor())
        return {
            "items": [
                asdict(each)
                | {"last": each.last, "last_done": each.last_done}
                | {"asked_at": asked_at(session, each.name, now)}
                for each in standings(session, now)
            ]
        }


@api.get("/jobs/<string:job>/runs")
@api.response(200, RunsOut)
@roles_only("administrator")
def list_runs(job: str) -> dict[str, Any]:
    """Tell the last runs of a job."""
    with reading() as session:
        check_whole(session, current_actor())
        return {"items": runs_of(session, job_named(job).name, limit=RUNS_SHOWN)}


@api.post("/jobs/<string:job>/runs")
@api.response(202, AskedOut)
@roles_only("administrator")
def ask_for_run(job: str) -> dict[str, Any]:
    """Ask the scheduler to run a job now."""
    return {"id": ask(job)}


def ask(name: str) -> int:
    """Leave a request for a run and return its id."""
    with transaction() as session:
        return ask_to_run(session, actor=current_actor(), job=job_named(name), now=clock.now())


def standings(session: Session, now: datetime) -> list[Standing]:
    """Return how every job stands, in the order in which they are run."""
    return [standing_of(session, job, now, settings().zone) for job in JOBS.values()]


@pages.get("/operations/jobs")
@roles_only("administrator")
def list_jobs() -> ResponseReturnValue:
    """Show every job, those in trouble first."""
    now = clock.now()
    with reading() as session:
        check_whole(session, current_actor())
        found = standings(session, now)
        lease = session.get(JobLease, "scheduler")
        is_led = lease is not None and lease.expires_at > now
        leader = ":".join(lease.holder.split(":")[:2]) if lease is not None else ""
    found.sort(key=lambda each: each.state not in BAD_STATES)
    return render_template(
        "app/jobs.html",
        jobs=[job_row(each) for each in found],
        bad=sum(each.state in BAD_STATES for each in found),
        leader=leader if is_led else "",
        was_led=lease is not None,
    )


def job_row(standing: Standing) -> dict[str, Any]:
    """Return a job as a row prints it."""
    return {
        "href": url_for("job_pages.show_job", job=standing.name),
        "title": job_words(standing.name),
        "state": STATE_WORDS[standing.state],
        "is_bad": standing.state in BAD_STATES,
        "last_at": standing.last_done and standing.last_done.finished_at,
        "next_at": standing.next_at,
    }


@pages.get("/operations/jobs/<string:job>")
@roles_only("administrator")
def show_job(job: str) -> ResponseReturnValue:
    """Show how one job stands, and its last runs and failures."""
    now = clock.now()
    with reading() as session:
        check_whole(session, current_actor())
        standing = standing_of(session, job_named(job), now, settings().zone)
        runs = run_rows(session, runs_of(session, job, limit=RUNS_SHOWN))
        failures = run_rows(session, failures_of(session, job, limit=FAILURES_SHOWN))
        asked = asked_at(session, job, now)
        last = run_rows(session, [standing.last])[0] if standing.last else None
        last_done = run_rows(session, [standing.last_done])[0] if standing.last_done else None
    return render_template(
        "app/job.html",
        title=job_words(job),
        name=job,
        standing=standing,
        state=STATE_WORDS[standing.state],
        is_bad=standing.state in BAD_STATES,
        late=duration_words(standing.late_seconds(now)),
        last=last,
        last_done=last_done,
        runs=runs,
        failures=failures,
        asked=asked,
        links={
            "back": url_for("job_pages.list_jobs"),
            "run": url_for("job_pages.ask_for_job", job=job),
        },
    )


@pages.post("/operations/jobs/<string:job>/runs")
@roles_only("administrator")
def ask_for_job(job: str) -> ResponseReturnValue:
    """Ask the scheduler to run a job now."""
    with reading() as session:
        check_whole(session, current_actor())
    attempt(lambda: ask(job), gettext("The scheduler runs it within a minute."))
    return redirect(url_for("job_pages.show_job", job=job), 303)


def run_rows(session: Session, lines: list[RunLine]) -> list[dict[str, Any]]:
    """Return runs as a table prints them, with who asked for them by masked name."""
    askers = askers_of(session, [line.period for line in lines])
    names = display_names(session, askers.values())
    return [
        asdict(line)
        | {
            "took": took_words(line.milliseconds),
            "lag": duration_words(line.lag_seconds),
            "is_done": line.state == "done",
            "by": runner_words(
                line, names[askers[line.period]] if line.period in askers else None
            ),
        }
        for line in lines
    ]


def took_words(milliseconds: int | None) -> str:
    """Write how long a run took."""
    if milliseconds is None:
        return "–"
    if milliseconds < MILLISECONDS:
        return str(gettext("%(number)s ms", number=milliseconds))
    return duration_words(milliseconds // MILLISECONDS)


def duration_words(seconds: int | None) -> str:
    """Write a length of time by its greatest unit, of which there are two at least."""
    if seconds is None:
        return "–"
    if seconds >= 2 * DAY:
        return str(gettext("%(number)s days", number=seconds // DAY))
    if seconds >= 2 * HOUR:
        return str(gettext("%(number)s h", number=seconds // HOUR))
    if seconds >= 2 * MINUTE:
        return str(gettext("%(number)s min", number=seconds // MINUTE))
    return str(gettext("%(number)s s", number=seconds))


def count_in_trouble() -> int:
    """Return how many jobs are in trouble, for a page that says so."""
    with glance() as connection:
        return len(jobs_in_trouble(connection))


def install(app: Flask) -> None:
    """Let pages ask how many jobs are in trouble, and when they do, look."""

    @app.context_processor
    def troubles() -> dict[str, Any]:
        return {"count_jobs_in_trouble": count_in_trouble}
