"""INVENTED bars for tests of chart patterns: a rough market, a driftless walk, and real or simulated bars resampled.

Belongs here: making bars from random numbers. The same arguments always give the same bars. Does not belong here: what
is asked of them (`test_chart_contract_suite.py`, `noise/`), nor drawings of single patterns (`drawing.py`).
"""

import numpy as np
import pandas as pd

from bist_pipeline.core.bars import Bars
from bist_pipeline_tests.patterns.drawing import Drawing

FIRST_DAY = np.datetime64("2021-01-04")
STEPS_A_DAY = 24
DAILY_SIGMA = 0.025  # a usual Borsa Istanbul share moves 2 to 3 % a day
OVERNIGHT_SHARE = 0.2  # of the day's variance
BLOCK_SESSIONS = 20
_PRICES = ("open_try", "high_try", "low_try", "close_try")


def rough_bars(symbols: int, sessions: int, seed: int, *, ticked: bool = False) -> Bars:
    """Make a market with everything that is hard: calm and wild weeks, trends, limit-locked days, days without a trade.

    Three of a hundred sessions of a symbol are missing, three have one price alone at the limit, three no trade.

    Args:
        symbols: How many.
        sessions: Weekdays from 2021-01-04.
        seed: Of the random numbers.
        ticked: Whether prices are rounded to 0.01 lira, so that many of them are equal.
    """
    rng = np.random.default_rng(seed)
    frames = []
    for number in range(symbols):
        log_sigma = np.log(0.022) + _autoregressive(rng.normal(0.0, 0.2, sessions), 0.95)
        trend = np.repeat(rng.normal(0.0, 0.008, sessions // 40 + 1), 40)[:sessions]
        logs = _walk(rng, np.exp(log_sigma), trend)
        volume = np.exp(13.0 + _autoregressive(rng.normal(0.0, 0.4, sessions), 0.6))
        bars = _with_odd_days(rng, logs, volume)
        days = np.busday_offset(FIRST_DAY, np.arange(sessions))
        here = rng.random(sessions) >= 0.03
        here[0] = True
        frames.append(_frame(f"R{number:03d}", days[here], bars[here], ticked=ticked))
    return Bars.from_frame(pd.concat(frames, ignore_index=True))


def driftless_bars(symbols: int, sessions: int, seed: int) -> Bars:
    """Make geometric Brownian series: independent normal steps without drift in the logarithm, the same sigma always.

    A day is a gap and 24 steps; open, high, low and close are those of the path. Volume is independent of the prices.
    """
    rng = np.random.default_rng(seed)
    days = np.busday_offset(FIRST_DAY, np.arange(sessions))
    sigma, trend = np.full(sessions, DAILY_SIGMA), np.zeros(sessions)
    return Bars.from_frame(
        pd.concat(
            [
                _frame(
                    f"G{number:03d}",
                    days,
                    np.column_stack([_walk(rng, sigma, trend), np.exp(rng.normal(13.0, 0.5, sessions))]),
                )
                for number in range(symbols)
            ],
            ignore_index=True,
        )
    )


def resampled_bars(bars: Bars, seed: int) -> Bars:
    """Lay blocks of whole bars of each symbol one after the other (stationary bootstrap, Politis & Romano 1994).

    Blocks have a geometric length of 20 sessions in the mean, and wrap around at the end. A bar keeps its open, high,
    low and close relative to the close before it, and its volume relative to the mean of the 20 bars before it. So a
    session and the weeks around it are as they were, drift and volatility too, and what takes longer is chance.
    """
    rng = np.random.default_rng(seed)
    frames = []
    for one in bars:
        if len(one) <= 2 * BLOCK_SESSIONS:
            continue
        logs = np.log(np.column_stack([one.open, one.high, one.low, one.close]))
        relative = logs[1:] - logs[:-1, 3:]
        usual = pd.Series(one.volume).rolling(BLOCK_SESSIONS).mean().to_numpy()[BLOCK_SESSIONS - 1 : -1]
        busy = one.volume[BLOCK_SESSIONS:] / np.where(usual > 0, usual, 1.0)
        relative = relative[BLOCK_SESSIONS - 1 :]
        drawn = _blocks(rng, len(relative))
        before = logs[0, 3] + np.concatenate([[0.0], np.cumsum(relative[drawn, 3])[:-1]])
        fresh = np.column_stack([before[:, None] + relative[drawn], 1e6 * busy[drawn]])
        frames.append(_frame(one.symbol, one.session_date[-len(fresh) :], fresh))
    return Bars.from_frame(pd.concat(frames, ignore_index=True))


def continued(name: str, drawing: Drawing, sessions: int, seed: int) -> pd.DataFrame:
    """Let a drawing go on at random, so that what it shows can also end."""
    rng = np.random.default_rng(seed)
    drawn = drawing.bars().frame
    logs = _walk(rng, np.full(sessions, 0.02), np.zeros(sessions)) + np.log(drawn["close_try"].iloc[-1])
    days = np.busday_offset(
        drawn["session_date"].iloc[-1].to_datetime64().astype("datetime64[D]"), np.arange(sessions) + 1
    )
    after = _frame(name, days, np.column_stack([logs, np.full(sessions, 1e6)]))
    return pd.concat([drawn.assign(symbol=name), after], ignore_index=True)


def _walk(rng: np.random.Generator, sigma: np.ndarray, trend: np.ndarray) -> np.ndarray:
    """Logarithms of open, high, low and close of a walk through the day, shape (n, 4), from 0."""
    share = np.concatenate([[OVERNIGHT_SHARE], np.full(STEPS_A_DAY, (1 - OVERNIGHT_SHARE) / STEPS_A_DAY)])
    steps = (
        rng.standard_normal((len(sigma), STEPS_A_DAY + 1)) * np.sqrt(share) * sigma[:, None] + trend[:, None] * share
    )
    path = np.cumsum(steps, axis=1)
    closes = np.cumsum(path[:, -1])
    path += (closes - path[:, -1])[:, None]
    return np.column_stack([path[:, 0], path.max(axis=1), path.min(axis=1), path[:, -1]])


def _with_odd_days(rng: np.random.Generator, logs: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """Put in days locked at the limit and days without a trade; shape (n, 5), the last column being the volume."""
    relative = logs - np.concatenate([[logs[0, 3]], logs[:-1, 3]])[:, None]
    kind = rng.random(len(logs))
    locked, untraded = kind < 0.03, kind > 0.97
    relative[locked] = np.log(np.where(rng.random(locked.sum()) < 0.5, 1.1, 0.9))[:, None]
    relative[untraded] = 0.0
    closes = np.cumsum(relative[:, 3])
    return np.column_stack([relative + (closes - relative[:, 3])[:, None], np.where(untraded, 0.0, volume)])


def _autoregressive(shocks: np.ndarray, persistence: float) -> np.ndarray:
    answer = np.zeros(len(shocks))
    for t in range(1, len(shocks)):
        answer[t] = persistence * answer[t - 1] + shocks[t]
    return answer


def _blocks(rng: np.random.Generator, n: int) -> np.ndarray:
    """Positions of the stationary bootstrap: a new block begins with a chance of one in twenty."""
    begins = rng.random(n) < 1 / BLOCK_SESSIONS
    begins[0] = True
    starts = np.flatnonzero(begins)
    lengths = np.diff(np.append(starts, n))
    return (np.repeat(rng.integers(0, n, len(starts)) - starts, lengths) + np.arange(n)) % n


def _frame(symbol: str, days: np.ndarray, bars: np.ndarray, *, ticked: bool = False) -> pd.DataFrame:
    """Bars in lira from logarithms of prices over 10 lira, and volumes, shape (n, 5)."""
    prices = 10.0 * np.exp(bars[:, :4])
    if ticked:
        prices = np.maximum(np.round(prices, 2), 0.01)
    return pd.DataFrame(prices, columns=list(_PRICES)).assign(
        symbol=symbol,
        session_date=days.astype("datetime64[us]"),
        volume_shares=np.round(bars[:, 4]),
        is_final=True,
    )
