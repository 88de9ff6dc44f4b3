"""Derived rows for the tests of publishing: what would be in `analytics`, without a market behind it.

Belongs here: writing derived rows and reading served ones. Does not belong here: expectations.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.signals.model import MODEL
from bist_pipeline.storage.bulk import Scope
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.url import DatabaseUrl

# A symbol and a session; a pattern's name beside them for an event.
Place = tuple[str, date]


def write_signals(database: Database, scores: Mapping[Place, float]) -> None:
    """Make `analytics.signals` hold one row per place, with that score."""
    table = contracts().signals
    frame = keys_of(list(scores)).assign(
        score=np.array(list(scores.values()), dtype=np.float64),
        action="hold",
        confidence=0.5,
        close_try=10.0,
        is_final=True,
        grade="A",
        model_version=MODEL.version,
        data_version=-(2**62) - 1,
    )
    known_at = (frame["session_date"] + pd.Timedelta(hours=15)).dt.tz_localize("UTC").dt.as_unit("us")
    rest = {name: np.nan for name in table.columns if name not in frame and name not in ("known_at", "updated_at")}
    write(database, table.table, frame.assign(known_at=known_at, **rest))


def write_candles(database: Database, strengths: Mapping[tuple[str, date, str], int]) -> None:
    """Make `analytics.candlestick_patterns` hold one row per place and pattern, with that strength."""
    frame = keys_of([place[:2] for place in strengths]).assign(
        pattern=pd.array([place[2] for place in strengths], dtype="str"),
        strength=np.array(list(strengths.values()), dtype=np.int64),
        direction="bullish",
        trend_before=None,
        trend_slope_atr=np.nan,
        fits_trend=pd.array([None] * len(strengths), dtype="boolean"),
        is_final=True,
        level_distance_atr=np.nan,
        is_locked=pd.array([None] * len(strengths), dtype="boolean"),
    )
    known_at = (frame["session_date"] + pd.Timedelta(hours=15)).dt.tz_localize("UTC").dt.as_unit("us")
    write(database, "candlestick_patterns", frame.assign(known_at=known_at))


def write_chart(database: Database, place: Place, pattern: str) -> None:
    """Make `analytics.chart_patterns` hold one forming pattern that started on its session."""
    table = contracts().chart_patterns
    symbol, day = place
    known = {
        **dict.fromkeys(("started_on", "last_pivot_on", "formed_on"), pd.Timestamp(day).as_unit("us")),
        **{"event_id": f"{symbol}:{pattern}:{day}", "pattern": pattern, "direction": "bullish", "state": "forming"},
        **{"because": "formed", "tape": "", "pivots": "[{}]", "lines": "[{}]", "is_tradeable": True, "is_final": True},
        "known_at": pd.Timestamp(day, tz="UTC").as_unit("us") + pd.Timedelta(hours=15),
    }
    frame = keys_of([place]).assign(**known)
    for name in [name for name in table.columns if name not in frame and name != "updated_at"]:
        kind: Any = str(table.frame.columns[name].dtype).lower()
        frame[name] = pd.Series([1], dtype=kind)
    write(database, table.table, frame)


def write(database: Database, table: str, frame: pd.DataFrame) -> None:
    """Make a table of `analytics` hold exactly a frame."""
    contract = next(c for c in contracts().all() if c.name == f"analytics.{table}")
    with database.bulk(f"writing {table}") as bulk:
        bulk.replace(contract, [frame], Scope())


def keys_of(places: list[Place]) -> pd.DataFrame:
    """The columns symbol and session_date."""
    days = pd.Series([day for _, day in places], dtype="datetime64[us]")
    return pd.DataFrame({"symbol": pd.array([symbol for symbol, _ in places], dtype="str"), "session_date": days})


def served_scores(database: Database) -> dict[Place, float]:
    """The scores of `signals_v1`."""
    return _scores(database.rows("SELECT symbol, session_date, score FROM serving.signals_v1"))


def scores_as_of(database: Database, moment: datetime) -> dict[Place, float]:
    """The scores of `signals_as_of`."""
    sql = "SELECT symbol, session_date, score FROM serving.signals_as_of(:moment)"
    return _scores(database.rows(sql, {"moment": moment}))


def served_strengths(database: Database) -> dict[tuple[str, date, str], float]:
    """The strengths of `pattern_events_v1`."""
    rows = database.rows("SELECT symbol, session_date, pattern, strength FROM serving.pattern_events_v1")
    assert len(rows) == len({tuple(row)[:3] for row in rows})
    return {(row.symbol, row.session_date, row.pattern): row.strength for row in rows}


def server_time(database: Database) -> datetime:
    """What the server's clock shows."""
    return database.rows("SELECT clock_timestamp()")[0][0]


def as_reader(url: DatabaseUrl) -> DatabaseUrl:
    """The same database, for `bist_reader`."""
    return DatabaseUrl(url.url.set(username="bist_reader"))


def _scores(rows: Any) -> dict[Place, float]:
    assert len(rows) == len({(row.symbol, row.session_date) for row in rows})
    return {(row.symbol, row.session_date): row.score for row in rows}
