"""The signal over what the other rooms really hand it."""

import pandas as pd
import pytest

from bist_pipeline.core.bars import Bars
from bist_pipeline.indicators.engine import compute_indicators
from bist_pipeline.patterns.engine import detect_candlesticks
from bist_pipeline.signals.contract import ACTIONS
from bist_pipeline.signals.registry import term_columns
from bist_pipeline.signals.score import score_signals
from bist_pipeline_tests.market_maker import make_bar_frame

FRAME = make_bar_frame(12, 420)


def signals_of(frame: pd.DataFrame) -> pd.DataFrame:
    bars = Bars.from_frame(frame)
    return score_signals(compute_indicators(bars), detect_candlesticks(bars), bars.frame)


WHOLE = signals_of(FRAME)


def test_every_term_is_known_once_the_longest_warm_up_is_over():
    late = WHOLE[WHOLE["session_date"] > FRAME["session_date"].unique()[260]]
    assert len(late) == 12 * (420 - 261)
    assert late[list(term_columns())].notna().all(axis=None)


def test_signals_begin_within_the_first_weeks_and_gain_confidence_with_knowledge():
    first = WHOLE.groupby("symbol")["session_date"].min()
    sessions = FRAME["session_date"].unique()
    assert (first > sessions[5]).all()
    assert (first < sessions[30]).all()
    assert (WHOLE.loc[WHOLE["session_date"] == first.iloc[0], "confidence"] < 0.6).all()


def test_every_action_but_the_rarest_occurs_and_none_swallows_the_rest():
    shares = WHOLE["action"].value_counts(normalize=True)
    assert {"sell", "hold", "buy"} <= set(shares.index) <= set(ACTIONS)
    assert shares.max() < 0.7


@pytest.mark.parametrize("sessions", [40, 199, 200, 253, 419])
def test_later_bars_change_no_bit_of_an_earlier_signal(sessions):
    last = FRAME["session_date"].unique()[sessions - 1]
    early = signals_of(FRAME[FRAME["session_date"] <= last])
    expected = WHOLE[WHOLE["session_date"] <= last].reset_index(drop=True)
    pd.testing.assert_frame_equal(early, expected, check_exact=True)


def test_other_symbols_change_no_bit():
    symbol = FRAME["symbol"].iloc[-1]
    alone = signals_of(FRAME[FRAME["symbol"] == symbol])
    expected = WHOLE[WHOLE["symbol"] == symbol].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, expected, check_exact=True)
