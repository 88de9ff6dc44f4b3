"""`bist-pipeline env`."""

import shlex

import click

from bist_pipeline.core.errors import HomeBusyError
from bist_pipeline.operations.home_lock import running_instance
from bist_pipeline.pipeline import up
from bist_pipeline.pipeline.context import DATA_DATABASE
from bist_pipeline.pipeline.dagster_records import prepare_records
from bist_pipeline.pipeline.models import prepare
from bist_pipeline.settings import Settings, load_settings
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.embedded.server import EmbeddedServer
from bist_pipeline.storage.embedded.usage import use_server
from bist_pipeline.storage.url import DatabaseUrl


@click.command("env")
@click.option("--stop", is_flag=True, help="Stop the embedded server that an earlier `env` left running.")
def command(stop: bool) -> None:
    """Start the database if need be and print the exports for plain Dagster commands.

    \b
        eval "$(bist-pipeline env)"
        dagster dev
        dagster asset materialize --select '*' --partition 2026-08-07 -m bist_pipeline.definitions

    The embedded server stays until `bist-pipeline env --stop`, or until `up` is stopped.
    """  # noqa: D301 - click reads the backspace itself as "keep these lines"
    settings = load_settings()
    if stop:
        _stop(settings)
        return
    if settings.bist_database_url is None:
        with use_server(settings.bist_home, keep_running=running_instance(settings.bist_home) is None) as server:
            server.ensure_database(DATA_DATABASE)
            _prepare(DatabaseUrl.parse(server.url(DATA_DATABASE)))
    else:
        _prepare(DatabaseUrl.parse(settings.bist_database_url.get_secret_value()))
    up.write_instance(settings)
    for name, value in up.environment(settings).items():
        click.echo(f"export {name}={shlex.quote(value)}")


def _prepare(url: DatabaseUrl) -> None:
    database = Database(url)
    try:
        prepare(database)
        prepare_records(url)
    finally:
        database.close()


def _stop(settings: Settings) -> None:
    instance = running_instance(settings.bist_home)
    if instance is not None:
        raise HomeBusyError(
            f"up runs as pid {instance.pid} at {instance.address} and needs the server: stop that instead"
        )
    EmbeddedServer(settings.bist_home).stop()
    click.echo("the embedded server is stopped", err=True)
