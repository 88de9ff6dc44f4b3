import numpy as np
import pandas as pd
import pytest

from bist_pipeline.plots import _canvas as canvas
from bist_pipeline.plots.candlestick_chart import Line, Mark, candlestick_chart
from bist_pipeline_tests.plots.pictures import coloured, make_bars_of_one, pixels

TITLE = "ZZAAA"
PRICE_PANEL = (slice(55, 224), slice(12, 580))  # rows and columns of the picture


def make_bars(*closes: float, start: float = 10.0) -> pd.DataFrame:
    """Each bar opens at the close before; highs and lows a little beyond."""
    opens = np.array([start, *closes[:-1]])
    ends = np.array(closes)
    return pd.DataFrame(
        {
            "session_date": pd.bdate_range("2024-01-02", periods=len(closes)),
            "open_try": opens,
            "high_try": np.maximum(opens, ends) + 0.1,
            "low_try": np.minimum(opens, ends) - 0.1,
            "close_try": ends,
            "volume_shares": np.full(len(closes), 1000.0),
        }
    )


def test_falls_are_filled_and_rises_hollow():
    rise = candlestick_chart(make_bars(11.0), title=TITLE)
    fall = candlestick_chart(make_bars(9.0), title=TITLE)
    blue, vermilion = coloured(rise, canvas.UP)[PRICE_PANEL].sum(), coloured(fall, canvas.DOWN)[PRICE_PANEL].sum()
    assert not coloured(rise, canvas.DOWN)[PRICE_PANEL].any()
    assert not coloured(fall, canvas.UP)[PRICE_PANEL].any()
    assert vermilion > 3 * blue > 0


def test_only_the_last_sessions_are_shown():
    bars = make_bars_of_one(90)
    assert candlestick_chart(bars, title=TITLE) == candlestick_chart(bars.iloc[30:], title=TITLE)
    assert candlestick_chart(bars, title=TITLE, sessions=40) == candlestick_chart(bars.iloc[50:], title=TITLE)


def test_the_order_of_rows_does_not_matter():
    bars = make_bars_of_one(30)
    assert candlestick_chart(bars.iloc[::-1], title=TITLE) == candlestick_chart(bars, title=TITLE)


def test_closed_days_leave_no_gap():
    weekdays, with_holidays = make_bars_of_one(60), make_bars_of_one(60)
    with_holidays["session_date"] = pd.bdate_range("2021-01-04", periods=90)[::3][:30].union(
        pd.bdate_range("2021-06-07", periods=30)
    )
    one, other = (pixels(candlestick_chart(bars, title=TITLE)) for bars in (weekdays, with_holidays))
    candles = [(p != 255).any(axis=2) & (np.ptp(p.astype(int), axis=2) > 60) for p in (one, other)]
    np.testing.assert_array_equal(candles[0][PRICE_PANEL], candles[1][PRICE_PANEL])


def test_a_forming_bar_is_pale():
    bars = make_bars(9.0)
    final, forming = (candlestick_chart(bars.assign(is_final=is_final), title=TITLE) for is_final in (True, False))
    assert coloured(final, canvas.DOWN)[PRICE_PANEL].any()
    assert not coloured(forming, canvas.DOWN)[PRICE_PANEL].any()


def marked(*marks: Mark) -> np.ndarray:
    bars = make_bars(*np.linspace(10.1, 12, 40))
    return coloured(candlestick_chart(bars, title=TITLE, marks=marks), canvas.DOWN)


def test_a_bearish_mark_stands_above_its_candle():
    day = make_bars(*np.linspace(10.1, 12, 40))["session_date"].iloc[20]
    assert not marked()[PRICE_PANEL].any()
    rows, columns = np.nonzero(marked(Mark(day, "engulfing", "bearish"))[PRICE_PANEL])
    # The 21st of 40 candles; the price rises from the lower left to the upper right.
    assert 200 < columns.mean() < 380
    assert rows.max() < 100


@pytest.mark.parametrize("day", ["2023-12-01", "2024-01-06", "2030-01-01"])
def test_a_mark_of_a_session_that_is_not_shown_is_left_out(day):
    assert not marked(Mark(pd.Timestamp(day), "engulfing", "bearish"))[PRICE_PANEL].any()


def test_marks_of_one_candle_and_side_share_a_line():
    day = make_bars_of_one(40)["session_date"].iloc[20]
    bars = make_bars_of_one(40)

    def draw(*texts: str) -> bytes:
        return candlestick_chart(bars, title=TITLE, marks=[Mark(day, text, "bullish") for text in texts])

    assert draw("hammer", "harami") == draw("hammer, harami")
    assert draw("hammer", "hammer") == draw("hammer")


def test_a_line_runs_between_its_ends_and_may_begin_before_the_picture():
    bars = make_bars(*np.full(100, 10.0))
    days = bars["session_date"]
    ends = Line("", [days.iloc[20], days.iloc[99]], [10.0, 10.0])
    whole = Line("", days, np.full(100, 10.0))
    assert candlestick_chart(bars, title=TITLE, lines=[ends]) == candlestick_chart(bars, title=TITLE, lines=[whole])
    row = coloured(candlestick_chart(bars, title=TITLE, lines=[ends]), canvas.LINE_COLOURS[0], 40)[PRICE_PANEL]
    assert row.any(axis=0).mean() > 0.2


def test_points_of_a_line_outside_the_bars_are_left_out():
    bars = make_bars_of_one(30)
    inside = Line("a", bars["session_date"], bars["close_try"])
    later = [*bars["session_date"], pd.Timestamp("2035-01-01")]
    outside = Line("a", later, [*bars["close_try"], 1e6])
    assert candlestick_chart(bars, title=TITLE, lines=[inside]) == candlestick_chart(bars, title=TITLE, lines=[outside])


def test_a_far_line_does_not_flatten_the_candles():
    bars = make_bars(*np.linspace(9.0, 8.0, 30))
    far = Line("", bars["session_date"], np.full(30, 500.0))
    heights = []
    for lines in ((), (far,)):
        rows = np.nonzero(coloured(candlestick_chart(bars, title=TITLE, lines=lines), canvas.DOWN)[PRICE_PANEL])[0]
        heights.append(np.ptp(rows))
    assert heights[1] > 0.6 * heights[0]


@pytest.mark.parametrize("price", [0.01, 12.34, 987_654.5])
def test_a_price_that_never_moves_can_be_drawn(price):
    bars = make_bars_of_one(20).assign(**dict.fromkeys(("open_try", "high_try", "low_try", "close_try"), price))
    pixels(candlestick_chart(bars.assign(volume_shares=0.0), title=TITLE))
