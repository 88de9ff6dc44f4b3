"""The table of noise: how often each detector confirms something in a market, and in chance.

Belongs here: the text. Every detector has a line, whatever its ratio.
"""

import math

from bist_pipeline.patterns.registry import registered_charts
from bist_pipeline_tests.noise.counting import Counts

HEAD = """\
# Noise: what the detectors find in chance

Written by `python -m bist_pipeline_tests.noise{command} --write`; do not edit.

Confirmed events of each chart pattern in 10,000 symbol-sessions of

* **market**: {market},
  {market_sessions:,} symbol-sessions;
* **resampled**: the same bars in blocks of about 20 sessions in random order (stationary bootstrap, Politis & Romano
  1994), each symbol from its own bars, {resampled_sessions:,} symbol-sessions. Drift, fat tails, locked days and what
  lasts a few weeks are as in the market; what takes longer is chance;
* **walk**: driftless geometric Brownian series with a sigma of 2.5 % a day, {walk_sessions:,} symbol-sessions.

The ratio is the market's rate over that of chance, with the range that counting alone leaves it (95 %, Poisson counts;
events of one market come together, so the true range is wider). A ratio near 1 says: the shape is found as often where
nothing made it; among a hundred ranges some five miss 1 by chance. That says nothing about what follows a shape; it
says how much of a chart's look is chance. Infinite ratios are those of patterns that chance did not make at all.
"""


def table(market: Counts, resampled: Counts, walk: Counts, *, described: str, command: str) -> str:
    """Lay out the rates of every registered detector, none hidden, as Markdown."""
    head = HEAD.format(
        market=described,
        command=command,
        market_sessions=market.sessions,
        resampled_sessions=resampled.sessions,
        walk_sessions=walk.sessions,
    )
    lines = [
        "| pattern | events | market | resampled | walk | market ÷ resampled | market ÷ walk |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    market, resampled, walk = _with_sum(market), _with_sum(resampled), _with_sum(walk)
    for name in (*registered_charts(), _ALL, _LONGER):
        cells = [
            name,
            f"{market.events.get(name, 0):,}",
            *(f"{one.rate(name):.2f}" for one in (market, resampled, walk)),
            _ratio(name, market, resampled),
            _ratio(name, market, walk),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([head, *lines, ""])


_ALL = "**all**"
_LONGER = "**all but shapes of a few bars**"
_SHORT = ("nr4", "nr7", "inside_bar", "squeeze")


def _with_sum(counts: Counts) -> Counts:
    longer = sum(events for name, events in counts.events.items() if name not in _SHORT)
    return Counts(counts.sessions, {**counts.events, _ALL: sum(counts.events.values()), _LONGER: longer})


def _ratio(name: str, market: Counts, chance: Counts) -> str:
    here, there = market.events.get(name, 0), chance.events.get(name, 0)
    if not here and not there:
        return "–"
    if not there:
        return "∞"
    ratio = market.rate(name) / chance.rate(name)
    if not here:
        return "0"
    # The logarithm of a ratio of two Poisson counts has a variance of about the sum of their reciprocals.
    times = math.exp(1.96 * math.sqrt(1 / here + 1 / there))
    return f"{ratio:.2f} ({ratio / times:.2f}–{ratio * times:.2f})"
