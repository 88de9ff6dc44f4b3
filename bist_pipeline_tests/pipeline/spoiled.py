"""Archives with faults in them, and what should become of each line.

Belongs here: spoiling the lines of a SIMULATED archive, by one of every kind or at random, and the verdict that a
person would pass on each. Does not belong here: the package's own rules; the verdicts are written down once more.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from bist_pipeline.core.calendar import load_calendar
from bist_pipeline_tests.archives import HEADERS

Line = dict[str, str]

ACCEPTED = "accepted"
HOLIDAY, SATURDAY = "2021-04-23", "2021-05-15"


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault.

    Attributes:
        name: What is wrong.
        spoil: From one good line to the lines that stand in its place.
        verdicts: What becomes of each of those lines.
    """

    name: str
    spoil: Callable[[Line], list[Line]]
    verdicts: tuple[str, ...]


def _with(**values: str) -> Callable[[Line], list[Line]]:
    return lambda line: [line | values]


def _beside(**values: str) -> Callable[[Line], list[Line]]:
    return lambda line: [line, line | values]


def _scaled(name: str, factor: float) -> Callable[[Line], list[Line]]:
    return lambda line: [line | {name: repr(float(line[name]) * factor)}]


def _inverted(line: Line) -> list[Line]:
    low = float(line["Low"]) * 0.9
    return [line | {"High": repr(low), "Low": repr(low * 1.1)}]


FAULTS = (
    Fault("a bar on a holiday", _beside(Date=HOLIDAY, Volume="0"), (ACCEPTED, "closed_day")),
    Fault("a bar on a Saturday", _beside(Date=SATURDAY), (ACCEPTED, "closed_day")),
    Fault("a bar before 2010", _beside(Date="2009-12-31"), (ACCEPTED, "before_origin")),
    Fault("a bar of a session to come", lambda line: [line, line | {"Date": session_to_come()}], (ACCEPTED, "future")),
    Fault("an equal duplicate", _beside(), (ACCEPTED, "duplicate_row")),
    Fault("two more duplicates", lambda line: [line] * 3, (ACCEPTED, "duplicate_row", "duplicate_row")),
    Fault("a duplicate that differs", _beside(Volume="12345"), ("conflicting_duplicates",) * 2),
    Fault("no close", _with(Close=""), ("no_close",)),
    Fault("no open", _with(Open=""), (ACCEPTED,)),
    Fault("no high and no low", _with(High="", Low=""), (ACCEPTED,)),
    Fault("no volume", _with(Volume=""), (ACCEPTED,)),
    Fault("only a close", _with(Open="", High="", Low="", Volume=""), (ACCEPTED,)),
    Fault("an infinite close", _with(Close="inf"), ("not_finite",)),
    Fault("a price of zero", _with(Low="0"), ("not_positive",)),
    Fault("a negative close", _with(Close="-1.5"), ("not_positive",)),
    Fault("a negative volume", _with(Volume="-10"), ("negative_volume",)),
    Fault("a high below the low", _inverted, ("high_below_low",)),
    Fault("a close above the high", _scaled("Close", 1.5), ("high_below_body",)),
    Fault("an open below the low", _scaled("Open", 0.5), ("low_above_body",)),
)
# All but the one whose verdict names the time at which the file was read.
TIMELESS = tuple(fault for fault in FAULTS if "to come" not in fault.name)
RULE_OF = {"future": "future_session"}


def session_to_come() -> str:
    """A session that has not begun, whenever this runs."""
    today = datetime.now(UTC).date()
    return str(load_calendar().sessions(today + timedelta(days=7), load_calendar().horizon)[0])


def lines_of(bars: pd.DataFrame) -> list[Line]:
    """One symbol's bars as the texts of a CSV file."""
    kept = bars[list(HEADERS)].rename(columns=HEADERS)
    kept = kept.assign(Date=bars["session_date"].dt.strftime("%Y-%m-%d"))
    return [
        {str(name): value if isinstance(value, str) else repr(value) for name, value in row.items()}
        for row in kept.to_dict("records")
    ]


def write_lines(folder: Path, symbol: str, lines: Iterable[Line]) -> Path:
    """Write one symbol's file."""
    folder.mkdir(parents=True, exist_ok=True)
    names = list(HEADERS.values())
    place = folder / f"{symbol}.csv"
    place.write_text("\n".join([",".join(names), *(",".join(line[n] for n in names) for line in lines), ""]))
    return place


def spoiled_archive(
    folder: Path, bars: pd.DataFrame, faults: dict[str, dict[int, Fault]]
) -> list[tuple[str, date, str]]:
    """Write an archive with faults and return the verdict on each line: symbol, day, rule or `accepted`.

    Args:
        folder: Where.
        bars: Good bars of several symbols.
        faults: Per symbol, the position of the line that is spoiled and how.
    """
    verdicts: list[tuple[str, date, str]] = []
    for symbol, own in bars.groupby("symbol"):
        lines: list[Line] = []
        for position, line in enumerate(lines_of(own)):
            fault = faults.get(str(symbol), {}).get(position)
            made = [line] if fault is None else fault.spoil(line)
            told = (ACCEPTED,) if fault is None else fault.verdicts
            lines += made
            verdicts += [
                (str(symbol), date.fromisoformat(one["Date"]), RULE_OF.get(verdict, verdict))
                for one, verdict in zip(made, told, strict=True)
            ]
        write_lines(folder, str(symbol), lines)
    return verdicts


def one_of_each(bars: pd.DataFrame, kinds: tuple[Fault, ...] = TIMELESS, seed: int = 1) -> dict[str, dict[int, Fault]]:
    """Give every symbol each kind of fault once, at places of its own."""
    rng = np.random.default_rng(seed)
    sizes = bars.groupby("symbol").size()
    return {
        str(symbol): dict(zip(rng.choice(int(size), len(kinds), replace=False).tolist(), kinds, strict=True))
        for symbol, size in sizes.items()
    }
