"""What Yahoo does instead of answering, with what probability.

Belongs here: naming faults and drawing them. Does not belong here: doing them (`wire.py`, `answers/`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from bist_pipeline.simulator.errors import SimulatorError

# In the order in which they are drawn: kind, and what happens.
KINDS: Mapping[str, str] = {
    "429": "429 and the plain text Too Many Requests",
    "500": "500 and an HTML page",
    "502": "502 and an HTML page",
    "503": "503 and an HTML page",
    "html": "200 and an HTML page",
    "cut": "JSON that ends in the middle",
    "reset": "the connection is reset",
    "late": "the answer comes seconds later",
    "404": "404, symbol may be delisted",
    "crumb": "401 Invalid Crumb where a crumb is needed",
    "nulls": "null rows in the middle of a good answer",
}


@dataclass(frozen=True, slots=True)
class Faults:
    """How often each fault happens.

    Attributes:
        chances: Kind to probability from 0 to 1, each drawn on its own, in the order of `KINDS`.
    """

    chances: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind, chance in self.chances.items():
            if kind not in KINDS:
                raise SimulatorError(f"fault {kind!r}; legal: {', '.join(KINDS)}")
            if isinstance(chance, bool) or not isinstance(chance, int | float) or not 0 <= chance <= 1:
                raise SimulatorError(f"fault {kind}: probability {chance!r}; legal: 0 to 1")

    def draw(self, random: Random) -> str | None:
        """Return the first fault that happens to a request. As many numbers are drawn as there are kinds set."""
        happening = [kind for kind in KINDS if kind in self.chances and random.random() < self.chances[kind]]
        return happening[0] if happening else None


def parse_faults(texts: Sequence[str]) -> Faults:
    """Read faults as people write them, `429:0.3`; of a repeated kind the last counts.

    Raises:
        SimulatorError: A text is no fault; the message names the legal kinds.
    """
    chances: dict[str, float] = {}
    for text in texts:
        kind, _, chance = text.partition(":")
        try:
            chances[kind.strip()] = float(chance)
        except ValueError as error:
            raise SimulatorError(
                f"fault {text!r}; write KIND:PROBABILITY as in 429:0.3; legal kinds: {', '.join(KINDS)}"
            ) from error
    return Faults(chances)
