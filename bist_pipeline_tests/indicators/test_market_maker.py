"""The simulated market that other tests stand on: is it as plausible as it says?"""

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.bars import BAR_COLUMNS
from bist_pipeline_tests.market_maker import make_bar_frame, make_bars, symbol_codes

FRAME = make_bar_frame(20, 500, seed=1)


def test_bars_are_complete_and_consistent():
    assert tuple(FRAME.columns) == BAR_COLUMNS
    assert len(FRAME) == 20 * 500
    assert (FRAME["low_try"] <= FRAME[["open_try", "close_try"]].min(axis=1)).all()
    assert (FRAME["high_try"] >= FRAME[["open_try", "close_try"]].max(axis=1)).all()
    assert (FRAME["volume_shares"] > 0).all()


def test_no_price_leaves_the_daily_limit_and_some_reach_it():
    before = FRAME.groupby("symbol")["close_try"].shift()
    assert (FRAME["high_try"] <= before * 1.1 + 1e-9)[before.notna()].all()
    assert (FRAME["low_try"] >= before * 0.9 - 1e-9)[before.notna()].all()
    assert (FRAME["close_try"] / before > 1.09).any()


@pytest.mark.parametrize(
    ("start", "below", "tick"), [(0, 20, 0.01), (20, 50, 0.02), (50, 100, 0.05), (100, 250, 0.10), (250, 500, 0.25)]
)
def test_prices_lie_on_the_tick_grid(start, below, tick):
    prices = FRAME["close_try"][FRAME["close_try"].between(start, below, inclusive="left")]
    assert len(prices)
    np.testing.assert_allclose(prices / tick, np.round(prices / tick), atol=1e-6)


def test_volatility_clusters():
    returns = FRAME.groupby("symbol")["close_try"].pct_change().abs()
    lagged = returns.groupby(FRAME["symbol"]).shift()
    assert returns.corr(lagged) > 0.1


def test_the_same_arguments_give_the_same_market_and_another_seed_another():
    pd.testing.assert_frame_equal(FRAME, make_bar_frame(20, 500, seed=1))
    assert not FRAME["close_try"].equals(make_bar_frame(20, 500, seed=2)["close_try"])


def test_a_longer_market_begins_with_the_shorter_one():
    longer = make_bar_frame(20, 600, seed=1).groupby("symbol").head(500).reset_index(drop=True)
    pd.testing.assert_frame_equal(FRAME, longer)


@pytest.mark.parametrize(("symbols", "sessions"), [(0, 10), (10, 0), (0, 0)])
def test_an_empty_market_is_empty(symbols, sessions):
    assert len(make_bars(symbols, sessions)) == 0


def test_codes_are_unique_and_sorted():
    assert symbol_codes(1000) == sorted(set(symbol_codes(1000)))
