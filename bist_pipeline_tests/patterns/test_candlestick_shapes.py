"""Candles drawn by hand from the textbooks: the sign, the session and the trend before.

Belongs here: shapes whose answer a reader can check by eye. Each is put after twenty ordinary candles that fall, rise
or go nowhere, because TA-Lib measures "long" and "short" against the ten before.
"""

from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest

from bist_pipeline.core.bars import Bars
from bist_pipeline.patterns.engine import detect_candlesticks

Candle = tuple[float, float, float, float]
STEP, COUNT = 1.0, 20


def before(direction: int) -> list[Candle]:
    """Candles of body 1 with shadows of 0.3; the last closes at 100."""
    start = 100.0 - direction * STEP * COUNT
    candles = []
    for i in range(COUNT):
        open_ = start + direction * STEP * i
        close = open_ + (direction * STEP or (STEP if i % 2 else -STEP))
        if not direction:
            open_, close = (99.0, 100.0) if i % 2 else (100.0, 99.0)
        candles.append((open_, max(open_, close) + 0.3, min(open_, close) - 0.3, close))
    return candles


def events(candles: list[Candle]) -> dict[str, Any]:
    """Return what the last candle completes, by pattern."""
    days = [pd.Timestamp(date(2024, 1, 1) + timedelta(days=i)) for i in range(len(candles))]
    frame = pd.DataFrame(candles, columns=["open_try", "high_try", "low_try", "close_try"])
    frame = frame.assign(symbol="ZZAAA", session_date=days, volume_shares=1000.0, is_final=True)
    found = detect_candlesticks(Bars.from_frame(frame))
    return {row["pattern"]: row for row in found[found["session_date"] == days[-1]].to_dict("records")}


# name, trend before, candles, strength, direction
SHAPES: list[tuple[str, int, list[Candle], int, str]] = [
    ("hammer", -1, [(99.8, 100.1, 96.0, 100.05)], 100, "bullish"),
    ("hangingman", 1, [(100.8, 101.1, 97.0, 101.05)], -100, "bearish"),
    ("invertedhammer", -1, [(99.2, 103.0, 99.1, 99.4)], 100, "bullish"),
    ("shootingstar", 1, [(101.0, 104.0, 100.8, 100.9)], -100, "bearish"),
    ("engulfing", -1, [(100.0, 100.3, 98.7, 99.0), (98.5, 101.5, 98.3, 101.0)], 100, "bullish"),
    ("engulfing", 1, [(100.0, 101.3, 99.7, 101.0), (101.5, 101.7, 98.5, 99.0)], -100, "bearish"),
    ("harami", -1, [(100.0, 100.2, 94.8, 95.0), (96.0, 96.5, 95.8, 96.3)], 100, "bullish"),
    ("piercing", -1, [(100.0, 100.2, 95.8, 96.0), (95.0, 99.2, 94.8, 99.0)], 100, "bullish"),
    ("darkcloudcover", 1, [(100.0, 104.2, 99.8, 104.0), (105.0, 105.2, 100.8, 101.0)], -100, "bearish"),
    ("morningstar", -1, [(100, 100.2, 95.8, 96), (95.4, 95.6, 95.0, 95.2), (96, 99.7, 95.9, 99.5)], 100, "bullish"),
    (
        "eveningstar",
        1,
        [(100, 104.2, 99.8, 104), (104.6, 105, 104.4, 104.8), (104, 104.1, 100.3, 100.5)],
        -100,
        "bearish",
    ),
    ("3whitesoldiers", -1, [(96, 98.05, 95.9, 98), (97.5, 99.55, 97.4, 99.5), (99, 101.05, 98.9, 101)], 100, "bullish"),
    ("doji", 0, [(100.0, 100.8, 99.2, 100.0)], 100, "neutral"),
    ("marubozu", 0, [(100.0, 104.0, 100.0, 104.0)], 100, "bullish"),
    ("spinningtop", 0, [(100.0, 100.8, 99.0, 99.8)], -100, "neutral"),
]


@pytest.mark.parametrize(("name", "trend", "candles", "strength", "direction"), SHAPES)
def test_a_drawn_shape_is_found_with_its_direction(name, trend, candles, strength, direction):
    event = events([*before(trend), *candles])[name]
    assert event["strength"] == strength
    assert event["direction"] == direction
    assert event["trend_before"] == {-1: "down", 0: "flat", 1: "up"}[trend]


@pytest.mark.parametrize(("trend", "fits"), [(-1, True), (1, False), (0, False)])
def test_a_bullish_engulfing_fits_only_a_fall(trend, fits):
    candles = [(100.0, 100.3, 98.7, 99.0), (98.5, 101.5, 98.3, 101.0)]
    assert events([*before(trend), *candles])["engulfing"]["fits_trend"] == fits


def test_a_shape_without_a_textbook_trend_fits_nothing():
    assert pd.isna(events([*before(-1), (100.0, 100.8, 99.2, 100.0)])["doji"]["fits_trend"])


def test_the_slope_counts_average_bars_a_session():
    # Bars of 1.6 that fall by 1 a session: true range 1.6, slope −1.
    event = events([*before(-1), (99.8, 100.1, 96.0, 100.05)])["hammer"]
    assert event["trend_slope_atr"] == pytest.approx(-1 / 1.6)


def test_a_new_share_has_no_known_trend():
    event = events([*before(-1)[-11:], (99.8, 100.1, 96.0, 100.05)])["hammer"]
    assert pd.isna(event["trend_before"])
    assert pd.isna(event["trend_slope_atr"])
    assert pd.isna(event["fits_trend"])
