"""No detector may find more in chance than it did: fixed-seed series, counted and held against `rates.csv`.

Belongs here: the gate, and that the series are what they claim to be. A detector that is meant to find more is counted
anew with `python -m bist_pipeline_tests.noise --write`, and the change of `rates.csv` is looked at.
"""

from itertools import pairwise

import numpy as np
import pytest

from bist_pipeline.core.bars import Bars
from bist_pipeline.patterns.registry import registered_charts
from bist_pipeline_tests.market_maker import make_bars
from bist_pipeline_tests.noise.counting import CHANCE, Counts, chance
from bist_pipeline_tests.noise.rates import most_events, read_rates
from bist_pipeline_tests.noise.table import table
from bist_pipeline_tests.patterns.markets import BLOCK_SESSIONS, DAILY_SIGMA, driftless_bars, resampled_bars

STORED = read_rates()


@pytest.mark.parametrize("series", CHANCE)
@pytest.mark.parametrize("name", registered_charts())
def test_it_finds_no_more_in_chance_than_it_did(name, series):
    assert (name, series) in STORED, f"count {name} with: python -m bist_pipeline_tests.noise --write"
    now = chance(series)
    assert now.events[name] <= most_events(*STORED[name, series], now.sessions)


def test_every_stored_rate_is_of_a_detector_that_is_there():
    assert {name for name, _ in STORED} == set(registered_charts())


@pytest.mark.parametrize(
    ("stored", "still", "too_many"), [(0, 3, 4), (4, 7, 8), (12, 15, 16), (100, 125, 126), (1000, 1250, 1251)]
)
def test_a_rate_may_rise_by_a_quarter_or_by_three_events(stored, still, too_many):
    assert still <= most_events(stored, 80_000, 80_000) < too_many


def test_a_rate_is_held_against_as_many_sessions_as_there_are():
    assert most_events(100, 80_000, 40_000) == pytest.approx(62.5)


def logs(bars: Bars) -> np.ndarray:
    return np.log(bars.frame[["open_try", "high_try", "low_try", "close_try"]].to_numpy())


def test_the_walk_has_no_drift_its_sigma_and_independent_days():
    bars = driftless_bars(50, 800, seed=1)
    moves = np.concatenate([np.diff(np.log(one.close)) for one in bars])
    assert abs(moves.mean()) < 4 * DAILY_SIGMA / np.sqrt(len(moves))
    assert moves.std() == pytest.approx(DAILY_SIGMA, rel=0.02)
    assert abs(np.corrcoef(moves[1:], moves[:-1])[0, 1]) < 4 / np.sqrt(len(moves))


@pytest.mark.parametrize("make", [*CHANCE.values()], ids=[*CHANCE])
def test_bars_of_chance_are_well_formed_and_always_the_same(make):
    bars = make()
    prices = logs(bars)
    assert (prices[:, 1] >= prices.max(axis=1)).all()
    assert (prices[:, 2] <= prices.min(axis=1)).all()
    np.testing.assert_array_equal(prices, logs(make()))


def test_resampled_bars_are_bars_of_the_same_symbol_in_blocks():
    source = make_bars(3, 400, seed=5)
    for one, other in zip(source, resampled_bars(source, seed=1), strict=True):
        moves, fresh = np.round(np.diff(np.log(one.close)), 9), np.round(np.diff(np.log(other.close)), 9)
        assert np.isin(fresh, moves).all()
        assert np.std(np.log(other.high / other.low)) == pytest.approx(np.std(np.log(one.high / one.low)), rel=0.2)
        # Where it goes on in a block, the next move is the one that came next.
        follows = {*pairwise(moves.tolist())}
        kept = np.mean([pair in follows for pair in pairwise(fresh.tolist())])
        assert kept == pytest.approx(1 - 1 / BLOCK_SESSIONS, abs=0.04)


def test_the_table_hides_no_detector():
    names = list(registered_charts())
    market = Counts(20_000, {name: position for position, name in enumerate(names)})
    nothing = Counts(40_000, dict.fromkeys(names, 0))
    text = table(market, market + market, nothing, described="three bars", command="")
    lines = [line for line in text.splitlines() if line.startswith("| ") and "pattern" not in line]
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines[:-2]] == names
    assert lines[-3].count("∞") == 1
    assert "1.00 (" in lines[-3]
    assert lines[0].endswith("| – | – |")
