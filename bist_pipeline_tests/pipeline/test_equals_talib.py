"""What is served equals TA-Lib run directly on the served prices."""

import numpy as np
import pytest

from bist_pipeline_tests.archives import simulated_bars
from bist_pipeline_tests.pipeline.sites import contents, run
from bist_pipeline_tests.pipeline.spoiled import one_of_each, spoiled_archive
from bist_pipeline_tests.pipeline.talib_columns import CANDLESTICKS, COLUMNS, Series, candlestick_events

KEYS = ["symbol", "session_date", "is_final"]
PRICES = ("open_try", "high_try", "low_try", "close_try")
# Of 92: liquid and thin ones, young and old ones, those whose history breaks, and the one without volume for weeks.
RECORDED = ("A1CAP", "AKBNK", "CCOLA", "HEKTS", "KCAER", "KONTR", "SASA", "SKBNK", "THYAO", "TUPRS", "ENTRA")


@pytest.fixture(scope="module")
def simulated(sites, tmp_path_factory):
    """A market with every kind of fault, long enough for the longest warm-up."""
    archive = tmp_path_factory.mktemp("simulated") / "archive"
    bars = simulated_bars(symbols=5, sessions=420)
    spoiled_archive(archive, bars, one_of_each(bars))
    context = sites.make(archive)
    run(context, "2021-01-04", "2022-12-30")
    return context


def assert_equals_talib(context, symbol: str) -> int:
    where = f"symbol = '{symbol}'"
    prices = contents(context, "serving.prices_v1", where)
    served = contents(context, "serving.indicators_v1", where)
    assert list(served["session_date"]) == list(prices["session_date"])
    assert set(served.columns) - set(KEYS) == set(COLUMNS)
    for rows, factor in parts(prices["adjustment_factor"].to_numpy()):
        series = Series._make(
            [*(prices[name].to_numpy() * factor for name in PRICES), prices["volume_shares"].to_numpy() / factor]
        )
        for name, ask in COLUMNS.items():
            # Over weeks without volume TA-Lib divides by nothing and answers −∞ (VWMA of SASA): not known, so NULL.
            wanted = np.where(np.isinf(answer := ask(series)), np.nan, answer)
            assert np.isfinite(wanted).any(), f"{name} of {symbol} is never known"
            np.testing.assert_allclose(
                served[name].to_numpy()[rows], wanted[rows], rtol=1e-9, atol=0, err_msg=f"{name} of {symbol}"
            )
        assert_candlesticks_equal(context, where, series, prices["session_date"], rows)
    return len(prices)


def parts(factor):
    """Rows up to the first action that adjusting lacks, as they are; from the last one on, in its shares."""
    changes = np.flatnonzero(np.diff(factor)) + 1
    if not len(changes):
        return [(slice(None), np.ones(len(factor)))]
    return [(slice(0, changes[0]), np.ones(len(factor))), (slice(changes[-1], None), factor)]


def assert_candlesticks_equal(context, where: str, series: Series, days, rows: slice) -> None:
    # A session without a trade (flat, no volume) forms no candle, whatever TA-Lib calls it.
    still = (series.volume == 0) & (series.high == series.low)
    told = candlestick_events(series).items()
    mine = set(range(len(days))[rows])
    wanted = {(days[row], pattern): strength for (row, pattern), strength in told if row in mine and not still[row]}
    assert wanted
    for table in ("analytics.candlestick_patterns", "serving.pattern_events_v1"):
        found = contents(context, table, where)
        of_talib = found["pattern"].isin([name.removeprefix("CDL").lower() for name in CANDLESTICKS])
        found = found[found["session_date"].isin(days[rows]) & of_talib]
        keys = zip(found["session_date"], found["pattern"], strict=True)
        assert dict(zip(keys, found["strength"].astype(int), strict=True)) == wanted
        assert len(found) == len(wanted)


def test_there_are_61_candlestick_functions_and_at_least_40_columns():
    assert len(CANDLESTICKS) == 61
    assert len(COLUMNS) >= 40


@pytest.mark.parametrize("symbol", ["ZZAAA", "ZZAAB", "ZZAAC", "ZZAAD", "ZZAAE"])
def test_indicators_and_candlesticks_equal_talib_on_the_served_prices(simulated, symbol):
    assert assert_equals_talib(simulated, symbol) > 400


@pytest.mark.realdata
@pytest.mark.parametrize("symbol", RECORDED)
def test_recorded_indicators_and_candlesticks_equal_talib_on_the_served_prices(recorded, symbol):
    assert assert_equals_talib(recorded, symbol) > 300
