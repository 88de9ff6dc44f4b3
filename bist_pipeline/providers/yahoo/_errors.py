"""What can be wrong with an answer, and Yahoo's own words for it.

Belongs here: recognising Yahoo's error bodies, what of a body may be shown, and the failures that only this room knows.
Does not belong here: what is done about a failure (`_client.py`).
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bist_pipeline.core.errors import CircuitOpenError, TransientProviderError

_SHOWN_CHARACTERS = 80
# Yahoo's error bodies have a few hundred bytes; a page that is longer holds none.
_LONGEST_ERROR_BODY = 10_000

# The routes that say of a symbol that there is none. `quoteSummary` answers 404 too, for listed shares of which it has
# no fundamentals: that is no delisting.
_KNOWS_SYMBOLS = frozenset({"chart", "spark"})

# Error pages of proxies repeat the address that was asked, and with it the crumb.
_CRUMB_SHOWN = re.compile(r"""(crumb(?:=|%3D|\\?["']\s*:\s*\\?["']))[^&\s"'<>\\]+""", re.IGNORECASE)


class BadBody(Exception):  # noqa: N818 - it never leaves this room, and names what came, not what to do
    """The body is not what this route answers: HTML, cut JSON, another route's JSON. Another host may do better."""


class BadField(Exception):  # noqa: N818 - likewise
    """The answer is whole and this route's, but not what it says of its symbol: that symbol's fault, not the host's."""


class UnauthorizedError(TransientProviderError):
    """Yahoo refused the session, a renewed one included (401, 403, 999).

    Attributes:
        words: What Yahoo said: `Invalid Crumb`, `User is unable to access this feature`.
    """

    def __init__(self, message: str, words: str) -> None:
        super().__init__(message)
        self.words = words


@dataclass(frozen=True, slots=True)
class Words:
    """An error as Yahoo states it.

    Attributes:
        route: The body's only key: chart, spark, finance, quoteResponse, quoteSummary.
        code: `Not Found`.
        description: `No data found, symbol may be delisted`.
    """

    route: str
    code: str
    description: str

    @property
    def says_unknown(self) -> bool:
        """Whether it says that there is no such symbol; a page of another server with status 404 never does."""
        return self.route in _KNOWS_SYMBOLS and self.code == "Not Found"

    @property
    def says_no_data(self) -> bool:
        """Whether the symbol exists and merely has no data in the range asked for."""
        return self.route in _KNOWS_SYMBOLS and self.description.startswith("Data doesn't exist")

    def __str__(self) -> str:
        return printable(f"{self.code}: {self.description}", limit=200)


def read_words(body: bytes) -> Words | None:
    """Return the error that a body states; None where it is no error body of Yahoo's."""
    if len(body) > _LONGEST_ERROR_BODY:
        return None
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(read, dict) or len(read) != 1:
        return None
    route, answer = next(iter(read.items()))
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return None
    return Words(str(route), str(error.get("code") or ""), str(error.get("description") or ""))


def nothing_open(shut: Sequence[CircuitOpenError], *, is_of_one_host: bool = False) -> CircuitOpenError:
    """Make one error of the open circuits of all hosts that could be asked: until the first of them lets one through.

    Args:
        shut: At least one.
        is_of_one_host: Whether the family has other hosts, for other routes.
    """
    by_time = sorted(shut, key=lambda error: error.until)
    told = "; ".join(dict.fromkeys(map(str, by_time)))
    return CircuitOpenError(told, by_time[0].until, is_of_one_host=is_of_one_host)


def printable(text: str | bytes, *, limit: int = _SHOWN_CHARACTERS) -> str:
    """Return the start of a text as one line that can be shown to a person, without a crumb that it may repeat."""
    if isinstance(text, bytes):
        text = text[: 4 * limit].decode("utf-8", errors="replace")
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    line = _CRUMB_SHOWN.sub(r"\1…", line)
    return line if len(line) <= limit else f"{line[:limit]}…"
