"""The forming bars of the live lane: which quote stands for a session that history does not tell of yet.

Belongs here: choosing the quote of each symbol-session, and shaping it as a delivered row. Does not belong here:
judging quotes (`market/live.py`), accepting rows (`market/cleaning.py`).

A session has a live bar where its history is missing, or was told before the session was final and before the quote.
It is the newest quote that traded, unless an action has been found pending since: quotes before that one stand on
another basis.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.storage.bulk import BulkTransaction

_KEY = ["symbol", "session_date"]

# Per pair one descent of an index: quotes of a year are millions, the pairs asked for are today's.
_NEWEST = """
    SELECT q.* FROM {pairs} AS p CROSS JOIN LATERAL (
        SELECT * FROM market.quotes AS q
        WHERE q.symbol = p.symbol AND q.session_date = p.session_date::date
        AND q.state IN ('trading', 'action_pending')
        ORDER BY q.fetched_at DESC LIMIT 1) AS q
    WHERE q.state = 'trading'"""


def take_live_bars(
    bulk: BulkTransaction,
    raw: pd.DataFrame,
    symbols: Sequence[str],
    schedule: pd.DataFrame,
    *,
    first: date | None = None,
    last: date | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split what is to be cleaned into history and live bars.

    Args:
        bulk: The transaction that writes the bars.
        raw: The rows of `market.raw_prices` in the scope.
        symbols: The symbols of the scope.
        schedule: Columns `session_date`, `is_session`, `final_at`.
        first: First session of the scope; None for the beginning.
        last: Last session of the scope, likewise.

    Returns:
        The rows of `raw` that no live bar replaces; and the live bars, shaped like them.
    """
    sessions = _sessions_with_quotes(bulk, schedule, first, last)
    if not len(sessions) or not symbols:
        return raw, raw.iloc[:0]
    told = _told(raw, sessions)
    live = _newest_quotes(bulk, _untold(symbols, sessions, told))
    if len(live):
        known = live[_KEY].merge(told, on=_KEY, how="left")["as_of"]
        live = live[(known.isna() | (live["as_of"] > known)).to_numpy()]
    if not len(live):
        return raw, raw.iloc[:0]
    replaced = pd.MultiIndex.from_frame(raw[_KEY]).isin(pd.MultiIndex.from_frame(live[_KEY]))
    return raw[~replaced], _as_raw(bulk, live)


def _sessions_with_quotes(
    bulk: BulkTransaction, schedule: pd.DataFrame, first: date | None, last: date | None
) -> pd.DataFrame:
    """The sessions of the scope from the first to the last one that was ever refreshed."""
    bounds = bulk.frame("SELECT min(session_date) AS first, max(session_date) AS last FROM market.quotes").iloc[0]
    if pd.isna(bounds["first"]):
        return schedule.iloc[:0]
    start = max(bounds["first"], pd.Timestamp(first or bounds["first"]))
    end = min(bounds["last"], pd.Timestamp(last or bounds["last"]))
    return schedule[schedule["is_session"] & schedule["session_date"].between(start, end)]


def _told(raw: pd.DataFrame, sessions: pd.DataFrame) -> pd.DataFrame:
    """As of when history tells of each symbol-session, and when that session is final."""
    recent = raw.loc[raw["session_date"].isin(sessions["session_date"]), [*_KEY, "as_of"]]
    newest = recent.groupby(_KEY, as_index=False)["as_of"].max()
    return newest.merge(sessions[["session_date", "final_at"]], on="session_date")


def _untold(symbols: Sequence[str], sessions: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """The symbol-sessions whose history is missing or not final."""
    pairs = pd.MultiIndex.from_product([sorted(symbols), sessions["session_date"]], names=_KEY)
    settled = told[told["as_of"] >= told["final_at"]]
    return pairs[~pairs.isin(pd.MultiIndex.from_frame(settled[_KEY]))].to_frame(index=False)


def _newest_quotes(bulk: BulkTransaction, pairs: pd.DataFrame) -> pd.DataFrame:
    if not len(pairs):
        return pairs
    stage = bulk.stage_frame(pairs.astype({"symbol": "str", "session_date": "datetime64[us]"}))
    return bulk.frame(_NEWEST.format(pairs=stage))


def _as_raw(bulk: BulkTransaction, live: pd.DataFrame) -> pd.DataFrame:
    prices = {"open_try": "open_raw", "high_try": "high_raw", "low_try": "low_raw", "last_try": "close_raw"}
    bases = _bases(bulk)
    renamed = live.rename(columns={**prices, "volume_shares": "volume_raw", "provider": "source"})
    shaped: dict[str, Any] = {
        "occurrence": np.zeros(len(live), dtype=np.int64),
        "source_row": np.zeros(len(live), dtype=np.int64),
        "adj_close_raw": np.full(len(live), np.nan),
        "basis": pd.array([bases.get(symbol, "as_traded") for symbol in live["symbol"]], dtype="str"),
    }
    return renamed.assign(**shaped)[list(contracts().raw_prices.columns)].reset_index(drop=True)


def _bases(bulk: BulkTransaction) -> dict[str, str]:
    """The basis that each symbol's bars stand on: today's price is right on every one, and none is mixed in silence."""
    ledger = bulk.frame("SELECT symbol, basis FROM market.fetch_ledger WHERE NOT states_actions AND basis <> ''")
    return dict(zip(ledger["symbol"], ledger["basis"], strict=True))
