"""Two sources compared bar by bar: what each bar is disagreed about, and who is supported.

Belongs here: the order of the work and the frames that come of it. Pure: reading and storing are in
`pipeline/second_source.py`, which bar is served in `market/choice.py`.

How `compare` works, over all symbols at once:
1. Lay both out by symbol and session (`_pairs.py`).
2. Recognise how each rounds (`_rounding.py`) and counts volume (`_volumes.py`), from the overlap, per symbol.
3. Find the piecewise constant ratio between them (`_levels.py`): bases may differ, and a step of it is a disagreement
   about an action, not about bars.
4. A bar off the ratio is blamed, once, though it errs twice: in the return into it and in the one out of it.
5. Weigh what speaks against either (`_evidence.py`): the grid, the limit, order, repetition, a third source.

Exchanging the sources exchanges the verdicts.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import DayArray, FloatArray
from bist_pipeline.quality.comparison import _evidence, _words
from bist_pipeline.quality.comparison._disputes import Compared, compare_bars
from bist_pipeline.quality.comparison._evidence import Against, weigh
from bist_pipeline.quality.comparison._gaps import Gaps, brought_over, find_gaps
from bist_pipeline.quality.comparison._pairs import IntArray, Pairs, pair
from bist_pipeline.quality.comparison._steps import unexplained_steps
from bist_pipeline.quality.comparison.contract import (
    ACTION_COLUMNS,
    BROUGHT_TYPES,
    INPUT_COLUMNS,
    MIN_OVERLAP,
    RECOGNISED_TYPES,
    ROW_TYPES,
    Comparison,
)

# A volume of zero counts as one ten-thousandth of the other.
_LEAST_VOLUME = -0.9999
_RAW_NAMES = ("open_raw", "high_raw", "low_raw", "close_raw", "volume_raw")


def bars_of(raw: pd.DataFrame, bars: pd.DataFrame | None = None) -> pd.DataFrame:
    """Shape rows of `market.raw_prices` as `INPUT_COLUMNS`: the first of several rows of one symbol and session.

    Args:
        raw: The rows.
        bars: The same rows as traded under the same index: `open_try` … `volume_shares`, `basis`; None: as delivered.
    """
    values = raw[[*_RAW_NAMES, "basis"]] if bars is None else bars.reindex(raw.index)
    named = values.rename(columns=dict(zip(_RAW_NAMES, INPUT_COLUMNS[2:7], strict=True)))
    shaped = named.assign(symbol=raw["symbol"], session_date=raw["session_date"])
    return shaped.loc[(raw["occurrence"] == 0).to_numpy(), list(INPUT_COLUMNS)].reset_index(drop=True)


def compare(
    first: pd.DataFrame,
    second: pd.DataFrame,
    *,
    sessions: DayArray | None = None,
    actions: pd.DataFrame | None = None,
    third: pd.DataFrame | None = None,
) -> Comparison:
    """Compare two sources on the symbols that both have.

    Args:
        first: `INPUT_COLUMNS`, one row per symbol and session; prices in lira on the basis that each row states. A row
            without a usable close counts as none.
        second: The same of the other source.
        sessions: Days on which the exchange traded, datetime64[D]; other days are left out. None: all days count.
        actions: `ACTION_COLUMNS` of known corporate actions; None: none is known.
        third: `THIRD_COLUMNS`: closes of a third source, as traded where it has few bars, on any basis where many.

    Returns:
        Every disagreement with its verdict; what was recognised; the second's bars where they could stand in.
    """
    pairs = pair(first, second, sessions)
    compared = compare_bars(pairs)
    known = pd.DataFrame(columns=list(ACTION_COLUMNS)) if actions is None else _of_days(actions)
    steps, changes = unexplained_steps(compared, known)
    gaps = find_gaps(pairs, compared)
    blocks = [
        _bars(compared, known, _aligned(compared.pairs, third)),
        _actions(compared, steps, changes, known),
        _volumes(compared),
        _missing(pairs, gaps),
    ]
    # One row per symbol and session: what weighs most comes first.
    rows = pd.concat(blocks, ignore_index=True).drop_duplicates(["symbol", "session_date"])
    rows = _typed(rows.sort_values(["symbol", "session_date"], ignore_index=True), ROW_TYPES)
    return Comparison(rows, _recognised(compared, steps), _brought(pairs, compared, gaps, rows))


def _of_days(actions: pd.DataFrame) -> pd.DataFrame:
    """One row per symbol and day: the factors are those of all actions of the day together, on the row of each."""
    return actions.dropna(subset=["price_factor", "share_ratio"], how="all").drop_duplicates(["symbol", "ex_date"])


def _bars(compared: Compared, actions: pd.DataFrame, third: FloatArray | None) -> pd.DataFrame:
    rows = np.flatnonzero(compared.on_price)
    found = list(_evidence.about_prices(compared, rows, actions, third))
    verdict = weigh(found, len(rows))
    return _frame(compared, rows, "bar", verdict, _words.of_prices(compared, rows, found, verdict))


def _volumes(compared: Compared) -> pd.DataFrame:
    rows = np.flatnonzero(compared.on_volume)
    found = list(_evidence.about_volumes(compared, rows))
    verdict = weigh(found, len(rows))
    return _frame(compared, rows, "volume", verdict, _words.of_volumes(compared, rows, found, verdict))


def _actions(compared: Compared, rows: IntArray, changes: FloatArray, actions: pd.DataFrame) -> pd.DataFrame:
    found: Sequence[Against] = list(_evidence.about_steps(compared, rows, actions))
    verdict = weigh(found, len(rows))
    told = _frame(compared, rows, "action", verdict, _words.of_steps(compared, rows, changes, found, verdict))
    return told.assign(score=100 * np.abs(changes))


def _missing(pairs: Pairs, gaps: Gaps) -> pd.DataFrame:
    rows, nowhere = gaps.rows, np.full(len(gaps.rows), np.nan)
    says = np.where(gaps.of_first, "the second has no bar of this session", "the first has no bar of this session")
    return _typed(
        {
            "symbol": pairs.symbols[pairs.code[rows]],
            "session_date": pairs.day[rows],
            "verdict": np.where(gaps.of_first, "only_first", "only_second"),
            "kind": np.full(len(rows), "missing"),
            "first_close_try": pairs.first.close[rows],
            "second_close_try": pairs.second.close[rows] * np.exp(gaps.level),
            **{f"{name}_difference": nowhere for name in ("return", "level", "volume")},
            "score": np.zeros(len(rows)),
            "detail": says,
        },
        ROW_TYPES,
    )


def _frame(
    compared: Compared, rows: IntArray, kind: str, verdict: npt.NDArray[np.object_], details: list[str]
) -> pd.DataFrame:
    """Lay out rows that both have; the score is the largest difference (log) of a price in percent, or of a volume."""
    pairs, second = compared.pairs, compared.pairs.second.close * np.exp(compared.levels.level)
    with np.errstate(divide="ignore", invalid="ignore"):
        volume = pairs.first.volume[rows] / compared.volumes.second[rows] - 1
    price = np.where(compared.disputed[:, rows], np.abs(compared.residual[:, rows]), 0.0).max(axis=0, initial=0.0)
    by_volume = np.abs(np.log1p(np.clip(np.nan_to_num(volume, posinf=np.inf), _LEAST_VOLUME, 1 / (1 + _LEAST_VOLUME))))
    score = 100 * price + np.where(compared.volumes.disagree[rows], by_volume, 0.0)
    return _typed(
        {
            "symbol": pairs.symbols[pairs.code[rows]],
            "session_date": pairs.day[rows],
            "verdict": verdict,
            "kind": np.full(len(rows), kind),
            "first_close_try": pairs.first.close[rows],
            "second_close_try": second[rows],
            "return_difference": _returns(pairs, pairs.first.close, rows) - _returns(pairs, pairs.second.close, rows),
            "level_difference": pairs.first.close[rows] / second[rows] - 1,
            "volume_difference": np.where(np.isfinite(volume), volume, np.nan),
            "score": score,
            "detail": np.array(details, dtype=object),
        },
        ROW_TYPES,
    )


def _returns(pairs: Pairs, close: FloatArray, rows: IntArray) -> FloatArray:
    own = (rows > 0) & (pairs.code[rows - 1] == pairs.code[rows]) if len(rows) else np.array([], dtype=bool)
    return np.where(own, close[rows] / close[rows - 1] - 1, np.nan)


def _aligned(pairs: Pairs, third: pd.DataFrame | None) -> FloatArray | None:
    """The closes of the third source on the rows of `pairs`; None where it has none of them."""
    if third is None or not len(third) or not len(pairs):
        return None
    days = third["session_date"].to_numpy(dtype="datetime64[D]").astype(np.int64)
    code = pd.Index(pairs.symbols).get_indexer(pd.Index(third["symbol"]))
    told = pd.Series(third["close_try"].to_numpy(dtype=np.float64), index=code * (1 << 23) + days)
    told = told[(code >= 0) & np.isfinite(told.to_numpy()) & (told.to_numpy() > 0)]
    told = told[~told.index.duplicated(keep="last")]
    return told.reindex(pairs.code * (1 << 23) + pairs.day.astype(np.int64)).to_numpy()


def _recognised(compared: Compared, steps: IntArray) -> pd.DataFrame:
    pairs, count = compared.pairs, len(compared.pairs.symbols)
    bars = np.bincount(pairs.code, minlength=count)
    few = f"fewer than {MIN_OVERLAP} bars in common"
    unlike = "their prices have no ratio in common: they tell of different shares"
    reason = np.where(compared.comparable, "", np.where(bars < MIN_OVERLAP, few, unlike))
    return _typed(
        {
            "symbol": pairs.symbols,
            "bars": bars,
            "agreeing": np.bincount(pairs.code, weights=compared.agrees, minlength=count).astype(np.int64),
            "volume_kind": compared.volumes.kind,
            "volume_spread": compared.volumes.spread,
            "first_decimals": compared.digits[0],
            "second_decimals": compared.digits[1],
            "steps": np.bincount(pairs.code[steps], minlength=count),
            "comparable": compared.comparable,
            "reason": reason,
        },
        RECOGNISED_TYPES,
    )


def _brought(pairs: Pairs, compared: Compared, gaps: Gaps, rows: pd.DataFrame) -> pd.DataFrame:
    """The second's bars where it is supported, or alone; not where the ratio changes just there."""
    fills = ~gaps.of_first & np.isfinite(gaps.level)
    supported = rows[(rows["verdict"] == "second_supported") & rows["kind"].isin(["bar", "volume"])]
    code = pd.Index(pairs.symbols).get_indexer(pd.Index(supported["symbol"]))
    key = code * (1 << 23) + supported["session_date"].to_numpy(dtype="datetime64[D]").astype(np.int64)
    own = compared.pairs.code * (1 << 23) + compared.pairs.day.astype(np.int64)
    level = compared.levels.level[np.searchsorted(own, key)]
    whole = np.searchsorted(pairs.code * (1 << 23) + pairs.day.astype(np.int64), key)
    places = np.concatenate([whole, gaps.rows[fills]])
    return _typed(
        brought_over(pairs, compared, places, np.concatenate([level, gaps.level[fills]])), BROUGHT_TYPES
    ).sort_values(["symbol", "session_date"], ignore_index=True)


def _typed(columns: Any, types: dict[str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    days = [name for name, kind in types.items() if kind.startswith("datetime64")]
    return frame.assign(**{name: pd.to_datetime(frame[name]) for name in days}).astype(types)[list(types)]
