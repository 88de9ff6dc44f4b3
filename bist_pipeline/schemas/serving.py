"""Contracts of the schema `serving`: what consumers read. Rows are versions: never updated, only superseded.

Within v1 columns are only appended and never change meaning.
"""

from collections.abc import Iterable

import pandera.pandas as pa

from bist_pipeline.schemas.analytics import DIRECTIONS, SUB_SIGNALS, signal_columns
from bist_pipeline.schemas.contract import (
    Contract,
    choice,
    contract,
    flag,
    integer,
    number,
    session,
    symbol,
    text,
    timestamp,
)

ORIGINS = ("live", "backfill")


def _superseded() -> pa.Column:
    return pa.Column(
        "Int64",
        nullable=True,
        description="Publish that replaced or withdrew this version; NULL while it is the current one.",
        metadata={"sql": "bigint", "unit": ""},
    )


PUBLISHES = contract(
    "serving.publishes",
    "One publish: everything in it became visible at once.",
    {
        "publish_id": integer("", "Ascending in the order of commits."),
        "published_at": timestamp("When it was committed."),
        "origin": choice("Live refresh or backfill.", ORIGINS),
        "run_id": text("Dagster run or command that made it."),
        "first_session": session("First session of the range."),
        "last_session": session("Last session of the range."),
        "last_final_session": session("Latest session of the range with final signals.", null=True),
        "signals": integer("rows", "Signal versions added."),
        "signals_superseded": integer("rows", "Signal versions replaced or withdrawn."),
        "events": integer("rows", "Pattern event versions added."),
        "events_superseded": integer("rows", "Pattern event versions replaced or withdrawn."),
        "symbols": integer("symbols", "Symbols with a current signal in the range."),
    },
    key=("publish_id",),
    indexes=(("published_at",),),
)


def signals_contract(terms: Iterable[tuple[str, str]]) -> Contract:
    """Contract of `serving.signals`, the table behind `signals_v1`; terms as in `analytics.signal_columns`."""
    columns = signal_columns(terms)
    fixed = {name: column for name, column in columns.items() if not name.startswith("term_")}
    return contract(
        "serving.signals",
        "One version of one signal.",
        {
            **fixed,
            "origin": choice("Live refresh or backfill.", ORIGINS),
            "publish_id": integer("", "Publish that made this version visible."),
            "superseded_by": _superseded(),
            **{name: column for name, column in columns.items() if name.startswith("term_")},
        },
        key=("symbol", "session_date", "publish_id"),
        additive=True,
    )


PATTERN_EVENTS = contract(
    "serving.pattern_events",
    "One version of one pattern event, candlestick or chart.",
    {
        "event_id": text("Stable name of the event over its life."),
        "symbol": symbol(),
        "session_date": session("Session whose bar completed or changed it."),
        "pattern": text("Registered name."),
        "kind": choice("What kind of pattern.", ("candlestick", "chart")),
        "direction": choice("What it is said to announce.", DIRECTIONS),
        "state": text(
            "Where in its life it is from this session on: forming, confirmed, target, stopped, busted or expired; a "
            "candlestick is `confirmed` when it appears."
        ),
        "strength": number("", "TA-Lib's number for candlesticks; for charts how well formed it is, 0…1."),
        "known_at": timestamp("When it could be known: end of the session plus the provider's delay."),
        "details": pa.Column(
            "object", nullable=True, description="What else is known of it.", metadata={"sql": "jsonb", "unit": ""}
        ),
        "is_final": flag("Whether the bar it ends with is final."),
        "publish_id": integer("", "Publish that made this version visible."),
        "superseded_by": _superseded(),
    },
    key=("symbol", "session_date", "event_id", "publish_id"),
)

SIGNAL_MODELS = contract(
    "serving.signal_models",
    "One term of one model: which weights made a score.",
    {
        "model_version": text("As in `signals_v1`."),
        "term": text("Name of the term."),
        "sub_signal": choice("Sub-signal it belongs to.", SUB_SIGNALS),
        "sub_signal_weight": number("0…1", "Weight of the sub-signal in the score."),
        "term_weight": number("0…1", "Weight of the term in its sub-signal."),
        "description": text("What the term measures."),
    },
    key=("model_version", "term"),
)
