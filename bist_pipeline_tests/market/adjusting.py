"""A SIMULATED share as traded, and what Yahoo makes of it: the inputs of the tests of undoing.

Belongs here: prices of the grid, adjusting them in single precision. Does not belong here: any expectation.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bist_pipeline.market.splits import ACTION_COLUMNS, TRADED_VALUES, Actions
from bist_pipeline_tests.market.raw_rows import raw_rows

# The newer tick table: highest price below which a tick of so many kuruş holds. Scalar, since a walk takes many.
_KURUS = ((20, 1), (50, 2), (100, 5), (250, 10), (500, 25), (1000, 50), (2500, 100), (float("inf"), 250))

FIRST = pd.Timestamp("2024-01-02")
FETCHED = pd.Timestamp("2026-01-05")


@dataclass
class Share:
    """A share as traded.

    Attributes:
        prices: Open, high, low, close of each session, shape (n, 4).
        volume: Shares.
        splits: Shares after per share before, by row of the ex-date.
        dividends: Lira per share of before, by row of the ex-date.
    """

    prices: np.ndarray
    volume: np.ndarray
    splits: dict[int, float] = field(default_factory=dict)
    dividends: dict[int, float] = field(default_factory=dict)

    @property
    def days(self) -> pd.DatetimeIndex:
        return pd.bdate_range(FIRST, periods=len(self.prices)).as_unit("us")


def simulated_share(sessions, seed=0, start=50.0, splits=None, dividends=None) -> Share:
    """Walk at random on the grid; an action moves the price as it should. A dividend is a share of the close before."""
    random, splits, shares_paid = np.random.default_rng(seed), splits or {}, dividends or {}
    moves = np.clip(random.normal(0, 0.02, (sessions, 2)), -0.09, 0.09).tolist()
    ticks = random.integers(0, 4, (sessions, 2)).tolist()
    rows, paid, close = [], {}, start
    for row in range(sessions):
        if row in shares_paid:
            paid[row] = round(close * shares_paid[row], 4)
        close = max((close - paid.get(row, 0.0)) / splits.get(row, 1.0), 0.05)
        opened, close = (on_grid(close * (1 + move)) for move in moves[row])
        high, low = max(opened, close), min(opened, close)
        high, low = on_grid(high + ticks[row][0] * tick(high)), on_grid(low - ticks[row][1] * tick(low))
        rows.append((opened, high, low, close))
    return Share(np.array(rows), random.integers(1, 10**7, sessions).astype(float), dict(splits), paid)


def tick(price):
    """The tick of a price in kuruş, as lira."""
    return next(kurus for below, kurus in _KURUS if price < below) / 100


def on_grid(price):
    """The nearest price of the grid, at least one kuruş."""
    kurus = round(tick(price) * 100)
    return max(round(price * 100 / kurus) * kurus, 1) / 100


def yahoo(share: Share, *, basis="fully_adjusted", stated=None, undivided=()) -> tuple[pd.DataFrame, Actions]:
    """Adjust as Yahoo does: prices by splits in single precision, then all four by each dividend.

    Args:
        share: As traded.
        basis: Up to where: `split_adjusted` or `fully_adjusted`.
        stated: Amounts that are stated other than those adjusted by, by row.
        undivided: Rows of dividends that are not divided by later splits.
    """
    count = len(share.prices)
    divisor = np.array([np.prod([one for at, one in share.splits.items() if at > row]) for row in range(count)])
    prices = (share.prices / divisor[:, None]).astype(np.float32).astype(np.float64)
    told = {
        row: round(paid / (1.0 if row in undivided else float(divisor[row - 1])), 6)
        for row, paid in share.dividends.items()
    }
    left = np.ones(count)
    for row in sorted(told, reverse=True):
        left[:row] *= 1.0 - told[row] / prices[row - 1, 3]
    if basis == "fully_adjusted":
        close = (prices[:, 3] * left).astype(np.float32).astype(np.float64)
        prices = prices * (close / prices[:, 3])[:, None]
        prices[:, 3] = close
    rows = raw_rows(*({"session_date": str(day)[:10]} for day in share.days)).assign(
        **dict(zip(TRADED_VALUES, prices.T, strict=True)),
        volume_raw=np.rint(share.volume * divisor),
        fetched_at=FETCHED.tz_localize("UTC").as_unit("us"),
    )
    known = [("THYAO", share.days[row], "split", float(str(np.float32(r))), np.nan) for row, r in share.splits.items()]
    known += [
        ("THYAO", share.days[row], "dividend", np.nan, (stated or {}).get(row, amount)) for row, amount in told.items()
    ]
    types = {"symbol": "str", "ex_date": "datetime64[us]", "kind": "str", "ratio": "float64", "amount_try": "float64"}
    frame = pd.DataFrame(known, columns=list(ACTION_COLUMNS)).astype(types)
    basis_column = pd.array([basis] * count, dtype="str")
    return rows.assign(basis=basis_column), Actions(frame, frozenset({"THYAO"}), FETCHED.date())
