"""The command line over a small desk's database, and over one that a simulated exchange feeds."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time

import pytest

from bist_pipeline.pipeline.backfill import backfill
from bist_pipeline.pipeline.context import open_context
from bist_pipeline.pipeline.sources import open_sources
from bist_pipeline.pipeline.span import Span
from bist_pipeline.settings import load_settings
from bist_pipeline.simulator.control import universe
from bist_pipeline.simulator.exchange import Exchange
from bist_pipeline.simulator.market import Market, invent_market
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.url import DatabaseUrl
from bist_pipeline_tests.desks import Desk, fill, fresh_database, make_desk
from bist_pipeline_tests.pipeline.exchanges import moment, standing

FIRST = date(2026, 4, 1)
TODAY = date(2026, 8, 5)  # a Wednesday
NOON = moment(TODAY, time(12, 0))


@dataclass(frozen=True, slots=True)
class Followed:
    """A database and the exchange that it follows.

    Attributes:
        exchange: Running; its clock stands still.
        database: Where its answers go.
    """

    exchange: Exchange
    database: Database


@pytest.fixture(scope="session")
def cli_desk(tmp_path_factory) -> Desk:
    """An archive of three symbols that no test changes."""
    return make_desk(tmp_path_factory.mktemp("cli desk"))


@pytest.fixture(scope="session")
def cli_template(server, cli_desk, tmp_path_factory) -> Iterator[str]:
    """The name of a database that holds everything derived from it."""
    with fresh_database(server, "migrated_template") as url:
        fill(cli_desk, url, tmp_path_factory.mktemp("filling"))
        yield url.database


@pytest.fixture
def filled(server, cli_template, cli_desk, monkeypatch) -> Iterator[Database]:
    """A copy of it, to which the environment leads."""
    with fresh_database(server, cli_template) as url:
        yield from _chosen(url, cli_desk, monkeypatch)


@pytest.fixture(scope="session")
def shared_url(server, cli_template) -> Iterator[DatabaseUrl]:
    with fresh_database(server, cli_template) as url:
        yield url


@pytest.fixture
def untouched(shared_url, cli_desk, monkeypatch) -> Iterator[Database]:
    """A full database for tests that change nothing in it; one for all of them."""
    yield from _chosen(shared_url, cli_desk, monkeypatch)


@pytest.fixture
def unfilled(database_url, cli_desk, monkeypatch) -> Iterator[Database]:
    """A migrated database without a row, to which the environment leads."""
    yield from _chosen(database_url, cli_desk, monkeypatch)


def _chosen(url: DatabaseUrl, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    for name, value in desk.variables(url).items():
        monkeypatch.setenv(name, value)
    database = Database(url)
    yield database
    database.close()


@pytest.fixture(scope="session")
def traded() -> Market:
    """Four invented shares."""
    return invent_market(symbols=4, first=FIRST, last=date(2026, 8, 7))


@pytest.fixture(scope="session")
def loaded_template(server, traded, tmp_path_factory) -> Iterator[str]:
    """The name of a database that holds their history up to noon, derived and published."""
    folder = tmp_path_factory.mktemp("loading")
    with fresh_database(server, "migrated_template") as url, standing(traded, NOON) as running:
        place = folder / "universe.csv"
        place.write_text(universe(running))
        settings = load_settings(
            bist_home=folder / "home", bist_database_url=url.libpq, **_asking(running.url, str(place))
        )
        with open_context(settings) as context:
            backfill(context, open_sources(context).history, Span(FIRST, date(2026, 8, 4)))
        yield url.database


@pytest.fixture
def followed(server, loaded_template, traded, monkeypatch, tmp_path_factory) -> Iterator[Followed]:
    """A copy of it, to which the environment leads, and the exchange at noon."""
    with fresh_database(server, loaded_template) as url, standing(traded, NOON) as running:
        yield from _followed(url, running, tmp_path_factory, monkeypatch)


@pytest.fixture
def unloaded(database_url, traded, monkeypatch, tmp_path_factory) -> Iterator[Followed]:
    """The same exchange, and a database that holds nothing of it yet."""
    with standing(traded, NOON) as running:
        yield from _followed(database_url, running, tmp_path_factory, monkeypatch)


def _followed(url: DatabaseUrl, running: Exchange, folders, monkeypatch: pytest.MonkeyPatch) -> Iterator[Followed]:
    place = folders.mktemp("following") / "universe.csv"
    place.write_text(universe(running))
    monkeypatch.setenv("BIST_DATABASE_URL", url.libpq)
    for name, value in _asking(running.url, str(place)).items():
        monkeypatch.setenv(name.upper(), value)
    database = Database(url)
    yield Followed(running, database)
    database.close()


def _asking(url: str, place: str) -> dict[str, str]:
    return {
        "bist_universe": place,
        "bist_providers": "yahoo_chart",
        "bist_live_providers": "yahoo_quote,yahoo_spark,yahoo_chart",
        "yahoo_hosts": url,
        "yahoo_requests_per_second": "0",
        "yf_backoff_base_seconds": "0.01",
    }
