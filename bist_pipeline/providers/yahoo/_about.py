"""What an exchange says of itself that is not Yahoo.

Belongs here: reading the note at `/simulator`. Does not belong here: asking for it (`_client.py`).
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import get_args

from bist_pipeline.core.errors import TransientProviderError
from bist_pipeline.providers.contract import Basis, MarketKind
from bist_pipeline.providers.yahoo._errors import printable
from bist_pipeline.providers.yahoo._session import Answer

PATH = "/simulator"


@dataclass(frozen=True, slots=True)
class Note:
    """A simulated exchange's note on itself.

    Attributes:
        kind: simulated (invented) or replayed (recorded files).
        basis: On which basis the prices stand that it was given.
        now: What time it is there, UTC.
    """

    kind: MarketKind
    basis: Basis
    now: datetime


def read_note(answer: Answer) -> Note | None:
    """Return the note; None where the host has none and thus passes Yahoo's own answers on.

    Raises:
        TransientProviderError: The host fails, or says that it is simulated and does not say how.
    """
    if answer.status == 200:
        note = _read(answer.body)
        if note is not None or "x-simulated" not in answer.headers:
            return note
    elif answer.status < 500:
        return None
    raise TransientProviderError(
        f"{answer.host}{PATH} does not say what market it is: {answer.status} {printable(answer.body)}"
    )


def _read(body: bytes) -> Note | None:
    try:
        read = json.loads(body)
        kind, basis = read["kind"], read["basis"]
        now = datetime.fromisoformat(read["now"])
    except (ValueError, RecursionError, TypeError, KeyError):
        return None
    if kind not in get_args(MarketKind) or basis not in get_args(Basis) or now.utcoffset() is None:
        return None
    return Note(kind, basis, now.astimezone(UTC))
