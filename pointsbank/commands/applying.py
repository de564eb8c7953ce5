"""What every command needs: the application, and refusals as a line on the terminal."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar, cast

import click
from flask import Flask
from flask.cli import ScriptInfo
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.exc import OperationalError

from pointsbank.app import create_app
from pointsbank.app.operations import migrations_missing
from pointsbank.core.db import db, reading
from pointsbank.core.errors import Refusal
from pointsbank.core.settings import BadSettings, read_settings

Command = TypeVar("Command", bound=Callable[..., Any])


def the_app() -> Flask:
    """Return the application: the one `flask` has loaded, or one made from the environment."""
    context = click.get_current_context()
    info = context.find_object(ScriptInfo)
    if info is not None:
        return info.load_app()
    app = create_app(read_settings(os.environ))
    context.call_on_close(lambda: close_connections(app))
    return app


def close_connections(app: Flask) -> None:
    """Close what a command of its own application leaves open."""
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


def told(command: Command) -> Command:
    """Let a command end with one line and status 1 where a service, or the settings, refuse."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except (Refusal, BadSettings) as refusal:
            raise click.ClickException(str(refusal)) from refusal
        except OperationalError as fault:
            raise click.ClickException(f"The database does not answer: {fault.orig}") from fault

    return cast(Command, run)


@contextmanager
def migrated_app() -> Iterator[Flask]:
    """Open the application's context for a command that needs the newest tables."""
    app = the_app()
    with app.app_context():
        with reading() as session:
            is_behind = migrations_missing(session)
        if is_behind:
            raise click.ClickException("Run `pointsbank migrate` first: tables are behind.")
        try:
            yield app
        finally:
            db.engine.dispose()


def progress() -> Progress:
    """Return a progress bar that shows on a terminal and leaves nothing behind."""
    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not console.is_terminal)
