"""`/v7/finance/spark` and `/v8/finance/spark`: closes of the last session, many symbols at once.

Belongs here: five-minute closes from the session's trades, in the two shapes that Yahoo serves. There is no open, no
high, no low and no volume by bar in it.
"""

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.simulator.answers.bodies import Answer, error_answer, json_answer, numbers
from bist_pipeline.simulator.answers.meta import meta, price
from bist_pipeline.simulator.views import View

MOST_SYMBOLS = 20
_STEP = 300


def too_many_symbols(count: int) -> Answer:
    """Return the refusal of a longer list."""
    told = f"Too many symbols: {count}; at most {MOST_SYMBOLS}"
    return error_answer(400, "spark", "Bad Request", told)


def spark_answer(views: Sequence[tuple[str, View]], version: str, now: int, nulls: Random | None = None) -> Answer:
    """Return five-minute closes: v7 wraps small charts, v8 is one object by symbol."""
    charts = [_chart(view, symbol, now, nulls) for symbol, view in views]
    if version == "v8":
        return json_answer({chart["meta"]["symbol"]: _flat(chart) for chart in charts})
    result = [{"symbol": chart["meta"]["symbol"], "response": [chart]} for chart in charts]
    return json_answer({"spark": {"result": result, "error": None}})


def _chart(view: View, symbol: str, now: int, nulls: Random | None) -> dict[str, Any]:
    stamps, closes = _closes(view)
    if nulls and len(closes) > 2:
        closes[nulls.sample(range(1, len(closes) - 1), 1 + len(closes) // 10)] = np.nan
    told = meta(view, symbol, now) | {"dataGranularity": "5m", "range": "1d"}
    before = view.previous_close if view.previous_close is not None else view.last.open
    told |= {"previousClose": price(view, before), "chartPreviousClose": price(view, before)}
    return {"meta": told, "timestamp": stamps, "indicators": {"quote": [{"close": numbers(closes)}]}}


def _flat(chart: dict[str, Any]) -> dict[str, Any]:
    told = chart["meta"]
    return {
        "timestamp": chart["timestamp"],
        "symbol": told["symbol"],
        "end": None,
        "start": None,
        "close": chart["indicators"]["quote"][0]["close"],
        "previousClose": told["previousClose"],
        "chartPreviousClose": told["chartPreviousClose"],
        "dataGranularity": _STEP,
    }


def _closes(view: View) -> tuple[list[int], FloatArray]:
    """Return the last price of each five minutes with trades; the last one is stamped with the last trade."""
    path = view.share.path(view.session_row)
    if path is None:
        return [], np.array([])
    seen = path.moments <= view.at
    moments, prices = path.moments[seen], path.prices[seen]
    ends = np.flatnonzero(np.append(np.diff(moments // _STEP) > 0, True))
    scale = view.last.close / prices[-1]  # a session before a split is shown in today's shares
    closes = (prices[ends] if scale == 1 else prices[ends] * scale).astype(np.float64)
    closes = closes.astype(np.float32).astype(np.float64) if view.share.is_invented else closes
    return [*(moments[ends][:-1] // _STEP * _STEP).tolist(), int(moments[-1])], closes
