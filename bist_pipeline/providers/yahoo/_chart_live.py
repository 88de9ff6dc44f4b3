"""The session in progress, told by charts of one day.

Belongs here: one chart per symbol of a short list, in parallel, and a quote made of each. Does not belong here: which
symbols are worth a chart (the caller's list, most important first), whole histories (`chart.py`).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from bist_pipeline.core.errors import (
    BadPayloadError,
    CircuitOpenError,
    DeadlineError,
    ProviderError,
    UnknownSymbolError,
)
from bist_pipeline.core.symbols import yahoo_symbol
from bist_pipeline.providers.contract import LiveAnswer, MarketKind
from bist_pipeline.providers.yahoo._chart_answer import Chart, read_chart, to_days
from bist_pipeline.providers.yahoo._client import Answer, YahooClient
from bist_pipeline.providers.yahoo._errors import printable
from bist_pipeline.providers.yahoo._quote_answer import CURRENCY, Told, empty_quotes, tell

DEADLINE = "deadline"
_PARAMS = {"range": "1d", "interval": "1d", "includePrePost": "false"}


@dataclass(frozen=True, slots=True)
class LiveCharts:
    """Asks charts of one day. Thread-safe.

    Attributes:
        name: The registered name.
        client: Asks.
        now: The time at the exchange.
        workers: How many are asked at the same time.
    """

    name: str
    client: YahooClient
    now: Callable[[], datetime]
    workers: int

    def market_kind(self) -> MarketKind:
        """What the hosts say that they are."""
        return self.client.market_kind()

    def quotes(self, symbols: Sequence[str], deadline: float) -> LiveAnswer:
        """Ask one chart per symbol, in the order of the list, until the deadline.

        Args:
            symbols: Normalised codes, most important first.
            deadline: `time.monotonic()`; what is left then is `failed`.

        Raises:
            CircuitOpenError: Not one was answered, for nothing may be asked now.
        """
        with ThreadPoolExecutor(self.workers, thread_name_prefix="chart") as pool:
            results = list(pool.map(lambda symbol: self._ask(symbol, deadline), symbols))
        told = [result.quotes for result in results if isinstance(result, Told)]
        shut = [result for result in results if isinstance(result, CircuitOpenError)]
        if shut and not told and not any(isinstance(result, UnknownSymbolError) for result in results):
            raise shut[0]
        failed: dict[str, str] = {}
        for symbol, result in zip(symbols, results, strict=True):
            if isinstance(result, Told):
                failed |= result.failed
            elif not isinstance(result, UnknownSymbolError):
                failed[symbol] = DEADLINE if isinstance(result, DeadlineError) else str(result)
        return LiveAnswer(
            quotes=pd.concat(told, ignore_index=True) if told else empty_quotes(),
            silent=tuple(s for s, r in zip(symbols, results, strict=True) if isinstance(r, UnknownSymbolError)),
            failed=failed,
        )

    def _ask(self, symbol: str, deadline: float) -> Told | ProviderError:
        if time.monotonic() >= deadline:
            return DeadlineError(f"{symbol}: not asked")
        asked = yahoo_symbol(symbol)

        def read(answer: Answer) -> Told:
            row = live_row(read_chart(answer), asked)
            return tell([row], answer.body, asked=None, currency=CURRENCY, now=self.now())

        try:
            path = f"/v8/finance/chart/{asked}"
            return self.client.send("chart", path, _PARAMS, read, symbol=symbol, deadline=deadline)
        except ProviderError as error:
            return error


def live_row(chart: Chart, asked: str) -> Mapping[str, Any]:
    """Return what a chart of one day tells, in the fields of a quote.

    Open, high and low come from today's row where the head of the answer does not tell them: it never tells the open.

    Raises:
        BadPayloadError: It is another symbol's.
    """
    if chart.symbol != asked:
        raise BadPayloadError(f"{asked}: Yahoo answers with a chart of {printable(chart.symbol)!r}")
    previous = chart.meta.get("previousClose", chart.meta.get("chartPreviousClose"))
    told = {name: value for name, value in chart.meta.items() if value is not None}
    return {**_todays_values(chart), **told, "regularMarketPreviousClose": previous}


def _todays_values(chart: Chart) -> dict[str, float]:
    """The last row of the day of the last trade: the row of another day says nothing of this one."""
    today = np.flatnonzero(chart.days() == to_days([chart.market_time], chart.zone)[0])
    if not len(today):
        return {}
    fields = {"open": "Open", "high": "DayHigh", "low": "DayLow", "volume": "Volume"}
    return {f"regularMarket{field}": float(chart.columns[name][today[-1]]) for name, field in fields.items()}
