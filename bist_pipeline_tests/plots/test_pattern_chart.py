from dataclasses import replace
from datetime import date
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bist_pipeline.plots import _canvas as canvas
from bist_pipeline.plots._levels import STOP, TARGET
from bist_pipeline.plots._structure import LINES, PIVOT
from bist_pipeline.plots.contact_sheet import contact_sheet
from bist_pipeline.plots.pattern_chart import PatternLine, PatternPicture, pattern_chart
from bist_pipeline_tests.plots.pictures import make_bars_of_one

TITLE = "ŞİŞE · Ters omuz baş omuz ığüöç"
WIDTH, HEIGHT = 640, 380
PRICE_PANEL = (slice(46, 290), slice(13, 579))  # rows and columns of the picture
PRICES = ["open_try", "high_try", "low_try", "close_try"]


def pixels(png: bytes) -> np.ndarray:
    with Image.open(BytesIO(png)) as image:
        assert image.format == "PNG"
        assert image.size == (WIDTH, HEIGHT)
        return np.asarray(image.convert("RGB"))


def coloured(png: bytes, colour: str, tolerance: int = 12) -> np.ndarray:
    """Where the price panel has that colour."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return np.all(np.abs(pixels(png).astype(int) - wanted) <= tolerance, axis=2)[PRICE_PANEL]


def dots(png: bytes) -> list[tuple[float, float]]:
    """(column, row) of the middle of each dot of a turning point, from left to right; thin lines are no dots."""
    black = coloured(png, PIVOT, 40)
    solid = black[:-2, :-2] & black[1:-1, 1:-1] & black[2:, 2:] & black[:-2, 2:] & black[2:, :-2]
    rows, columns = np.nonzero(solid)
    order = np.argsort(columns, kind="stable")
    rows, columns = rows[order], columns[order]
    groups = np.split(np.arange(len(columns)), np.flatnonzero(np.diff(columns) > 3) + 1) if len(columns) else []
    return [(float(columns[g].mean()), float(rows[g].mean())) for g in groups]


def day(bars: pd.DataFrame, row: int) -> date:
    return bars["session_date"].iloc[row].date()


def structure(bars: pd.DataFrame, begin: int, end: int, **changed) -> PatternPicture:
    """A channel of five points from one row to another, known two sessions later and confirmed two after that."""
    rows = np.linspace(begin, end, 5).astype(int).tolist()
    close = bars["close_try"]

    def line(name: str, factor: float) -> PatternLine:
        return PatternLine(name, day(bars, begin), close[begin] * factor, day(bars, end), close[end] * factor)

    usual = {
        "pivots": tuple((day(bars, row), float(close[row])) for row in rows),
        "lines": (line("upper", 1.04), line("lower", 0.96)),
        "direction": "bullish",
        "state": "confirmed",
        "formed_on": day(bars, end + 2),
        "confirmed_on": day(bars, end + 4),
        "target_try": float(close[end]) * 1.1,
        "stop_try": float(close[end]) * 0.94,
        "confidence": 0.71,
    }
    return PatternPicture(**(usual | changed))


def flat_bars(count: int = 60, price: float = 10.0) -> pd.DataFrame:
    """Bars with almost no range, so that all else has the panel for itself; the first spans from half to double."""
    prices = {"open_try": price, "high_try": price * 1.001, "low_try": price * 0.999, "close_try": price}
    days = pd.bdate_range("2024-01-02", periods=count)
    bars = pd.DataFrame({"session_date": days, **prices, "volume_shares": 1000.0})
    bars.loc[0, ["low_try", "high_try"]] = [price / 2, price * 2]
    return bars


def scaled(bars: pd.DataFrame, last_close: float) -> pd.DataFrame:
    factor = last_close / bars["close_try"].iloc[-1]
    return bars.assign(**{name: bars[name] * factor for name in PRICES})


def one_bar(bars: pd.DataFrame) -> PatternPicture:
    """The narrowest range of seven sessions: a pattern of one bar that either break confirms."""
    last, at = bars.iloc[-2], day(bars, len(bars) - 2)
    high, low = float(last["high_try"]), float(last["low_try"])
    lines = (PatternLine("high", at, high, at, high), PatternLine("low", at, low, at, low))
    return PatternPicture(((at, high), (at, low)), lines, "neutral", "forming", at, None, None, None, 0.5)


LONG = make_bars_of_one(600)
BARS = make_bars_of_one(120)
PICTURES = {
    "confirmed": lambda: (BARS, structure(BARS, 60, 100)),
    "forming": lambda: (BARS, structure(BARS, 60, 100, state="forming", confirmed_on=None)),
    "without target": lambda: (BARS, structure(BARS, 60, 100, target_try=None)),
    "without stop": lambda: (BARS, structure(BARS, 60, 100, stop_try=None)),
    "points alone": lambda: (
        BARS,
        structure(
            BARS, 60, 100, lines=(), confirmed_on=None, target_try=None, stop_try=None, confidence=float("nan"),
            state="no pattern",
        ),
    ),
    "ended": lambda: (BARS, structure(BARS, 60, 100, state="target", ended_on=day(BARS, 110))),
    "longer than the usual window": lambda: (LONG, structure(LONG, 300, 550)),
    "longer than any window": lambda: (LONG, structure(LONG, 20, 550)),
    "years ago": lambda: (LONG, structure(LONG, 60, 90)),
    "before the first bar": lambda: (LONG.iloc[300:], structure(LONG, 200, 400)),
    "all before the first bar": lambda: (LONG.iloc[300:], structure(LONG, 100, 200)),
    "after the last bar": lambda: (LONG.iloc[:100], structure(LONG, 200, 220)),
    "a million": lambda: (scaled(BARS, 1e6), structure(scaled(BARS, 1e6), 60, 100)),
    "half a lira": lambda: (scaled(BARS, 0.5), structure(scaled(BARS, 0.5), 60, 100)),
    "one bar": lambda: (BARS, one_bar(BARS)),
    "few bars": lambda: (BARS.iloc[:8], structure(BARS.iloc[:8], 0, 3)),
    "many lines with long names": lambda: (
        BARS,
        structure(BARS, 60, 100, lines=structure(BARS, 60, 100).lines * 3 + (
            PatternLine("a name that is much too long for a legend $", day(BARS, 60), 20.0, day(BARS, 100), 30.0),)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("make", PICTURES.values(), ids=PICTURES.keys())
def test_a_picture_is_a_small_whole_png_the_same_twice_and_leaves_the_bars_as_they_were(make):
    bars, picture = make()
    before = bars.copy(deep=True)
    png = pattern_chart(bars, picture, title=TITLE)
    assert (pixels(png) < 250).any(axis=2).sum() > 2000
    assert len(png) <= canvas.MOST_BYTES
    assert pattern_chart(bars, picture, title=TITLE) == png
    pd.testing.assert_frame_equal(bars, before)


def test_the_order_of_rows_and_rows_without_a_price_do_not_matter():
    picture = structure(BARS, 60, 100)
    empty = BARS.iloc[[50]].assign(session_date=pd.Timestamp("2019-01-01"), close_try=np.nan)
    mixed = pd.concat([empty, BARS.iloc[::-1]], ignore_index=True)
    assert pattern_chart(mixed, picture, title=TITLE) == pattern_chart(BARS, picture, title=TITLE)


@pytest.mark.parametrize("bars", [BARS.iloc[:0], BARS.assign(high_try=np.nan)], ids=["no row", "no price"])
def test_without_a_bar_the_picture_says_no_data(bars):
    assert pattern_chart(bars, structure(BARS, 60, 100), title=TITLE) == canvas.no_data(TITLE)


def test_dollar_signs_and_turkish_letters_are_no_mathematics():
    line = PatternLine("1 $ ve $2^3$ ığ", day(BARS, 60), 30.0, day(BARS, 100), 31.0)
    picture = structure(BARS, 60, 100, lines=(line,))
    titled = {title: pattern_chart(BARS, picture, title=title) for title in ("$x^2$ ŞİŞE", "x2 ŞİŞE")}
    assert len(set(titled.values())) == 2


def test_each_turning_point_is_a_dot_at_its_session_and_price():
    bars = flat_bars()
    points = ((day(bars, 20), 6.0), (day(bars, 35), 18.0), (day(bars, 50), 9.0))
    picture = structure(bars, 20, 50, pivots=points, lines=(), target_try=None, stop_try=None, confirmed_on=None)
    (left, low), (middle, high), (right, between) = dots(pattern_chart(bars, picture, title=TITLE))
    room = 566 / 60.6  # 60 sessions and a little at both ends
    for column, row in ((left, 20), (middle, 35), (right, 50)):
        assert column == pytest.approx((row + 0.8) * room, abs=4)
    assert high < between < low
    assert (low - between) / (low - high) == pytest.approx(0.25, abs=0.03)


def test_closed_days_between_turning_points_leave_no_gap():
    bars = flat_bars()
    holidays = bars.assign(session_date=[*bars["session_date"][:30], *pd.bdate_range("2024-06-03", periods=30)])
    one, other = (
        dots(pattern_chart(frame, structure(frame, 20, 50, lines=()), title=TITLE)) for frame in (bars, holidays)
    )
    assert one == other
    assert len(one) == 5


def legs(png: bytes, colour: str) -> np.ndarray:
    """Row of a line in each column of the price panel; NaN where there is none."""
    seen = coloured(png, colour, 60)
    rows = np.where(seen, np.arange(len(seen))[:, None], np.nan)
    return np.array([np.nan if np.isnan(column).all() else np.nanmean(column) for column in rows.T])


def test_a_line_is_straight_in_the_logarithm_of_the_price():
    bars = flat_bars()
    line = PatternLine("", day(bars, 0), 5.0, day(bars, 59), 20.0)
    picture = structure(bars, 0, 50, lines=(line,), pivots=((day(bars, 0), 10.0),),
                        target_try=20.0, stop_try=5.0, formed_on=day(bars, 59), confirmed_on=day(bars, 59))  # fmt: skip
    rows = legs(pattern_chart(bars, picture, title=TITLE), LINES[0])
    known = np.flatnonzero(~np.isnan(rows))
    first, last = rows[known[0]], rows[known[-1]]
    middle = rows[known[len(known) // 2]]
    # At half the way the price is the geometric mean, 10: a third of the height, not half of it.
    assert (first - middle) / (first - last) == pytest.approx(1 / 3, abs=0.02)


def test_a_line_is_drawn_to_the_break_and_no_further():
    bars = flat_bars()
    at = [day(bars, row) for row in (5, 25)]
    level = (PatternLine("", at[0], 12.0, at[1], 12.0),)

    def end(**changed) -> int:
        picture = structure(bars, 5, 25, lines=level, pivots=((at[0], 9.0), (at[1], 12.0)), target_try=None,
                            stop_try=None, **changed)  # fmt: skip
        return int(np.flatnonzero(coloured(pattern_chart(bars, picture, title=TITLE), LINES[0], 60).any(axis=0))[-1])

    room = 566 / 60.6
    assert end(confirmed_on=day(bars, 40)) == pytest.approx(40.8 * room, abs=8)
    assert end(confirmed_on=None, ended_on=day(bars, 50), state="expired") == pytest.approx(50.8 * room, abs=8)
    assert end(confirmed_on=None) == pytest.approx(59.8 * room, abs=8)


@pytest.mark.parametrize(("field", "colour"), [("target_try", TARGET), ("stop_try", STOP)])
def test_target_and_stop_are_drawn_right_of_the_confirmation_alone(field, colour):
    bars = flat_bars()
    with_both = pattern_chart(bars, structure(bars, 20, 40), title=TITLE)
    without = pattern_chart(bars, replace(structure(bars, 20, 40), **{field: None}), title=TITLE)
    drawn = coloured(with_both, colour, 20)
    assert drawn.sum() > 60
    assert np.nonzero(drawn)[1].min() > 0.6 * drawn.shape[1]
    assert not coloured(without, colour, 20).any()


@pytest.mark.parametrize("prices", [(10.5, 10.49), (10.0, 10.0), (30.0, 29.0), (3.0, 2.0), (40.0, 1.0)])
def test_the_words_of_target_and_stop_never_cover_each_other(prices):
    bars = flat_bars()
    picture = structure(bars, 20, 40, target_try=prices[0], stop_try=prices[1], lines=())
    png = pattern_chart(bars, picture, title=TITLE)
    strip = slice(-70, None)  # where the words stand
    texts = [np.flatnonzero(coloured(png, colour, 20)[:, strip].sum(axis=1) > 2) for colour in (TARGET, STOP)]
    # Words are six pixels high or more; a level that is drawn through none of them adds a row of its own.
    assert all(len(rows) >= 6 for rows in texts)
    assert np.median(texts[0]) < np.median(texts[1]) - 8


def test_a_far_target_does_not_flatten_the_candles():
    near = structure(BARS, 60, 100)
    heights = []
    for target in (near.target_try, 1e5):
        png = pattern_chart(BARS, replace(near, target_try=target), title=TITLE)
        rows = np.nonzero(coloured(png, canvas.DOWN) | coloured(png, canvas.UP))[0]
        heights.append(np.ptp(rows))
    assert heights[1] > 0.5 * heights[0]


@pytest.mark.parametrize(("direction", "colour"), [("bullish", canvas.UP), ("bearish", canvas.DOWN)])
def test_the_marker_stands_below_a_break_upward_and_above_one_downward(direction, colour):
    bars = flat_bars()
    plain = structure(bars, 20, 30, lines=(), direction=direction, target_try=None, stop_try=None, confirmed_on=None)
    marked = replace(plain, confirmed_on=day(bars, 34))
    candles, with_marker = (coloured(pattern_chart(bars, one, title=TITLE), colour, 20) for one in (plain, marked))
    rows, columns = np.nonzero(with_marker & ~candles)
    close = np.median(np.nonzero(coloured(pattern_chart(bars, plain, title=TITLE), canvas.UP, 20)[:, 100:])[0])
    assert columns.mean() == pytest.approx(34.8 * 566 / 60.6, abs=4)
    assert rows.min() > close if direction == "bullish" else rows.max() < close


def test_a_neutral_pattern_takes_the_way_of_its_break():
    points = {"direction": "neutral", "target_try": 12.0, "stop_try": 9.0}
    up = structure(BARS, 60, 100, **points)
    assert up.way == "bullish"
    assert replace(up, target_try=9.0, stop_try=12.0).way == "bearish"
    assert replace(up, target_try=None).way == "neutral"
    assert replace(up, direction="bearish").way == "bearish"


def test_the_whole_structure_is_shown_though_it_is_long_or_long_ago():
    for begin, end in ((60, 90), (300, 550), (500, 590)):
        found = dots(pattern_chart(LONG, structure(LONG, begin, end, lines=()), title=TITLE))
        assert len(found) == 5


def test_a_contact_sheet_holds_every_picture_at_its_place():
    pictures = [pattern_chart(*PICTURES[name](), title=TITLE) for name in ("confirmed", "forming", "ended")]
    with Image.open(BytesIO(contact_sheet(pictures, 2))) as image:
        assert image.size == (2 * WIDTH + 12, 2 * HEIGHT + 12)
        sheet = np.asarray(image.convert("RGB")).astype(int)
    for number, png in enumerate(pictures):
        top, left = number // 2 * (HEIGHT + 12), number % 2 * (WIDTH + 12)
        there = sheet[top : top + HEIGHT, left : left + WIDTH]
        assert np.abs(there - pixels(png)).mean() < 2
    assert (sheet[HEIGHT + 12 :, WIDTH + 12 :] == 255).all()


def test_a_contact_sheet_is_no_wider_than_its_pictures():
    picture = canvas.no_data(TITLE)
    with Image.open(BytesIO(contact_sheet([picture], 4))) as image:
        assert image.size == (640, 320)


def test_a_contact_sheet_of_nothing_says_no_data():
    assert contact_sheet([], 2) == canvas.no_data("Pictures")
