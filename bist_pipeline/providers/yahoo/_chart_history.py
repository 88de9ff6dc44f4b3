"""A history made of a chart.

Belongs here: the contract's columns from Yahoo's arrays, the extra live row, the basis, what must be refused. Does not
belong here: reading the answer (`_chart_answer.py`), repairing prices (`market/`): every row stays, future ones and
those of closed days too.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.calendar import SessionCalendar
from bist_pipeline.core.errors import BadPayloadError
from bist_pipeline.core.symbols import yahoo_symbol
from bist_pipeline.providers.contract import ACTION_COLUMNS, RAW_BAR_COLUMNS, Basis, History
from bist_pipeline.providers.yahoo._about import Note
from bist_pipeline.providers.yahoo._chart_answer import ADJUSTED, VALUES, Chart, to_days
from bist_pipeline.providers.yahoo._chart_times import time_of_newest
from bist_pipeline.providers.yahoo._errors import printable

CURRENCY = "TRY"
_GRANULARITY = "1d"
_COLUMNS = {name: f"{name}_raw" for name in VALUES} | {ADJUSTED: "adj_close_raw"}


@dataclass(frozen=True, slots=True)
class Setting:
    """What a chart is read with.

    Attributes:
        provider: Registered name, the first part of `History.source`.
        now: The time at the exchange, UTC.
        calendar: Its sessions.
        delay: How late the provider tells.
        note: What the exchange says of itself; None for Yahoo.
    """

    provider: str
    now: datetime
    calendar: SessionCalendar
    delay: timedelta
    note: Note | None = None


def build_history(
    chart: Chart, symbol: str, setting: Setting, *, currency: str | None = CURRENCY, asked: str | None = None
) -> History:
    """Make the history of one symbol.

    Args:
        chart: Yahoo's answer.
        symbol: Normalised code.
        setting: What it is read with.
        currency: What prices must be in; None for any.
        asked: The code as Yahoo spells it; that of Borsa Istanbul where None.

    Raises:
        BadPayloadError: No bars, another currency, no daily bars, or a time of last trade that lies in the future.
    """
    asked = asked or yahoo_symbol(symbol)
    _check(chart, asked, setting, currency)
    days = chart.days()
    kept, live = _without_replaced_row(chart, days)
    basis, states_actions = _basis(setting.note)
    return History(
        symbol=symbol,
        bars=_bars(chart, days, kept),
        actions=_actions(chart),
        basis=basis,
        source=f"{setting.provider}:{asked}",
        as_of=time_of_newest(days, _market_time(chart), setting.now, setting.calendar, setting.delay),
        payload_hash=chart.payload_hash,
        recognised=_recognised(chart, asked, live),
        states_actions=states_actions,
    )


def _check(chart: Chart, asked: str, setting: Setting, currency: str | None) -> None:
    stated = printable(str(chart.meta.get("currency")))
    if currency is not None and stated != currency:
        raise BadPayloadError(f"{asked}: Yahoo's chart is in {stated}, not in {currency}")
    if not len(chart.seconds):
        raise BadPayloadError(f"{asked}: Yahoo's chart has no bars")
    granularity = chart.meta.get("dataGranularity", _GRANULARITY)
    if granularity != _GRANULARITY:
        raise BadPayloadError(f"{asked}: Yahoo's chart has bars of {printable(str(granularity))}, not of a day")
    if _market_time(chart) > setting.now:
        raise BadPayloadError(
            f"{asked}: Yahoo's last trade is of {_market_time(chart):%Y-%m-%d %H:%M:%S} UTC, and it is only "
            f"{setting.now:%Y-%m-%d %H:%M:%S}: set this machine's clock"
        )


def _market_time(chart: Chart) -> datetime:
    return datetime.fromtimestamp(chart.market_time, UTC)


def _basis(note: Note | None) -> tuple[Basis, bool]:
    """Yahoo divides prices by splits and states them; so does an exchange that replays files with splits."""
    if note is not None and note.basis == "fully_adjusted":
        return "fully_adjusted", False
    return "split_adjusted", True


def _without_replaced_row(chart: Chart, days: npt.NDArray[np.datetime64]) -> tuple[npt.NDArray[np.bool_], str]:
    """Tell which rows stay: during the session Yahoo appends one more of today, which is newer than the other.

    Returns:
        Per row whether it stays; and what was done, empty where nothing was.
    """
    kept = np.ones(len(days), dtype=bool)
    last = len(days) - 1
    is_live = last > 0 and chart.seconds[last] == chart.market_time and chart.seconds[last - 1] != chart.market_time
    # A live row without a price tells nothing that could replace the other.
    if not is_live or days[last] != days[last - 1] or np.isnan(chart.columns["close"][last]):
        return kept, ""
    kept[last - 1] = False
    return kept, f"row {last}, the last trade, replaces row {last - 1} of {days[last]}"


def _bars(chart: Chart, days: npt.NDArray[np.datetime64], kept: npt.NDArray[np.bool_]) -> pd.DataFrame:
    columns: dict[str, Any] = {column: chart.columns[name][kept] for name, column in _COLUMNS.items()}
    columns["session_date"] = days[kept].astype("datetime64[us]")
    columns["source_row"] = np.flatnonzero(kept).astype(np.int64)
    return pd.DataFrame({name: columns[name] for name in RAW_BAR_COLUMNS})


def _actions(chart: Chart) -> pd.DataFrame:
    value = np.array([event.value for event in chart.events], dtype=np.float64)
    is_split = np.array([event.kind == "split" for event in chart.events], dtype=bool)
    columns = {
        "ex_date": to_days([event.seconds for event in chart.events], chart.zone).astype("datetime64[us]"),
        "kind": pd.array([event.kind for event in chart.events], dtype="str"),
        "ratio": np.where(is_split, value, np.nan),
        "amount_try": np.where(is_split, np.nan, value),
    }
    return pd.DataFrame({name: columns[name] for name in ACTION_COLUMNS})


def _recognised(chart: Chart, asked: str, live: str) -> dict[str, Any]:
    found: dict[str, Any] = {"timezone": chart.zone.key}
    if chart.symbol != asked:
        found["answered_as"] = printable(chart.symbol)
    if live:
        found["live_row"] = live
    if chart.refused_events:
        found["refused_actions"] = list(chart.refused_events)
    return found
