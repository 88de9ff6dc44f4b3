"""Folders of SIMULATED price files, as a desk would keep them.

Belongs here: writing an archive whose days are sessions of Borsa Istanbul, so that every bar is acceptable unless a
test spoils it. For a first look without files of one's own:

    python -m bist_pipeline_tests.archives DIR
"""

import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from bist_pipeline.core.calendar import load_calendar
from bist_pipeline_tests.market_maker import make_bar_frame

FIRST = date(2021, 1, 4)
HEADERS = {
    "session_date": "Date",
    "open_try": "Open",
    "high_try": "High",
    "low_try": "Low",
    "close_try": "Close",
    "volume_shares": "Volume",
}


def sessions_from(first: date, count: int) -> np.ndarray:
    """Return `count` sessions from `first` on, datetime64[D]."""
    calendar = load_calendar()
    return calendar.sessions(first, calendar.horizon)[:count]


def simulated_bars(symbols: int, sessions: int, seed: int = 7, first: date = FIRST) -> pd.DataFrame:
    """Return a SIMULATED market on real sessions: `symbol`, `session_date` and the bar columns."""
    frame = make_bar_frame(symbols, sessions, seed)
    days = sessions_from(first, sessions).astype("datetime64[us]")
    return frame.assign(session_date=np.tile(days, symbols))


def write_archive(folder: Path, bars: pd.DataFrame) -> Path:
    """Write one CSV per symbol and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for symbol, rows in bars.groupby("symbol"):
        kept = rows[list(HEADERS)].rename(columns=HEADERS)
        kept.assign(Date=rows["session_date"].dt.strftime("%Y-%m-%d")).to_csv(folder / f"{symbol}.csv", index=False)
    return folder


def main(arguments: list[str]) -> int:
    """Write 40 SIMULATED symbols over four years into the folder named on the command line."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write("usage: python -m bist_pipeline_tests.archives DIR\n")
        return 2
    bars = simulated_bars(symbols=40, sessions=1000, first=date(2022, 1, 3))
    folder = write_archive(Path(arguments[0]), bars)
    sys.stdout.write(
        f"{len(bars):,} SIMULATED bars of 40 symbols (ZZAAA …) are in {folder}; no real price is among them\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
