"""The last prices of the session in progress from Yahoo's spark, twenty symbols a request, without cookie or crumb.

Belongs here: which requests a refresh takes. Does not belong here: reading (`_spark_answer.py`).
"""

from collections.abc import Sequence

from bist_pipeline.core.clock import Clock
from bist_pipeline.core.errors import UnknownSymbolError
from bist_pipeline.providers.contract import LiveAnswer, MarketKind, ProviderSpec, Services
from bist_pipeline.providers.yahoo._batches import ask_all, cut, joined, one_answer
from bist_pipeline.providers.yahoo._client import Answer, YahooClient
from bist_pipeline.providers.yahoo._quote_answer import Told, empty_quotes
from bist_pipeline.providers.yahoo._spark_answer import read_spark
from bist_pipeline.providers.yahoo.chart import DELAY, LICENCE, TERMS
from bist_pipeline.settings import Settings

NAME = "yahoo_spark"
PATH = "/v7/finance/spark"

# Yahoo refuses more.
MOST_SYMBOLS = 20
_LONGEST_LIST = 1_000


class YahooSpark:
    """Last prices of many symbols: no open, high or low, and thus no bar. Thread-safe."""

    def __init__(self, settings: Settings, client: YahooClient, clock: Clock) -> None:
        self._settings = settings
        self._client = client
        self._clock = clock

    @property
    def name(self) -> str:
        """The registered name."""
        return NAME

    def market_kind(self) -> MarketKind:
        """What kind of market the hosts answer for."""
        return self._client.market_kind()

    def quotes(self, symbols: Sequence[str], deadline: float) -> LiveAnswer:
        """Ask for the last prices of many symbols; 92 of them take five requests.

        Args:
            symbols: Normalised codes.
            deadline: `time.monotonic()` by which it must have ended; what is not answered then is `failed`.

        Raises:
            CircuitOpenError: Nothing may be asked now.
        """
        batches = cut(symbols, most=MOST_SYMBOLS, room=_LONGEST_LIST)
        workers = self._settings.collector_max_workers
        reports = ask_all(lambda batch: self._ask(batch, deadline), batches, workers=workers)
        return one_answer(reports, bars=False)

    def _ask(self, batch: Sequence[str], deadline: float) -> Told:
        def read(answer: Answer) -> Told:
            return read_spark(answer.body, asked=frozenset(batch), now=self._clock.now())

        params = {"symbols": joined(batch), "range": "1d", "interval": "5m"}
        try:
            return self._client.send("spark", PATH, params, read, deadline=deadline)
        except UnknownSymbolError:
            # Yahoo says it of the whole list. Of a single symbol that is an answer; of twenty it is hard to believe.
            if len(batch) > 1:
                raise
            return Told(empty_quotes(), {})


def build_spark(settings: Settings, services: Services) -> YahooSpark:
    """Make the provider; nothing is asked yet."""
    return YahooSpark(settings, YahooClient(settings, services, NAME), services.clock)


YAHOO_SPARK = ProviderSpec(name=NAME, terms=TERMS, licence=LICENCE, delay=DELAY, build_live=build_spark)
