"""`bist-pipeline up`."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import click

from bist_pipeline.cli._announcement import announcement
from bist_pipeline.cli._first_load import told_of_first_load
from bist_pipeline.cli._options import Moment
from bist_pipeline.core.calendar import ISTANBUL, load_calendar
from bist_pipeline.core.clock import SystemClock
from bist_pipeline.core.errors import SettingsError
from bist_pipeline.operations import kill_switch
from bist_pipeline.operations.home_lock import HomeLock
from bist_pipeline.operations.leftovers import end_leftovers
from bist_pipeline.operations.ports import check_port
from bist_pipeline.operations.supervisor.child import Child
from bist_pipeline.operations.supervisor.events import Event
from bist_pipeline.operations.supervisor.stop_request import StopRequest, stop_on_signals
from bist_pipeline.operations.supervisor.supervisor import Supervisor
from bist_pipeline.pipeline import up
from bist_pipeline.pipeline.compiling import compile_ahead, is_compiled, keep_compiled
from bist_pipeline.pipeline.context import DATA_DATABASE, overrides_path
from bist_pipeline.pipeline.dagster_records import prepare_records
from bist_pipeline.pipeline.market_kind import ensure_market_kind
from bist_pipeline.pipeline.models import prepare
from bist_pipeline.pipeline.simulation import EXCHANGE, latest_moment, plan_simulation
from bist_pipeline.pipeline.watchdog import kept_running
from bist_pipeline.providers.registry import build_live_providers, build_providers
from bist_pipeline.settings import Settings, home_of_up, load_settings, remember
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.embedded.usage import use_server
from bist_pipeline.storage.url import DatabaseUrl


@click.command("up")
@click.option("--simulated", is_flag=True, help="On an invented market, SIMULATED, in a home of its own.")
@click.option(
    "--archive", type=click.Path(path_type=Path), help="Folder of price files, one CSV or Parquet per symbol."
)
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port of the UI.")
@click.option("--now", "at", type=Moment(), help="With --simulated: what time it is there at the start.")
def command(simulated: bool, archive: Path | None, port: int, at: datetime | None) -> None:
    """Start everything and keep it running; Ctrl-C stops it.

    An embedded PostgreSQL (unless BIST_DATABASE_URL is set), Dagster's UI, daemon and code server. History that is not
    derived yet is loaded at once, newest year first; while the exchange trades, every five minutes a refresh. Without
    options it is live and asks Yahoo Finance. A simulated market has a home of its own; each home remembers what was
    chosen.
    """
    settings = _settings(simulated=simulated, archive=archive, at=at)
    kill_switch.check(settings.bist_kill_switch)
    build_providers(settings)
    build_live_providers(settings)
    load_calendar(overrides_path(settings))  # a broken file is told now, not by each run
    with stop_on_signals() as request, ExitStack() as stack:
        stack.enter_context(HomeLock(settings.bist_home).held(up.address(port)))
        check_port(up.HOST, port)
        _say_ended(settings)
        database = stack.enter_context(_database(settings))
        first: list[Child] = []
        if settings.bist_simulation or simulated:
            settings, exchange = _with_exchange(settings, database, at)
            first = [exchange]
        remember_choices(settings)
        made = stack.enter_context(up.instance(settings))
        click.echo(up.prepare_instance(settings) or "Dagster's records are ready")
        _compile(settings, request)
        click.echo(announcement(settings))
        children = [*first, *up.children(settings, made, port)]
        stop_order = (*up.STOP_ORDER, *(child.name for child in first))
        supervisor = Supervisor(children, settings.bist_home, _on_event, stop_order=stop_order)
        with told_of_first_load(database.url, settings, up.address(port)):
            killed = supervisor.run(request)
    for process in killed:
        click.echo(f"pid {process.pid} did not stop in time and was killed: {process.command[:80]}")
    click.echo("stopped; the data stays in " + str(settings.bist_home))


def _settings(*, simulated: bool, archive: Path | None, at: datetime | None) -> Settings:
    """The settings of the home that is meant.

    Raises:
        SettingsError: Two kinds of market are asked for at once, or the home holds another one.
    """
    if simulated and archive is not None:
        raise SettingsError("--simulated and --archive exclude each other")
    settings = load_settings(bist_home=home_of_up(simulated=simulated), bist_archive_dir=archive)
    if settings.bist_simulation and archive is not None:
        raise SettingsError(f"{settings.bist_home} holds a SIMULATED market: take another BIST_HOME for the archive")
    if at is not None and not (simulated or settings.bist_simulation):
        raise SettingsError("--now sets the clock of a simulated exchange: it needs --simulated")
    return settings


def _with_exchange(settings: Settings, database: Database, at: datetime | None) -> tuple[Settings, Child]:
    calendar = load_calendar(overrides_path(settings))
    simulation = plan_simulation(settings, calendar, SystemClock().now(), latest=latest_moment(database), at=at)
    ensure_market_kind(database, "simulated", EXCHANGE, SystemClock().now())
    now = (SystemClock().now() - simulation.behind).astimezone(ISTANBUL)
    click.echo(f"SIMULATED exchange at {simulation.url}: {simulation.told}; there it is {now:%A %Y-%m-%d %H:%M}")
    return simulation.settings(settings.bist_home), simulation.child(settings.bist_home)


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
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
        prepare(database)
        prepare_records(url)
        yield database


def _compile(settings: Settings, request: StopRequest) -> None:
    """Compile the chart detectors where that was not done yet: else the first refresh would wait for it."""
    keep_compiled(settings)
    if is_compiled(settings):
        return
    click.echo("the chart detectors are being compiled: some twenty seconds, once per installation")
    if not compile_ahead(settings, up.environment(settings), request.is_asked) and not request.is_asked():
        click.echo("that failed; the first run that needs them tries again", err=True)


def _say_ended(settings: Settings) -> None:
    for process in end_leftovers(settings.bist_home):
        click.echo(f"ended a leftover of an earlier start: {process}")


def remember_choices(settings: Settings) -> None:
    """Keep in the home what other commands on it need to mean the same market."""
    chosen = {
        "BIST_UNIVERSE": settings.bist_universe,
        "BIST_PROVIDERS": ",".join(settings.bist_providers),
        "BIST_LIVE_PROVIDERS": ",".join(settings.bist_live_providers),
    }
    if settings.bist_simulation:
        chosen |= {
            "BIST_SIMULATION": settings.bist_simulation,
            "YAHOO_HOSTS": ",".join(settings.yahoo_hosts),
            "YAHOO_REQUESTS_PER_SECOND": str(settings.yahoo_requests_per_second),
        }
    if settings.bist_archive_dir is not None:
        chosen |= {
            "BIST_ARCHIVE_DIR": str(settings.bist_archive_dir),
            "BIST_ARCHIVE_BASIS": settings.bist_archive_basis,
        }
    remember(settings, chosen | _second(settings))


def _second(settings: Settings) -> dict[str, str]:
    """A command without the second source would clean every bar anew, and so would `up` after it."""
    if not settings.bist_second_provider:
        return {}
    chosen = {"BIST_SECOND_PROVIDER": settings.bist_second_provider, "BIST_BAR_CHOICE": settings.bist_bar_choice}
    if settings.bist_second_archive_dir is not None:
        chosen |= {
            "BIST_SECOND_ARCHIVE_DIR": str(settings.bist_second_archive_dir),
            "BIST_SECOND_ARCHIVE_BASIS": settings.bist_second_archive_basis,
        }
    return chosen


def _on_event(event: Event) -> None:
    click.echo(str(event))
