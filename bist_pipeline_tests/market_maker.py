"""A SIMULATED market for tests and benchmarks: plausible bars, never real ones.

Belongs here: random bars that look enough like Borsa Istanbul (tick grid, daily price limit, clustered volatility) to
exercise indicators, patterns, storage and benchmarks. Does not belong here: the simulated exchange that speaks Yahoo's
protocol (`bist_pipeline/simulator/`), corporate actions, halts, or any data that a person could take for a price.

The same arguments always give the same bars, and a longer market of the same seed and number of symbols begins with the
shorter one, so that a test can let time pass.
"""

from datetime import date
from itertools import product
from string import ascii_uppercase

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import Bars

FIRST_SESSION = date(2021, 1, 4)

# Lower price bounds and tick sizes of the exchange's equity market, lira.
_TICK_FROM = np.array([0.0, 20.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0])
_TICK_SIZE = np.array([0.01, 0.02, 0.05, 0.10, 0.25, 0.50, 1.00, 2.50])

_DAILY_LIMIT = 0.10  # of the previous close
_PRICE_FLOOR_TRY = 0.10  # below it, one tick is more than the daily limit and a price could never move
_MEAN_LOG_VOLATILITY = np.log(0.022)  # a usual Borsa Istanbul share moves 2 to 3 % a day
_PERSISTENCE = 0.96  # of log volatility from one session to the next: calm and wild weeks
_DRIFT = 0.0006

_Floats = npt.NDArray[np.float64]


def make_bars(symbols: int, sessions: int, seed: int = 7) -> Bars:
    """Return a simulated market of `symbols` × `sessions` final bars on weekdays from 2021-01-04."""
    return Bars.from_frame(make_bar_frame(symbols, sessions, seed))


def make_bar_frame(symbols: int, sessions: int, seed: int = 7) -> pd.DataFrame:
    """Return the same market as a frame with `BAR_COLUMNS`, sorted by symbol and session.

    Symbols are `ZZAAA`, `ZZAAB`, …: well-formed codes that no listed share has. `session_date` is datetime64[us].
    """
    open_, high, low, close, volume = _walk(symbols, sessions, np.random.default_rng(seed))
    days = pd.bdate_range(FIRST_SESSION, periods=sessions).to_numpy().astype("datetime64[us]")
    return pd.DataFrame(
        {
            "symbol": np.repeat(np.array(symbol_codes(symbols), dtype=object), sessions),
            "session_date": np.tile(days, symbols),
            "open_try": open_.ravel(),
            "high_try": high.ravel(),
            "low_try": low.ravel(),
            "close_try": close.ravel(),
            "volume_shares": volume.ravel(),
            "is_final": np.ones(symbols * sessions, dtype=bool),
        }
    )


def symbol_codes(count: int) -> list[str]:
    """Return the first `count` simulated codes, in sorted order."""
    codes = ("ZZ" + "".join(letters) for letters in product(ascii_uppercase, repeat=3))
    return [code for code, _ in zip(codes, range(count), strict=False)]


def _walk(symbols: int, sessions: int, rng: np.random.Generator) -> tuple[_Floats, ...]:
    """Walk all symbols through time; return open, high, low, close, volume of shape (symbols, sessions)."""
    close = _on_tick(np.exp(rng.uniform(np.log(2.0), np.log(300.0), symbols)))
    base_volume = np.exp(rng.normal(14.0, 1.2, symbols))
    log_vol = np.full(symbols, _MEAN_LOG_VOLATILITY)
    shocks = rng.standard_normal((sessions, 7, symbols))
    out = np.empty((5, sessions, symbols))
    for session in range(sessions):
        gap, body, up, down, vol_shock, volume_shock, market = shocks[session]
        log_vol = _MEAN_LOG_VOLATILITY + _PERSISTENCE * (log_vol - _MEAN_LOG_VOLATILITY) + 0.12 * vol_shock
        vol = np.exp(log_vol)
        move = body + 0.6 * (market[0] if symbols else 0.0)  # shares move together
        opened = close * np.exp(0.4 * vol * gap)
        closed = opened * np.exp(_DRIFT + vol * move)
        top = np.maximum(opened, closed) * np.exp(0.5 * vol * np.abs(up))
        bottom = np.minimum(opened, closed) * np.exp(-0.5 * vol * np.abs(down))
        floor, ceiling = _limits(close)
        prices = (np.clip(_on_tick(price), floor, ceiling) for price in (opened, top, bottom, closed))
        out[:4, session] = tuple(prices)
        out[4, session] = np.round(base_volume * np.exp(0.5 * np.abs(move) + 0.45 * volume_shock))
        close = out[3, session]
    return tuple(np.ascontiguousarray(field.T) for field in out)


def _limits(previous_close: _Floats) -> tuple[_Floats, _Floats]:
    """The lowest and highest price of a session: within 10 % of the previous close, on the tick grid."""
    low, high = previous_close * (1 - _DAILY_LIMIT), previous_close * (1 + _DAILY_LIMIT)
    low_tick, high_tick = _tick(low), _tick(high)
    # The tiny shift keeps a limit that already lies on the grid from being moved by one tick through rounding.
    floor = np.round(np.ceil(low / low_tick - 1e-9) * low_tick, 2)
    ceiling = np.round(np.floor(high / high_tick + 1e-9) * high_tick, 2)
    return np.maximum(floor, _PRICE_FLOOR_TRY), np.maximum(ceiling, _PRICE_FLOOR_TRY)


def _on_tick(price: _Floats) -> _Floats:
    tick = _tick(price)
    return np.round(np.round(price / tick) * tick, 2)


def _tick(price: _Floats) -> _Floats:
    return _TICK_SIZE[np.searchsorted(_TICK_FROM, price, side="right") - 1]
