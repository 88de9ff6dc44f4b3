"""Checks of the numbers of a bar against what they are said to be: one real case and near misses each.

Real values are quoted from the recordings of 92 shares (adjusted by Yahoo as of 2026-08) where nothing else is said.
"""

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.symbols import symbol_kind
from bist_pipeline.quality import (
    _thresholds,
    bar_range,
    non_finite_numbers,
    number_width,
    off_tick_prices,
    volume_unit_changes,
)
from bist_pipeline.quality._panel import Panel
from bist_pipeline_tests.market.raw_rows import SESSION
from bist_pipeline_tests.quality.inputs import DAYS, bar, given, hits, over, prices, weekdays

NAN = np.nan


def test_an_adjusted_close_of_infinity_is_found():
    # Yahoo on 2001-12-20 and -27 of a share in yfinance #2856.
    flat = dict.fromkeys(("open_raw", "high_raw", "low_raw", "close_raw"), 2.42646) | {"volume_raw": 15000.0}
    days = [
        flat | {"adj_close_raw": value, "session_date": day} for value, day in ((-np.inf, DAYS[0]), (np.inf, DAYS[1]))
    ]
    finding = non_finite_numbers.find(given(*days, {"session_date": DAYS[2]}))
    assert hits(finding) == [("THYAO", DAYS[0]), ("THYAO", DAYS[1])]
    assert "adjusted -inf" in finding.rows["detail"][0]


@pytest.mark.parametrize("change", [{"volume_raw": -1.0}, {"volume_raw": np.inf}, {"low_raw": -np.inf}])
def test_a_volume_below_zero_and_an_infinite_price_are_found(change):
    assert hits(non_finite_numbers.find(given(change))) == [("THYAO", SESSION)]


@pytest.mark.parametrize("change", [{"volume_raw": 0.0}, {"close_raw": NAN}, {"low_raw": -1.0}, {"high_raw": 1e300}])
def test_what_is_missing_wide_or_below_zero_is_another_checks_matter(change):
    assert non_finite_numbers.find(given(change)).passed


@pytest.mark.parametrize(
    ("change", "effect"),
    [
        ({"high_raw": 1_000_000.0}, "none"),
        ({"close_raw": 99_999_999.0}, "none"),
        # GARAN's volume of 2022-12-15 among its prices.
        ({"close_raw": 108_237_762.0}, "doubt"),
        ({"volume_raw": 2.0**53 + 2}, "doubt"),
    ],
)
def test_a_number_too_wide_is_told_and_one_that_can_be_none_is_doubted(change, effect):
    finding = number_width.find(given(change, {"symbol": "AKBNK"}))
    assert hits(finding) == [("THYAO", SESSION)]
    assert finding.rows["effect"].tolist() == [effect]


# The dearest of 92 shares cost 18,203.15 lira, the largest volume was 2,472,258,603 shares.
@pytest.mark.parametrize(
    "change",
    [
        {"high_raw": 999_999.99},
        {"high_raw": 18_203.14621589067, "volume_raw": 2_472_258_603.0},
        {"volume_raw": 2.0**53},
        {"volume_raw": np.inf},
        {"close_raw": np.inf},
    ],
)
def test_numbers_that_fit_and_infinite_ones_are_not_too_wide(change):
    assert number_width.find(given(change)).passed


def one_bar(day, low, high, **change):
    return over([day, day], [{"session_date": day, **prices(high), "low_raw": low} | change])


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(0.9377006, 167.5671, "178.700-fold"), (0.3684325, 4.5206663, "12.270-fold")],
    ids=["MGROS", "ISCTR"],
)
def test_the_two_impossible_lows_of_april_2023_are_withheld(low, high, told):
    finding = bar_range.find(one_bar("2023-04-06", low, high))
    assert finding.rows["effect"].tolist() == ["withhold"]
    assert finding.rows["kind"].tolist() == ["fault"]
    assert told in finding.rows["detail"].item()


@pytest.mark.parametrize(
    ("day", "low", "high", "found"),
    [
        ("2024-01-03", 90.0, 110.0, False),
        ("2024-01-03", 90.0, 110.3, True),
        ("2020-03-12", 80.0, 120.0, False),
        ("2020-03-13", 80.0, 120.0, True),
        ("2020-03-12", 80.0, 120.2, True),
    ],
)
def test_a_bar_from_limit_to_limit_is_possible_by_the_limit_of_its_day_and_one_beyond_is_doubted(day, low, high, found):
    finding = bar_range.find(one_bar(day, low, high))
    assert finding.rows.get("effect", pd.Series()).tolist() == (["doubt"] if found else [])


def test_a_close_outside_high_and_low_widens_a_bar_and_a_price_that_is_none_does_not():
    assert not bar_range.find(one_bar("2024-01-03", 100.0, 101.0, close_raw=150.0)).passed
    assert bar_range.find(one_bar("2024-01-03", 0.0, 101.0)).passed
    assert bar_range.find(one_bar("2024-01-03", NAN, np.inf, close_raw=101.0, open_raw=101.0)).passed


def test_an_index_has_no_limit_and_no_tick():
    assert bar_range.find(one_bar("2024-01-03", 100.0, 150.0, symbol="XU100")).summary.startswith("Nothing to judge")
    assert off_tick_prices.find(given({"symbol": "XU100", "close_raw": 1431.79})).summary.startswith("Nothing to judge")


def test_an_index_is_told_from_a_share_as_everywhere():
    symbols = ["AKBNK", "A1CAP", "MAXIM", "XU100", "XBANK", "X10XB"]
    told = Panel.of(given(*({"symbol": symbol} for symbol in symbols))).is_index
    assert told[:, 0].tolist() == [symbol_kind(symbol) == "index" for symbol in symbols]


# AGROT of March 2024, which nothing adjusted; from 20 lira up, the tick is 0.02.
AGROT = {
    "2024-03-25": (15.33, 16.65, 14.95, 16.19),
    "2024-03-26": (17.80, 17.80, 17.80, 17.80),
    "2024-03-27": (19.58, 19.58, 18.63, 19.58),
    "2024-03-28": (20.00, 20.99, 17.63, 17.63),
    "2024-03-29": (17.63, 19.39, 17.41, 18.29),
    "2024-04-01": (18.30, 19.11, 17.64, 18.87),
}


def recorded_bars(factor=1.0, **change):
    """AGROT's bars, in single precision as Yahoo serves them."""
    names = ("open_raw", "high_raw", "low_raw", "close_raw")
    rows = [
        {"symbol": "AGROT", "session_date": day, **change}
        | {name: float(np.float32(price * factor)) for name, price in zip(names, bar_, strict=True)}
        for day, bar_ in AGROT.items()
    ]
    return over(list(AGROT), rows)


def test_a_price_that_no_order_could_have_had_is_found_alone():
    finding = off_tick_prices.find(recorded_bars())
    assert hits(finding) == [("AGROT", "2024-03-28")]
    assert (
        "0.500 ticks off the grid, as on 17% of the bars around and 16.7% of all: a fault" in finding.rows["detail"][0]
    )


def test_adjusted_prices_that_pass_for_prices_as_traded_are_all_found_and_blamed_on_the_factor():
    finding = off_tick_prices.find(recorded_bars(factor=0.78043))
    assert [day for _, day in hits(finding)] == list(AGROT)
    assert finding.rows["detail"].str.endswith(": wrong basis or factor").all()
    assert finding.counts["whole_symbols"] == 1


def test_prices_that_do_not_pass_for_prices_as_traded_and_the_finer_ticks_of_later_are_not_off_the_grid():
    assert off_tick_prices.find(recorded_bars(0.78043, basis="split_adjusted")).summary.startswith("Nothing to judge")
    assert off_tick_prices.find(over(["2023-11-03"] * 2, [bar("THYAO", "2023-11-03", 250.1)])).passed
    assert not off_tick_prices.find(over(["2023-11-06"] * 2, [bar("THYAO", "2023-11-06", 250.1)])).passed


def test_what_was_undone_is_judged_and_not_what_was_delivered():
    delivered = recorded_bars(0.5, basis="split_adjusted")
    undone = recorded_bars()
    names = {"open": "open_try", "high": "high_try", "low": "low_try", "close": "close_try"}
    bars = undone.raw[[*(f"{name}_raw" for name in names), "volume_raw", "basis"]].set_axis(
        [*names.values(), "volume_shares", "basis"], axis=1
    )
    given_ = over(list(AGROT), [], bars=bars)
    both = type(given_)(delivered.raw, given_.sessions, given_.outcomes, bars=bars)
    assert hits(off_tick_prices.find(both)) == [("AGROT", "2024-03-28")]


UNIT_DAYS = weekdays("2024-01-02", 30)


def volumes(later, *, change_at=12, price_later=10.0, seed=5):
    """Thirty sessions of 50,000 to 200,000 shares; from the twelfth on, the volume is `later` times as high."""
    rng = np.random.default_rng(seed)
    shares = np.exp(rng.uniform(np.log(5e4), np.log(2e5), len(UNIT_DAYS)))
    is_later = np.arange(len(UNIT_DAYS)) >= change_at
    shares, closes = np.where(is_later, shares * later, shares), np.where(is_later, price_later, 10.0)
    return over(
        UNIT_DAYS,
        [bar("THYAO", d, c, volume_raw=v) for d, c, v in zip(UNIT_DAYS, closes.tolist(), shares.tolist(), strict=True)],
    )


@pytest.mark.parametrize("times", [100.0, 0.01, 1000.0, 0.001])
def test_volumes_counted_in_lots_from_a_session_on_are_found_on_that_session(times):
    # Yahoo's volumes of XU100 fell from 1.1e11 to 2.5e9, 44 times, over months: too slowly to be a change of a session.
    finding = volume_unit_changes.find(volumes(times))
    assert hits(finding)[0][0] == "THYAO"
    assert UNIT_DAYS[12] in [day for _, day in hits(finding)]
    assert len(finding.rows) == 1


@pytest.mark.parametrize(
    "given_",
    [
        volumes(20.0),
        # A bonus issue of 10,000 %: a hundred times the shares at a hundredth of the price, and the turnover stays.
        volumes(100.0, price_later=0.1),
        volumes(100.0, change_at=25),
        volumes(1.0),
    ],
    ids=["twenty times", "issue", "not yet lasting", "no change"],
)
def test_volumes_that_rise_less_or_with_a_fall_of_the_price_are_not(given_):
    assert volume_unit_changes.find(given_).passed


def test_one_session_of_a_hundred_times_the_volume_is_not_a_new_unit():
    given_ = volumes(1.0)
    raw = given_.raw.assign(volume_raw=given_.raw["volume_raw"].where(given_.raw.index != 12, 1e7))
    assert volume_unit_changes.find(over(UNIT_DAYS, raw.to_dict("records"))).passed


def test_every_threshold_states_a_number_or_a_table():
    stated = {name: value for name, value in vars(_thresholds).items() if name.isupper()}
    assert len(stated) >= 20
    assert all(isinstance(value, int | float | tuple) for value in stated.values())
