"""The command that writes an account, or the whole ledger, to a file."""

import os
import shutil
import sys
import tempfile
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, Any

import click
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pointsbank.commands.applying import migrated_app, progress, told
from pointsbank.core import clock
from pointsbank.core.audit import note
from pointsbank.core.db import reading, transaction
from pointsbank.core.settings import Settings
from pointsbank.ledger.models import Transfer
from pointsbank.passbooks.exporting import FORMATS, Words, write_account, write_everything

HEADERS = (
    "line",
    "recorded",
    "took_place",
    "kind",
    "reason",
    "in",
    "out",
    "balance",
    "takes_back_line",
    "good_through",
    "other_account",
    "ledger_no",
)
# What stands in the file is somebody's: for the eyes of whoever asked.
OWNER_ONLY = 0o600


@click.command("export")
@click.argument("code", required=False)
@click.option("--all", "is_all", is_flag=True, help="Every account, as one journal.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="csv", show_default=True)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write it, readable by you alone; the terminal if left out.",
)
@told
def export(code: str | None, is_all: bool, form: str, output: Path | None) -> None:
    """Write every transfer of one account, such as member:42, or with --all of the ledger."""
    if is_all == (code is not None):
        raise click.UsageError("Name one account, or ask for --all.")
    if is_all and form != "beancount":
        raise click.UsageError("The whole ledger is written as --format beancount.")
    with migrated_app() as app, tempfile.TemporaryFile() as file:
        settings: Settings = app.extensions["settings"]
        now = clock.now()
        count = write(file, code, form, settings, now)
        keep_that(code or "all", form, count, now)
        file.seek(0)
        hand_out(file, output)
    click.echo(f"{count} transfers were written.", err=True)


def write(
    file: IO[bytes], code: str | None, form: str, settings: Settings, now: datetime
) -> int:
    """Write the export behind a progress bar; return how many transfers it holds."""
    local = now.astimezone(settings.zone)
    words = Words(code or "", f"{code}, as of {local:%Y-%m-%d %H:%M}", HEADERS, {})
    with progress() as bar, reading() as session:
        task = bar.add_task("Writing", total=transfers_of(session, code))
        asked: dict[str, Any] = {"zone": settings.zone, "tick": partial(bar.advance, task)}
        if code is None:
            return write_everything(session, file, **asked)
        return write_account(session, file, code=code, form=form, words=words, **asked)


def transfers_of(session: Session, code: str | None) -> int | None:
    """Return how many transfers come, None for one account: counting them takes as long."""
    if code is not None:
        return None
    return session.scalar(select(func.count()).select_from(Transfer))


def keep_that(subject: str, form: str, count: int, now: datetime) -> None:
    """Keep in the audit trail that this was handed out."""
    with transaction() as session:
        note(
            session,
            at=now,
            actor_id=None,
            action="export_ledger",
            subject=("account", None),
            code=subject,
            form=form,
            transfers=count,
        )


def hand_out(file: IO[bytes], output: Path | None) -> None:
    """Copy the finished file to where it was asked for."""
    if output is None:
        shutil.copyfileobj(file, sys.stdout.buffer)
        return
    opened = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(opened, "wb") as to:
        shutil.copyfileobj(file, to)
