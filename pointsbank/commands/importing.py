"""Commands that take in organizations and people from a file, by the importers of the API."""

from pathlib import Path

import click
from rich.progress import Progress

from pointsbank.commands.applying import migrated_app, progress, told
from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.keys import draw_bytes
from pointsbank.core.settings import Settings
from pointsbank.core.tables import Report, Table
from pointsbank.members import passwords
from pointsbank.members.importing import import_members, read_members
from pointsbank.organizations.importing import import_organizations, read_organizations

# Who sits at the machine itself oversees everything.
EVERYTHING = ("/",)

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
DRY_RUN = click.option("--dry-run", is_flag=True, help="Only tell what would be done.")


@click.group()
def organizations() -> None:
    """Look after the tree of organizations."""


@click.group()
def members() -> None:
    """Look after members."""


@organizations.command("import")
@FILE
@DRY_RUN
@told
def import_tree(file: Path, dry_run: bool) -> None:
    """Add, rename and move organizations from a CSV or XLSX file, all or nothing."""
    with migrated_app(), progress() as bar:
        bar.add_task("Importing", total=None)
        table, problems = read_organizations(file.read_bytes(), file.name)
        report = run(
            lambda session: import_organizations(
                session,
                table=table,
                problems=problems,
                paths=EVERYTHING,
                actor_id=None,
                now=clock.now(),
                is_dry_run=dry_run,
            )
        )
    tell(report, dry_run)


@members.command("import")
@FILE
@DRY_RUN
@told
def import_people(file: Path, dry_run: bool) -> None:
    """Take in and bring up to date people from a CSV or XLSX file, all or nothing."""
    with migrated_app() as app, progress() as bar:
        settings: Settings = app.extensions["settings"]
        table, problems = read_members(file.read_bytes(), file.name)
        now = clock.now()
        today = local_day(now, settings.zone)
        with reading() as session:
            report = import_members(
                session,
                table=table,
                problems=problems,
                paths=EVERYTHING,
                password_hashes={},
                draw_handle=draw_bytes,
                actor_id=None,
                now=now,
                today=today,
                is_dry_run=True,
            )
        if not dry_run and not report.rejected:
            hashes = hash_passwords(table, settings, bar)
            bar.add_task("Importing", total=None)
            report = run(
                lambda session: import_members(
                    session,
                    table=table,
                    paths=EVERYTHING,
                    password_hashes=hashes,
                    draw_handle=draw_bytes,
                    actor_id=None,
                    now=now,
                    today=today,
                )
            )
    tell(report, dry_run)


def hash_passwords(table: Table, settings: Settings, bar: Progress) -> dict[int, str]:
    """Hash the initial passwords of a file by row, which takes its time on purpose."""
    hasher = passwords.hasher_for(is_cheap=settings.argon2_cheap)
    rows = [row for row in table.rows if "initial_password" in row.cells]
    return {
        row.number: passwords.hashed(row.cells["initial_password"], hasher)
        for row in bar.track(rows, description="Hashing passwords")
    }


def tell(report: Report, is_dry_run: bool) -> None:
    """Print what was done, or every problem by row and column; then end with status 1."""
    for problem in report.rejected:
        column = f", {problem.column}" if problem.column else ""
        click.echo(f"row {problem.row}{column}: {problem.sentence % problem.facts}")
    if report.rejected:
        raise click.ClickException(f"{len(report.rejected)} problems; nothing was imported.")
    done = "would be" if is_dry_run else "were"
    click.echo(
        f"{report.created} {done} created, {report.updated} updated, "
        f"{report.unchanged} stay as they were."
    )
