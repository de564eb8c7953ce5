"""The command that serves: Granian with worker processes, each with its threads."""

import multiprocessing
import os
import shutil
import tempfile

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from pointsbank.commands.applying import migrated_app, told
from pointsbank.core.settings import ROOT, Settings

WORKERS = 2
# Threads of one worker take turns at the interpreter: more than these only wait for each other.
THREADS = 2 * multiprocessing.cpu_count() + 1
STOP_SECONDS_MAX = 15


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=click.IntRange(1, 65535), help="[default: POINTSBANK_PORT]")
@click.option("--workers", type=click.IntRange(1, 64), default=WORKERS, show_default=True)
@told
def serve(host: str, port: int | None, workers: int) -> None:
    """Serve pages and the API until stopped; refuse when the database is not migrated."""
    with migrated_app() as app:
        settings: Settings = app.extensions["settings"]
    # Fresh for each start, because figures of an earlier one would be added to.
    figures = tempfile.mkdtemp(prefix="pointsbank-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = figures
    # A forked worker would share this process's database connections and figures.
    multiprocessing.set_start_method("spawn", force=True)
    server = Granian(
        "wsgi:app",
        address=host,
        port=port or settings.port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=min(THREADS, settings.pool_size),
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS_MAX,
        working_dir=ROOT,
    )
    click.echo(f"Serving on http://{host}:{port or settings.port}", err=True)
    try:
        server.serve()
    finally:
        shutil.rmtree(figures, ignore_errors=True)
