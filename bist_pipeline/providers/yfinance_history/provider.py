"""The fallback provider of history: Yahoo's charts, read by the yfinance library.

Belongs here: the provider, and the declaration by which it is found. Does not belong here: requests
(`_transport.py`), the library (`_library.py`), its frames (`_frames.py`).

It is asked where `yahoo_chart` failed on the way or in reading, never where Yahoo asked for fewer requests: both share
one pace and one circuit, and being of one family it is no second opinion on whether a share exists.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bist_pipeline.core.calendar import ISTANBUL, ORIGIN, OVERRIDES_FILE, load_calendar
from bist_pipeline.core.errors import (
    CircuitOpenError,
    DeadlineError,
    ThrottledError,
    TransientProviderError,
)
from bist_pipeline.core.symbols import normalise_symbol
from bist_pipeline.providers.contract import History, MarketKind, ProviderSpec, Services
from bist_pipeline.providers.pacing.contract import Pacer
from bist_pipeline.providers.yahoo._chart_history import Setting, build_history
from bist_pipeline.providers.yahoo._client import FAMILY, YahooClient
from bist_pipeline.providers.yahoo._errors import nothing_open
from bist_pipeline.providers.yahoo.chart import DELAY, LICENCE, TERMS, version_mark
from bist_pipeline.settings import Settings

if TYPE_CHECKING:
    from bist_pipeline.providers.yfinance_history._library import Fetched
    from bist_pipeline.providers.yfinance_history._transport import PacedSession

NAME = "yfinance"

_WAYS = 2  # `Ticker.history`, then `download`


@dataclass(frozen=True, slots=True)
class YFinanceProvider:
    """Yahoo through the library. Thread-safe: one thread at a time asks, the others wait.

    Attributes:
        settings: Hosts and user agents.
        services: The pacer, without which nothing is asked, and the clock.
        client: Tells what market the hosts are of.
        sleep: Waits between two tries, seconds.
    """

    settings: Settings
    services: Services
    client: YahooClient
    sleep: Callable[[float], None] = time.sleep
    _sessions: list["PacedSession"] = field(default_factory=list, init=False, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The registered name."""
        return NAME

    @property
    def family(self) -> str:
        """Yahoo's, like every other way to it."""
        return FAMILY

    def market_kind(self) -> MarketKind:
        """What kind of market its answers are of: real, or what a simulated exchange says of itself."""
        return self.client.market_kind()

    @property
    def delay(self) -> timedelta:
        """How late Yahoo tells."""
        return DELAY

    def symbols(self) -> Sequence[str] | None:
        """None: only asking tells."""
        return None

    def version(self, symbol: str) -> str:
        """Return a mark made of the clock alone; nothing is asked."""
        normalise_symbol(symbol)
        return version_mark(self.settings, self.services.clock)

    def history(self, symbol: str) -> History:
        """Fetch the whole history: by `Ticker.history`, and where that fails on the way, by `download`.

        Raises:
            UnknownSymbolError: Yahoo itself said so, with status 404 and its own words.
            BadPayloadError: The answer is in another currency or of the future, has no data since the origin, or a
                field that cannot be read.
            PermanentProviderError: Yahoo refused the request.
            ThrottledError: Yahoo asks for fewer requests; none was sent after that.
            CircuitOpenError: Nothing may be asked now, of no host. One open circuit among them never raises it.
            TransientProviderError: Anything else, an empty answer included.
        """
        from bist_pipeline.providers.yfinance_history._frames import read_bars

        note = self.client.note()
        calendar = load_calendar(self.settings.bist_home / OVERRIDES_FILE)
        fetched = self._ask(symbol)
        setting = Setting(NAME, self.services.clock.now(), calendar, DELAY, note)
        history = build_history(fetched.chart, symbol, setting)
        bars = read_bars(fetched.frame, fetched.chart)
        rows = {"host": fetched.host, "rows_told": len(fetched.chart.seconds), "rows_kept": len(bars)}
        return replace(history, bars=bars, recognised={**history.recognised, **rows}, payload=fetched.payload)

    def _ask(self, symbol: str) -> "Fetched":
        from bist_pipeline.providers.yfinance_history._library import ask

        session, hosts = self._session(), len(self.settings.yahoo_hosts)
        end = self.services.clock.now().astimezone(ISTANBUL).date() + timedelta(days=2)
        shut: list[CircuitOpenError] = []
        attempt, turn = 1, 0
        while True:
            try:
                return ask(symbol, session, ORIGIN, end, attempt=attempt, turn=turn)
            except (ThrottledError, DeadlineError):
                raise
            except CircuitOpenError as error:
                # Of one host it costs no way: nothing was sent. The same way is gone to the next host.
                if not error.is_of_one_host:
                    raise
                shut.append(error)
                if len(shut) == hosts:
                    raise nothing_open(shut) from error
            except TransientProviderError:
                if attempt == _WAYS:
                    raise
                shut.clear()
                self.sleep(self._pacer.retry_wait(attempt))
                attempt += 1
            turn += 1

    def _session(self) -> "PacedSession":
        """Return the session of this provider, one for its life: its cookie and its user agent belong together."""
        from bist_pipeline.providers.yfinance_history._transport import PacedSession

        if not self._sessions:
            self._sessions.append(PacedSession(self.settings, self._pacer, self.services.clock))
        return self._sessions[0]

    @property
    def _pacer(self) -> Pacer:
        if self.services.pacer is None:
            raise TransientProviderError(f"{NAME} cannot be asked without a database that keeps the pace")
        return self.services.pacer


def build_yfinance(settings: Settings, services: Services) -> YFinanceProvider:
    """Make the provider; nothing is asked, and the library is not loaded yet."""
    return YFinanceProvider(settings, services, YahooClient(settings, services, NAME))


YFINANCE = ProviderSpec(
    name=NAME,
    terms=TERMS,
    licence=LICENCE,
    delay=DELAY,
    build=build_yfinance,
)
