"""The forming bars of the live lane: which quote stands for a session that history does not tell of yet.

Belongs here: choosing the quote of each symbol-session, and shaping it as a delivered row. Does not belong here:
judging quotes (`market/live.py`), accepting rows (`market/cleaning.py`).

A session has a live bar where its history is missing, or was told before the session was final and before the quote.

* The bar is the quote with the newest last trade, and of those with the same one the quote that was fetched last: an
  answer may lag behind the one before.
* An action found pending since the last quote leaves no bar, and quotes fetched before that count no more: they stand
  on another basis.
* Where the history goes on after the session and lacks it, it will not tell of it: Yahoo lacks whole sessions. The
  last quote stays then, as a doubtful bar. It is final if it was fetched when the provider had told the whole session,
  the closing auction included; one from before saw a part of it, and is forming for ever.
* While the history may yet come, no quote is final. That its newest session is a later one is asked for, not only that
  it was fetched after the session: the provider corrects the day over night; and a final bar after the history's end
  would make the next answer without it look cut off.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.providers.registry import registered_providers
from bist_pipeline.storage.bulk import BulkTransaction

_KEY = ["symbol", "session_date"]

# Per pair one descent of an index: quotes of a year are millions, the pairs asked for are today's. A row of a day to
# come, a fault of the provider's, does not make the history go on.
_NEWEST = """
    SELECT q.*, p.final_at, EXISTS (
        SELECT FROM market.raw_prices AS r
        WHERE r.symbol = p.symbol AND r.session_date > p.session_date::date AND r.as_of >= p.final_at
        AND r.session_date <= (r.as_of AT TIME ZONE 'Europe/Istanbul')::date) AS goes_on
    FROM {pairs} AS p CROSS JOIN LATERAL (
        SELECT * FROM market.quotes AS q
        WHERE q.symbol = p.symbol AND q.session_date = p.session_date::date AND q.state = 'trading'
        AND q.fetched_at > coalesce((
            SELECT max(h.fetched_at) FROM market.quotes AS h
            WHERE h.symbol = p.symbol AND h.session_date = p.session_date::date AND h.state = 'action_pending'
            ), '-infinity')
        ORDER BY q.as_of DESC, q.fetched_at DESC LIMIT 1) AS q"""


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
        What is cleaned as history: the rows of `raw` that no live bar replaces, and the last word on whole sessions
        that history lacks. And the forming bars. Both shaped like `raw`, with `is_doubtful`.
    """
    sessions = _sessions_with_quotes(bulk, schedule, first, last)
    if not len(sessions) or not symbols:
        return raw, raw.iloc[:0]
    told = _told(raw, sessions)
    live = _newest_quotes(bulk, _untold(symbols, sessions, told))
    if len(live):
        live = live.assign(known=live[_KEY].merge(told, on=_KEY, how="left")["as_of"].array)
        live = live[(live["known"].isna() | (live["as_of"] > live["known"])).to_numpy()]
    if not len(live):
        return raw, raw.iloc[:0]
    replaced = pd.MultiIndex.from_frame(raw[_KEY]).isin(pd.MultiIndex.from_frame(live[_KEY]))
    return _split(bulk, raw[~replaced], live)


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
    untold = pairs[~pairs.isin(pd.MultiIndex.from_frame(settled[_KEY]))].to_frame(index=False)
    return untold.merge(sessions[["session_date", "final_at"]], on="session_date")


def _newest_quotes(bulk: BulkTransaction, pairs: pd.DataFrame) -> pd.DataFrame:
    if not len(pairs):
        return pairs
    stage = bulk.stage_frame(pairs.astype({"symbol": "str", "session_date": "datetime64[us]"}))
    return bulk.frame(_NEWEST.format(pairs=stage))


def _split(bulk: BulkTransaction, raw: pd.DataFrame, live: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Shape live bars as delivered rows, and put those that are final beside the history."""
    is_last_word = live["goes_on"] & live["known"].isna()
    is_final = is_last_word & (live["fetched_at"] >= live["final_at"] + _delays(live["provider"]))
    # The last trade may have been before the end of the closing auction; nothing will change the bar any more.
    ended = live["as_of"].where(~is_final, np.maximum(live["as_of"], live["final_at"]))
    live = live.assign(as_of=ended, is_doubtful=is_last_word)
    # In the shares of its own session a price is as traded, and as adjusted as history was on that day.
    final = _as_raw(bulk, live[is_final], stated="split_adjusted")
    forming = _as_raw(bulk, live[~is_final], stated="as_traded")
    if not len(final):
        return raw, forming
    history = raw.assign(is_doubtful=np.zeros(len(raw), dtype=bool))
    return pd.concat([history, final], ignore_index=True) if len(raw) else final, forming


def _delays(providers: pd.Series) -> pd.Series:
    """How late each quote's provider tells; of one that is no longer known, the longest of all."""
    known = {name: spec.delay for name, spec in registered_providers().items()}
    return pd.to_timedelta(providers.map(known)).fillna(max(known.values()))


def _as_raw(bulk: BulkTransaction, live: pd.DataFrame, stated: str) -> pd.DataFrame:
    """Shape live bars as delivered rows; `stated` is the basis of symbols whose splits are all stated."""
    prices = {"open_try": "open_raw", "high_try": "high_raw", "low_try": "low_raw", "last_try": "close_raw"}
    bases = _bases(bulk)
    renamed = live.rename(columns={**prices, "volume_shares": "volume_raw", "provider": "source"})
    shaped: dict[str, Any] = {
        "occurrence": np.zeros(len(live), dtype=np.int64),
        "source_row": np.zeros(len(live), dtype=np.int64),
        "adj_close_raw": np.full(len(live), np.nan),
        "basis": pd.array([bases.get(symbol, stated) for symbol in live["symbol"]], dtype="str"),
    }
    columns = [*contracts().raw_prices.columns, "is_doubtful"]
    return renamed.assign(**shaped)[columns].reset_index(drop=True)


def _bases(bulk: BulkTransaction) -> dict[str, str]:
    """The basis that each symbol's bars stand on: today's price is right on every one, and none is mixed in silence."""
    ledger = bulk.frame("SELECT symbol, basis FROM market.fetch_ledger WHERE NOT states_actions AND basis <> ''")
    return dict(zip(ledger["symbol"], ledger["basis"], strict=True))
