"""`/v8/finance/chart`: daily history of one symbol.

Belongs here: which rows are asked for, and the answer around them. Daily only: other intervals are refused with
Yahoo's own words. One habit is kept on purpose: while a session lasts, its row comes with the time of the last trade
for a time stamp, and it comes although the period asked for ends at that day's midnight.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.simulator.answers.bodies import Answer, error_answer, json_answer, number, numbers
from bist_pipeline.simulator.answers.meta import meta, price
from bist_pipeline.simulator.hours import hours_of, istanbul_day, stamp
from bist_pipeline.simulator.views import View

_DAYS = {"1mo": 31, "3mo": 92, "6mo": 183, "1y": 365, "2y": 730, "5y": 1826, "10y": 3652}
_ROWS = {"1d": 1, "5d": 5}
_INTRADAY = {"1m": 30, "2m": 60, "5m": 60, "15m": 60, "30m": 60, "60m": 730, "90m": 60, "1h": 730}
_INTERVALS = "1m, 2m, 5m, 15m, 30m, 60m, 90m, 1h, 4h, 1d, 5d, 1wk, 1mo, 3mo"
_NULLED = (0.02, 0.3)  # what part of the rows a fault takes, at least one


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks of a symbol.

    Attributes:
        interval: Yahoo's word.
        since, until: Epoch seconds; None where a range is asked for.
        range: Yahoo's word, empty where a period is asked for.
        events: Which events shall be told.
    """

    interval: str
    since: int | None
    until: int | None
    range: str
    events: frozenset[str]

    @classmethod
    def read(cls, query: Mapping[str, str], now: int) -> "Asked | None":
        """Read a query; None where a number is none."""
        try:
            since = int(query["period1"]) if "period1" in query else None
            until = int(query["period2"]) if "period2" in query else None
        except ValueError:
            return None
        span = "" if since is not None else query.get("range", "1d")
        events = frozenset(query.get("events", "").replace("|", ",").replace("splits", "split").split(","))
        return cls(query.get("interval", "1d"), since, now if until is None else until, span, events)


def chart_answer(view: View, symbol: str, asked: Asked, now: int, *, nulls: Random | None = None) -> Answer:
    """Return the chart of one symbol.

    Args:
        view: What is shown of it.
        symbol: Its code.
        asked: The request.
        now: The exchange's time, epoch seconds, without Yahoo's delay.
        nulls: Where given, some rows in the middle lose their numbers.
    """
    refusal = _refusal(view, asked)
    if refusal:
        return refusal
    rows = _rows(view, asked, now)
    told = meta(view, symbol, now) | {"range": asked.range}
    told["chartPreviousClose"] = price(view, _close_before(view, rows))
    result: dict[str, Any] = {"meta": told}
    if len(rows):
        result["timestamp"] = view.timestamps[rows].tolist()
        events = _events(view, asked, *_told_between(view, asked, now, int(rows[0])))
        result |= {"events": events} if events else {}
    result["indicators"] = _indicators(view, rows, nulls)
    return json_answer({"chart": {"result": [result], "error": None}})


def _refusal(view: View, asked: Asked) -> Answer | None:
    start, end = asked.since, asked.until
    if asked.interval in _INTRADAY:
        within = f"The requested range must be within the last {_INTRADAY[asked.interval]} days."
        told = f"{asked.interval} data not available for startTime={start} and endTime={end}. {within}"
        return error_answer(422, "chart", "Unprocessable Entity", told)
    if asked.interval != "1d":
        told = f"Invalid input - interval={asked.interval} is not supported. Valid intervals: [{_INTERVALS}]"
        return error_answer(422, "chart", "Unprocessable Entity", told)
    if start is not None and end is not None and (start >= end or end <= view.timestamps[0]):
        told = f"Data doesn't exist for startDate = {start}, endDate = {end}"
        return error_answer(400, "chart", "Bad Request", told)
    return None


def _rows(view: View, asked: Asked, now: int) -> npt.NDArray[np.intp]:
    if asked.range in _ROWS:
        return np.arange(len(view.timestamps))[-_ROWS[asked.range] :]
    since, until = _span(asked, now)
    within = (view.timestamps >= since) & (view.timestamps < until)
    if view.is_forming:
        midnight = stamp(istanbul_day(int(view.timestamps[-1])), time(0))
        within[-1] = since <= view.timestamps[-1] and until >= midnight
    return np.flatnonzero(within)


def _span(asked: Asked, now: int) -> tuple[int, int]:
    if asked.since is not None:
        return asked.since, asked.until or now
    today = istanbul_day(now)
    if asked.range == "ytd":
        return stamp(date(today.year, 1, 1), time(0)), now + 1
    back = _DAYS.get(asked.range)
    return (stamp(today - timedelta(days=back), time(0)) if back else 0), now + 1


def _close_before(view: View, rows: npt.NDArray[np.intp]) -> float:
    before = view.close[: rows[0]] if len(rows) else view.close
    known = before[np.isfinite(before)]
    return float(known[-1]) if len(known) else float(view.open[0])


def _told_between(view: View, asked: Asked, now: int, first_row: int) -> tuple[int, int]:
    """Return between which opens events are told: a share split today may not have traded today."""
    if asked.range in _ROWS:
        return hours_of(istanbul_day(int(view.timestamps[first_row]))).open_at, sys.maxsize
    since, until = _span(asked, now)
    # Until now is until whatever has happened today, though its time stamp may still lie minutes ahead.
    return since, sys.maxsize if until >= now else until


def _events(view: View, asked: Asked, since: int, until: int) -> dict[str, Any]:
    events: dict[str, Any] = {}
    dividends = {at: amount for at, amount in view.dividends if since <= at < until}
    splits = {at: ratio for at, ratio in view.splits if since <= at < until}
    if dividends and "div" in asked.events:
        events["dividends"] = {str(at): {"amount": number(sum_), "date": at} for at, sum_ in dividends.items()}
    if splits and "split" in asked.events:
        events["splits"] = {str(at): _split(at, ratio) for at, ratio in splits.items()}
    return events


def _split(at: int, ratio: float) -> dict[str, Any]:
    """Write a ratio as Yahoo does: 4:1, 1:8, 1324:1000, and fractions where nothing else is left."""
    above, below = ratio, 1.0
    if not ratio.is_integer():
        if (1 / ratio).is_integer():
            above, below = 1.0, 1 / ratio
        elif (ratio * 1000).is_integer():
            above, below = ratio * 1000, 1000.0
    up, down = number(above), number(below)
    return {"date": at, "numerator": up, "denominator": down, "splitRatio": f"{up}:{down}"}


def _indicators(view: View, rows: npt.NDArray[np.intp], nulls: Random | None) -> dict[str, Any]:
    names = ("open", "high", "low", "close", "volume")
    lost = _lost(len(rows), nulls)
    quote = {name: numbers(_without(getattr(view, name)[rows], lost)) for name in names} if len(rows) else {}
    indicators: dict[str, Any] = {"quote": [quote]}
    if view.adj_close is not None:
        adjusted = {"adjclose": numbers(_without(view.adj_close[rows], lost))} if len(rows) else {}
        indicators["adjclose"] = [adjusted]
    return indicators


def _lost(count: int, nulls: Random | None) -> list[int]:
    """Choose rows that a fault takes: never the first, never the last, hence never all."""
    if nulls is None or count < 3:
        return []
    taken = max(1, min(count - 2, round((count - 2) * nulls.uniform(*_NULLED))))
    return nulls.sample(range(1, count - 1), taken)


def _without(values: FloatArray, lost: list[int]) -> FloatArray:
    values = values.copy()
    values[lost] = np.nan
    return values
