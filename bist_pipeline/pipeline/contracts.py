"""All contracts together, with the columns that the registered parts bring.

Belongs here: handing the registries' columns to the contracts that need them, once per process. Does not belong here:
what the columns are.
"""

from dataclasses import dataclass, fields
from functools import cache

from bist_pipeline.indicators.registry import indicator_columns
from bist_pipeline.schemas import analytics, market, operations, reference, serving, trust
from bist_pipeline.schemas.contract import Contract
from bist_pipeline.signals.registry import registered_terms
from bist_pipeline.storage.migrate import Shape


@dataclass(frozen=True, slots=True)
class Contracts:
    """Every table of the data's database, by name."""

    stocks: Contract
    sessions: Contract
    delivered_actions: Contract
    corporate_actions: Contract
    action_factors: Contract
    listings: Contract
    schema_changes: Contract
    raw_prices: Contract
    daily_prices: Contract
    quarantine: Contract
    fetch_ledger: Contract
    quotes: Contract
    quality_findings: Contract
    undoings: Contract
    verdicts: Contract
    repairs: Contract
    revisions: Contract
    restatements: Contract
    payloads: Contract
    gaps: Contract
    second_prices: Contract
    source_comparison: Contract
    indicators: Contract
    candlestick_patterns: Contract
    chart_patterns: Contract
    chart_candidates: Contract
    signals: Contract
    pattern_reliability: Contract
    publishes: Contract
    served_signals: Contract
    served_events: Contract
    signal_models: Contract
    market: Contract
    pace: Contract
    leases: Contract
    circuits: Contract
    requests: Contract

    def all(self) -> tuple[Contract, ...]:
        """Every contract, in the order of the fields."""
        return tuple(getattr(self, field.name) for field in fields(self))


@cache
def contracts() -> Contracts:
    """Build all contracts."""
    terms = [(term.name, term.description) for term in registered_terms().values()]
    return Contracts(
        **_FIXED,
        indicators=analytics.indicators_contract((c.name, c.unit, c.description) for c in indicator_columns()),
        signals=analytics.signals_contract(terms),
        served_signals=serving.signals_contract(terms),
    )


# Those that stand in `schemas/` as they are.
_FIXED: dict[str, Contract] = {
    "stocks": reference.STOCKS,
    "sessions": reference.SESSIONS,
    "delivered_actions": reference.DELIVERED_ACTIONS,
    "corporate_actions": reference.CORPORATE_ACTIONS,
    "action_factors": reference.ACTION_FACTORS,
    "listings": reference.LISTINGS,
    "schema_changes": reference.SCHEMA_CHANGES,
    "raw_prices": market.RAW_PRICES,
    "daily_prices": market.DAILY_PRICES,
    "quarantine": market.QUARANTINE,
    "fetch_ledger": market.FETCH_LEDGER,
    "quotes": market.QUOTES,
    "quality_findings": trust.QUALITY_FINDINGS,
    "undoings": trust.UNDOINGS,
    "verdicts": trust.VERDICTS,
    "repairs": trust.REPAIRS,
    "revisions": trust.REVISIONS,
    "restatements": trust.RESTATEMENTS,
    "payloads": trust.PAYLOADS,
    "gaps": trust.GAPS,
    "second_prices": trust.SECOND_PRICES,
    "source_comparison": trust.SOURCE_COMPARISON,
    "candlestick_patterns": analytics.CANDLESTICK_PATTERNS,
    "chart_patterns": analytics.CHART_PATTERNS,
    "chart_candidates": analytics.CHART_CANDIDATES,
    "pattern_reliability": analytics.PATTERN_RELIABILITY,
    "publishes": serving.PUBLISHES,
    "served_events": serving.PATTERN_EVENTS,
    "signal_models": serving.SIGNAL_MODELS,
    "market": operations.MARKET,
    "pace": operations.PACE,
    "leases": operations.LEASES,
    "circuits": operations.CIRCUITS,
    "requests": operations.REQUESTS,
}


@cache
def database_shape() -> Shape:
    """What the data's database must look like."""
    terms = tuple((term.name, term.sub_signal) for term in registered_terms().values())
    return Shape(contracts().all(), contracts().indicators, terms)
