"""What holds of every comparison, whatever is planted."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bist_pipeline.quality.comparison.engine import compare
from bist_pipeline_tests.quality.comparison.invented import (
    PRICES,
    adjusted,
    changed,
    history,
    in_turnover,
    with_stale_close,
    without,
)

BARS = history(symbols=2, sessions=60)
SECOND = in_turnover(adjusted(BARS), BARS)
SWAPPED = {
    "first_supported": "second_supported",
    "second_supported": "first_supported",
    "undecided": "undecided",
    "only_first": "only_second",
    "only_second": "only_first",
}

places = st.tuples(st.sampled_from(["ZZAAA", "ZZAAB"]), st.integers(1, 58))
faults = st.sampled_from(
    [
        with_stale_close,
        without,
        lambda bars, symbol, at: changed(bars, symbol, at, ["close_try"], 1.0037),
        lambda bars, symbol, at: changed(bars, symbol, at, ["high_try"], 1.02),
        lambda bars, symbol, at: changed(bars, symbol, at, PRICES, 100.0),
        lambda bars, symbol, at: changed(bars, symbol, at, PRICES, 0.5),
        lambda bars, symbol, at: changed(bars, symbol, range(at, len(bars[bars["symbol"] == symbol])), PRICES, 0.5),
        lambda bars, symbol, at: changed(bars, symbol, at, ["volume_shares"], 5.0),
    ]
)
plans = st.lists(st.tuples(faults, places, st.booleans()), max_size=4, unique_by=lambda plan: plan[1])


def planted(plan):
    first, second = BARS, SECOND
    for fault, (symbol, place), in_first in plan:
        side = first if in_first else second
        if place < (side["symbol"] == symbol).sum():
            side = fault(side, symbol, place)
        first, second = (side, second) if in_first else (first, side)
    return first, second


@settings(max_examples=30, deadline=None)
@given(plans)
def test_exchanging_the_sources_exchanges_the_verdicts(plan):
    first, second = planted(plan)
    one, other = compare(first, second).rows, compare(second, first).rows
    keys = ["symbol", "session_date", "kind"]
    pd.testing.assert_frame_equal(one[keys], other[keys])
    assert one["verdict"].map(SWAPPED).tolist() == other["verdict"].tolist()
    np.testing.assert_allclose(one["score"], other["score"], rtol=1e-6, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(plans)
def test_a_symbol_is_judged_alike_whichever_others_are_compared(plan):
    first, second = planted(plan)
    whole = compare(first, second)
    for symbol in ("ZZAAA", "ZZAAB"):
        alone = compare(first[first["symbol"] == symbol], second[second["symbol"] == symbol])
        for told in ("rows", "recognised", "brought"):
            mine = getattr(whole, told)
            pd.testing.assert_frame_equal(
                mine[mine["symbol"] == symbol].reset_index(drop=True), getattr(alone, told), check_exact=False
            )


@pytest.mark.parametrize("seed", range(3))
def test_bars_without_a_planted_fault_are_never_doubted(seed):
    rng = np.random.default_rng(seed)
    bars = history(symbols=4, sessions=250, seed=seed)
    second, first, planted_at = in_turnover(adjusted(bars), bars, seed), bars, set()
    for symbol in bars["symbol"].unique():
        for place in rng.choice(np.arange(3, 245), 8, replace=False).tolist():
            first = with_stale_close(first, symbol, place)
            planted_at.add((symbol, bars.loc[bars["symbol"] == symbol, "session_date"].iloc[place]))
    rows = compare(first, second).rows
    found = set(zip(rows["symbol"], rows["session_date"], strict=True))
    assert found <= planted_at
    moved = bars.groupby("symbol")["close_try"].diff() != 0
    still = set(zip(bars.loc[~moved, "symbol"], bars.loc[~moved, "session_date"], strict=True))
    assert planted_at - found <= still  # a close that did not move is no stale one
    assert (rows["verdict"] == "second_supported").mean() > 0.95


def test_the_inputs_are_left_alone_and_may_come_in_any_order():
    first, second = with_stale_close(BARS, "ZZAAA", 20), SECOND.copy()
    kept = first.copy(), second.copy()
    expected = compare(first, second)
    pd.testing.assert_frame_equal(first, kept[0])
    pd.testing.assert_frame_equal(second, kept[1])
    shuffled = compare(first.sample(frac=1, random_state=3), second.sample(frac=1, random_state=4))
    for told in ("rows", "recognised", "brought"):
        pd.testing.assert_frame_equal(getattr(expected, told), getattr(shuffled, told))
