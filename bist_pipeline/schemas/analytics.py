"""Contracts of the schema `analytics`: what is derived from accepted bars, one row per symbol and session.

The columns of indicators and signals come from the registered parts, which this room must not import: `pipeline/`
hands them in (see `pipeline/contracts.py`).
"""

from collections.abc import Iterable

import pandera.pandas as pa

from bist_pipeline.schemas.contract import (
    Contract,
    choice,
    contract,
    flag,
    integer,
    maybe_flag,
    number,
    price,
    session,
    symbol,
    text,
    timestamp,
)
from bist_pipeline.schemas.market import GRADES

ACTIONS = ("strong_sell", "sell", "hold", "buy", "strong_buy")
DIRECTIONS = ("bullish", "bearish", "neutral")
TRENDS = ("up", "down", "flat")
SUB_SIGNALS = ("trend", "momentum", "volatility", "volume", "candles")


def indicators_contract(columns: Iterable[tuple[str, str, str]]) -> Contract:
    """Contract of `analytics.indicators`.

    Args:
        columns: (name, unit, description) of every registered indicator column, in order.
    """
    return contract(
        "analytics.indicators",
        "The indicators of one symbol after one session, from its first accepted bar on; NULL before the warm-up.",
        {
            "symbol": symbol(),
            "session_date": session(),
            "is_final": flag("Whether the bar it ends with is final."),
            "updated_at": timestamp("When this row last changed."),
            **{name: number(unit, description, null=True) for name, unit, description in columns},
        },
        key=("symbol", "session_date"),
        indexes=(("session_date",),),
        stamps=("updated_at",),
        additive=True,
    )


CANDLESTICK_PATTERNS = contract(
    "analytics.candlestick_patterns",
    "One candlestick pattern that ends with one session's bar.",
    {
        "symbol": symbol(),
        "session_date": session("Session of the pattern's last candle."),
        "pattern": text("Registered name, TA-Lib's without the prefix."),
        "strength": integer("", "TA-Lib's own number: ±100, ±200 where confirmed, ±80 where at the edge."),
        "direction": choice("What the pattern is said to announce.", DIRECTIONS),
        "trend_before": choice("Trend of the closes before the pattern's first candle.", TRENDS, null=True),
        "trend_slope_atr": number("ATR per session", "Slope of that trend.", null=True),
        "fits_trend": maybe_flag(
            "Whether that trend is the one which the textbook presumes; NULL where it asks for none."
        ),
        "is_final": flag("Whether the bar it ends with is final."),
        "known_at": timestamp("When it could be known: end of the session plus the provider's delay."),
        "updated_at": timestamp("When this row last changed."),
    },
    key=("symbol", "session_date", "pattern"),
    indexes=(("session_date",),),
    stamps=("updated_at",),
)


def signal_columns(terms: Iterable[tuple[str, str]]) -> dict[str, pa.Column]:
    """Columns that `analytics.signals` and `serving.signals` share.

    Args:
        terms: (name, description) of every registered term, in order, without the prefix `term_`.
    """
    unit = pa.Check.in_range(-1, 1)
    return {
        "symbol": symbol(),
        "session_date": session(),
        "score": number("−1…1", "Weighted mean of the sub-signals that are known.", unit),
        "action": choice("The score in words.", ACTIONS),
        "confidence": number(
            "0…1", "Share of the weights that is known, times how far the terms agree.", pa.Check.in_range(0, 1)
        ),
        **{
            name: number("−1…1", f"Sub-signal {name}; NULL when none of its terms is known.", unit, null=True)
            for name in SUB_SIGNALS
        },
        "close_try": price("Close that the signal was computed from."),
        "is_final": flag("Whether the bar it rests on is final."),
        "grade": choice("Grade of the bar it rests on: A as delivered, B filled or repaired, C doubtful.", GRADES),
        "model_version": text("Weights and thresholds that made the score: see `serving.signal_models`."),
        "data_version": integer("", "Fingerprint of all accepted bars of the symbol up to this session."),
        "known_at": timestamp("When it could be known: end of the session plus the provider's delay."),
        **{f"term_{name}": number("−1…1", description, unit, null=True) for name, description in terms},
    }


def signals_contract(terms: Iterable[tuple[str, str]]) -> Contract:
    """Contract of `analytics.signals`; see `signal_columns`."""
    return contract(
        "analytics.signals",
        "The signal of one symbol after one session, as last computed; what consumers see is `serving.signals_v1`.",
        signal_columns(terms) | {"updated_at": timestamp("When this row last changed.")},
        key=("symbol", "session_date"),
        indexes=(("session_date",),),
        stamps=("updated_at",),
        additive=True,
    )


PATTERN_RELIABILITY = contract(
    "analytics.pattern_reliability",
    "How often one pattern was followed by what it is said to announce, beside its base rate.",
    {
        "pattern": text("Registered name."),
        "direction": choice("What the pattern is said to announce.", DIRECTIONS),
        "horizon_sessions": integer("sessions", "How many sessions after it."),
        "events": integer("events", "Events whose outcome is known."),
        "hit_rate": number("0…1", "Share that went the announced way.", null=True),
        "base_rate": number("0…1", "Share of all symbol-sessions that went that way.", null=True),
        "updated_at": timestamp("When this row last changed."),
    },
    key=("pattern", "direction", "horizon_sessions"),
    stamps=("updated_at",),
)
