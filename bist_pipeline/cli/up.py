"""`bist-pipeline up`."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from bist_pipeline.cli._first_load import told_of_first_load
from bist_pipeline.core.calendar import load_calendar
from bist_pipeline.core.errors import SettingsError
from bist_pipeline.operations import kill_switch
from bist_pipeline.operations.home_lock import HomeLock
from bist_pipeline.operations.leftovers import end_leftovers
from bist_pipeline.operations.ports import check_port
from bist_pipeline.operations.supervisor.events import Event
from bist_pipeline.operations.supervisor.stop_request import stop_on_signals
from bist_pipeline.operations.supervisor.supervisor import Supervisor
from bist_pipeline.pipeline import up
from bist_pipeline.pipeline.context import DATA_DATABASE, overrides_path
from bist_pipeline.pipeline.contracts import database_shape
from bist_pipeline.pipeline.dagster_records import prepare_records
from bist_pipeline.pipeline.watchdog import kept_running
from bist_pipeline.providers.registry import build_providers
from bist_pipeline.settings import Settings, load_settings, remember
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.embedded.usage import use_server
from bist_pipeline.storage.migrate import migrate
from bist_pipeline.storage.url import DatabaseUrl


@click.command("up")
@click.option(
    "--archive", type=click.Path(path_type=Path), help="Folder of price files, one CSV or Parquet per symbol."
)
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port of the UI.")
def command(archive: Path | None, port: int) -> None:
    """Start everything and keep it running; Ctrl-C stops it.

    An embedded PostgreSQL (unless BIST_DATABASE_URL is set), Dagster's UI, daemon and code server. History that is not
    derived yet is loaded at once, newest year first. The archive's folder is remembered for the next start.
    """
    settings = load_settings(bist_archive_dir=archive)
    kill_switch.check(settings.bist_kill_switch)
    if settings.bist_archive_dir is None and "archive" in settings.bist_providers:
        raise SettingsError("where are the prices? `bist-pipeline up --archive DIR`, DIR holding one file per symbol")
    build_providers(settings)
    load_calendar(overrides_path(settings))  # a broken file is told now, not by each run
    with stop_on_signals() as request, ExitStack() as stack:
        stack.enter_context(HomeLock(settings.bist_home).held(up.address(port)))
        check_port(up.HOST, port)
        _say_ended(settings)
        _remember(settings)
        url = stack.enter_context(_database(settings))
        made = stack.enter_context(up.instance(settings))
        click.echo(up.prepare_instance(settings) or "Dagster's records are ready")
        supervisor = Supervisor(
            up.children(settings, made, port), settings.bist_home, _on_event, stop_order=up.STOP_ORDER
        )
        with told_of_first_load(url, settings, up.address(port)):
            killed = supervisor.run(request)
    for process in killed:
        click.echo(f"pid {process.pid} did not stop in time and was killed: {process.command[:80]}")
    click.echo("stopped; the data stays in " + str(settings.bist_home))


@contextmanager
def _database(settings: Settings) -> Iterator[DatabaseUrl]:
    """Have the database running, migrated, and Dagster's place in it; the embedded one is stopped at the end."""
    with ExitStack() as stack:
        if settings.bist_database_url is None:
            server = stack.enter_context(use_server(settings.bist_home, die_with_parent=True))
            stack.callback(server.stop)
            stack.enter_context(kept_running(server, click.echo))
            server.ensure_database(DATA_DATABASE)
            url = DatabaseUrl.parse(server.url(DATA_DATABASE))
            click.echo(f"PostgreSQL runs as pid {server.pid} in {settings.bist_home}")
        else:
            url = DatabaseUrl.parse(settings.bist_database_url.get_secret_value())
        database = Database(url)
        stack.callback(database.close)
        migrate(database, database_shape())
        prepare_records(url)
        yield url


def _say_ended(settings: Settings) -> None:
    for process in end_leftovers(settings.bist_home):
        click.echo(f"ended a leftover of an earlier start: {process}")


def _remember(settings: Settings) -> None:
    chosen = {"BIST_UNIVERSE": settings.bist_universe, "BIST_PROVIDERS": ",".join(settings.bist_providers)}
    if settings.bist_archive_dir is not None:
        chosen |= {
            "BIST_ARCHIVE_DIR": str(settings.bist_archive_dir),
            "BIST_ARCHIVE_BASIS": settings.bist_archive_basis,
        }
    remember(settings, chosen)


def _on_event(event: Event) -> None:
    click.echo(str(event))
