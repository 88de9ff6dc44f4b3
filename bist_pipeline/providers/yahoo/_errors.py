"""What can be wrong with an answer, and Yahoo's own words for it.

Belongs here: recognising Yahoo's error bodies, and the two failures that only this room knows. Does not belong here:
what is done about a failure (`_client.py`).
"""

import json
from dataclasses import dataclass

from bist_pipeline.core.errors import TransientProviderError

_SHOWN_CHARACTERS = 80
# Yahoo's error bodies have a few hundred bytes; a page that is longer holds none.
_LONGEST_ERROR_BODY = 10_000

# The routes that say of a symbol that there is none. `quoteSummary` answers 404 too, for listed shares of which it has
# no fundamentals: that is no delisting.
_KNOWS_SYMBOLS = frozenset({"chart", "spark"})


class BadBody(Exception):  # noqa: N818 - it never leaves this room, and names what came, not what to do
    """The body is not what this route answers: HTML, cut JSON, another route's JSON. Another host may do better."""


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


def printable(text: str | bytes, *, limit: int = _SHOWN_CHARACTERS) -> str:
    """Return the start of a text as one line that can be shown to a person."""
    if isinstance(text, bytes):
        text = text[: 4 * limit].decode("utf-8", errors="replace")
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= limit else f"{line[:limit]}…"
