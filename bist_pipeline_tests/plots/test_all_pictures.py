"""What every picture keeps: a whole PNG, small, the same twice, and honest about having nothing to show."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.plots import _canvas as canvas
from bist_pipeline.plots.candlestick_chart import Line, Mark, candlestick_chart
from bist_pipeline.plots.coverage import coverage_bar
from bist_pipeline.plots.scores import score_histogram, top_scores_bar
from bist_pipeline.plots.series import series_chart
from bist_pipeline_tests.plots.pictures import ink, make_bars_of_one, make_signals, pixels

DAYS = pd.bdate_range("2024-01-02", periods=400)
TITLE = "ŞİŞE · Türkiye Şişe ve Cam Fabrikaları A.Ş. ığüöç"


def crowded_chart(sessions: int) -> bytes:
    bars = make_bars_of_one(sessions)
    days, closes = bars["session_date"], bars["close_try"]
    kinds = ("bullish", "bearish", "neutral")
    marks = [Mark(day, f"pattern number {i}", kinds[i % 3]) for i, day in enumerate(days)]
    lines = [Line(f"SMA {n}", days, closes.rolling(n).mean()) for n in (5, 10, 20, 50, 100)]
    return candlestick_chart(bars, title=TITLE, marks=marks, lines=lines)


def many_series(count: int) -> bytes:
    rng = np.random.default_rng(1)
    series = {f"series {i}": rng.normal(i * 10, 3, count) for i in range(6)}
    return series_chart(DAYS[:count], series, title=TITLE, unit="symbols")


STATUSES = {f"status_{i}": 10**i % 977 for i in range(11)}
PICTURES = {
    "candles": lambda: candlestick_chart(make_bars_of_one(80), title=TITLE),
    "candles crowded": lambda: crowded_chart(250),
    "candles of one session": lambda: crowded_chart(1),
    "candles of two hundred": lambda: candlestick_chart(make_bars_of_one(260), title=TITLE, sessions=200),
    "histogram": lambda: score_histogram(make_signals(600), buy=0.2, strong=0.6),
    "histogram of one": lambda: score_histogram(make_signals(1), buy=0.2, strong=0.6),
    "ranking": lambda: top_scores_bar(make_signals(600)),
    "ranking of one": lambda: top_scores_bar(make_signals(1)),
    "coverage": lambda: coverage_bar(STATUSES, title=TITLE, attention=tuple(STATUSES)[3:]),
    "series": lambda: many_series(400),
    "series of one day": lambda: many_series(1),
}
each_picture = pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES.keys())

EMPTY = {
    "candles": lambda: candlestick_chart(make_bars_of_one(5).iloc[:0], title=TITLE),
    "candles without a price": lambda: candlestick_chart(make_bars_of_one(5).assign(close_try=np.nan), title=TITLE),
    "histogram": lambda: score_histogram(make_signals(5).iloc[:0], buy=0.2, strong=0.6),
    "ranking": lambda: top_scores_bar(make_signals(5).iloc[:0]),
    "coverage": lambda: coverage_bar({}, title=TITLE),
    "coverage of nothing": lambda: coverage_bar({"traded": 0}, title=TITLE),
    "series": lambda: series_chart([], {}, title=TITLE),
    "series without a value": lambda: series_chart(DAYS[:3], {"rows": [np.nan] * 3}, title=TITLE),
}


@each_picture
def test_a_picture_is_a_whole_png_and_small(draw):
    png = draw()
    assert ink(png) > 1000
    assert len(png) <= 30_000


@each_picture
def test_the_same_input_gives_the_same_bytes(draw):
    assert draw() == draw()


@pytest.mark.parametrize("draw", EMPTY.values(), ids=EMPTY.keys())
def test_empty_input_gives_the_picture_that_says_no_data(draw):
    below_title = slice(40, 320)
    words, drawn = pixels(canvas.no_data(TITLE))[below_title], pixels(draw())[below_title]
    assert (words < 200).any()
    np.testing.assert_array_equal(drawn < 200, words < 200)


def test_titles_with_dollars_and_turkish_letters_are_drawn_as_written():
    plain, other = (canvas.no_data(title) for title in ("1 $ ve 2 $ ışığı", "1 $ ve 2 $ isigi"))
    assert ink(plain) > 0
    assert plain != other


def test_pictures_do_not_load_pyplot_and_imports_do_not_load_matplotlib():
    code = (
        "import sys\n"
        "from bist_pipeline.plots import candlestick_chart, coverage, markdown, scores, series\n"
        "assert 'matplotlib' not in sys.modules, 'at import'\n"
        "coverage.coverage_bar({'traded': 3})\n"
        "assert 'matplotlib.pyplot' not in sys.modules, 'pyplot'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
