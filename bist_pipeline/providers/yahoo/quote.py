"""The session in progress from Yahoo's quotes, a hundred symbols a request.

Belongs here: which requests a refresh takes, and the way round a refused quote route. Does not belong here: cookie and
crumb (`_crumb.py`), reading (`_quote_answer.py`, `_screener.py`).

1. Cookie and crumb, unless held: two requests.
2. The first batch alone: if Yahoo refuses it to a new session too, the screener's pages take its place.
3. The other batches, several at a time.
"""

from collections.abc import Sequence
from urllib.parse import urlencode

from bist_pipeline.core.clock import Clock
from bist_pipeline.core.errors import DeadlineError, ProviderError
from bist_pipeline.providers.contract import LiveAnswer, MarketKind, ProviderSpec, Services
from bist_pipeline.providers.yahoo import _screener
from bist_pipeline.providers.yahoo._batches import Reported, ask_all, cut, joined, one_answer
from bist_pipeline.providers.yahoo._client import Answer, YahooClient
from bist_pipeline.providers.yahoo._crumb import LONGEST_CRUMB, CrumbKeeper
from bist_pipeline.providers.yahoo._errors import UnauthorizedError
from bist_pipeline.providers.yahoo._quote_answer import FIELDS, Told, read_quotes
from bist_pipeline.providers.yahoo._screener import Page
from bist_pipeline.providers.yahoo.chart import DELAY, LICENCE, TERMS
from bist_pipeline.settings import Settings

NAME = "yahoo_quote"
PATH = "/v7/finance/quote"

# What every server and proxy on the way takes.
LONGEST_URL = 2_000


class YahooQuote:
    """Quotes of many symbols. Thread-safe; cookie and crumb live as long as it does."""

    def __init__(self, settings: Settings, client: YahooClient, clock: Clock) -> None:
        self._settings = settings
        self._client = client
        self._clock = clock
        self._crumbs = CrumbKeeper(client, settings)

    @property
    def name(self) -> str:
        """The registered name."""
        return NAME

    def market_kind(self) -> MarketKind:
        """What kind of market the hosts answer for."""
        return self._client.market_kind()

    def quotes(self, symbols: Sequence[str], deadline: float) -> LiveAnswer:
        """Ask for the newest state of many symbols; 92 of them take three requests, one where the crumb is held.

        Args:
            symbols: Normalised codes.
            deadline: `time.monotonic()` by which it must have ended; what is not answered then is `failed`.

        Raises:
            CircuitOpenError: Nothing may be asked now.
            TransientProviderError: There is no crumb to be had, or neither quotes nor the screener take it: another
                route may do better.
        """
        batches = cut(symbols, most=self._settings.collector_batch_size, room=self._room())
        if not batches:
            return one_answer([], bars=True)
        first, *others = batches
        try:
            self._crumbs.ensure(deadline)
        except DeadlineError as error:
            return one_answer([Reported(batch, error=error) for batch in batches], bars=True)
        reports = ask_all(lambda batch: self._ask(batch, deadline), [first], workers=1)
        lost = self._crumbs.failure
        if lost is not None and not isinstance(lost, DeadlineError):
            raise lost
        refusal = reports[0].error
        if isinstance(refusal, UnauthorizedError):
            return self._screen(tuple(dict.fromkeys(symbols)), deadline, refusal)
        workers = self._settings.collector_max_workers
        reports += ask_all(lambda batch: self._ask(batch, deadline), others, workers=workers)
        return one_answer(reports, bars=True)

    def _ask(self, batch: Sequence[str], deadline: float) -> Told:
        self._crumbs.wait(deadline)
        params = self._crumbs.params(symbols=joined(batch), fields=",".join(FIELDS))
        return self._client.send("quote", PATH, params, lambda answer: self._read(answer, batch), deadline=deadline)

    def _read(self, answer: Answer, batch: Sequence[str]) -> Told:
        return read_quotes(answer.body, asked=frozenset(batch), now=self._clock.now())

    def _screen(self, symbols: Sequence[str], deadline: float, refusal: UnauthorizedError) -> LiveAnswer:
        """Ask the screener, which has the shares of the whole exchange, 250 a page.

        Who is not in it is `failed`, not `silent`: it has neither indices nor funds.
        """
        pages: list[Page] = []
        reason = f"not in Yahoo's screener, which was asked because {refusal}"
        try:
            while not pages or (not pages[-1].is_last and len(pages) < _screener.MAX_PAGES):
                pages.append(self._ask_page(sum(page.rows for page in pages), symbols, deadline))
        except ProviderError as error:
            # Pages that came before are good; where none came, the caller is better served by another provider.
            if not pages and not isinstance(error, DeadlineError):
                raise
            reason = f"deadline: {error}" if isinstance(error, DeadlineError) else str(error)
        return _of_pages(pages, symbols, reason)

    def _ask_page(self, offset: int, symbols: Sequence[str], deadline: float) -> Page:
        def read(answer: Answer) -> Page:
            return _screener.read_screener(answer.body, offset=offset, asked=frozenset(symbols), now=self._clock.now())

        params = self._crumbs.params(**_screener.PARAMETERS)
        body = _screener.page_request(offset)
        return self._client.send("screener", _screener.PATH, params, read, deadline=deadline, body=body)

    def _room(self) -> int:
        """How many characters are left for the symbols of one request."""
        rest = urlencode({"symbols": "", "fields": ",".join(FIELDS), "crumb": "/" * LONGEST_CRUMB}, safe=",")
        return LONGEST_URL - max(map(len, self._settings.yahoo_hosts)) - len(PATH) - len(rest) - 1


def _of_pages(pages: Sequence[Page], symbols: Sequence[str], reason: str) -> LiveAnswer:
    told = one_answer([Reported((), told=page.told) for page in pages], bars=True)
    # A share that moved on while the pages were asked may be on two of them: the later one counts.
    quotes = told.quotes.drop_duplicates("symbol", keep="last", ignore_index=True)
    answered = set(quotes["symbol"])
    failed = {symbol: told.failed.get(symbol, reason) for symbol in symbols if symbol not in answered}
    return LiveAnswer(quotes, failed=failed)


def build_quote(settings: Settings, services: Services) -> YahooQuote:
    """Make the provider; nothing is asked yet."""
    return YahooQuote(settings, YahooClient(settings, services, NAME), services.clock)


YAHOO_QUOTE = ProviderSpec(name=NAME, terms=TERMS, licence=LICENCE, delay=DELAY, build_live=build_quote)
