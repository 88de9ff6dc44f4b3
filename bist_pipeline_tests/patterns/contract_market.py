"""The INVENTED market on which every chart pattern must keep its contract, and what is found in its beginnings.

Belongs here: the market, and comparing an answer with the answer of a shorter history. The long run of the cuts is
`python -m bist_pipeline_tests.patterns --cuts 1000`.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np
import pandas as pd

from bist_pipeline.core.bars import Bars
from bist_pipeline.patterns.registry import registered_charts
from bist_pipeline_tests.patterns.answers import Answer, Columns, answers
from bist_pipeline_tests.patterns.drawing import fixtures
from bist_pipeline_tests.patterns.markets import continued, rough_bars

PATTERNS = registered_charts()
SESSIONS_AFTER = 40


@cache
def walks() -> Bars:
    """A few hundred sessions of a rough market."""
    return rough_bars(12, 420, seed=5)


@cache
def market() -> Bars:
    """The rough market, and every passing drawing, upright and upside down, as a symbol each, going on at random."""
    drawn = [
        continued(f"D{number:02d}{side}", drawing, SESSIONS_AFTER, seed=number)
        for number, fixture in enumerate(fixtures().values())
        for side, drawing in (("N", fixture.passes), ("U", fixture.passes.flipped()))
    ]
    return Bars.from_frame(pd.concat([walks().frame, *drawn], ignore_index=True))


@cache
def whole() -> dict[str, Answer]:
    """What is found in the whole market."""
    return answers(market(), PATTERNS.values())


def cut_short(bars: Bars, share: float) -> Bars:
    """Keep the first bars of each symbol: this share of them, but no less than one."""
    sizes = np.diff(bars.offsets)
    place = np.arange(len(bars)) - np.repeat(bars.offsets[:-1], sizes)
    return Bars.from_frame(bars.frame[place < np.repeat(np.maximum((sizes * share).astype(int), 1), sizes)])


def rows_until(bars: Bars) -> dict[str, int]:
    """How many bars each symbol has."""
    return {str(symbol): int(count) for symbol, count in bars.frame["symbol"].value_counts(sort=False).items()}


def beginning(answer: Answer, ends: dict[str, int]) -> Answer:
    """What of an answer was known when each symbol had so many bars."""

    def known(table: Columns) -> np.ndarray:
        symbols, codes = np.unique(table["symbol"], return_inverse=True)
        return table["row"] < np.array([ends.get(str(symbol), 0) for symbol in symbols], dtype=np.int64)[codes]

    return answer.chosen(known)


def differing(shares: Iterator[float]) -> Iterator[tuple[str, float, list[str]]]:
    """Cut the market short, again and again, and say of which pattern the answer is not the beginning of the whole one.

    Yields:
        Pattern, the share of the market that was kept, and what differs.
    """
    for share in shares:
        short = cut_short(market(), share)
        ends = rows_until(short)
        for name, answer in answers(short, PATTERNS.values()).items():
            differs = beginning(whole()[name], ends).differences(answer)
            if differs:
                yield name, share, differs


def random_shares(count: int, seed: int) -> Iterator[float]:
    """Draw where to cut: anywhere in the market."""
    yield from np.random.default_rng(seed).random(count).tolist()
