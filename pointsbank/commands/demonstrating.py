"""The command that loads the demonstration district, serves it, and says how to sign in."""

import gc
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import click
from flask_migrate import upgrade
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import func, select

from pointsbank.app import create_app
from pointsbank.commands.applying import told
from pointsbank.commands.demonstration.abilities import make_abilities
from pointsbank.commands.demonstration.agenda import Agenda
from pointsbank.commands.demonstration.content import MEMBERS
from pointsbank.commands.demonstration.counters import Counters
from pointsbank.commands.demonstration.history import (
    COMING_TASKS,
    HISTORY_DAYS,
    PAST_TASKS,
    make_present,
    plan_past_tasks,
)
from pointsbank.commands.demonstration.loans import plan_loans
from pointsbank.commands.demonstration.market import Market
from pointsbank.commands.demonstration.partners import begin_with_partners, plan_partners
from pointsbank.commands.demonstration.people import (
    PASSWORD,
    Crowd,
    District,
    Tick,
    settle_the_district,
)
from pointsbank.commands.demonstration.sealing import seal_and_verify
from pointsbank.commands.demonstration.settling import plan_settlements
from pointsbank.commands.demonstration.shelves import fill_the_shelves, wish_and_vote
from pointsbank.commands.demonstration.stage import Stage
from pointsbank.commands.demonstration.unusual import Patterns
from pointsbank.commands.demonstration.vouchers import plan_vouchers
from pointsbank.core import clock
from pointsbank.core.audit import AuditEntry, note
from pointsbank.core.calendar import local_day, midnight
from pointsbank.core.db import db, reading, transaction
from pointsbank.core.keys import draw_token
from pointsbank.core.settings import ROOT, Settings, read_settings
from pointsbank.members.models import Member, MemberRole

INSTANCE = ROOT / "instance"
# The same district every time, so that what one person sees another can be shown.
SEED = 20261121
NEW_OBJECTS_MAX = 50_000
LOADED = "demonstration_loaded"
ROLES = ("administrator", "organizer", "clerk", "secretary", "auditor", "volunteer")


@click.command()
@click.option("--serve/--no-serve", default=True, help="Serve it afterwards, with the jobs.")
@click.option("--port", type=click.IntRange(1, 65535), help="[default: POINTSBANK_PORT]")
@told
def demo(serve: bool, port: int | None) -> None:
    """Load the demonstration district, serve it, and print one sign-in for each role.

    A second run finds the district and only serves it. Delete instance/demonstration.db to
    begin anew.
    """
    environment = demonstration_environment(os.environ)
    settings = read_settings(environment)
    listens_on = port or settings.port
    address = environment.setdefault("POINTSBANK_PUBLIC_URL", f"http://127.0.0.1:{listens_on}")
    app = create_app(settings)
    with app.app_context():
        upgrade()
        if not is_loaded():
            load(settings, clock.now())
        sign_ins = printed_people()
        db.engine.dispose()
    show(sign_ins, address)
    if serve:
        serve_until_stopped(environment, listens_on)


def demonstration_environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the demonstration: its own file and key, unless others are
    given.
    """
    environment = dict(given)
    INSTANCE.mkdir(exist_ok=True)
    environment.setdefault(
        "POINTSBANK_DATABASE_URL", f"sqlite:///{INSTANCE / 'demonstration.db'}"
    )
    environment.setdefault("POINTSBANK_SECRET_KEY", kept_key(INSTANCE / "demonstration.key"))
    environment.setdefault("POINTSBANK_ENVIRONMENT", "development")
    if environment["POINTSBANK_ENVIRONMENT"] != "production":
        environment.setdefault("POINTSBANK_ARGON2_CHEAP", "1")
    return environment


def kept_key(path: Path) -> str:
    """Return the key kept in this file, drawn the first time."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(draw_token())
    return path.read_text()


def is_loaded() -> bool:
    """Tell whether the whole demonstration stands in this database.

    Raises a ClickException when it holds other people, or a demonstration that was interrupted.
    """
    with reading() as session:
        people = session.scalar(select(func.count()).select_from(Member)) or 0
        marks = session.scalar(
            select(func.count()).select_from(AuditEntry).where(AuditEntry.action == LOADED)
        )
    if people and not marks:
        raise click.ClickException(
            "This database holds other people, or a demonstration that was interrupted: "
            "take another database, or delete instance/demonstration.db."
        )
    return bool(marks)


def load(settings: Settings, now: datetime) -> None:
    """Make the people and their three months, up to this moment."""
    today = local_day(now, settings.zone)
    dice = random.Random(SEED)  # a story, not a secret
    stage = Stage(dice, settings, settings.zone, today, now)
    since = midnight(today - timedelta(days=HISTORY_DAYS + 30), settings.zone)
    with progress_bar() as progress, spared_collector():
        people = progress.add_task("members", total=MEMBERS)
        district = settle_the_district(
            Crowd(dice, settings),
            since=since,
            today=local_day(since, settings.zone),
            tick=lambda n: progress.advance(people, n),
        )
        make_abilities(district, seed=SEED, today=local_day(since, settings.zone), now=since)
        acts = progress.add_task("three months", total=PAST_TASKS + COMING_TASKS)
        play_the_story(stage, district, since, lambda n: progress.advance(acts, n))
    seal_and_verify(dice, now)
    with transaction() as session:
        note(session, at=now, actor_id=None, action=LOADED, subject=("installation", None))


def play_the_story(stage: Stage, district: District, since: datetime, tick: Tick) -> None:
    """Let three months go by, each act after the one before it, and show the present."""
    begin_with_partners(district, stage, since=since)
    tools = fill_the_shelves(district, at=since)
    market = Market(stage, district)
    agenda = Agenda(stage.now)
    plan_past_tasks(agenda, stage, district, tick)
    plan_partners(agenda, stage, district)
    market.plan(agenda, range(1, HISTORY_DAYS))
    counters = Counters(agenda, stage, market)
    counters.plan()
    plan_vouchers(agenda, stage, market)
    plan_loans(agenda, stage, market, tools)
    Patterns(agenda, stage, market, counters).plan()
    plan_settlements(agenda, stage, district)
    agenda.play()
    wish_and_vote(district, tools=tools, now=stage.now)
    make_present(stage, district, tick=tick)


@contextmanager
def spared_collector() -> Iterator[None]:
    """Let the collector of garbage leave alone what stays, and look at the rest less often:
    loading makes millions of objects that end by themselves.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS_MAX, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show how far it is, on a terminal; elsewhere nothing is drawn."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, disable=not sys.stderr.isatty()) as progress:
        yield progress


def printed_people() -> dict[str, tuple[str, str]]:
    """Return for each role the first person who holds it: name and phone."""
    found: dict[str, tuple[str, str]] = {}
    with reading() as session:
        rows = session.execute(
            select(MemberRole.role, Member.name, Member.phone)
            .join(Member, Member.id == MemberRole.member_id)
            .where(MemberRole.withdrawn_at.is_(None), Member.password_hash.is_not(None))
            .order_by(MemberRole.id)
        )
        for role, name, phone in rows:
            found.setdefault(role, (name, phone or ""))
        volunteer = session.execute(
            select(Member.name, Member.phone)
            .where(Member.password_hash.is_not(None), Member.kind == "volunteer")
            .order_by(Member.id)
        ).first()
    if volunteer is not None:
        found["volunteer"] = (volunteer.name, volunteer.phone or "")
    return found


def show(sign_ins: dict[str, tuple[str, str]], address: str) -> None:
    """Print the address and one sign-in for each role."""
    click.echo(f"\n  积分存折 · Pointsbank    {address}\n")
    click.echo(f"  {'role':<16}{'phone':<16}{'password':<20}name")
    for role in ROLES:
        if role in sign_ins:
            name, phone = sign_ins[role]
            click.echo(f"  {role:<16}{phone:<16}{PASSWORD:<20}{name}")
    click.echo("")


def serve_until_stopped(environment: dict[str, str], port: int) -> None:
    """Run the service and the jobs until one of them ends or this one is told to stop."""
    words = [sys.executable, "-m", "pointsbank"]
    processes = [
        subprocess.Popen([*words, "serve", "--port", str(port)], env=environment, cwd=ROOT),
        subprocess.Popen([*words, "jobs"], env=environment, cwd=ROOT),
    ]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        os.wait()
    except KeyboardInterrupt:
        click.echo("Stopping.")
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
