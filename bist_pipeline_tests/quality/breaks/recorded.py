"""Every break of a folder of recorded daily bars, as a table: `python -m bist_pipeline_tests.quality.breaks.recorded`.

Belongs here: reading such a folder and printing what the analysis says. Does not belong here: expectations.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from bist_pipeline.core.bars import DayArray
from bist_pipeline.core.calendar import load_calendar
from bist_pipeline.quality.breaks import analyse_all
from bist_pipeline.quality.breaks.contract import SymbolHistory
from bist_pipeline.quality.contract import CheckInput

_NO_ACTIONS = CheckInput(pd.DataFrame(), pd.DataFrame(), pd.DataFrame()).actions


def sessions_between(first: DayArray, last: DayArray) -> DayArray:
    """The sessions of the exchange between two days."""
    schedule = load_calendar().schedule(pd.Timestamp(first).date(), pd.Timestamp(last).date())
    return schedule.loc[schedule["is_session"], "session_date"].to_numpy().astype("datetime64[D]")


def read_history(path: Path, sessions: DayArray, basis: str = "fully_adjusted") -> SymbolHistory:
    """Read one file; rows on days without a session and rows with high < low or a body outside are left out."""
    rows = pd.read_csv(path).rename(columns=str.capitalize)
    rows["day"] = (
        pd.to_datetime(rows.iloc[:, 0], errors="coerce", utc=True)
        .dt.tz_localize(None)
        .to_numpy()
        .astype("datetime64[D]")
    )
    rows = rows[rows["day"].isin(sessions) & rows["Close"].notna()].sort_values("day")
    numbers = {name: rows[name].to_numpy(dtype=np.float64) for name in ("Open", "High", "Low", "Close", "Volume")}
    body = np.maximum(numbers["Open"], numbers["Close"]), np.minimum(numbers["Open"], numbers["Close"])
    good = (numbers["High"] >= body[0] * (1 - 1e-6)) & (numbers["Low"] <= body[1] * (1 + 1e-6))
    day = rows["day"].to_numpy().astype("datetime64[D]")[good]
    open_, high, low, close, volume = (numbers[name][good] for name in numbers)
    count = len(day)
    return SymbolHistory(
        symbol=path.stem.split(".")[0].split("_")[0],
        day=day,
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=volume,
        gap=np.diff(np.searchsorted(sessions, day), prepend=np.searchsorted(sessions, day[:1]) - 1),
        basis=basis,
        actions=_NO_ACTIONS,
        adj_close=np.full(count, np.nan),
        dividend=np.zeros(count),
        split=np.ones(count),
    )


def read_folder(folder: Path) -> list[SymbolHistory]:
    """Read every file of a folder."""
    files = sorted(folder.glob("*.csv"))
    sessions = sessions_between(np.datetime64("2010-01-04"), np.datetime64("2026-12-31"))
    return [read_history(path, sessions) for path in files]


def main(folder: str) -> None:
    """Print the table."""
    histories = read_folder(Path(folder))
    start = time.perf_counter()
    breaks = analyse_all(histories)
    took = time.perf_counter() - start
    bars = sum(len(history.day) for history in histories)
    write = sys.stdout.write
    for row in breaks.verdicts.itertuples():
        what = f"{row.symbol:6s} {str(row.session_date)[:10]} {row.kind:6s} {row.rule:18s}"
        write(f"{what} {row.effect:8s} {row.reason}\n")
    write("repairs\n")
    for row in breaks.repairs.itertuples():
        span = f"{str(row.first_session)[:10]}..{str(row.last_session)[:10]}"
        write(f"{row.symbol:6s} {span} × {row.price_factor:.6g}, volume × {row.volume_factor:.6g} {row.rule}\n")
    write("inferred actions\n")
    for row in breaks.actions.itertuples():
        write(f"{row.symbol:6s} {str(row.ex_date)[:10]} {row.kind} {row.ratio:.6g} {row.reason}\n")
    withheld = int((breaks.verdicts["effect"] == "withhold").sum())
    doubted = int((breaks.verdicts["effect"] == "doubt").sum())
    rate = withheld / bars * 1e4
    write(f"{bars:,} bars in {took:.2f} s: {withheld} withheld ({rate:.2f} per 10,000), {doubted} doubted\n")


if __name__ == "__main__":
    main(sys.argv[1])
