"""Commands that look after the service: migrate, jobs, ledger verify, routes."""

import click
from flask_migrate import upgrade

from pointsbank.app.operations import migrations_missing
from pointsbank.commands.applying import migrated_app, progress, the_app, told
from pointsbank.commands.granting import NEVER_CHANGED, grant_to
from pointsbank.core import clock
from pointsbank.core.db import glance, reading, run, transaction
from pointsbank.core.settings import Settings
from pointsbank.jobs.running import run_slot
from pointsbank.jobs.scheduler import serve_jobs
from pointsbank.jobs.table import job_named, slot_by_hand
from pointsbank.jobs.verifying import keep_verified
from pointsbank.ledger import verifying
from pointsbank.settlements.rules import RULES_OF_STATEMENTS
from pointsbank.web.access import Rule


@click.command()
@click.option(
    "--app-role",
    metavar="NAME",
    help="PostgreSQL: let this role serve, without the right to change what is kept.",
)
@told
def migrate(app_role: str | None) -> None:
    """Bring the database to the newest migration; a repeat does nothing."""
    with the_app().app_context():
        with reading() as session:
            is_behind = migrations_missing(session)
        if is_behind:
            upgrade()
        if app_role is not None:
            with transaction() as session:
                grant_to(session, app_role)
    click.echo("The database is at the newest migration.")
    if app_role is not None:
        click.echo(f"{app_role} may serve, and may not change {', '.join(NEVER_CHANGED)}.")


@click.group(invoke_without_command=True)
@click.pass_context
@told
def jobs(context: click.Context) -> None:
    """Run the scheduler until it is stopped. Several may run: one works, the others wait."""
    if context.invoked_subcommand is None:
        with migrated_app() as app:
            pass
        serve_jobs(app)


@jobs.command("run")
@click.argument("name")
@click.option("--period", help="2026-Q4 for rankings, 2026-11-21 for expiry; now if left out.")
@told
def run_now(name: str, period: str | None) -> None:
    """Run one job now, whether it ran before or not."""
    with migrated_app() as app:
        settings: Settings = app.extensions["settings"]
        job = job_named(name)
        slot = slot_by_hand(job, period, clock.now(), settings.zone)
        count = run_slot(job, slot, zone=settings.zone)
    click.echo(f"{name} {slot.period}: {count}")


@click.group()
def ledger() -> None:
    """Look after the ledger."""


@ledger.command()
@click.option("--record", is_flag=True, help="Keep the answer, for /readyz and /metrics.")
@told
def verify(record: bool) -> None:
    """Recompute the whole ledger; name each offender and end with status 1 if any.

    Nobody waits for it: it takes no lock that writers need.
    """
    started_at = clock.now()
    with migrated_app(), progress() as bar:
        task = bar.add_task("Verifying", total=None)
        with reading() as session, glance() as beside:
            found = verifying.verify(
                session,
                told=lambda done, total: bar.update(task, completed=done, total=total),
                beside=beside,
                more=RULES_OF_STATEMENTS,
            )
        if record:
            finished_at = clock.now()
            run(lambda session: keep_verified(session, found, started_at, finished_at))
    for offender in found.offenders:
        click.echo(f"{offender.subject}: not so: {offender.rule}")
    if found.count:
        raise click.ClickException(f"{found.count} offenders.")
    click.echo(
        f"The ledger is right by all {found.rules} rules: {found.transfers} transfers,"
        f" {found.sealed} of them sealed."
    )


@click.command()
@told
def routes() -> None:
    """List every address with its methods and who may use it."""
    app = the_app()
    for rule in sorted(app.url_map.iter_rules(), key=lambda found: found.rule):
        methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        access = getattr(app.view_functions[rule.endpoint], "access", Rule(is_public=True))
        click.echo(f"{','.join(methods):<12} {rule.rule:<60} {who_may(access)}")


def who_may(access: Rule) -> str:
    """Return who may use an address, in words."""
    if access.is_public:
        return "anyone"
    return ", ".join(access.roles) or "every member"
