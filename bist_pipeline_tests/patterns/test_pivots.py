"""Where prices turned: hand-worked zigzags, what must hold of every one, and bars that may not turn a price.

Belongs here: the tape's usable bars, the zigzag, N-bar pivots. Does not belong here: any pattern.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bist_pipeline.core.bars import Bars
from bist_pipeline.patterns.pivots.bar_pivots import find_bar_highs
from bist_pipeline.patterns.pivots.tape import ATR_SESSIONS, SIGMA_SESSIONS, Tape, read_tape
from bist_pipeline.patterns.pivots.zigzag import SCALES, Pivots, find_pivots
from bist_pipeline_tests.patterns.markets import rough_bars

SIGMA = 1 / 64  # a power of two, so that the hand-worked numbers are exact


def tape_of(bars: Sequence[tuple[float, float]], unusable: tuple[int, ...] = ()) -> Tape:
    """One symbol whose bars have these highs and lows (in units of sigma, 1/64 of log price)."""
    n = len(bars)
    high, low = np.array(bars, dtype=np.float64).reshape(n, 2).T * SIGMA
    usable = ~np.isin(np.arange(n), unusable)
    middle = (high + low) / 2
    return Tape(
        symbols=("ONE",),
        offsets=np.array([0, n]),
        day=np.busday_offset(np.datetime64("2024-01-01"), np.arange(n), roll="forward"),
        open=middle,
        high=high,
        low=low,
        close=middle,
        volume=np.ones(n),
        unit_try=np.ones(n),
        price_close=np.exp(middle),
        basis=np.ones(n),
        atr=np.full(n, SIGMA),
        sigma=np.full(n, SIGMA),
        usable=usable,
        traded=usable,
        locked=np.zeros(n, np.int8),
        is_final=np.ones(n, bool),
    )


def turns(pivots: Pivots) -> list[tuple[int, int, int]]:
    return list(zip(pivots.kind.tolist(), pivots.row.tolist(), pivots.known.tolist(), strict=True))


# Highs and lows; the cut-off is 3. Each is worked out by hand.
RISE_AND_FALL = [(1, 0), (3, 2), (6, 5), (5, 4), (4, 3), (2, 1), (3, 2), (4, 3), (5, 4)]


def test_a_peak_is_known_at_the_first_low_three_below_it_and_not_before():
    # The trough of bar 0 at 0 is known at bar 1, whose high is 3 above it. The peak of bar 2 at 6 is known at bar 4,
    # whose low is 3; the trough of bar 5 at 1 at bar 7, whose high is 4.
    assert turns(find_pivots(tape_of(RISE_AND_FALL), 3.0)) == [(-1, 0, 1), (1, 2, 4), (-1, 5, 7)]


@pytest.mark.parametrize("bars", range(1, len(RISE_AND_FALL) + 1))
def test_what_was_known_stays_when_bars_are_added(bars):
    whole = turns(find_pivots(tape_of(RISE_AND_FALL), 3.0))
    assert turns(find_pivots(tape_of(RISE_AND_FALL[:bars]), 3.0)) == [one for one in whole if one[2] < bars]


def test_the_first_of_two_equal_highs_is_the_peak():
    assert turns(find_pivots(tape_of([(1, 0), (6, 5), (5, 4), (6, 5), (2, 1)]), 3.0))[1] == (1, 1, 4)


def test_a_bar_that_makes_a_new_high_and_falls_by_the_cut_off_extends_the_leg():
    # Bar 2 spans 4 to 9: it is the new extreme, and no bar confirms itself.
    assert turns(find_pivots(tape_of([(1, 0), (6, 5), (9, 4), (8, 7), (6, 5)]), 3.0)) == [(-1, 0, 1), (1, 2, 4)]


def test_before_the_first_leg_the_older_extreme_turned_first():
    # Bar 3 is 3 below the high of bar 0 and 3 above the low of bar 1.
    assert turns(find_pivots(tape_of([(5, 4), (4, 2), (3, 2.5), (5, 2)]), 3.0)) == [(1, 0, 1), (-1, 1, 3)]
    assert turns(find_pivots(tape_of([(2, 1), (3.5, 2), (3, 2), (4, 0.5)]), 3.0)) == []


def test_a_move_of_just_the_cut_off_confirms_and_one_of_less_does_not():
    exact = tape_of([(2, 1), (5, 4), (3, 2)])
    assert turns(find_pivots(exact, 3.0)) == [(-1, 0, 1), (1, 1, 2)]
    assert turns(find_pivots(tape_of([(2, 1), (5, 4), (3, 2.01)]), 3.0)) == [(-1, 0, 1)]


def test_a_bar_that_cannot_turn_a_price_is_neither_a_peak_nor_confirms_one():
    # As above, but the highest and the lowest bar have one price alone or did not trade.
    found = turns(find_pivots(tape_of(RISE_AND_FALL, unusable=(2,)), 3.0))
    assert found == [(-1, 0, 1), (1, 3, 5), (-1, 5, 7)]
    assert turns(find_pivots(tape_of(RISE_AND_FALL, unusable=(4,)), 3.0)) == [(-1, 0, 1), (1, 2, 5), (-1, 5, 7)]


def test_nothing_turns_before_a_usual_move_is_known():
    tape = tape_of(RISE_AND_FALL)
    unknown = np.where(np.arange(len(tape)) < 4, np.nan, tape.sigma)
    assert all(row >= 4 for _, row, _ in turns(find_pivots(replace(tape, sigma=unknown), 3.0)))


def test_the_cut_off_is_that_of_the_bar_that_confirms():
    tape = tape_of(RISE_AND_FALL)
    wild = np.where(np.arange(len(tape)) == 4, 2 * SIGMA, SIGMA)
    assert turns(find_pivots(replace(tape, sigma=wild), 3.0))[1] == (1, 2, 5)


_moves = st.lists(st.tuples(st.floats(-6, 6), st.floats(0, 2), st.floats(0, 2), st.booleans()), min_size=0, max_size=80)


def random_tape(moves: list[tuple[float, float, float, bool]]) -> Tape:
    middle = np.cumsum([move for move, *_ in moves]) if moves else np.empty(0)
    bars = [(one + up, one - down) for one, (_, up, down, _) in zip(middle.tolist(), moves, strict=True)]
    return tape_of(bars, tuple(i for i, move in enumerate(moves) if not move[3]))


@given(_moves, st.sampled_from(SCALES))
@settings(max_examples=150, deadline=None)
def test_of_every_zigzag(moves, scale):
    tape = random_tape(moves)
    found = find_pivots(tape, scale)
    assert (np.abs(np.diff(found.kind)) == 2).all()  # peaks and troughs alternate
    assert (found.known > found.row).all()
    assert (np.diff(found.row) > 0).all()
    assert (np.diff(found.known) > 0).all()
    assert tape.usable[found.row].all()
    assert tape.usable[found.known].all()
    for kind, row, known in turns(found):
        between = np.arange(row, known + 1)[tape.usable[row : known + 1]]
        price = tape.high if kind > 0 else -tape.low
        against = tape.low if kind > 0 else -tape.high
        assert price[row] == price[between].max()
        assert against[known] <= price[row] - scale * SIGMA
    for (kind, row, _), (_, other, _) in zip(turns(found), turns(found)[1:], strict=False):
        # The bar that ends the leg may span it: it extends the leg, whatever else it does.
        leg = np.arange(row, other)[tape.usable[row:other]]
        assert row == leg[np.argmax(tape.high[leg])] if kind > 0 else row == leg[np.argmin(tape.low[leg])]


@given(_moves, st.sampled_from(SCALES), st.integers(0, 80))
@settings(max_examples=100, deadline=None)
def test_of_every_beginning_of_a_zigzag(moves, scale, bars):
    whole = turns(find_pivots(random_tape(moves), scale))
    assert turns(find_pivots(random_tape(moves[:bars]), scale)) == [one for one in whole if one[2] < bars]


@given(_moves, st.sampled_from(SCALES))
@settings(max_examples=100, deadline=None)
def test_the_zigzag_of_the_tape_upside_down_is_the_zigzag_upside_down(moves, scale):
    tape = random_tape(moves)
    turned, mirrored = find_pivots(tape.mirrored(), scale), find_pivots(tape, scale).mirrored()
    assert turns(turned) == turns(mirrored)
    np.testing.assert_array_equal(turned.price, mirrored.price)


@pytest.fixture(scope="module")
def market() -> Bars:
    return rough_bars(8, 400, seed=3)


@pytest.mark.parametrize("scale", SCALES)
def test_prices_times_a_power_of_two_turn_at_the_same_bars(market, scale):
    prices = ["open_try", "high_try", "low_try", "close_try"]
    one = find_pivots(read_tape(market), scale)
    other = find_pivots(
        read_tape(Bars.from_frame(market.frame.assign(**{p: market.frame[p] * 8.0 for p in prices}))), scale
    )
    assert len(one) > 50
    assert turns(one) == turns(other)
    np.testing.assert_array_equal(one.price, other.price)


@pytest.mark.parametrize("scale", SCALES)
def test_each_symbol_turns_as_it_does_alone(market, scale):
    together = find_pivots(read_tape(market), scale)
    offsets = market.offsets
    for number, symbol in enumerate(market.frame["symbol"].unique()):
        alone = find_pivots(read_tape(Bars.from_frame(market.frame[market.frame["symbol"] == symbol])), scale)
        own = together.symbol == number
        np.testing.assert_array_equal(together.row[own] - offsets[number], alone.row)
        np.testing.assert_array_equal(together.known[own] - offsets[number], alone.known)


@pytest.mark.parametrize("price", ["the close before", "at the limit"])
def test_days_without_a_trade_put_in_anywhere_move_no_turning_point(price):
    bars = rough_bars(1, 300, seed=8).frame
    gone = np.random.default_rng(2).random(len(bars)) < 0.1
    gone[0] = False
    idle = bars[gone].assign(volume_shares=0.0, session_date=bars["session_date"][gone] + pd.Timedelta(days=1000))
    for name in ("open_try", "high_try", "low_try"):
        idle[name] = idle["close_try"]
    # Each idle day stands right after the bar whose close it repeats.
    order = np.argsort(np.concatenate([np.arange(len(bars)), np.flatnonzero(gone) + 0.5]), kind="stable")
    together = pd.concat([bars, idle], ignore_index=True).iloc[order]
    days = np.busday_offset(np.datetime64("2021-01-04"), np.arange(len(together))).astype("datetime64[us]")
    places = np.flatnonzero(order < len(bars))
    tape = read_tape(Bars.from_frame(together.assign(session_date=days)))
    plain = read_tape(Bars.from_frame(bars))
    if price == "at the limit":  # where an idle day's price lies must not matter to the zigzag either
        wild = np.where(order < len(bars), 0.0, np.log(1.1))
        tape = replace(tape, high=tape.high + wild, low=tape.low + wild)
    for scale in SCALES:
        found, wanted = find_pivots(tape, scale), find_pivots(plain, scale)
        assert turns(found) == [(k, places[r], places[n]) for k, r, n in turns(wanted)]


@pytest.mark.parametrize("scale", SCALES)
def test_locked_and_untraded_bars_of_a_market_never_turn_a_price(market, scale):
    tape = read_tape(market)
    found = find_pivots(tape, scale)
    frame = market.frame
    one_price = (frame["high_try"] == frame["low_try"]).to_numpy()
    assert one_price.sum() > 100
    assert (frame["volume_shares"] == 0).sum() > 50
    assert not one_price[found.row].any()
    assert not one_price[found.known].any()
    assert (frame["volume_shares"].to_numpy()[found.row] > 0).all()


def test_a_usual_move_is_known_after_as_many_sessions_as_it_looks_back(market):
    tape = read_tape(market)
    for start, end in zip(tape.offsets[:-1].tolist(), tape.offsets[1:].tolist(), strict=True):
        known = np.flatnonzero(~np.isnan(tape.atr[start:end]))[0]
        assert tape.traded[start + 1 : start + known + 1].sum() == ATR_SESSIONS
        known = np.flatnonzero(~np.isnan(tape.sigma[start:end]))[0]
        assert tape.usable[start + 1 : start + known + 1].sum() == SIGMA_SESSIONS


def test_average_true_range_and_sigma_are_those_of_the_books(market):
    import talib

    one = next(iter(market))
    tape = read_tape(Bars.from_frame(market.frame[market.frame["symbol"] == one.symbol]))
    logs = [np.log(values) for values in (one.high, one.low, one.close)]
    # A halted share's flat bars say nothing of a usual move: they keep the one before.
    traded = [values[tape.traded] for values in logs]
    np.testing.assert_allclose(tape.atr[tape.traded], talib.ATR(*traded, timeperiod=ATR_SESSIONS), rtol=1e-12)
    halted = np.flatnonzero(~tape.traded & ~np.isnan(tape.atr))
    assert len(halted)
    assert (tape.atr[halted] == tape.atr[halted - 1]).all()
    last = np.flatnonzero(tape.usable[1:])[-SIGMA_SESSIONS:]
    assert tape.sigma[-1] == pytest.approx(np.std(np.diff(logs[2])[last], ddof=1), rel=1e-12)


def test_a_bar_pivot_is_the_highest_of_eleven_and_known_five_bars_later():
    highs = [1, 2, 3, 4, 5, 9, 5, 4, 3, 2, 1, 2, 3]
    tape = tape_of([(high, high - 0.5) for high in highs])
    rows, known = find_bar_highs(tape)
    assert (rows.tolist(), known.tolist()) == ([5], [10])
    assert find_bar_highs(tape_of([(high, high - 0.5) for high in highs[:10]]))[0].tolist() == []


def test_of_equal_highs_the_first_is_the_bar_pivot():
    tape = tape_of([(high, 0) for high in [1, 1, 1, 1, 1, 9, 9, 1, 1, 1, 1, 1, 1]])
    assert find_bar_highs(tape)[0].tolist() == [5]


def test_bars_that_cannot_turn_a_price_are_passed_over_by_bar_pivots():
    highs = [1, 2, 3, 4, 5, 9, 99, 5, 4, 3, 2, 1, 2]
    rows, known = find_bar_highs(tape_of([(high, 0) for high in highs], unusable=(6,)))
    assert (rows.tolist(), known.tolist()) == ([5], [11])


@given(_moves)
@settings(max_examples=60, deadline=None)
def test_bar_pivots_are_what_looking_at_every_window_finds(moves):
    tape = random_tape(moves)
    usable = np.flatnonzero(tape.usable)
    wanted = [
        (usable[i], usable[i + 5])
        for i in range(5, len(usable) - 5)
        if tape.high[usable[i]] > tape.high[usable[i - 5 : i]].max()
        and tape.high[usable[i]] >= tape.high[usable[i + 1 : i + 6]].max()
    ]
    assert list(zip(*find_bar_highs(tape), strict=True)) == wanted
