"""What the tests of this room look at: pixels of a PNG, and bars to draw."""

from io import BytesIO

import numpy as np
import pandas as pd
from PIL import Image

from bist_pipeline_tests.market_maker import make_bar_frame


def pixels(png: bytes) -> np.ndarray:
    """The picture as RGB of shape (320, 640, 3); fails on anything that is not a whole PNG of that size."""
    with Image.open(BytesIO(png)) as image:
        assert image.format == "PNG"
        assert image.size == (640, 320)
        image.load()
        return np.asarray(image.convert("RGB"))


def ink(png: bytes) -> int:
    """How many pixels are not white."""
    return int((pixels(png) < 250).any(axis=2).sum())


def coloured(png: bytes, colour: str, tolerance: int = 12) -> np.ndarray:
    """Where the picture has that colour, shape (320, 640)."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return np.all(np.abs(pixels(png).astype(int) - wanted) <= tolerance, axis=2)


def make_bars_of_one(sessions: int) -> pd.DataFrame:
    return make_bar_frame(1, sessions).drop(columns="is_final")


def make_signals(count: int, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    score = np.clip(rng.normal(0.05, 0.35, count), -1, 1)
    action = np.select(
        [score >= 0.6, score >= 0.2, score <= -0.6, score <= -0.2], ["strong_buy", "buy", "strong_sell", "sell"], "hold"
    )
    return pd.DataFrame(
        {
            "symbol": [f"ZZ{i:05d}" for i in range(count)],
            "session_date": pd.Timestamp("2024-01-02"),
            "score": score,
            "action": action,
            "confidence": rng.random(count),
        }
    )
