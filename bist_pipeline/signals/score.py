"""The score: terms, weighted to sub-signals, weighted to one number, with everything it was made of.

Belongs here: the arithmetic. Does not belong here: what terms read (`terms/`), what counts how much (`model.py`), or
telling a person about it (`explain.py`). The row of (symbol, D) depends on the indicator row, the close and the
candlestick events of (symbol, D) and on nothing else: any subset of rows gives the same rows, bit for bit. That is why
sums run term by term in a fixed order and nothing here calls a matrix product.

With v the value of a term, w its weight, and sums over the terms that are known (not NaN):

    sub-signal  S = Σ w·v / Σ w                 NaN when none of its terms is known
    score         = Σ W·S / Σ W                 over known sub-signals, W from the model
    confidence    = coverage × agreement
    coverage      = Σ W·(Σ known w / Σ all w)   share of all weight that is known, 0…1
    agreement     = |score| / Σ |c|             c: a term's contribution; Σ c = score; 0 when no term says anything
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.core.errors import ContractError
from bist_pipeline.signals._rows import RowKeys
from bist_pipeline.signals.candles import candle_sums
from bist_pipeline.signals.contract import CANDLE_INPUTS, CLOSE_INPUT, SUB_SIGNALS, SubSignal, Term
from bist_pipeline.signals.model import MODEL, Model
from bist_pipeline.signals.registry import indicator_inputs, registered_terms


@dataclass(frozen=True, slots=True)
class _Part:
    """One sub-signal of all rows: Σ w·v, Σ w|v| and Σ w over known terms, and Σ w over all terms."""

    signed: FloatArray
    absolute: FloatArray
    known: FloatArray
    full: float


def score_signals(
    indicators: pd.DataFrame, candles: pd.DataFrame, bars: pd.DataFrame, model: Model = MODEL
) -> pd.DataFrame:
    """Score every indicator row that has a trend or a momentum.

    Args:
        indicators: `symbol`, `session_date`, `is_final` and the columns `indicator_inputs()`; NULL, NaN and infinite
            are unknown. Further columns are ignored.
        candles: Events: `symbol`, `session_date`, `strength`, `direction`, `fits_trend` (nullable boolean). Events of
            symbol-sessions without an indicator row are ignored.
        bars: `symbol`, `session_date`, `close_try`; must cover every indicator row.
        model: Weights and thresholds.

    Returns:
        In the order of `indicators`, with a fresh index: symbol, session_date, score, action, confidence, the five
        sub-signals (NaN when none of their terms is known; candles is 0.0 without an event), `term_columns()` (NaN when
        unknown), close_try, is_final, model_version. Rows in which both trend and momentum are unknown are left out:
        there is no signal before its warm-up.

    Raises:
        ContractError: A column or a close is missing, or a symbol-session occurs twice.
    """
    _require(indicators, ("symbol", "session_date", "is_final", *indicator_inputs()), "analytics.indicators")
    _require(candles, ("symbol", "session_date", "strength", "direction", "fits_trend"), "candlestick events")
    _require(bars, ("symbol", "session_date", CLOSE_INPUT), "bars")
    inputs = _inputs(indicators, candles, bars)
    terms = registered_terms().values()
    values = {term.name: term.compute(*(inputs[name] for name in term.inputs)) for term in terms}
    parts: dict[SubSignal, _Part] = {
        name: _part(values, [t for t in terms if t.sub_signal == name]) for name in SUB_SIGNALS
    }
    kept = (parts["trend"].known > 0) | (parts["momentum"].known > 0)
    numbers = _combine(parts, model)
    columns: dict[str, object] = {name: indicators[name].array[kept] for name in ("symbol", "session_date")}
    columns["score"] = numbers["score"][kept]
    columns["action"] = model.actions(numbers["score"][kept])
    columns |= {name: numbers[name][kept] for name in ("confidence", *SUB_SIGNALS)}
    columns |= {term.column: values[term.name][kept] for term in terms}
    columns[CLOSE_INPUT] = inputs[CLOSE_INPUT][kept]
    columns["is_final"] = indicators["is_final"].to_numpy(dtype=bool)[kept]
    columns["model_version"] = pd.array([model.version], dtype="str").take(np.zeros(int(kept.sum()), np.int64))
    return pd.DataFrame(columns, copy=False)


def _inputs(indicators: pd.DataFrame, candles: pd.DataFrame, bars: pd.DataFrame) -> dict[str, FloatArray]:
    inputs = {name: _known(indicators[name]) for name in indicator_inputs()}
    closes = RowKeys(bars, "bars").rows_of(indicators)
    inputs[CLOSE_INPUT] = bars[CLOSE_INPUT].to_numpy(dtype=np.float64)[closes] if len(bars) else np.empty(len(closes))
    missing = (closes < 0) | ~np.isfinite(inputs[CLOSE_INPUT])
    if missing.any():
        row = indicators.iloc[int(np.argmax(missing))]
        raise ContractError(f"bars: no close_try of {row['symbol']} on {row['session_date']:%Y-%m-%d}")
    rows = RowKeys(indicators, "analytics.indicators").rows_of(candles)
    sums = candle_sums(candles, rows, len(indicators))
    return inputs | dict(zip(CANDLE_INPUTS, sums, strict=True))


def _known(column: pd.Series) -> FloatArray:
    """The column as float64 with one mark, NaN, for everything that is not a finite number."""
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _part(values: Mapping[str, FloatArray], terms: list[Term]) -> _Part:
    signed, absolute, known = (np.zeros_like(values[terms[0].name]) for _ in range(3))
    for term in terms:
        value = values[term.name]
        is_known = ~np.isnan(value)
        weighted = np.where(is_known, value, 0.0) * term.weight
        signed, absolute, known = signed + weighted, absolute + np.abs(weighted), known + is_known * term.weight
    return _Part(signed, absolute, known, sum(term.weight for term in terms))


def _combine(parts: Mapping[SubSignal, _Part], model: Model) -> dict[str, FloatArray]:
    """Return score, confidence and sub-signals of all rows; rows in which nothing is known are NaN."""
    signed, absolute, weight, coverage = (np.zeros_like(parts["trend"].known) for _ in range(4))
    numbers: dict[str, FloatArray] = {}
    for name, part in parts.items():
        is_known = part.known > 0
        known = np.where(is_known, part.known, np.nan)
        numbers[name] = np.clip(part.signed / known, -1.0, 1.0)
        share = model.weights[name]
        signed = signed + share * np.where(is_known, numbers[name], 0.0)
        absolute = absolute + share * np.where(is_known, part.absolute / known, 0.0)
        weight = weight + share * is_known
        coverage = coverage + share * (part.known / part.full)
    numbers["score"] = np.clip(signed / np.where(weight > 0, weight, np.nan), -1.0, 1.0)
    agreement = np.divide(np.abs(signed), absolute, out=np.zeros_like(signed), where=absolute > 0)
    numbers["confidence"] = np.clip(coverage * agreement, 0.0, 1.0)
    return numbers


def _require(frame: pd.DataFrame, columns: tuple[str, ...], table: str) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ContractError(f"{table}: column {', '.join(missing)} is missing")
