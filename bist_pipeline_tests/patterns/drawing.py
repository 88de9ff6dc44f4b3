"""Bars drawn from turning points, for tests of chart patterns.

Belongs here: from a few points to a tape, and what all rules of a pattern say of it. Does not belong here: any drawing
(`drawn/`, one module a family) or any test (`test_drawn.py`).

A drawing starts with quiet bars around the log price 0: the closes go to and fro between 0 and −1 %, each bar reaching
0.2 % to each side of its close. So at its end sigma is 1.008 % and ATR 1.2 %, and no zigzag has turned. Bar 0 is the
last of them, at 0. From there the closes follow straight legs from point to point, every bar reaching `reach` to each
side. A point that is a peak is the *high* of its bar, one that is a trough the *low*; the last point, and one at which
the direction does not change, is a close. While it moves, ATR is about a leg's slope plus `reach`, and sigma falls to
about the slopes' size; `python -m bist_pipeline_tests.patterns.drawing PATTERN` prints both for every drawing that
there is of a pattern, with every candidate and by how much it keeps each rule.
"""

import importlib
import pkgutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pandas as pd

from bist_pipeline.core.bars import Bars, FloatArray
from bist_pipeline.patterns.pivots.tape import Tape, read_tape
from bist_pipeline.patterns.registry import registered_charts
from bist_pipeline.patterns.structures.contract import Candidates, ChartPattern
from bist_pipeline.patterns.structures.judging import rules_of
from bist_pipeline.patterns.structures.view import View, look_at

SYMBOL = "DRAWN"
FIRST_DAY = np.datetime64("2015-01-05")  # the price limit was 20 % then: no leg is a locked day by accident
QUIET = 0.01
USUAL_VOLUME = 1_000_000.0

Shape = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A series of bars; bars are counted from the last quiet one, prices are logarithms and start at 0.

    Attributes:
        points: Bar (from 1 on, ascending) and log price of each turning point. The last one ends the drawing: a leg to
            it that leaves the pattern confirms it.
        quiet_bars: How many bars there are before the first leg, bar 0 included; 60 returns are needed for sigma, more
            for what looks back 200 sessions.
        reach: How far each bar reaches to each side of its close.
        shapes: Open, high, low, close (log prices) of single bars, instead of the drawn ones.
        closes: Close (log price) of single bars, high and low reaching to each side as usual.
        volumes: Volume of single bars, in multiples of the usual one. Others go to and fro between 0.95 and 1.05.
        locked: Bars with one price alone, their close (a limit-locked day).
        untraded: Bars without a trade: the close before, no volume.
        is_flipped: Whether the picture stands upside down.
    """

    points: tuple[tuple[int, float], ...]
    quiet_bars: int = 90
    reach: float = 0.002
    shapes: Mapping[int, Shape] = field(default_factory=dict)
    closes: Mapping[int, float] = field(default_factory=dict)
    volumes: Mapping[int, float] = field(default_factory=dict)
    locked: tuple[int, ...] = ()
    untraded: tuple[int, ...] = ()
    is_flipped: bool = False

    def moved(self, points: Mapping[int, tuple[int, float]] | None = None, **changes: object) -> "Drawing":
        """Return the drawing with some of its points elsewhere (by position; negative: from the end)."""
        own = list(self.points)
        for position, point in (points or {}).items():
            own[position] = point
        return replace(self, points=tuple(own), **changes)  # pyright: ignore[reportArgumentType]

    def flipped(self) -> "Drawing":
        """Return the drawing upside down."""
        return replace(self, is_flipped=not self.is_flipped)

    def row(self, bar: int) -> int:
        """Row on the tape of a bar."""
        return bar + self.quiet_bars - 1

    def bars(self) -> Bars:
        """Draw it, in lira."""
        logs = self._logs()
        if self.is_flipped:
            logs = -logs[:, [0, 2, 1, 3]]
        prices = 10.0 * np.exp(logs)
        volume = USUAL_VOLUME * (0.95 + 0.1 * (np.arange(len(logs)) % 2))
        for bar, times in self.volumes.items():
            volume[self.row(bar)] = times * USUAL_VOLUME
        volume[[self.row(bar) for bar in self.untraded]] = 0.0
        frame = pd.DataFrame(prices, columns=["open_try", "high_try", "low_try", "close_try"])
        days = np.busday_offset(FIRST_DAY, np.arange(len(logs)))
        return Bars.from_frame(
            frame.assign(symbol=SYMBOL, session_date=days.astype("datetime64[us]"), volume_shares=volume, is_final=True)
        )

    def tape(self) -> Tape:
        """Draw it, as the tape that the patterns look at."""
        return read_tape(self.bars())

    def _logs(self) -> np.ndarray:
        """Open, high, low, close of every bar, shape (n, 4)."""
        quiet = -QUIET * (np.arange(self.quiet_bars)[::-1] % 2)
        legs = _closes(self.points, self.reach)
        close = np.concatenate([quiet, legs])
        reach = np.concatenate([np.full(len(quiet), 0.2 * QUIET), np.full(len(legs), self.reach)])
        for bar, price in self.closes.items():
            close[self.row(bar)] = price
        for bar in sorted(self.untraded):
            close[self.row(bar)] = close[self.row(bar) - 1]
        for bar in (*self.locked, *self.untraded):
            reach[self.row(bar)] = 0.0
        before = np.concatenate([close[:1], close[:-1]])
        logs = np.column_stack([np.clip(before, close - reach, close + reach), close + reach, close - reach, close])
        for bar, shape in self.shapes.items():
            logs[self.row(bar)] = shape
        return logs


@dataclass(frozen=True, slots=True)
class Fixture:
    """The drawings of one pattern; its mirror image is tested with the same ones upside down.

    Attributes:
        pattern: Registered name.
        passes: Keeps every rule, and its last leg confirms it.
        ends: Target and stop (log prices) of what is confirmed there, worked out from the points by hand.
        breaks: By name of a rule: a drawing with a candidate that breaks this rule and no other.
    """

    pattern: str
    passes: Drawing
    ends: tuple[float, float]
    breaks: Mapping[str, Drawing]


def wilder(*ranges: float) -> float:
    """ATR after bars of these true ranges that follow the quiet ones: each counts a fourteenth.

    While it moves, a bar's true range is what the closes move plus `reach`.
    """
    usual = 1.2 * QUIET
    for one in ranges:
        usual += (one - usual) / 14
    return usual


def _closes(points: tuple[tuple[int, float], ...], reach: float) -> FloatArray:
    """Closes from bar 1 to the last point's bar."""
    bars = np.array([0, *(bar for bar, _ in points)])
    prices = np.array([0.0, *(price for _, price in points)])
    steps = np.sign(np.diff(prices))
    # +1 at a peak, −1 at a trough, 0 where it goes on in the same direction and at both ends.
    turns = np.concatenate([[0.0], (steps[:-1] - steps[1:]) / 2, [0.0]])
    return np.interp(np.arange(1, bars[-1] + 1), bars, prices - np.trunc(turns) * reach)


@cache
def fixtures() -> Mapping[str, Fixture]:
    """Every fixture by its pattern's name, of all modules in `drawn/`."""
    package = importlib.import_module("bist_pipeline_tests.patterns.drawn")
    found: dict[str, Fixture] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        for fixture in importlib.import_module(f"{package.__name__}.{info.name}").DRAWINGS:
            if fixture.pattern in found:
                raise ValueError(f"{info.name}: there are drawings of {fixture.pattern} elsewhere already")
            found[fixture.pattern] = fixture
    return found


def view_for(pattern: ChartPattern, tape: Tape) -> View:
    """Return the side of a tape that a pattern's functions look at."""
    return look_at(tape).mirrored() if pattern.flipped else look_at(tape)


def all_slacks(pattern: ChartPattern, tape: Tape) -> tuple[Candidates, dict[str, FloatArray]]:
    """Ask every rule of every candidate, whatever other rules it breaks.

    Returns:
        The candidates, and by rule how far within its bounds each lies, shape (n,); below zero or NaN where it breaks
        it.
    """
    found = pattern.candidates(view_for(pattern, tape))
    with np.errstate(all="ignore"):
        return found, {
            rule.name: rule.slack(np.asarray(rule.measure(found), dtype=np.float64)) for rule in rules_of(pattern)
        }


def told(pattern: ChartPattern, drawing: Drawing) -> str:
    """Say every candidate in a drawing: its points as bars of the drawing, and the slack of each rule."""
    tape = drawing.tape()
    found, slacks = all_slacks(pattern, tape)
    lines = [f"ATR at the points {np.round(tape.atr[[drawing.row(bar) for bar, _ in drawing.points]], 4).tolist()}"]
    lines += [f"sigma at the points {np.round(tape.sigma[[drawing.row(b) for b, _ in drawing.points]], 4).tolist()}"]
    for i in range(len(found)):
        bars = [row - drawing.row(0) for row in found.rows[i].tolist() if row >= 0]
        broken = {name: round(float(values[i]), 4) for name, values in slacks.items() if not values[i] >= 0}
        least = {name: round(float(values[i]), 4) for name, values in slacks.items() if values[i] >= 0}
        known = int(found.known[i]) - drawing.row(0)
        lines.append(f"scale {found.scale[i]} bars {bars} known {known} BREAKS {broken} keeps {least}")
    return "\n".join(lines)


def main(names: list[str]) -> None:
    """Write what there is to say of the drawings of some patterns."""
    for name in names:
        if name not in fixtures():
            drawn = registered_charts()[name].mirror if name in registered_charts() else ""
            sys.stdout.write(f"{name} has no drawing" + (f": it is that of {drawn}, upside down\n" if drawn else "\n"))
            continue
        pattern, fixture = registered_charts()[name], fixtures()[name]
        for title, drawing in {"passes": fixture.passes, **fixture.breaks}.items():
            sys.stdout.write(f"== {name}: {title}\n{told(pattern, drawing)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
