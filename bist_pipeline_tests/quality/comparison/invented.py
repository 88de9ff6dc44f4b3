"""Two sources made from one SIMULATED history, and differences to plant in either.

Belongs here: making the inputs. Does not belong here: any expectation.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bist_pipeline.core.bars import PRICE_COLUMNS
from bist_pipeline.core.ticks import snap
from bist_pipeline.quality.comparison.contract import Comparison
from bist_pipeline_tests.archives import simulated_bars

PRICES = list(PRICE_COLUMNS)
TYPICAL = PRICES[1:]
FACTOR = 0.373914627  # no price as traded times it has six decimals


def history(symbols: int = 3, sessions: int = 200, seed: int = 7) -> pd.DataFrame:
    """A SIMULATED market as traded, on the grid."""
    bars = simulated_bars(symbols=symbols, sessions=sessions, seed=seed).assign(basis="as_traded")
    bars["basis"] = bars["basis"].astype("str")
    snapped, _ = snap(bars[PRICES], bars[["session_date"]])
    bars[PRICES] = snapped
    return bars


def adjusted(bars: pd.DataFrame, factor: float = FACTOR, decimals: int | None = 4) -> pd.DataFrame:
    """The same bars as another source tells them: adjusted, and rounded."""
    told = bars.copy()
    told["basis"] = pd.array(["fully_adjusted"] * len(bars), dtype="str")
    told[PRICES] = told[PRICES] * factor
    return told if decimals is None else told.assign(**told[PRICES].round(decimals))


def in_turnover(told: pd.DataFrame, traded: pd.DataFrame, seed: int = 1) -> pd.DataFrame:
    """Volumes as turnover in lira: shares times a mean price some tenths of a percent from the typical one."""
    noise = np.exp(np.random.default_rng(seed).normal(0, 0.003, len(told)))
    return told.assign(volume_shares=np.rint(traded["volume_shares"] * traded[TYPICAL].mean(axis=1) * noise))


def at(bars: pd.DataFrame, symbol: str, position: int) -> int:
    """The label of a symbol's n-th bar."""
    return int(bars.index[(bars["symbol"] == symbol).to_numpy()][position])


def changed(bars: pd.DataFrame, symbol: str, position: int | Sequence[int], columns: Sequence[str], factor: float):
    """A copy with some values multiplied."""
    told = bars.copy()
    places = [position] if isinstance(position, int) else list(position)
    told.loc[[at(bars, symbol, place) for place in places], list(columns)] *= factor
    return told


def with_stale_close(bars: pd.DataFrame, symbol: str, position: int) -> pd.DataFrame:
    """A copy in which a close is that of the session before, and high and low hold it."""
    told = bars.copy()
    here, before = at(bars, symbol, position), at(bars, symbol, position - 1)
    close = told.loc[before, "close_try"]
    told.loc[here, "close_try"] = close
    told.loc[here, "high_try"] = max(told.loc[here, "high_try"], close)
    told.loc[here, "low_try"] = min(told.loc[here, "low_try"], close)
    return told


def without(bars: pd.DataFrame, symbol: str, position: int) -> pd.DataFrame:
    """A copy that lacks a session."""
    return bars.drop(index=at(bars, symbol, position))


def day(bars: pd.DataFrame, symbol: str, position: int) -> str:
    """The session of a symbol's n-th bar."""
    return f"{bars.loc[at(bars, symbol, position), 'session_date']:%Y-%m-%d}"


def told(compared: Comparison) -> list[tuple[str, str, str, str]]:
    """Symbol, session, kind and verdict of every row."""
    rows = compared.rows
    days = rows["session_date"].dt.strftime("%Y-%m-%d")
    return list(zip(rows["symbol"], days, rows["kind"], rows["verdict"], strict=True))
