"""What the predecessor's variables meant, in terms of this pipeline's own.

Belongs here: pure translation of values. Reading them from the environment is `settings.py`'s work.

The predecessor had a pool of workers. Each fetched a symbol, then slept a random time out of `COLLECTOR_DELAY_RANGE`;
after each batch all of them slept `BATCH_SLEEP_SECONDS`. So a batch of B symbols took B · (mean delay) / workers +
(batch sleep) seconds at least, and B divided by that is the pace that whoever set these variables had agreed to. The
time of the answers themselves, which slowed it down further, is left out: the bucket counts sending, not waiting.
(Its defaults, 1 to 3 s, 5 workers, batches of 50, pauses of 3 s, amount to 2.2 requests a second.)

`COLLECTION_PERIOD` and `PRIORITY_PERIOD` said how much history each fetch asked for. Here the first answer brings all
of it, and an answer is one request whatever its length: they change no pace, and are only held against their legal
values.
"""

import math
import re

from bist_pipeline.core.errors import SettingsError

FASTEST_PER_SECOND = 10.0
_SLOWEST_PER_SECOND = 1 / 3600  # one an hour: anything slower is a slip of the pen

# "1.0,3.0", "1-3", "1.5 3" or one number for both.
_RANGE = re.compile(r"[\[(]?\s*(\d*\.?\d+)\s*s?\s*(?:(?:[,;:]|-|–|\.\.|\s)\s*(\d*\.?\d+)\s*s?\s*)?[\])]?")

# What Yahoo calls `range` and yfinance `period`.
PERIODS = ("1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max")


def requests_per_second(
    delay_range: str | None, batch_sleep_seconds: str | float | None, batch_size: int, workers: int
) -> float:
    """Return the pace that the predecessor's variables amounted to.

    Args:
        delay_range: `COLLECTOR_DELAY_RANGE`, seconds between two requests of one worker; None where it is not set.
        batch_sleep_seconds: `BATCH_SLEEP_SECONDS`, pause of all workers after a batch; None where it is not set.
        batch_size: Symbols in a batch.
        workers: How many asked at the same time.

    Returns:
        Requests per second of all workers together, above 0 and at most 10.

    Raises:
        SettingsError: A value is no duration, or together they set no pace, or one that no provider bears.
    """
    shortest, longest = _delays(delay_range) if delay_range is not None else (0.0, 0.0)
    pause = _pause(batch_sleep_seconds) if batch_sleep_seconds is not None else 0.0
    seconds_per_batch = batch_size * (shortest + longest) / 2 / workers + pause
    told = f"COLLECTOR_DELAY_RANGE = {delay_range!r}, BATCH_SLEEP_SECONDS = {batch_sleep_seconds!r}"
    if not seconds_per_batch:
        raise SettingsError(f"{told}: no pause at all sets no pace; set YAHOO_REQUESTS_PER_SECOND instead")
    rate = batch_size / seconds_per_batch
    if not _SLOWEST_PER_SECOND <= rate <= FASTEST_PER_SECOND:
        raise SettingsError(
            f"{told}: with {workers} workers and batches of {batch_size} that is {rate:.4g} requests a second, "
            f"legal are {_SLOWEST_PER_SECOND:.4g} to {FASTEST_PER_SECOND:g}; set YAHOO_REQUESTS_PER_SECOND instead"
        )
    return rate


def check_period(name: str, value: str) -> None:
    """Hold one of the two periods against its legal values; it has no other effect.

    Args:
        name: `COLLECTION_PERIOD` or `PRIORITY_PERIOD`.
        value: What it is set to.

    Raises:
        SettingsError: It is no period.
    """
    if value.strip().strip("\"'").lower() not in PERIODS:
        raise SettingsError(f"{name} = {value!r} (legal: {', '.join(PERIODS)}; the whole history is fetched anyway)")


def _delays(text: str) -> tuple[float, float]:
    found = _RANGE.fullmatch(text.strip().strip("\"'").strip())
    if found is None:
        raise SettingsError(
            f"COLLECTOR_DELAY_RANGE = {text!r}: give the shortest and the longest delay in seconds, as 1.0,3.0"
        )
    shortest, longest = float(found[1]), float(found[2] or found[1])
    if shortest > longest:
        raise SettingsError(f"COLLECTOR_DELAY_RANGE = {text!r}: the first delay is longer than the second")
    return shortest, longest


def _pause(value: str | float) -> float:
    try:
        seconds = float(value)
    except ValueError as error:
        raise SettingsError(f"BATCH_SLEEP_SECONDS = {value!r}: give a number of seconds") from error
    if not (math.isfinite(seconds) and seconds >= 0):
        raise SettingsError(f"BATCH_SLEEP_SECONDS = {value!r}: give a number of seconds, 0 or more")
    return seconds
