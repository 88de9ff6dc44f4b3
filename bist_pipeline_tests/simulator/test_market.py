"""The invented market: the same again, longer with the same beginning, and within the exchange's rules."""

from datetime import date, timedelta

import numpy as np
import pytest

from bist_pipeline.core.errors import SessionError
from bist_pipeline.simulator.errors import SimulatorError
from bist_pipeline.simulator.events import Delisting, Dividend, Halt, Rename, Rights, Split
from bist_pipeline.simulator.market import invent_market
from bist_pipeline.simulator.ticks import limits
from bist_pipeline_tests.simulator.conftest import EVENTS, FIRST, LAST, TODAY, istanbul

FIELDS = ("open", "high", "low", "close", "volume")


def table(market, symbol, now):
    share = market.share(symbol, now)
    return share.days, *(getattr(share, name) for name in FIELDS)


def assert_same(one, other):
    for left, right in zip(one, other, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.fixture(scope="module")
def long_market():
    return invent_market(symbols=10, first=date(2021, 1, 4), last=date(2026, 10, 30), events=EVENTS)


def test_the_same_seed_gives_the_same_market_and_another_seed_another(market):
    again = invent_market(symbols=10, first=FIRST, last=LAST, events=EVENTS)
    other = invent_market(symbols=10, seed=8, first=FIRST, last=LAST, events=EVENTS)
    for symbol in market.symbols(istanbul(12)):
        assert_same(table(market, symbol, istanbul(12)), table(again, symbol, istanbul(12)))
    assert not np.array_equal(table(market, "ZZAAB", istanbul(12))[4], table(other, "ZZAAB", istanbul(12))[4])


def test_a_longer_market_holds_the_shorter_one(market, long_market):
    for symbol in market.symbols(istanbul(12)):
        short, long = (table(one, symbol, istanbul(12)) for one in (market, long_market))
        held = (long[0] >= np.datetime64(FIRST)) & (long[0] <= np.datetime64(LAST))
        assert_same(short, [column[held] for column in long])


def test_prices_lie_on_the_grid_of_their_day(long_market):
    for symbol in long_market.symbols(istanbul(12)):
        share = long_market.share(symbol, istanbul(12))
        for price, day in zip(share.close.tolist(), share.days.tolist(), strict=True):
            if price >= 250:
                step = 0.25 if price < 500 else 0.5 if price < 1000 else 1.0 if price < 2500 else 2.5
            else:
                step = 0.01 if price < 20 else 0.02 if price < 50 else 0.05 if price < 100 else 0.1
            step = 0.1 if day < date(2023, 11, 6) and price >= 100 else step
            assert abs(price / step - round(price / step)) < 1e-6, (symbol, day, price)


def test_bars_are_ordered_and_no_day_without_an_action_leaves_the_limits(long_market):
    for symbol in long_market.symbols(istanbul(12)):
        share = long_market.share(symbol, istanbul(12))
        assert (share.low <= np.minimum(share.open, share.close)).all()
        assert (share.high >= np.maximum(share.open, share.close)).all()
        acted = {action.day for action in share.actions}
        for row in range(1, len(share.days)):
            if share.days[row].item() not in acted:
                day = share.days[row].item()
                # The base price is yesterday's close on today's grid.
                floor, ceiling = limits(share.close[row - 1 : row] * 1.0, day)
                step = 0.25 if day == date(2023, 11, 6) else 0.0
                assert floor[0] - step <= share.low[row], (symbol, day)
                assert share.high[row] <= ceiling[0] + step, (symbol, day)


def test_an_invented_market_has_actions_halts_and_locked_days_of_its_own():
    market = invent_market(symbols=150, first=date(2023, 8, 7), last=date(2026, 8, 7))
    shares = [market.share(symbol, istanbul(12)) for symbol in market.symbols(istanbul(12))]
    actions = [action for share in shares for action in share.actions]
    assert sum(action.ratio != 1 for action in actions) > 20
    assert any(action.ratio != 1 and not (action.ratio * 6).is_integer() for action in actions)
    assert sum(action.dividend_try > 0 for action in actions) > 100
    assert any((share.volume == 0).any() for share in shares)
    locked = [(share.high == share.low) & (share.volume > 0) for share in shares]
    assert sum(int(days.sum()) for days in locked) > 50
    assert len({share.days[0] for share in shares}) > 1
    assert "ZYAAD" in market.symbols(istanbul(12))
    assert "ZZAAD" not in market.symbols(istanbul(12))


def test_shares_move_together_and_are_not_one(long_market):
    closes = [long_market.share(symbol, istanbul(12)).close[:1000] for symbol in ("ZZAAB", "ZZAAC", "ZZAAI")]
    returns = np.diff(np.log(np.vstack(closes)), axis=1)
    correlations = np.corrcoef(np.clip(returns, -0.11, 0.11))[np.triu_indices(3, 1)]
    assert (correlations > 0.1).all()
    assert (correlations < 0.7).all()


def test_a_symbol_is_known_while_it_is_listed(market):
    before, after = istanbul(18, 30, TODAY - timedelta(days=1)), istanbul(12)
    assert "ZZAAF" in market.symbols(before)
    assert "ZZAAF" not in market.symbols(after)
    assert "ZZAAH" not in market.symbols(before)
    assert "ZZAAH" in market.symbols(after)
    assert {"ZZAAG", "ZYAAG"} & set(market.symbols(before)) == {"ZZAAG"}
    assert {"ZZAAG", "ZYAAG"} & set(market.symbols(after)) == {"ZYAAG"}
    assert len(market.view("ZYAAG", after).close) > 40


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (Split("THYAO", TODAY, 2), "the market has no THYAO"),
        (Split("ZZAAA", date(2026, 8, 8), 2), "does not trade on 2026-08-08"),
        (Split("ZZAAA", TODAY, 0), "above zero"),
        (Rights("ZZAAA", TODAY, -1), "above zero"),
        (Dividend("ZZAAA", TODAY, 0), "above zero"),
        (Dividend("ZZAAA", TODAY, 1e6), "cannot pay"),
        (Halt("ZZAAA", TODAY, date(2026, 8, 4)), "before it begins"),
        (Rename("ZZAAA", "ZZAAB", TODAY), "taken"),
        (Delisting("NOPE", TODAY), "no NOPE"),
    ],
)
def test_an_event_that_cannot_be_shown_is_refused(event, reason):
    with pytest.raises(SimulatorError, match=reason):
        invent_market(symbols=2, first=FIRST, last=LAST, events=(event,))


def test_a_market_without_shares_or_sessions_is_refused():
    with pytest.raises(SimulatorError, match="expected 1 to"):
        invent_market(symbols=0, first=FIRST, last=LAST)
    with pytest.raises(SimulatorError, match="no session between"):
        invent_market(symbols=1, first=date(2026, 8, 8), last=date(2026, 8, 9))
    with pytest.raises(SessionError, match="before 2010-01-04"):
        invent_market(symbols=1, first=date(2009, 1, 1), last=LAST)
