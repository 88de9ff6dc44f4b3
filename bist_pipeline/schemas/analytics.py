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
CHART_STATES = ("forming", "confirmed", "target", "stopped", "busted", "expired")
LOCKED = ("", "limit_up", "limit_down")
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
        "level_distance_atr": number(
            "ATR",
            "From the nearest horizontal level to the close, levels of the last 250 bars' turning points known then; "
            "NULL where none is.",
            null=True,
        ),
        "is_locked": maybe_flag(
            "Whether the bar it ends with closed at the price limit or traded at one price alone; NULL in rows of "
            "before this was looked at."
        ),
    },
    key=("symbol", "session_date", "pattern"),
    indexes=(("session_date",),),
    stamps=("updated_at",),
)


_SHARE = pa.Check.in_range(0, 1)

CHART_PATTERNS = contract(
    "analytics.chart_patterns",
    "One change in the life of one chart pattern: it formed, was confirmed, reached its target, was stopped, busted or "
    "expired.",
    {
        "symbol": symbol(),
        "session_date": session("Session whose bar changed it."),
        "event_id": text("Stable name over its life: symbol, pattern, sessions of its first point and of its forming."),
        "pattern": text("Registered name."),
        "direction": choice("What it announces; neutral until the break where the break decides.", DIRECTIONS),
        "state": choice("Where in its life it is from this session on.", CHART_STATES),
        "because": text("Why it changed."),
        "started_on": session("Session of its first point."),
        "last_pivot_on": session("Session of its last point."),
        "formed_on": session("Session whose bar made all of it known."),
        "scale": number("σ", "Cut-off of the zigzag that its points come from; 0 where they come from elsewhere."),
        "close_try": price("Close of the session."),
        "line_try": number(
            "TRY",
            "Line that was broken, as of the break; while forming, as of this session; NULL where two wait.",
            null=True,
        ),
        "target_try": number("TRY", "Target, once confirmed.", null=True),
        "stop_try": number("TRY", "Stop, once confirmed.", null=True),
        "height_atr": number("ATR", "From the line to the target, in ATR(14) at its last point."),
        "touches": integer("points", "Points on its lines."),
        "shape_confidence": number(
            "0…1", "How well formed it is: weighted terms that are known. No probability.", _SHARE
        ),
        **{
            f"confidence_{name}": number("0…1", f"Term of it: {meaning}.", _SHARE, null=True)
            for name, meaning in (
                ("touches", "points on its lines over how many would convince"),
                ("fit", "how close its points lie to lines and levels"),
                ("structure", "symmetry and proportion"),
                ("recency", "how soon after its last point it was known"),
                ("volume", "whether trading dried up while it formed"),
            )
        },
        **{
            f"volume_{name}_third": number(
                "ratio", f"Mean volume of its {name} third over that of the 50 sessions before it.", null=True
            )
            for name in ("first", "middle", "last")
        },
        "volume_z": number("σ", "Volume of this session against the 20 before.", null=True),
        "tape": choice("Whether the bar closed at the price limit, or traded at one price alone.", LOCKED),
        "is_tradeable": maybe_flag(
            "Whether what the change asks for could be done at this close: false at a locked limit; NULL where it asks "
            "for nothing."
        ),
        "is_strong": maybe_flag(
            "Of a confirmation: whether its volume lay 2 σ over the 20 sessions before and it closed in the third of "
            "its range on the side of the break; NULL of other changes, and where that volume is not known."
        ),
        "pivots": text("JSON list of its points: `session`, `price_try`, `known`."),
        "lines": text("JSON list of its lines: `name`, `from`, `from_try`, `to`, `to_try`; straight in log price."),
        "version": integer("", "Version of the detector."),
        "is_final": flag("Whether the bar is final."),
        "known_at": timestamp("When it could be known: end of the session plus the provider's delay."),
        "updated_at": timestamp("When this row last changed."),
    },
    key=("symbol", "session_date", "event_id"),
    indexes=(("session_date",),),
    stamps=("updated_at",),
)

CHART_CANDIDATES = contract(
    "analytics.chart_candidates",
    "The reject census of one symbol and session: what became of every place where a chart pattern could have been. "
    "Counted by session in `serving.pattern_census_v1`.",
    {
        "symbol": symbol(),
        "session_date": session("Session by which all of the candidates was known."),
        "candidates": integer("candidates", "How many there were."),
        "outcomes": text(
            "JSON list with one `pattern.rule` a candidate: the first rule it broke; `kept`, `same_structure` or "
            "`not_broken_before` in place of a rule where it broke none."
        ),
        "updated_at": timestamp("When this row last changed."),
    },
    key=("symbol", "session_date"),
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
