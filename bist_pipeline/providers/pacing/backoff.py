"""How long to hold back after a failure: the cool-down that 429 brings, and the wait before a further try.

Belongs here: durations in seconds. Every one is a multiple of one base, so that a test shortens all of them at once.
"""

import random

# In bases; at the default base of 2 s: two minutes, two hours.
LONGEST_WAIT = 60
LONGEST_COOLDOWN = 3600

_FURTHEST = 30  # doublings; any more are beyond every bound, and beyond a float in the end


def doubled(first: float, times: int, longest: float) -> float:
    """Return `first` after so many doublings, bounded."""
    return min(first * 2.0 ** min(max(times, 0), _FURTHEST), longest)


def cooldown_seconds(throttles: int, base: float, retry_after: float | None = None) -> float:
    """How long nothing is sent to a family after an answer with status 429: 1, 1, 2, 2, 4, 4, … times the base.

    Doubled at every second one, so that the ten that open the circuit come within a minute and a half at the default
    base: inside the deadline of one refresh, whose next tick is then skipped and says why.

    Args:
        throttles: Answers with status 429 since the last good one, this one included.
        base: Seconds.
        retry_after: What the provider asked for. It counts where it is longer, for up to two hours at the default base:
            an absurd one must not stop the pipeline for good.
    """
    own = doubled(base, (throttles - 1) // 2, LONGEST_WAIT * base)
    return max(own, min(retry_after or 0.0, LONGEST_COOLDOWN * base))


def retry_seconds(attempt: int, base: float, chance: random.Random) -> float:
    """Wait before the try after `attempt`: exponential with full jitter, so that many clients do not come back at once.

    Args:
        attempt: Tries so far, 1 after the first.
        base: Seconds.
        chance: Where the jitter comes from.
    """
    return chance.uniform(0.0, doubled(base, attempt - 1, LONGEST_WAIT * base))
