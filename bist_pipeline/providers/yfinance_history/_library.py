"""Every call of the yfinance library.

Belongs here: the two ways it is asked, and keeping it from the habits it has (caches on disk, answers from its memory,
swallowed exceptions). Does not belong here: its requests (`_transport.py`), or what its frame means (`_frames.py`).
This module loads the library: import it inside functions alone. The library keeps one session, one cookie and one
configuration per process, so one thread at a time may ask.
"""

import logging
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import yfinance
from yfinance import cache, data
from yfinance.exceptions import YFException

from bist_pipeline.core.errors import BistError, TransientProviderError
from bist_pipeline.core.symbols import yahoo_symbol
from bist_pipeline.providers.yahoo._chart_answer import Chart
from bist_pipeline.providers.yahoo._errors import printable
from bist_pipeline.providers.yfinance_history._transport import PacedSession

Way = Callable[[str, PacedSession, dict[str, Any]], pd.DataFrame]

_ALONE = threading.Lock()
_QUIET = logging.CRITICAL + 1


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one call delivered.

    Attributes:
        frame: The library's, every row of it.
        chart: The answer it was made of.
        payload: Its bytes.
        host: Base URL that answered.
    """

    frame: pd.DataFrame
    chart: Chart
    payload: bytes
    host: str


class _Remembered:
    """Stands for the library's caches of zones and cookies, which are SQLite files that processes lock against."""

    def __init__(self, answer: str | None) -> None:
        self._answer = answer

    def lookup(self, _key: str) -> Any:
        return self._answer

    def store(self, _key: str, _value: object) -> None:
        return None


def ask(symbol: str, session: PacedSession, first: date, end: date, *, attempt: int, turn: int) -> Fetched:
    """Fetch one symbol's daily bars through the library.

    Args:
        symbol: Normalised code.
        session: Carries its requests.
        first: First day asked for.
        end: The day after the last.
        attempt: 1 asks `Ticker.history`, 2 asks `download`.
        turn: Whose turn it is, counted through the hosts from 0.

    Raises:
        BistError: What the session refused.
        TransientProviderError: The library delivered nothing, for whatever reason of its own: never a delisting.
    """
    way = _by_history if attempt == 1 else _by_download
    options = {"start": first, "end": end, "auto_adjust": False, "actions": True, "repair": False, "keepna": True}
    with _ALONE:
        session.begin(symbol, attempt, turn)
        _prepare(session)
        frame = _call(way, symbol, session, options)
        if session.fault is not None:
            raise session.fault
        if session.chart is None or frame.empty:
            raise TransientProviderError(f"{symbol}: yfinance delivered no prices; this says nothing of the share")
        return Fetched(frame, session.chart, session.payload, session.host)


def _call(way: Way, symbol: str, session: PacedSession, options: dict[str, Any]) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            # The library's own, on pandas 3: nobody here can act on them.
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)
            return way(yahoo_symbol(symbol), session, options)
    except BistError:
        raise
    except (YFException, LookupError, TypeError, ValueError, AttributeError, OSError) as error:
        said = f"{type(error).__name__} {printable(str(error))}"
        raise TransientProviderError(f"{symbol}: yfinance cannot read what Yahoo answered: {said}") from error


def _by_history(ticker: str, session: PacedSession, options: dict[str, Any]) -> pd.DataFrame:
    return yfinance.Ticker(ticker, session=session).history(interval="1d", **options)


def _by_download(ticker: str, session: PacedSession, options: dict[str, Any]) -> pd.DataFrame:
    frame = yfinance.download(
        [ticker],
        interval="1d",
        session=session,
        threads=False,
        progress=False,
        ignore_tz=False,
        multi_level_index=False,
        **options,
    )
    return pd.DataFrame() if frame is None else frame


def _prepare(session: PacedSession) -> None:
    """Set what the library reads per process; other users of it in this process are not expected."""
    yfinance.config.debug.hide_exceptions = False
    yfinance.config.network.retries = 0  # ours are counted and paced
    logging.getLogger("yfinance").setLevel(_QUIET)  # what it logs is raised, or is not so
    # Preset, so that the zone costs no request, and nothing is written into the user's cache.
    zones: Any = cache._TzCacheManager
    zones._tz_cache = _Remembered("Europe/Istanbul")
    cookies: Any = cache._CookieCacheManager
    cookies._Cookie_cache = _Remembered(None)
    data.YfData.cache_get.cache_clear()
    held = data.SingletonMeta._instances.get(data.YfData)
    if session.is_stale:
        session.renew()
        held = None
    if held is None or held._session is not session:
        data.SingletonMeta._instances.pop(data.YfData, None)
        data.YfData(session=session)
