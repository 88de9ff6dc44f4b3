"""Histories and, for a short list, the session in progress from Yahoo's chart route.

Belongs here: the provider and its declaration. Does not belong here: asking (`_client.py`), reading an answer
(`_chart_answer.py`), what a history is made of (`_chart_history.py`), the session in progress (`_chart_live.py`).

A history is one request, whatever range is wanted: a split rewrites all of it, and part of it would be on two bases.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any

import numpy as np

from bist_pipeline.core.calendar import ISTANBUL, ORIGIN, OVERRIDES_FILE, SessionCalendar, load_calendar
from bist_pipeline.core.clock import Clock
from bist_pipeline.core.errors import BadPayloadError, TransientProviderError
from bist_pipeline.core.symbols import yahoo_symbol
from bist_pipeline.providers.contract import History, MarketKind, ProviderSpec, Services
from bist_pipeline.providers.yahoo._chart_answer import Chart, read_chart
from bist_pipeline.providers.yahoo._chart_history import Setting, build_history
from bist_pipeline.providers.yahoo._chart_live import LiveCharts
from bist_pipeline.providers.yahoo._chart_nulls import Rows, fill, null_rows
from bist_pipeline.providers.yahoo._chart_times import day_mark
from bist_pipeline.providers.yahoo._client import FAMILY, Answer, YahooClient
from bist_pipeline.providers.yahoo._quote_answer import payload_hash
from bist_pipeline.settings import Settings

NAME = "yahoo_chart"

# What Yahoo says of its quotes of Borsa Istanbul: `exchangeDataDelayedBy` 15.
DELAY = timedelta(minutes=15)

TERMS = (
    "Yahoo Finance: for your personal use alone; no redistribution, no commercial use, no excessive asking. Yahoo "
    "promises neither service nor correctness. Its terms decide: https://legal.yahoo.com"
)
LICENCE = "no licence to pass it on: Yahoo's terms of service"

# For rows that came without a close: one more answer tells a fault of transmission from a gap of Yahoo's.
_MOST_FURTHER_REQUESTS = 2


@dataclass(frozen=True, slots=True)
class _Told:
    """One answer.

    Attributes:
        chart: What was read.
        payload: The bytes it was read from, whose hash the chart names; those of several answers follow each other, a
            line each.
    """

    chart: Chart
    payload: bytes


@dataclass(frozen=True, slots=True)
class ChartProvider:
    """Yahoo's chart route as a provider of history. Thread-safe.

    Attributes:
        client: Asks.
        clock: The time at the exchange.
        settings: Names the home, whose file of closures counts.
    """

    client: YahooClient
    clock: Clock
    settings: Settings

    @property
    def name(self) -> str:
        """The registered name."""
        return NAME

    @property
    def family(self) -> str:
        """Yahoo's, like every other route to it."""
        return FAMILY

    def market_kind(self) -> MarketKind:
        """What the hosts say that they are; Yahoo's own are real."""
        return self.client.market_kind()

    @property
    def delay(self) -> timedelta:
        """See `DELAY`."""
        return DELAY

    def symbols(self) -> Sequence[str] | None:
        """None: only asking tells."""
        return None

    def version(self, symbol: str) -> str:
        """Return a mark that changes after each close and once more the next morning, without asking Yahoo."""
        return version_mark(self.settings, self.clock)

    def history(self, symbol: str) -> History:
        """Fetch the whole history since `ORIGIN`.

        Raises:
            UnknownSymbolError: Yahoo says that there is no such symbol.
            BadPayloadError: No bars, another currency, a last trade in the future, a field that cannot be read.
            TransientProviderError: No whole answer came, or none may be asked for now.
        """
        note = self.client.note()
        calendar = _calendar(self.settings)
        params = _params(self.clock.now())
        told, nulls = self._complete(self._ask(symbol, params), symbol, params, calendar)
        history = build_history(told.chart, symbol, Setting(NAME, self.clock.now(), calendar, DELAY, note))
        return replace(history, recognised={**history.recognised, **nulls}, payload=told.payload)

    def _ask(self, symbol: str, params: Mapping[str, str]) -> _Told:
        return self.client.send("chart", f"/v8/finance/chart/{yahoo_symbol(symbol)}", params, _read, symbol=symbol)

    def _complete(
        self, told: _Told, symbol: str, params: Mapping[str, str], calendar: SessionCalendar
    ) -> tuple[_Told, dict[str, Any]]:
        """Ask again for rows without a close; what comes without one again, Yahoo does not have.

        Returns:
            The answer, and what was done, empty where nothing had to be.
        """
        before = missing = null_rows(told.chart, calendar)
        if not before.any():
            return told, {}
        asked, why = 0, ""
        while missing.any() and not why:
            asked += 1
            filled, why = self._filled(told, symbol, params, missing)
            left = null_rows(filled.chart, calendar)
            if not why and (np.array_equal(left, missing) or asked == _MOST_FURTHER_REQUESTS):
                why = "null in the next answer too"
            told, missing = filled, left
        done = {"rows": int(before.sum()), "filled": int(before.sum() - missing.sum()), "asked_again": asked}
        return told, {"null_rows": done | ({"left": why} if missing.any() else {})}

    def _filled(self, told: _Told, symbol: str, params: Mapping[str, str], rows: Rows) -> tuple[_Told, str]:
        """Take rows from one more answer.

        Returns:
            The answer; and why it makes no sense to ask on, empty where it does.
        """
        try:
            other = self._ask(symbol, params)
            filled = fill(told.chart, other.chart, rows)
        except (TransientProviderError, BadPayloadError) as error:
            # The first answer is whole but for these rows: they do not cost the others.
            return told, f"asking again failed: {error}"
        if filled is None:
            return told, "the next answer differs in more than these rows"
        return (told if filled is told.chart else _joined(filled, told.payload, other.payload)), ""


def version_mark(settings: Settings, clock: Clock) -> str:
    """Return the mark of any history of Yahoo's, whoever fetches it.

    Raises:
        SessionError: The clock lies outside the calendar.
    """
    return day_mark(clock.now(), _calendar(settings), DELAY)


def build_chart(settings: Settings, services: Services) -> ChartProvider:
    """Make the provider of history."""
    return ChartProvider(YahooClient(settings, services, NAME), services.clock, settings)


def build_live_chart(settings: Settings, services: Services) -> LiveCharts:
    """Make the live provider."""
    client = YahooClient(settings, services, NAME)
    return LiveCharts(NAME, client, services.clock.now, settings.collector_max_workers)


def _read(answer: Answer) -> _Told:
    return _Told(read_chart(answer), answer.body)


def _joined(chart: Chart, *payloads: bytes) -> _Told:
    payload = b"\n".join(payloads)
    return _Told(replace(chart, payload_hash=payload_hash(payload)), payload)


def _calendar(settings: Settings) -> SessionCalendar:
    return load_calendar(settings.bist_home / OVERRIDES_FILE)


def _params(now: datetime) -> dict[str, str]:
    first = datetime.combine(ORIGIN, time(), ISTANBUL)
    return {
        "period1": str(int(first.timestamp())),
        "period2": str(int((now + timedelta(days=1)).timestamp())),
        "interval": "1d",
        "events": "div|split",
        "includeAdjustedClose": "true",
        "includePrePost": "false",
    }


YAHOO_CHART = ProviderSpec(
    name=NAME,
    terms=TERMS,
    licence=LICENCE,
    delay=DELAY,
    build=build_chart,
    build_live=build_live_chart,
)
