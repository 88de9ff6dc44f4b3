"""Which bar is served where two sources disagree.

Belongs here: turning what a comparison found into rows that stand in for the first source's, as `BIST_BAR_CHOICE` asks.
Does not belong here: finding and judging disagreements (`quality/comparison/`), accepting rows (`cleaning.py`).

Never in silence: a row that stands in names the second as its source and says in `repaired` what it replaced and why,
which makes it a bar of grade B; the first's own values stay in `market.raw_prices`.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from bist_pipeline.core.bars import PRICE_COLUMNS, FloatArray
from bist_pipeline.core.symbols import symbol_kind
from bist_pipeline.core.ticks import ON_GRID, snap, tick_size

BarChoice = Literal["first", "supported"]

RULE = "second_source"
# Columns of a row that stands in, beside those of `market.raw_prices`.
FURTHER_COLUMNS = ("repaired", "is_doubtful")

_RAW_OF = {"open_try": "open_raw", "high_try": "high_raw", "low_try": "low_raw", "close_try": "close_raw"}
_KEY = ["symbol", "session_date"]
# Half a tick is as far as any price can be; beyond a quarter the nearest one is a guess.
_FURTHEST_SNAP = 0.25
_FLOAT32 = 2e-7


@dataclass(frozen=True, slots=True)
class Choice:
    """Whose bars are served.

    Attributes:
        rows: The comparison's rows with `chosen`: first or second.
        standing_in: Columns of `market.raw_prices` and `FURTHER_COLUMNS`: the bars that are taken from the second, on
            the basis and in the shares of the first, on the grid where they are as traded.
    """

    rows: pd.DataFrame
    standing_in: pd.DataFrame


def choose(rows: pd.DataFrame, brought: pd.DataFrame, second: pd.DataFrame, bar_choice: BarChoice) -> Choice:
    """Choose the bar of every session on which two sources disagree.

    Args:
        rows: Rows of a comparison: `symbol`, `session_date`, `verdict`, `kind`, `first_close_try`, `detail`, ….
        brought: The second's bars where it is supported or alone: `open_try` … `volume_shares` and `basis` of the
            first, `tolerance_try`: by how much its rounding may have moved a price.
        second: Rows of `market.second_prices` of the same symbols.
        bar_choice: `first` serves the first's bar whatever is found; `supported` the second's where it is supported,
            and where it alone has a bar of a session on which the share traded.
    """
    if bar_choice == "first" or not len(brought):
        return Choice(
            rows.assign(chosen=_texts(np.full(len(rows), "first"))), _shaped(brought.iloc[:0], second.iloc[:0])
        )
    usable = brought[_is_usable(brought)].merge(rows[[*_KEY, "verdict", "first_close_try", "detail"]], on=_KEY)
    standing_in = _shaped(usable, second)
    taken = pd.MultiIndex.from_frame(rows[_KEY]).isin(pd.MultiIndex.from_frame(standing_in[_KEY]))
    return Choice(rows.assign(chosen=_texts(np.where(taken, "second", "first"))), standing_in)


def stand_in(raw: pd.DataFrame, standing_in: pd.DataFrame) -> pd.DataFrame:
    """Put rows that stand in where the first's were, at the end.

    Args:
        raw: Rows of `market.raw_prices`; every row of a session that is stood in for goes.
        standing_in: From `choose`.

    Returns:
        The rows with `FURTHER_COLUMNS`: `repaired` is empty on the first's own.
    """
    own = {"repaired": _texts(np.full(len(raw), "")), "is_doubtful": np.zeros(len(raw), dtype=bool)}
    kept = raw.assign(**{name: values for name, values in own.items() if name not in raw})
    if not len(standing_in):
        return kept
    replaced = pd.MultiIndex.from_frame(kept[_KEY]).isin(pd.MultiIndex.from_frame(standing_in[_KEY]))
    return pd.concat([kept[~replaced], standing_in[list(kept.columns)]], ignore_index=True)


def _is_usable(brought: pd.DataFrame) -> Any:
    """Whether a bar is whole and was traded: a halted share repeats its close, and that fills no session."""
    prices = brought[list(PRICE_COLUMNS)].to_numpy(dtype=np.float64)
    return np.isfinite(prices).all(axis=1) & (brought["volume_shares"].to_numpy(dtype=np.float64) > 0)


def _shaped(brought: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Shape bars as rows of `market.raw_prices`, with what the second says of them."""
    delivered = second[second["occurrence"] == 0].drop(columns=["basis"])
    rows = brought.merge(delivered, on=_KEY, validate="one_to_one")
    snapped, doubtful = _on_grid(rows)
    told = rows.assign(
        **{_RAW_OF[name]: values for name, values in snapped.items()},
        adj_close_raw=np.nan,
        volume_raw=np.rint(rows["volume_shares"].to_numpy(dtype=np.float64)),
        repaired=_texts(_reasons(rows)),
        is_doubtful=doubtful,
    )
    return told[[*second.columns, *FURTHER_COLUMNS]].astype(second.dtypes.to_dict())


def _on_grid(rows: pd.DataFrame) -> tuple[dict[str, FloatArray], Any]:
    """Put prices as traded on the grid, as far as rounding may have moved them; what is left is doubtful."""
    day = rows["session_date"].to_numpy(dtype="datetime64[D]")
    has_grid = ((rows["basis"] == "as_traded") & rows["symbol"].map(_is_share).astype(bool)).to_numpy(dtype=bool)
    half, doubtful, columns = rows["tolerance_try"].to_numpy(dtype=np.float64), np.zeros(len(rows), dtype=bool), {}
    for name in PRICE_COLUMNS:
        price = rows[name].to_numpy(dtype=np.float64)
        snapped, away = snap(price, day)
        near = away <= np.minimum(ON_GRID + (half + _FLOAT32 * price) / tick_size(price, day), _FURTHEST_SNAP)
        columns[name] = np.where(has_grid & near, snapped, price)
        doubtful |= has_grid & ~near
    return columns, doubtful


def _is_share(symbol: str) -> bool:
    return symbol_kind(symbol) == "share"


def _reasons(rows: pd.DataFrame) -> list[str]:
    if "detail" not in rows:
        return [""] * len(rows)
    told = zip(rows["first_close_try"], rows["close_try"], rows["detail"], strict=True)
    return [
        f"{RULE}: close {close:.10g} instead of {'none' if np.isnan(first) else f'{first:.10g}'}: {detail}"
        for first, close, detail in told
    ]


def _texts(values: Any) -> Any:
    return pd.array(np.asarray(values, dtype=object), dtype="str")
