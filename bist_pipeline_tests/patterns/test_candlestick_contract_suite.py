"""What every candlestick must keep, and that those of TA-Lib give its answers.

Belongs here: properties checked over the whole registry; a new pattern is tested by existing.
"""

import re

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st
from talib.abstract import Function  # pyright: ignore[reportAttributeAccessIssue] - its stub lacks it

from bist_pipeline.core.bars import SymbolBars
from bist_pipeline.patterns.contract import Candlestick
from bist_pipeline.patterns.registry import registered_candlesticks
from bist_pipeline_tests.market_maker import make_bars

SESSIONS = 900
MARKET = {bars.symbol: bars for bars in make_bars(30, SESSIONS, seed=21)}
BARS = next(iter(MARKET.values()))
TALIB_NAMES = talib.get_function_groups()["Pattern Recognition"]


def function_of(part: Candlestick) -> str:
    """TA-Lib's name of a pattern, if it has one."""
    return f"CDL{part.name.upper()}"


EVERY = tuple(registered_candlesticks().values())
OF_TALIB = tuple(part for part in EVERY if function_of(part) in TALIB_NAMES)
every_candlestick = pytest.mark.parametrize("part", EVERY, ids=lambda part: part.name)
every_one_of_talib = pytest.mark.parametrize("part", OF_TALIB, ids=lambda part: part.name)


def run(part: Candlestick, bars: SymbolBars, factor: float = 1.0) -> np.ndarray:
    return part.compute(*(getattr(bars, name) * factor for name in ("open", "high", "low", "close")))


def signs_seen(part: Candlestick) -> set[int]:
    return {int(sign) for bars in MARKET.values() for sign in np.unique(np.sign(run(part, bars)))} - {0}


def test_all_61_functions_of_talib_are_registered():
    assert {function_of(part) for part in OF_TALIB} == set(TALIB_NAMES)
    assert len(OF_TALIB) == 61


def test_the_mapping_is_sorted_and_keyed_by_registered_name():
    assert list(registered_candlesticks()) == sorted(registered_candlesticks())
    assert all(name == part.name for name, part in registered_candlesticks().items())


@every_one_of_talib
def test_answers_are_those_of_talib_with_its_default_parameters(part):
    function = Function(function_of(part))
    for bars in list(MARKET.values())[:5]:
        prices = {name: getattr(bars, name) for name in ("open", "high", "low", "close")}
        np.testing.assert_array_equal(run(part, bars), function(prices))


@every_candlestick
@given(cut=st.integers(0, SESSIONS), symbol=st.sampled_from(sorted(MARKET)))
@settings(max_examples=15, deadline=None)
def test_a_prefix_of_the_bars_gives_a_prefix_of_the_answers(part, cut, symbol):
    bars = MARKET[symbol]
    np.testing.assert_array_equal(run(part, bars)[:cut], run(part, bars.until(cut)))


@every_candlestick
@pytest.mark.parametrize("exponent", [-7, -1, 1, 10])
def test_a_change_of_the_price_unit_changes_nothing(part, exponent):
    """Powers of two scale without rounding; other factors may move a candle that lies exactly on a threshold."""
    np.testing.assert_array_equal(run(part, BARS), run(part, BARS, 2.0**exponent))


@every_candlestick
@pytest.mark.parametrize("length", [0, 1, 2, 3, 5, 10, 14])
def test_a_short_history_gives_as_many_answers_as_bars(part, length):
    answer = run(part, BARS.until(length))
    assert answer.shape == (length,)
    assert answer.dtype.kind == "i"


@every_candlestick
def test_a_share_that_never_moves_shows_at_most_a_doji(part):
    flat = np.full(100, 12.34)
    answer = part.compute(flat, flat, flat, flat)
    assert answer.any() == (part.name == "doji")


@every_candlestick
def test_a_directional_pattern_presumes_something_for_just_the_signs_it_gives(part):
    presuming = {sign for sign, trend in zip((1, -1), part.presumes, strict=True) if trend is not None}
    if not part.directional:
        assert not presuming
    elif presuming:
        assert signs_seen(part) <= presuming


@every_candlestick
def test_only_a_confirmable_pattern_gives_200(part):
    confirmed = any((np.abs(run(part, bars)) == 200).any() for bars in MARKET.values())
    assert confirmed == (part.confirmed_within > 0)


@every_candlestick
def test_a_confirmation_comes_within_the_declared_number_of_bars(part):
    for bars in MARKET.values():
        answer = run(part, bars)
        # TA-Lib reports nothing in its first bars, yet remembers a pattern among them.
        for at in np.flatnonzero(np.abs(answer[14:]) == 200) + 14:
            recent = answer[at - part.confirmed_within : at]
            assert (recent == answer[at] / 2).any()


@every_candlestick
def test_a_pattern_needs_at_least_the_candles_it_spans(part):
    assert 1 <= part.bars <= 5
    if part in OF_TALIB:
        assert Function(function_of(part)).lookback + 1 >= part.bars
    for bars in MARKET.values():
        found = np.flatnonzero(run(part, bars))
        assert not len(found) or found[0] >= part.bars - 1


@every_candlestick
def test_a_pattern_says_what_it_is_and_claims_nothing(part):
    assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", part.name)
    assert part.title
    assert "said to" in part.meaning
    assert part.meaning.endswith(".")
    assert part.version >= 1
    assert part.source
    assert part not in OF_TALIB or function_of(part) in part.source


def test_penetrations_are_stated_and_are_talibs_own():
    stated = {
        part.name: part.compute.keywords["penetration"]  # pyright: ignore[reportFunctionMemberAccess]
        for part in OF_TALIB
        if part.compute.keywords  # pyright: ignore[reportFunctionMemberAccess]
    }
    defaults = {
        name.removeprefix("CDL").lower(): Function(name).parameters["penetration"]
        for name in TALIB_NAMES
        if Function(name).parameters
    }
    assert stated == defaults
    assert len(stated) == 7
