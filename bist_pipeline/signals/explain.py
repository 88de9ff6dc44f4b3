"""Why a signal is what it is: its terms and what each of them contributed.

Belongs here: reading a stored row of `analytics.signals` back into its terms. The row suffices: no price and no
indicator is needed, because every term is stored.
"""

from collections.abc import Mapping
from typing import Any, TypedDict

import pandas as pd

from bist_pipeline.core.errors import ContractError
from bist_pipeline.signals.contract import SUB_SIGNALS, SubSignal
from bist_pipeline.signals.model import MODEL, Model
from bist_pipeline.signals.registry import registered_terms


class TermLine(TypedDict):
    """One term of one signal.

    `value` is None when unknown; then `weight` and `contribution` are 0. `weight` is the term's share of the score
    after the weights of unknown terms were spread over the known ones; `contribution` is value × weight.
    """

    term: str
    sub_signal: SubSignal
    value: float | None
    weight: float
    contribution: float
    description: str


class SubSignalTerms(TypedDict):
    """One sub-signal of one signal, as in `signals_v1.terms`."""

    value: float | None
    weight: float
    contribution: float
    terms: dict[str, float | None]


def explain_terms(row: Mapping[Any, Any] | pd.Series, model: Model = MODEL) -> list[TermLine]:
    """List what each term contributed to one signal.

    Args:
        row: `symbol`, `session_date`, `model_version` and `term_columns()`; NaN and None are unknown.
        model: The model that made the row.

    Returns:
        Every registered term in the order of `term_columns()`. The contributions sum to the score (to 1e-12).

    Raises:
        ContractError: The row was made by another model: its weights would explain nothing.
    """
    values = _values(row, model)
    shares = _shares(values, model)
    return [
        {
            "term": name,
            "sub_signal": term.sub_signal,
            "value": values[name],
            "weight": shares[name],
            "contribution": (values[name] or 0.0) * shares[name],
            "description": term.description,
        }
        for name, term in registered_terms().items()
    ]


def terms_json(row: Mapping[Any, Any] | pd.Series, model: Model = MODEL) -> dict[str, SubSignalTerms]:
    """Return the column `terms` of `signals_v1` for one signal; the reference for what SQL builds.

    Exactly this shape, every sub-signal and every registered term always present (the order is that of
    `term_columns()`; jsonb keeps none):

        {"trend": {"value": 0.41, "weight": 0.40, "contribution": 0.164,
                   "terms": {"close_over_sma_200": 0.62, "directional_movement": null, …}},
         "momentum": {…}, "volatility": {…}, "volume": {…}, "candles": {…}}

    `value` is the sub-signal's column, null when none of its terms is known; `weight` is the model's weight over the
    sum of the weights of the known sub-signals (of `serving.signal_models`), 0 when unknown; `contribution` is value ×
    weight, 0 when unknown. The five contributions sum to the score (to 1e-12), the five weights to 1. Within `terms`
    stand the values of the columns `term_…`, null when unknown.

    Raises:
        ContractError: The row was made by another model.
    """
    lines = explain_terms(row, model)
    return {name: _sub_signal([line for line in lines if line["sub_signal"] == name]) for name in SUB_SIGNALS}


def weights_table(model: Model = MODEL) -> pd.DataFrame:
    """Return the rows of `serving.signal_models` for a model.

    Returns:
        model_version, term, sub_signal, sub_signal_weight (sum 1 over sub-signals), term_weight (sum 1 within each
        sub-signal), description; in the order of `term_columns()`.
    """
    terms = registered_terms().values()
    full = {name: sum(t.weight for t in terms if t.sub_signal == name) for name in SUB_SIGNALS}
    return pd.DataFrame(
        {
            "model_version": [model.version for _ in terms],
            "term": [term.name for term in terms],
            "sub_signal": [term.sub_signal for term in terms],
            "sub_signal_weight": [model.weights[term.sub_signal] for term in terms],
            "term_weight": [term.weight / full[term.sub_signal] for term in terms],
            "description": [term.description for term in terms],
        }
    )


def _sub_signal(lines: list[TermLine]) -> SubSignalTerms:
    weight = sum(line["weight"] for line in lines)
    contribution = sum(line["contribution"] for line in lines)
    return {
        "value": contribution / weight if weight else None,
        "weight": weight,
        "contribution": contribution,
        "terms": {line["term"]: line["value"] for line in lines},
    }


def _values(row: Mapping[Any, Any] | pd.Series, model: Model) -> dict[str, float | None]:
    if row["model_version"] != model.version:
        raise ContractError(
            f"signal of {row['symbol']} on {row['session_date']:%Y-%m-%d} was made by model {row['model_version']}, "
            f"which {model.version} cannot explain"
        )
    stored = {name: row[term.column] for name, term in registered_terms().items()}
    return {name: None if pd.isna(value) else float(value) for name, value in stored.items()}


def _shares(values: Mapping[str, float | None], model: Model) -> dict[str, float]:
    """Weight of each term in the score once unknown terms and sub-signals have dropped out."""
    known = [term for name, term in registered_terms().items() if values[name] is not None]
    within = {s: sum(term.weight for term in known if term.sub_signal == s) for s in SUB_SIGNALS}
    across = sum(model.weights[s] for s in SUB_SIGNALS if within[s])
    shares = {t.name: model.weights[t.sub_signal] / across * (t.weight / within[t.sub_signal]) for t in known}
    return {name: shares.get(name, 0.0) for name in values}
