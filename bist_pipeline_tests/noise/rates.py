"""The stored rates of chance, `rates.csv`: written by `python -m bist_pipeline_tests.noise --write`, read by CI.

Belongs here: the file and the number of events that still counts as the stored rate.
"""

import csv
from pathlib import Path

from bist_pipeline_tests.noise.counting import CHANCE, chance

RATES = Path(__file__).with_name("rates.csv")
COLUMNS = ("pattern", "series", "events", "symbol_sessions")

# A rate may rise by a quarter. Where fewer than twelve events are stored, a quarter is less than three of them, which a
# change that is none (a tolerance moved by a hair) brings about: three more are let pass there.
MOST_RISE = 0.25
FEW = 3


def most_events(stored: int, sessions: int, now: int) -> float:
    """How many events in `now` symbol-sessions still count as the stored rate."""
    expected = stored * now / sessions
    return max(expected * (1 + MOST_RISE), expected + FEW)


def read_rates() -> dict[tuple[str, str], tuple[int, int]]:
    """Read the stored counts: events and symbol-sessions by pattern and kind of series."""
    with RATES.open(encoding="utf-8", newline="") as file:
        return {
            (row["pattern"], row["series"]): (int(row["events"]), int(row["symbol_sessions"]))
            for row in csv.DictReader(file)
        }


def write_rates() -> None:
    """Count anew and store it."""
    counts = {kind: chance(kind) for kind in CHANCE}
    names = sorted({name for one in counts.values() for name in one.events})
    with RATES.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((name, kind, one.events[name], one.sessions) for name in names for kind, one in counts.items())
