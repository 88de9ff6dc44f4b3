"""Databases with an archive of their own, and what they hold, comparable bit for bit.

Belongs here: making a context on a fresh database or on a copy of another one, and reading its tables without clocks.
Does not belong here: any expectation.
"""

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.calendar import load_calendar
from bist_pipeline.core.clock import FixedClock
from bist_pipeline.pipeline.backfill import BackfillReport, backfill
from bist_pipeline.pipeline.context import PipelineContext, overrides_path
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.span import Span
from bist_pipeline.providers.contract import PriceProvider
from bist_pipeline.providers.registry import build_providers
from bist_pipeline.settings import load_settings
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.embedded.server import EmbeddedServer
from bist_pipeline.storage.url import DatabaseUrl
from bist_pipeline_tests.conftest import AFTER_CLOSE

_NUMBERS = itertools.count(1)
_VARIABLES = ("BIST_", "COLLECTOR_", "DAGSTER_", "YAHOO_", "YF_")

DERIVED = (
    *("analytics.indicators", "analytics.candlestick_patterns", "analytics.chart_patterns"),
    *("analytics.chart_candidates", "analytics.signals"),
)
PRICES = ("market.raw_prices", "market.daily_prices", "market.quarantine", "reference.corporate_actions")
SERVED = ("serving.prices_v1", "serving.indicators_v1", "serving.pattern_events_v1", "serving.signals_v1")
TABLES = (*PRICES, *DERIVED, *SERVED)

# Who wrote a row and when; and the hash of a payload, which another line of the same file changes.
CLOCKS = {"updated_at", "quarantined_at", "fetched_at", "as_of", "publish_id", "payload_hash"}


@dataclass
class Sites:
    """Makes contexts on databases of their own; `close` drops them."""

    server: EmbeddedServer
    folder: Path
    template: str
    _made: list[Database] = field(default_factory=list)
    _reused: list[Database] = field(default_factory=list)

    def make(self, archive: Path, *, copy_of: PipelineContext | None = None, **settings: Any) -> PipelineContext:
        """Return a context on a fresh database, or on a copy of another's.

        The universe is what the archive holds, unless `bist_universe` says otherwise.
        """
        template = self.template
        if copy_of is not None:
            copy_of.database.close()  # PostgreSQL copies no database that somebody is connected to
            template = copy_of.database.url.database
        return self._context(self._create(template), archive, settings)

    def emptied(self, archive: Path, **settings: Any) -> PipelineContext:
        """Return a context on one database that all calls share and that is empty again: cheaper than a fresh one."""
        if not self._reused:
            self._reused.append(self._create(self.template))
        tables = [contract.name for contract in contracts().all() if contract is not contracts().schema_changes]
        self._reused[0].run_alone(f"TRUNCATE {', '.join(tables)}")
        return self._context(self._reused[0], archive, settings)

    def close(self) -> None:
        """Drop every database that was made: what is gone need not be written at the server's end."""
        maintenance = self._maintenance()
        for database in self._made:
            database.close()
            maintenance.run_alone(f"DROP DATABASE {database.url.database} WITH (FORCE)")
        maintenance.close()

    def _context(self, database: Database, archive: Path, settings: dict[str, Any]) -> PipelineContext:
        number = next(_NUMBERS)
        home = self.folder / f"home_{number}"
        home.mkdir(parents=True)
        given = {
            "bist_home": home,
            "bist_database_url": database.url.libpq,
            "bist_archive_dir": archive,
            "bist_universe": str(universe_of(archive, home / "universe.csv")),
            **settings,
        }
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith(_VARIABLES)]:
                patch.delenv(name)
            made = load_settings(**given)
        return PipelineContext(made, database, load_calendar(), FixedClock(AFTER_CLOSE), run_id=f"site {number}")

    def _create(self, template: str) -> Database:
        name = f"site_{next(_NUMBERS)}"
        maintenance = self._maintenance()
        maintenance.run_alone(f"CREATE DATABASE {name} TEMPLATE {template}")
        maintenance.close()
        database = Database(DatabaseUrl.parse(self.server.url(name)))
        self._made.append(database)
        return database

    def _maintenance(self) -> Database:
        return Database(DatabaseUrl.parse(self.server.url("postgres")))


def universe_of(archive: Path, place: Path) -> Path:
    """Write a universe file that names what the archive holds."""
    symbols = sorted(path.stem for path in archive.glob("*.csv"))
    place.write_text("symbol\n" + "".join(f"{symbol}\n" for symbol in symbols or ["ZZAAA"]), encoding="utf-8")
    return place


def run(
    context: PipelineContext,
    first: Any,
    last: Any,
    *,
    providers: Sequence[PriceProvider] | None = None,
    symbols: Sequence[str] | None = None,
    accept_shorter: Sequence[str] = (),
) -> BackfillReport:
    """Backfill a range, whose ends may be dates, texts or datetime64."""
    asked = build_providers(context.settings) if providers is None else providers
    return backfill(context, asked, Span(as_date(first), as_date(last)), symbols, accept_shorter=accept_shorter)


def with_calendar_of_home(context: PipelineContext) -> PipelineContext:
    """The context as the next command would open it: with what the home says of the calendar now."""
    return replace(context, calendar=load_calendar(overrides_path(context.settings)))


def as_date(day: Any) -> date:
    """A date out of whatever names a day."""
    return pd.Timestamp(day).date()


def contents(context: PipelineContext, table: str, where: str = "true") -> pd.DataFrame:
    """The rows of a table in a settled order, without clocks."""
    return _settled(context.database.frame(f"SELECT * FROM {table} WHERE {where}"))


def all_contents(
    context: PipelineContext, tables: Sequence[str] = TABLES, where: str = "true"
) -> dict[str, pd.DataFrame]:
    """The same of several tables, over one connection: opening one costs more than reading a small table."""
    with context.database.bulk("reading everything") as bulk:
        return {table: _settled(bulk.frame(f"SELECT * FROM {table} WHERE {where}")) for table in tables}


def _settled(frame: pd.DataFrame) -> pd.DataFrame:
    kept = frame[[name for name in frame.columns if name not in CLOCKS]]
    keys = ("symbol", "session_date", "occurrence", "pattern", "kind", "event_id")
    return kept.sort_values([name for name in keys if name in kept.columns], kind="stable").reset_index(drop=True)


def assert_same_bits(one: pd.DataFrame, other: pd.DataFrame, what: str = "") -> None:
    """Two frames hold the same rows, floating-point numbers to the last bit."""
    assert list(one.columns) == list(other.columns), what
    assert len(one) == len(other), f"{what}: {len(one)} rows against {len(other)}"
    for name in one.columns:
        left, right = _bits(one[name]), _bits(other[name])
        differing = np.flatnonzero(left != right)
        assert not len(differing), f"{what}.{name}: {len(differing)} differ, first\n{_pair(one, other, differing[0])}"


def assert_same_tables(one: PipelineContext, other: PipelineContext, tables: Sequence[str] = TABLES) -> None:
    """Two databases hold the same rows in every table."""
    left, right = all_contents(one, tables), all_contents(other, tables)
    for table in tables:
        assert_same_bits(left[table], right[table], table)


def count(context: PipelineContext, table: str, where: str = "true") -> int:
    """How many rows a table has."""
    return int(context.database.rows(f"SELECT count(*) AS n FROM {table} WHERE {where}")[0].n)


def ledger(context: PipelineContext, symbol: str) -> Any:
    """One symbol's row of the ledger."""
    return context.database.rows("SELECT * FROM market.fetch_ledger WHERE symbol = :s", {"s": symbol})[0]


def execute(context: PipelineContext, sql: str) -> None:
    """Change a table by hand, as a person with psql would."""
    context.database.run_alone(sql)


def _bits(column: pd.Series) -> np.ndarray:
    if pd.api.types.is_float_dtype(column.dtype):
        return column.to_numpy(dtype=np.float64).view(np.int64)
    return column.astype(object).where(column.notna(), None).to_numpy()


def _pair(one: pd.DataFrame, other: pd.DataFrame, row: int) -> str:
    return f"{one.iloc[row].to_dict()}\n{other.iloc[row].to_dict()}"
