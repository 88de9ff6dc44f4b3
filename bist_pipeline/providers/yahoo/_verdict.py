"""What an answer means.

Belongs here: telling answers from faults by status, headers and body. Does not belong here: what follows from it
(`_client.py`).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.client import responses
from typing import Generic, TypeVar

from bist_pipeline.core.errors import (
    BadPayloadError,
    PermanentProviderError,
    ProviderError,
    UnknownSymbolError,
)
from bist_pipeline.providers.pacing.contract import Outcome
from bist_pipeline.providers.yahoo._errors import BadBody, BadField, Words, printable, read_words
from bist_pipeline.providers.yahoo._session import Answer

T = TypeVar("T")

LONGEST_RETRY_AFTER = 86_400.0
# 999 is Yahoo's own, for clients that it takes for robots.
_UNAUTHORIZED = frozenset({401, 403, 999})
# It has come with other statuses too, and has been mistaken for a crumb.
_THROTTLED_BODY = b"Too Many Requests"


@dataclass(frozen=True, slots=True)
class Verdict(Generic[T]):
    """What an answer means.

    Attributes:
        outcome: See `Outcome`.
        value: What was read, where the outcome is `answered` and nothing failed.
        failure: What ends the request now: no further try will change it.
        detail: What came, for people.
    """

    outcome: Outcome
    value: T | None = None
    failure: ProviderError | None = None
    detail: str = ""


def judge(
    answer: Answer, read: Callable[[Answer], T], accept: Collection[int], label: str, *, is_secret: bool = False
) -> Verdict[T]:
    """Tell what an answer means.

    Args:
        answer: What came.
        read: Reads the body of an answer with an accepted status; raises `BadBody` where it is not this route's,
            `BadField` where it is and says of its symbol what cannot be.
        accept: The statuses with which this route answers.
        label: Names the request in a failure's message.
        is_secret: Whether the body may hold a crumb or a cookie: then nothing of it is shown.
    """
    shown = _shown(answer, is_secret=is_secret)
    if answer.status == 429 or answer.body.strip() == _THROTTLED_BODY:
        return Verdict("throttled", detail=shown)
    if answer.status in accept:
        return _read(answer, read, label, is_secret=is_secret)
    words = read_words(answer.body)
    said = str(words) if words and not is_secret else shown
    if answer.status in _UNAUTHORIZED:
        return Verdict("unauthorized", detail=said)
    if words and answer.status == 404 and words.says_unknown:
        return Verdict("unknown", failure=UnknownSymbolError(f"{label}: {said}"), detail=said)
    if words and answer.status in {400, 422}:
        return Verdict("refused", failure=_refusal(words, label, said), detail=said)
    return Verdict("server_error" if answer.status >= 500 else "bad_body", detail=shown)


def retry_after(answer: Answer, now: datetime) -> float | None:
    """Return for how many seconds the host asks to be left alone; None where it does not say.

    Args:
        answer: Its header `Retry-After` holds seconds or an HTTP date.
        now: The time at the host, as far as known; its own `Date` is better.
    """
    asked = answer.headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return min(float(asked), LONGEST_RETRY_AFTER)
    until = _http_date(asked)
    if until is None:
        return None
    seconds = (until - (_http_date(answer.headers.get("date", "")) or now)).total_seconds()
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER)


def _read(answer: Answer, read: Callable[[Answer], T], label: str, *, is_secret: bool) -> Verdict[T]:
    try:
        return Verdict("answered", read(answer))
    except BadBody as fault:
        body = "" if is_secret else f": {printable(answer.body)}"
        return Verdict("bad_body", detail=f"{answer.status} {fault}{body}")
    except BadField as fault:
        failure = BadPayloadError(f"{label}: Yahoo's answer cannot be used: {fault}")
        return Verdict("answered", failure=failure, detail=printable(str(failure), limit=160))
    except ProviderError as failure:
        return Verdict("answered", failure=failure, detail=printable(str(failure)))


def _refusal(words: Words, label: str, said: str) -> PermanentProviderError:
    # No delisting: the symbol is valid and has no data in this range.
    if words.says_no_data:
        return BadPayloadError(f"{label}: no bars: {said}")
    return PermanentProviderError(f"{label}: Yahoo refuses it: {said}")


def _shown(answer: Answer, *, is_secret: bool) -> str:
    is_hidden = is_secret and answer.body.strip() != _THROTTLED_BODY
    said = responses.get(answer.status, "") if is_hidden else printable(answer.body)
    return f"{answer.status} {said}".strip()


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.utcoffset() is not None else None
