"""Commands: what an operator types, as `pointsbank …` and under `flask --app wsgi`.

Each is a door like a page: it reads what was typed, opens one transaction, calls services and
prints their answer. It must never hold a rule of a room.
"""

import click
from flask import Flask

from pointsbank.commands.accounts import admin
from pointsbank.commands.demonstrating import demo
from pointsbank.commands.exporting import export
from pointsbank.commands.importing import members, organizations
from pointsbank.commands.operating import jobs, ledger, migrate, routes
from pointsbank.commands.serving import serve

COMMANDS: tuple[click.Command, ...] = (
    migrate,
    serve,
    jobs,
    admin,
    organizations,
    members,
    ledger,
    routes,
    demo,
)

# Beside verify, which stands with the rest of an operator's work.
ledger.add_command(export)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run and look after a Pointsbank service. Settings come from POINTSBANK_* variables."""


for command in COMMANDS:
    main.add_command(command)


def install(app: Flask) -> None:
    """Give `flask --app wsgi` the same commands."""
    for command in COMMANDS:
        app.cli.add_command(command)
