from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bist_pipeline.core.errors import ContractError
from bist_pipeline.signals.contract import CANDLE_INPUTS, SUB_SIGNALS
from bist_pipeline.signals.model import MODEL
from bist_pipeline.signals.registry import indicator_inputs, registered_terms, term_columns
from bist_pipeline.signals.score import score_signals
from bist_pipeline_tests.signals.rows import make_events, make_frames, make_inputs, mirrored

# Chosen so that every term is a simple fraction; the working stands in golden_row.csv.
GOLDEN_INPUTS = {
    "close_try": 100.0, "atr_14": 2.0, "sma_50": 97.75, "sma_200": 89.5, "ema_20": 97.0, "ema_50": 101.0,
    "plus_di_14": 30.0, "minus_di_14": 10.0, "adx_14": 12.5, "supertrend_10_3": 92.0, "high_252_distance": -0.2,
    "low_252_distance": 1.0, "rsi_14": 70.0, "macd_hist_12_26_9": -0.45, "roc_10": 1200 / 88, "stoch_k_14_3_3": 90.0,
    "donchian_upper_20": 110.0, "donchian_lower_20": 70.0, "bb_upper_20_2": 96.0,
    "bb_lower_20_2": 64.0, "cmf_20": -0.15, "mfi_14": 31.25,
}  # fmt: skip
GOLDEN_EVENTS = make_events((0, 100, "bullish", True), (0, -100, "bearish", False), (0, 100, "neutral", None))
NO_EVENTS = make_events()
UNKNOWN = dict.fromkeys(indicator_inputs(), np.nan)


def golden_frames(**changes: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row; a column that nobody worked with by hand yet is unknown in it."""
    return make_frames({name: np.array([value]) for name, value in (UNKNOWN | GOLDEN_INPUTS | changes).items()})


def market(count: int = 300, seed: int = 7) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Rows with every kind of gap, events on some of them, and the bars, in that order of arguments."""
    rng = np.random.default_rng(seed)
    indicators, bars = make_frames(make_inputs(count, seed))
    for name in indicator_inputs():
        indicators.loc[rng.random(count) < 0.2, name] = np.nan
    indicators.loc[: count // 4, list(indicator_inputs())] = np.nan
    indicators.loc[: count // 4 : 3, "mfi_14"] = 60.0
    choices = [(100, "bullish"), (-100, "bearish"), (-80, "bearish"), (100, "neutral")]
    events = make_events(
        *(
            (int(row), *choices[rng.integers(4)], [True, False, None][rng.integers(3)])
            for row in rng.integers(0, count, 2 * count)
        )
    )
    return indicators, events, bars


def test_golden_row_is_as_worked_by_hand():
    indicators, bars = golden_frames()
    row = score_signals(indicators, GOLDEN_EVENTS, bars).iloc[0]
    golden = pd.read_csv(Path(__file__).with_name("golden_row.csv"), index_col="term")["value"].map(Fraction)
    assert set(golden.index) == set(registered_terms())
    for name, value in golden.items():
        assert row[f"term_{name}"] == pytest.approx(float(value), abs=1e-12), name
    assert row["trend"] == pytest.approx(0.3275, abs=1e-12)
    assert row["momentum"] == pytest.approx(0.24 - 0.15 + 3 / 13 - 0.1, abs=1e-12)
    assert row["volatility"] == pytest.approx(0.2 + 0.35 * 3 / 5 - 0.125, abs=1e-12)
    assert row["volume"] == pytest.approx(-0.6, abs=1e-12)
    assert row["candles"] == pytest.approx(1 / 3, abs=1e-12)
    assert row["score"] == pytest.approx(6163 / 39000, abs=1e-12)
    assert row["action"] == "hold"
    assert row["confidence"] == pytest.approx(6163 / 22777, abs=1e-12)
    assert row["close_try"] == 100.0
    assert row["model_version"] == MODEL.version


def test_golden_row_of_the_warm_up_spreads_weights_over_what_is_known():
    indicators, bars = golden_frames(**UNKNOWN | {"rsi_14": 70.0, "stoch_k_14_3_3": 50.0})
    row = score_signals(indicators, NO_EVENTS, bars).iloc[0]
    assert row["momentum"] == pytest.approx(0.3 * 0.8 / 0.5, abs=1e-12)
    assert row["candles"] == 0.0
    assert row["score"] == pytest.approx(0.25 * 0.48 / 0.35, abs=1e-12)
    assert row["confidence"] == pytest.approx(0.25 * 0.5 + 0.1, abs=1e-12)
    assert row["action"] == "buy"
    assert row[["trend", "volatility", "volume"]].isna().all()


def test_columns_and_types_are_the_contract():
    signals = score_signals(*market())
    numbers = ["score", "confidence", *SUB_SIGNALS, *term_columns(), "close_try"]
    assert list(signals.columns) == [
        "symbol", "session_date", "score", "action", "confidence", *SUB_SIGNALS, *term_columns(), "close_try",
        "is_final", "model_version",
    ]  # fmt: skip
    assert (signals[numbers].dtypes == np.float64).all()
    assert (signals[["symbol", "action", "model_version"]].dtypes == "str").all()
    assert signals["session_date"].dtype == "datetime64[us]"
    assert signals["is_final"].dtype == bool


@pytest.mark.parametrize("seed", range(5))
def test_numbers_stay_in_their_ranges(seed):
    signals = score_signals(*market(seed=seed))
    assert signals["score"].between(-1, 1).all()
    assert signals["confidence"].between(0, 1).all()
    assert signals["candles"].notna().all()
    assert signals[["trend", "momentum"]].notna().any(axis=1).all()


def test_rows_before_any_trend_or_momentum_are_left_out_and_no_other():
    indicators, events, bars = market()
    terms = [term for term in registered_terms().values() if term.sub_signal in ("trend", "momentum")]
    known = pd.concat(
        [indicators[[n for n in term.inputs if n != "close_try"]].notna().all(axis=1) for term in terms], axis=1
    )
    signals = score_signals(indicators, events, bars)
    assert signals["symbol"].tolist() == indicators.loc[known.any(axis=1), "symbol"].tolist()
    assert 0 < len(signals) < len(indicators)


@given(st.lists(st.integers(0, 299), min_size=1, max_size=40, unique=True))
def test_any_rows_in_any_order_are_the_same_rows_bit_for_bit(rows):
    indicators, events, bars = market()
    whole = score_signals(indicators, events, bars).set_index("symbol")
    part = score_signals(indicators.iloc[rows], events.iloc[::-1], bars.sample(frac=1, random_state=1)).set_index(
        "symbol"
    )
    pd.testing.assert_frame_equal(part, whole.reindex(part.index), check_exact=True)
    assert part.index.tolist() == [s for s in indicators["symbol"].iloc[rows] if s in whole.index]


def test_one_row_alone_is_the_same_bits():
    indicators, events, bars = market()
    whole = score_signals(indicators, events, bars)
    for position in (0, 17, len(whole) - 1):
        symbol = whole["symbol"].iloc[position]
        alone = score_signals(*(frame[frame["symbol"] == symbol] for frame in (indicators, events, bars)))
        pd.testing.assert_frame_equal(alone, whole.iloc[[position]].reset_index(drop=True), check_exact=True)


def test_exchanging_rises_and_falls_turns_the_score_and_the_action():
    inputs = make_inputs(500)
    inputs["roc_10"] = np.clip(inputs["roc_10"], -40, 150)
    rows = range(0, 500, 3)
    events = make_events(*((row, 100, "bullish", True) for row in rows))
    turned = make_events(*((row, -100, "bearish", True) for row in rows))
    there, bars = make_frames(inputs)
    back, _ = make_frames(mirrored(inputs))
    one, other = score_signals(there, events, bars), score_signals(back, turned, bars)
    np.testing.assert_allclose(other["score"], -one["score"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(other["confidence"], one["confidence"], rtol=0, atol=1e-9)
    turn = {"buy": "sell", "sell": "buy", "strong_buy": "strong_sell", "strong_sell": "strong_buy", "hold": "hold"}
    assert other["action"].tolist() == one["action"].map(turn).tolist()


def test_another_model_counts_otherwise_and_is_named():
    indicators, bars = golden_frames()
    other = replace(
        MODEL, version="test", weights=dict(zip(SUB_SIGNALS, (0.6, 0.1, 0.1, 0.1, 0.1), strict=True)), buy=0.1
    )
    row = score_signals(indicators, NO_EVENTS, bars, other).iloc[0]
    expected = 0.6 * row["trend"] + 0.1 * (row["momentum"] + row["volatility"] + row["volume"])
    assert row["score"] == pytest.approx(expected, abs=1e-12)
    assert (row["model_version"], row["action"]) == ("test", "buy")


def test_infinite_and_null_inputs_are_unknown_like_nan():
    results = []
    for mark in (np.nan, np.inf, -np.inf):
        indicators, bars = golden_frames(rsi_14=mark)
        results.append(score_signals(indicators, GOLDEN_EVENTS, bars))
    indicators, bars = golden_frames()
    results.append(score_signals(indicators.assign(rsi_14=pd.array([None], dtype="Float64")), GOLDEN_EVENTS, bars))
    for result in results[1:]:
        pd.testing.assert_frame_equal(result, results[0], check_exact=True)
    assert np.isnan(results[0]["term_rsi_from_50"].iloc[0])


def test_more_knowledge_of_the_same_opinion_is_more_confidence():
    full, bars = golden_frames()
    less = full.assign(sma_200=np.nan)
    one, other = (score_signals(frame, NO_EVENTS, bars).iloc[0] for frame in (full, less))
    known = 1 - 0.40 * (0.25 + 0.15)
    assert other["confidence"] < one["confidence"]
    assert other["confidence"] <= known


def test_forming_bars_stay_forming():
    indicators, bars = golden_frames()
    assert score_signals(indicators.assign(is_final=False), NO_EVENTS, bars)["is_final"].tolist() == [False]


def test_no_rows_give_no_rows_with_the_same_columns_and_types():
    indicators, events, bars = market()
    whole = score_signals(indicators, events, bars)
    empty = score_signals(indicators.iloc[:0], events.iloc[:0], bars.iloc[:0])
    assert len(empty) == 0
    pd.testing.assert_series_equal(empty.dtypes, whole.dtypes)


def test_arguments_are_left_as_they_were():
    frames = market()
    copies = [frame.copy(deep=True) for frame in frames]
    score_signals(*frames)
    for frame, copy in zip(frames, copies, strict=True):
        pd.testing.assert_frame_equal(frame, copy)


@pytest.mark.parametrize("column", ["sma_200", "is_final"])
def test_a_missing_column_is_named(column):
    indicators, bars = golden_frames()
    with pytest.raises(ContractError, match=f"analytics.indicators: column {column} is missing"):
        score_signals(indicators.drop(columns=column), NO_EVENTS, bars)


@pytest.mark.parametrize("close", [np.nan, None])
def test_a_missing_close_is_named_with_symbol_and_session(close):
    indicators, bars = golden_frames()
    bars = bars.assign(close_try=close) if close is not None else bars.iloc[:0]
    with pytest.raises(ContractError, match="no close_try of ZZ00000 on 2024-01-02"):
        score_signals(indicators, NO_EVENTS, bars)


@pytest.mark.parametrize("twice", ["indicators", "bars"])
def test_a_key_that_occurs_twice_is_refused(twice):
    indicators, bars = golden_frames()
    frames = {"indicators": indicators, "bars": bars}
    frames[twice] = pd.concat([frames[twice]] * 2)
    with pytest.raises(ContractError, match=f"{twice}: two rows of ZZ00000 on 2024-01-02"):
        score_signals(frames["indicators"], NO_EVENTS, frames["bars"])


def test_candle_inputs_are_not_asked_of_the_caller():
    assert not set(CANDLE_INPUTS) & set(indicator_inputs())
