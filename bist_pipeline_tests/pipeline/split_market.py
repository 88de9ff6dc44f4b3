"""A SIMULATED market with splits, and a provider that tells of it as Yahoo does.

Belongs here: as-traded bars across splits, and dividing them again as a provider would on a given day. Does not belong
here: HTTP (`bist_pipeline/simulator/` speaks it), any expectation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd

from bist_pipeline.core.clock import FixedClock
from bist_pipeline.core.errors import UnknownSymbolError
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.providers.contract import ACTION_COLUMNS, RAW_BAR_COLUMNS, History
from bist_pipeline_tests.archives import simulated_bars

PRICES = ("open_try", "high_try", "low_try", "close_try")
# After the change of the tick table, whose newer half the SIMULATED market follows throughout.
FIRST = date(2024, 1, 2)

Splits = Mapping[str, Sequence[tuple[date, float]]]


def market(symbols: int, sessions: int, splits: Splits, seed: int = 7) -> pd.DataFrame:
    """As-traded bars: from each split on prices are divided by its ratio, in whole kuruş, and volumes multiplied."""
    bars = simulated_bars(symbols, sessions, seed, FIRST)
    for symbol, own in splits.items():
        for ex_date, ratio in own:
            later = (bars["symbol"] == symbol) & (bars["session_date"] >= pd.Timestamp(ex_date))
            prices = bars.loc[later, list(PRICES)] / ratio
            bars.loc[later, list(PRICES)] = _traded(prices.to_numpy())
            bars.loc[later, "volume_shares"] = np.rint(bars.loc[later, "volume_shares"] * ratio)
    return bars


def _traded(prices: np.ndarray) -> np.ndarray:
    """Prices of the grid: multiples of 2.50 lie on every part of it, those of 10 kuruş on that below 250."""
    steps = np.select([prices < 20, prices < 50, prices < 100, prices < 250], [0.01, 0.02, 0.05, 0.1], 2.5)
    return np.round(np.maximum(np.round(prices / steps), 1) * steps, 2)


@dataclass
class YahooLike:
    """A provider of split-adjusted histories in single precision that states the splits behind them.

    Attributes:
        bars: The market as traded.
        splits: What it knows of splits.
        until: The last session it tells of; it tells of it after the close.
    """

    bars: pd.DataFrame
    splits: Splits
    until: date
    name: str = "yahoo_like"
    family: str = "yahoo_like"
    delay: timedelta = timedelta(minutes=15)
    asked: list[str] = field(default_factory=list)

    def market_kind(self) -> str:
        return "simulated"

    def symbols(self) -> list[str]:
        return sorted(self.bars["symbol"].unique())

    def version(self, symbol: str) -> str:
        return f"{self.until} {list(self.splits.get(symbol, ()))}"

    def history(self, symbol: str) -> History:
        self.asked.append(symbol)
        own = self.bars[(self.bars["symbol"] == symbol) & (self.bars["session_date"] <= pd.Timestamp(self.until))]
        if not len(own):
            raise UnknownSymbolError(f"{symbol}: nobody knows it")
        known = [(day, ratio) for day, ratio in self.splits.get(symbol, ()) if day <= self.until]
        divisor = np.ones(len(own))
        for day, ratio in known:
            divisor[(own["session_date"] < pd.Timestamp(day)).to_numpy()] *= ratio
        columns = {
            f"{name.removesuffix('_try')}_raw": (own[name].to_numpy() / divisor).astype(np.float32).astype(np.float64)
            for name in PRICES
        }
        columns |= {"adj_close_raw": columns["close_raw"], "volume_raw": np.rint(own["volume_shares"] * divisor)}
        bars = pd.DataFrame({"session_date": own["session_date"], **columns, "source_row": np.arange(len(own))})
        return History(
            symbol,
            bars[list(RAW_BAR_COLUMNS)].reset_index(drop=True),
            _actions(known),
            "split_adjusted",
            f"{self.name}:{symbol}",
            evening(own["session_date"].max().date()),
            f"{symbol} {self.version(symbol)}",
            states_actions=True,
        )


def _actions(known: Sequence[tuple[date, float]]) -> pd.DataFrame:
    rows = [(pd.Timestamp(day), "split", ratio, np.nan) for day, ratio in known]
    types = {"ex_date": "datetime64[us]", "kind": "str", "ratio": "float64", "amount_try": "float64"}
    return pd.DataFrame(rows, columns=list(ACTION_COLUMNS)).astype(types)


def evening(day: date) -> datetime:
    """When the day's bars are final and told."""
    return datetime(day.year, day.month, day.day, 15, 30, tzinfo=UTC)


def at(context: PipelineContext, moment: date | datetime) -> PipelineContext:
    """The context at another moment; of a day, its evening."""
    return replace(context, clock=FixedClock(moment if isinstance(moment, datetime) else evening(moment)))
