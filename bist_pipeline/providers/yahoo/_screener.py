"""Yahoo's screener: pages of 250 quotes of the whole exchange.

Belongs here: what a page is asked with and how it is read. Does not belong here: when it is asked (`quote.py`, where
the quote route refuses us).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bist_pipeline.providers.yahoo._errors import BadBody
from bist_pipeline.providers.yahoo._quote_answer import CURRENCY, Told, load, number, result_rows, tell

PATH = "/v1/finance/screener"
PARAMETERS = {"formatted": "false", "lang": "en-US", "region": "US", "corsDomain": "finance.yahoo.com"}

# Yahoo's limit.
PAGE_ROWS = 250

# More shares than Borsa Istanbul may list in years; a page that never ends must end.
MAX_PAGES = 6


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the screener.

    Attributes:
        offset: Its first row's place among those of all pages.
        told: Its quotes.
        rows: How many rows it has, of symbols that were not asked for too.
        total: How many rows all pages have together, as Yahoo says.
    """

    offset: int
    told: Told
    rows: int
    total: int

    @property
    def is_last(self) -> bool:
        """Whether nothing follows it."""
        return self.rows == 0 or self.offset + self.rows >= self.total


def page_request(offset: int) -> Mapping[str, Any]:
    """Return the body that asks for the page from row `offset` on.

    Sorted by code: sorted by anything that moves, a share could pass from one page to the other between two requests.
    """
    return {
        "offset": offset,
        "size": PAGE_ROWS,
        "sortField": "ticker",
        "sortType": "ASC",
        "quoteType": "EQUITY",
        "query": {"operator": "AND", "operands": [_equals("region", "tr"), _equals("exchange", "IST")]},
        "userId": "",
        "userIdType": "guid",
    }


def read_screener(
    body: bytes,
    *,
    offset: int = 0,
    asked: Collection[str] | None = None,
    currency: str | None = CURRENCY,
    now: datetime | None = None,
) -> Page:
    """Read the page from row `offset` on; the other arguments are those of `read_quotes`.

    Raises:
        BadBody: It is no page of the screener.
    """
    results = result_rows(load(body), "finance")
    quotes = results[0].get("quotes") if results else None
    if not isinstance(quotes, list) or not all(isinstance(row, dict) for row in quotes):
        raise BadBody("no list of quotes in the screener's answer")
    total = number(results[0].get("total"))
    if not total >= 0:
        raise BadBody("the screener does not say how many rows there are")
    return Page(offset, tell(quotes, body, asked=asked, currency=currency, now=now), len(quotes), int(total))


def _equals(field: str, value: str) -> Mapping[str, Any]:
    return {"operator": "EQ", "operands": [field, value]}
