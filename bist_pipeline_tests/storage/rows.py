"""Rows for the tests of this room: frames that keep a table's contract, and ways to read a table back.

Belongs here: making and reading rows. Does not belong here: expectations.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa

from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.schemas.contract import Contract
from bist_pipeline.storage.bulk import Scope, WriteCounts
from bist_pipeline.storage.database import Database

CANDLES = contracts().candlestick_patterns
RAW = contracts().raw_prices
SESSIONS = contracts().sessions
EVENTS = contracts().served_events

MOMENT = datetime(2024, 1, 2, 15, 25, tzinfo=UTC)
EVERYTHING = Scope()

_DTYPES = {
    "text": "str",
    "jsonb": "object",
    "date": "datetime64[us]",
    "timestamptz": "datetime64[us, UTC]",
    "double precision": "float64",
    "bigint": "int64",
    "boolean": "bool",
}
_NULLABLE = {"bigint": "Int64", "boolean": "boolean"}

# What a row holds where a test has nothing to say.
_CANDLE = {
    "symbol": "ZZAAA",
    "session_date": date(2024, 1, 2),
    "pattern": "hammer",
    "strength": 100,
    "direction": "bullish",
    "trend_before": None,
    "trend_slope_atr": None,
    "fits_trend": None,
    "is_final": True,
    "known_at": MOMENT,
    "level_distance_atr": None,
    "is_locked": None,
}
_RAW = {
    "symbol": "ZZAAA",
    "session_date": date(2024, 1, 2),
    "occurrence": 0,
    **dict.fromkeys(("open_raw", "high_raw", "low_raw", "close_raw", "adj_close_raw", "volume_raw"), 1.0),
    "source_row": 2,
    "basis": "as_traded",
    "source": "archive:ZZAAA.csv",
    "payload_hash": "one",
    "as_of": MOMENT,
    "fetched_at": MOMENT,
}
_SESSION = {
    "session_date": date(2024, 1, 2),
    "is_session": True,
    "is_half_day": False,
    "open_at": None,
    "close_at": None,
    "final_at": None,
    "note": "",
}
_EVENT = {
    "event_id": "ZZAAA:hammer:2024-01-02",
    "symbol": "ZZAAA",
    "session_date": date(2024, 1, 2),
    "pattern": "hammer",
    "kind": "candlestick",
    "direction": "bullish",
    "state": "confirmed",
    "strength": 100.0,
    "known_at": MOMENT,
    "details": None,
    "is_final": True,
    "publish_id": 1,
    "superseded_by": None,
}
_DEFAULTS = {CANDLES.name: _CANDLE, RAW.name: _RAW, SESSIONS.name: _SESSION, EVENTS.name: _EVENT}


def make_frame(contract: Contract, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A frame with the contract's dtypes; what a row does not name is filled in."""
    default = _DEFAULTS[contract.name]
    frame = pd.DataFrame([{**default, **row} for row in rows], columns=list(default), dtype=object)
    return frame.astype({name: dtype_of(contract, name) for name in default})


def dtype_of(contract: Contract, name: str) -> str:
    """The pandas dtype in which a column travels."""
    declared = contract.frame.columns[name]
    sql = (declared.metadata or {})["sql"]
    return _NULLABLE.get(sql, _DTYPES[sql]) if declared.nullable else _DTYPES[sql]


def replace(
    database: Database, contract: Contract, *blocks: Sequence[Mapping[str, Any]], scope: Scope = EVERYTHING
) -> WriteCounts:
    """Run `BulkTransaction.replace` in a transaction of its own."""
    with database.bulk(f"writing {contract.name}") as bulk:
        return bulk.replace(contract, [make_frame(contract, rows) for rows in blocks], scope)


def insert(database: Database, contract: Contract, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put rows into a table without the code under test."""
    if rows:
        full = [{**_DEFAULTS[contract.name], **row} for row in rows]
        columns = ", ".join(full[0])
        values = ", ".join(f":{name}" for name in full[0])
        with database.transaction() as connection:
            connection.execute(sa.text(f"INSERT INTO {contract.name} ({columns}) VALUES ({values})"), full)


def empty(database: Database, *contracts_: Contract) -> None:
    """Delete everything from tables."""
    with database.transaction() as connection:
        for contract in contracts_:
            connection.execute(sa.text(f"DELETE FROM {contract.name}"))


def stored(database: Database, contract: Contract, columns: Sequence[str]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Read a table without the code under test: the key's values to those of some columns."""
    names = ", ".join((*contract.key, *columns))
    rows = database.rows(f"SELECT {names} FROM {contract.name}")
    width = len(contract.key)
    return {tuple(row)[:width]: tuple(row)[width:] for row in rows}
