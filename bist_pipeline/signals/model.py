"""How much each sub-signal counts and where an action begins.

Belongs here: the `Model` type and `MODEL`, the one in use. Does not belong here: the arithmetic (`score.py`) or a
term's weight within its sub-signal (`terms/`). A change of any weight, threshold or term is a new version: stored rows
name theirs, and a test compares the fingerprint of the current one.

The weights are a stated prior. They are not fitted: no return was looked at when they were set. Unfitted weights of
the right sign are hard to beat where data are noisy (Dawes 1979), and a fit over terms × thresholds would be a search
through a rule universe whose best member looks good by chance (Sullivan, Timmermann & White 1999: the nominal p of the
best technical rule rises from 0.04 to 0.90 after the search is counted; a day's delay takes its Sharpe ratio's p from
below 0.002 to 0.26).

The evidence that such rules earn anything is weak. Of 92 studies, 58 report gains, most with data-snooping problems
(Park & Irwin). Lo, Mamaysky & Wang (2000) show that distributions of returns differ after patterns and claim no
profit. None of it was measured on this market here. The score says how far known readings agree, in a way that can be
audited term by term. It is no forecast, the confidence is no probability, and neither is advice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.signals.contract import ACTIONS, SUB_SIGNALS, SubSignal


@dataclass(frozen=True, slots=True)
class Model:
    """The weights and thresholds that turn terms into a score and a score into an action.

    Attributes:
        version: Names the model in every stored row; never reused.
        weights: Weight of each sub-signal in the score; above zero, their sum is 1.
        buy: A score at or above it is `buy`, at or below its negative `sell`.
        strong: A score at or above it is `strong_buy`, at or below its negative `strong_sell`.
        reasons: Why each weight and threshold is what it is; keys are the sub-signals, `buy` and `strong`.

    Raises:
        ValueError: The weights do not cover the sub-signals or do not sum to 1, the thresholds are not
            0 < buy < strong < 1, or a reason is missing.
    """

    version: str
    weights: Mapping[SubSignal, float]
    buy: float
    strong: float
    reasons: Mapping[str, str]

    def __post_init__(self) -> None:
        if set(self.weights) != set(SUB_SIGNALS) or min(self.weights.values()) <= 0:
            raise ValueError(f"model {self.version}: every one of {', '.join(SUB_SIGNALS)} needs a weight above 0")
        if abs(sum(self.weights.values()) - 1.0) > 1e-12:
            raise ValueError(f"model {self.version}: weights sum to {sum(self.weights.values())}, not 1")
        if not 0 < self.buy < self.strong < 1:
            raise ValueError(f"model {self.version}: 0 < buy {self.buy} < strong {self.strong} < 1 does not hold")
        unexplained = {*SUB_SIGNALS, "buy", "strong"} - set(self.reasons)
        if unexplained:
            raise ValueError(f"model {self.version}: no reason given for {', '.join(sorted(unexplained))}")

    def actions(self, score: FloatArray) -> ExtensionArray:
        """Put scores, none of them NaN, into words; a score on a threshold belongs to the stronger action."""
        rank = (score >= self.buy).astype(np.int64) + (score >= self.strong)
        rank = rank - (score <= -self.buy) - (score <= -self.strong)
        return pd.array(list(ACTIONS), dtype="str").take(rank + ACTIONS.index("hold"))


MODEL = Model(
    version="weights-1",
    weights=MappingProxyType({"trend": 0.40, "momentum": 0.25, "volatility": 0.10, "volume": 0.15, "candles": 0.10}),
    buy=0.2,
    strong=0.6,
    reasons=MappingProxyType(
        {
            "trend": "Largest: moving-average and 52-week-high rules have the longest record of study, and the slow "
            "terms change sign least often.",
            "momentum": "Second: the same idea over a shorter time; less, because its readings overlap with those of "
            "the trend and turn more often.",
            "volatility": "Smallest, with candles: the position in a channel largely repeats the momentum (correlation "
            "0.93 over 92 shares, 2021 to 2026), and one of its terms speaks against the others on purpose.",
            "volume": "Small: the one source that is not the price, but volume is what is delivered late and corrected "
            "afterwards.",
            "candles": "Smallest, with volatility: candlesticks have the weakest evidence. Without a directed pattern "
            "a session counts 0, which draws the score towards hold.",
            "buy": "Below it the terms leave less than a fifth of the way from none to all: too little to act on.",
            "strong": "Trend (0.40) and momentum (0.25) both near their limit reach it alone; otherwise most "
            "sub-signals must agree. About 3 sessions in 100 do (same 92 shares).",
        }
    ),
)
