"""What is shown at a moment: the forming bar, the final bar, actions, and nothing of the future."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from bist_pipeline.core.clock import FixedClock
from bist_pipeline.simulator.clock import ExchangeClock
from bist_pipeline.simulator.errors import SimulatorError
from bist_pipeline.simulator.events import Dividend, Split
from bist_pipeline.simulator.hours import hours_of
from bist_pipeline.simulator.market import invent_market
from bist_pipeline.simulator.paths import DayBar, path_of
from bist_pipeline_tests.simulator.conftest import EVENTS, FIRST, LAST, TODAY, istanbul

BAR = DayBar(7, "ZZAAA", TODAY, 100.0, 108.0, 97.5, 103.3, 1_234_567.0)
FIELDS = ("timestamps", "open", "high", "low", "close", "volume", "adj_close")


def test_a_forming_bar_is_the_prefix_of_the_days_trades():
    path = path_of(BAR)
    for moment in range(hours_of(TODAY).open_at, hours_of(TODAY).final_at, 600):
        seen, held = path.at(moment), path.moments <= moment
        assert seen.open == path.prices[0] == BAR.open
        assert (seen.high, seen.low) == (path.prices[held].max(), path.prices[held].min())
        assert seen.close == path.prices[held][-1]
        assert seen.volume == path.volumes[held][-1]
        assert seen.traded_at == path.moments[held][-1] <= moment


def test_highs_never_fall_lows_never_rise_volume_never_shrinks_and_the_end_is_the_days_bar():
    path = path_of(BAR)
    seen = [path.at(int(moment)) for moment in path.moments]
    for before, after in pairwise(seen):
        assert after.high >= before.high
        assert after.low <= before.low
        assert after.volume >= before.volume
    last = seen[-1]
    assert (last.open, last.high, last.low, last.close, last.volume) == (100.0, 108.0, 97.5, 103.3, 1_234_567.0)
    assert len({(s.high, s.low, s.close) for s in seen}) > 30


@pytest.mark.parametrize("day", [TODAY, date(2026, 10, 28)])
def test_the_last_trade_is_in_the_ten_minutes_after_the_close_on_half_days_too(day):
    hours, path = hours_of(day), path_of(replace(BAR, day=day))
    assert hours.close_at <= path.moments[-1] < hours.close_at + 600 == hours.final_at
    assert hours.close_at - hours.open_at == (8 * 3600 if day == TODAY else 9000)
    assert path.at(hours.open_at - 301) is None


@pytest.mark.parametrize("volume", [1.0, 2.0, 50.0])
def test_a_thin_day_trades_from_its_first_trade_and_ends_exactly(volume):
    path = path_of(replace(BAR, volume=volume, open=5.0, high=5.0, low=5.0, close=5.0))
    assert path.volumes[0] >= 1
    assert path.volumes[-1] == volume


def test_a_view_holds_nothing_of_the_future():
    ends = istanbul(11, 45)
    futures = [
        invent_market(symbols=10, first=FIRST, last=last, events=(*EVENTS, *later))
        for last, later in [
            (TODAY, ()),
            (date(2026, 9, 30), (Split("ZZAAA", date(2026, 8, 6), 10), Dividend("ZZAAB", date(2026, 9, 1), 0.5))),
        ]
    ]
    for symbol in futures[0].symbols(ends):
        one, other = (market.view(symbol, ends) for market in futures)
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert (one.splits, one.dividends, one.last) == (other.splits, other.dividends, other.last)


def test_a_bar_after_the_closing_auction_is_the_bar_of_history(market):
    closed, later = market.view("ZZAAB", istanbul(18, 10)), market.view("ZZAAB", istanbul(12, 0, LAST))
    row = len(closed.close) - 1
    assert not closed.is_forming
    assert closed.timestamps[row] == hours_of(TODAY).open_at
    for name in FIELDS:
        assert getattr(closed, name)[row] == getattr(later, name)[row]
    minute_before = market.view("ZZAAB", istanbul(18, 9))
    assert minute_before.is_forming
    assert minute_before.timestamps[-1] == minute_before.last.traded_at > hours_of(TODAY).close_at


def test_nothing_of_today_is_shown_before_the_opening_auction(market):
    view = market.view("ZZAAB", istanbul(9, 54))
    assert view.timestamps[-1] == hours_of(date(2026, 8, 4)).open_at
    assert market.view("ZZAAB", istanbul(9, 56)).is_forming


def test_a_split_divides_the_past_from_its_own_morning_on(market):
    evening, morning = market.view("ZZAAA", istanbul(20, 0, date(2026, 8, 4))), market.view("ZZAAA", istanbul(9, 56))
    np.testing.assert_allclose(morning.close[:-1], evening.close / 4, rtol=1e-7)
    np.testing.assert_allclose(morning.volume[:-1], evening.volume * 4)
    np.testing.assert_array_equal(market.view("ZZAAA", istanbul(9, 54)).close, evening.close)
    assert evening.splits == ()
    assert morning.splits == ((hours_of(TODAY).open_at, 4.0),)
    traded = market.view("ZZAAA", istanbul(11))
    assert traded.previous_close == morning.close[-2]
    assert abs(traded.last.close / traded.previous_close - 1) < 0.11


def test_closes_are_yahoos_single_precision(market):
    view = market.view("ZZAAB", istanbul(20))
    np.testing.assert_array_equal(view.close, view.close.astype(np.float32))
    np.testing.assert_array_equal(view.adj_close, view.adj_close.astype(np.float32))


def test_a_rights_issue_is_a_fractional_split_that_keeps_the_price_within_the_limit(market):
    view = market.view("ZZAAB", istanbul(20))
    (_, ratio), row = view.splits[-1], int(np.flatnonzero(view.timestamps == view.splits[-1][0])[0])
    assert 1 < ratio < 1.5
    assert abs(view.close[row] / view.close[row - 1] - 1) < 0.11


def test_a_dividend_lowers_the_adjusted_closes_before_it_and_no_close(market):
    before, after = market.view("ZZAAC", istanbul(20, 0, date(2026, 8, 4))), market.view("ZZAAC", istanbul(20))
    np.testing.assert_array_equal(after.close[:-1], before.close)
    kept = 1 - 0.25 / before.close[-1]
    np.testing.assert_allclose(after.adj_close[:-1], before.adj_close * kept, rtol=1e-6)
    assert after.adj_close[-1] == after.close[-1]
    assert after.dividends[-1] == (hours_of(TODAY).open_at, 0.25)


def test_a_dividend_before_a_split_is_told_in_todays_shares():
    events = (Dividend("ZZAAA", date(2026, 7, 1), 0.5), Split("ZZAAA", TODAY, 4))
    market = invent_market(symbols=1, first=FIRST, last=LAST, events=events)
    assert market.view("ZZAAA", istanbul(20, 0, date(2026, 8, 4))).dividends[-1][1] == 0.5
    assert market.view("ZZAAA", istanbul(20)).dividends[-1][1] == 0.125


def test_a_share_that_waits_shows_yesterday_until_its_first_trade(market):
    waiting, traded = market.view("ZZAAD", istanbul(14)), market.view("ZZAAD", istanbul(14, 45))
    assert not waiting.is_forming
    assert waiting.last.close == waiting.close[-1]
    assert waiting.last.traded_at < hours_of(TODAY).open_at - 3600
    assert waiting.previous_close == waiting.close[-2]
    assert traded.is_forming
    assert traded.last.traded_at >= istanbul(14, 30).timestamp()


def test_a_halted_share_ends_its_day_as_a_flat_bar_without_volume(market):
    during, after = market.view("ZZAAE", istanbul(17)), market.view("ZZAAE", istanbul(18, 30))
    assert not during.is_forming
    assert len(after.close) == len(during.close) + 1
    assert after.volume[-1] == 0
    assert after.open[-1] == after.high[-1] == after.low[-1] == after.close[-1] == during.close[-1]
    assert after.last == during.last


def test_the_clock_runs_on_stands_still_and_can_be_set():
    base = [istanbul(9)]

    class Machine:
        def now(self):
            return base[0]

    running, still = ExchangeClock(Machine(), istanbul(15)), ExchangeClock(Machine(), istanbul(15), running=False)
    base[0] += timedelta(minutes=10)
    assert running.now() == istanbul(15, 10)
    assert still.now() == istanbul(15)
    running.set(istanbul(10))
    base[0] += timedelta(minutes=1)
    assert running.now() == istanbul(10, 1)
    with pytest.raises(SimulatorError, match="no time zone"):
        still.set(istanbul(10).replace(tzinfo=None))
    assert ExchangeClock(FixedClock(istanbul(9))).now() == istanbul(9)
