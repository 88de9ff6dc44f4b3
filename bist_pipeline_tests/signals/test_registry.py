import pytest

from bist_pipeline.core.errors import RegistryError
from bist_pipeline.signals.contract import CLOSE_INPUT, SUB_SIGNALS, Term
from bist_pipeline.signals.registry import indicator_inputs, registered_terms, term_columns

# What `analytics.indicators` promises; a term that reads another column could never be known.
PROMISED = {
    "sma_20", "sma_50", "sma_200", "ema_20", "ema_50", "adx_14", "plus_di_14", "minus_di_14", "supertrend_10_3",
    "rsi_14", "macd_hist_12_26_9", "stoch_k_14_3_3", "roc_10", "cci_20", "willr_14", "bb_upper_20_2", "bb_middle_20_2",
    "bb_lower_20_2", "atr_14", "kc_upper_20_2", "donchian_upper_20", "donchian_lower_20", "high_252_distance",
    "low_252_distance", "cmf_20", "mfi_14",
}  # fmt: skip


def test_every_sub_signal_has_terms_in_its_place():
    order = [SUB_SIGNALS.index(term.sub_signal) for term in registered_terms().values()]
    assert order == sorted(order)
    assert set(order) == set(range(len(SUB_SIGNALS)))


def test_columns_are_the_terms_in_order():
    assert term_columns() == tuple(f"term_{name}" for name in registered_terms())


def test_terms_read_promised_indicator_columns_only():
    assert set(indicator_inputs()) <= PROMISED
    assert CLOSE_INPUT not in indicator_inputs()


def make_term(**changes) -> Term:
    fields = {
        "name": "test", "sub_signal": "trend", "version": 1, "weight": 1.0, "inputs": ("sma_50",),
        "description": "Test.", "source": "Test.", "compute": lambda x: x,
    }  # fmt: skip
    return Term(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"weight": 0.0}, "weight"),
        ({"weight": float("nan")}, "weight"),
        ({"sub_signal": "astrology"}, "astrology"),
        ({"inputs": ()}, "inputs"),
        ({"rises_with": ("sma_20",)}, "sma_20"),
    ],
)
def test_a_malformed_term_is_refused_by_name(changes, named):
    with pytest.raises(RegistryError, match=f"term test.*{named}"):
        make_term(**changes)
