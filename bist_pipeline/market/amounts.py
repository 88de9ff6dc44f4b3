"""Which dividends a provider may have adjusted by, where it was not what it states.

Belongs here: the amounts worth trying. Does not belong here: deciding between them (`undo.py`).

The close before the ex-date is a price of the grid, which leaves few amounts near any guess: one per tick.
"""

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.core.ticks import snap, tick_size

# Beyond this many ticks either side a guess is no guess.
_MOST_TICKS = 500
_HUNDREDFOLD = 100.0


def possible_amounts(stated: float, left: float, shares: float, day: np.datetime64) -> FloatArray:
    """Amounts under which the close before the ex-date is a price of the grid, the likeliest guess first.

    Args:
        stated: What the provider states, lira per share of its own basis.
        left: The close before less what it adjusted by, in the same shares.
        shares: How many of them one share as traded has become.
        day: The session before the ex-date.

    Returns:
        Within the rounding of what is stated, nearest first; then of that amount undivided by later splits, divided
        twice, a hundredth, a hundredfold; and none at all.
    """
    guesses = [stated, stated * shares, stated / shares, stated / _HUNDREDFOLD, stated * _HUNDREDFOLD]
    unit = _rounding(stated)
    near = [_near(guess, unit * guess / stated, left, shares, day) for guess in guesses if stated > 0]
    return np.concatenate([*near, [0.0]])


def _rounding(amount: float) -> float:
    """Half a unit of the last decimal that is stated: 0.005 of 0.18."""
    decimals = len(np.format_float_positional(amount, trim="-").partition(".")[2])
    return 0.5 * 10.0**-decimals


def _near(guess: float, width: float, left: float, shares: float, day: np.datetime64) -> FloatArray:
    """The amounts within `width` of a guess that make the close a price of the grid, and the guess itself."""
    close = (left + guess) * shares
    if not close > 0:
        return np.empty(0)
    middle = float(snap(close, day)[0])
    tick = float(tick_size(middle, day))
    count = min(int(width * shares / tick) + 1, _MOST_TICKS)
    prices = np.unique(snap(np.maximum(middle + tick * np.arange(-count, count + 1), tick), day)[0])
    amounts = prices / shares - left
    amounts = amounts[(np.abs(amounts - guess) <= width + tick / shares) & (amounts >= 0)]
    return np.concatenate([amounts[np.argsort(np.abs(amounts - guess), kind="stable")], [guess]])
