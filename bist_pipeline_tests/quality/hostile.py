"""SIMULATED rows with every fault that a check of this room looks for, in more symbols than a sample holds.

Belongs here: one market of 50 sessions with faulty shares, sound ones and indices, and a second source that contradicts
it. Does not belong here: what is to be found in it.
"""

import numpy as np
import pandas as pd

from bist_pipeline.quality.contract import BAR_VALUES, SAMPLE_ROWS, CheckInput
from bist_pipeline_tests.quality.inputs import over, prices, weekdays

FAULTY = [f"ZZ{n:02d}" for n in range(SAMPLE_ROWS + 1)]
SOUND = [f"YY{n:02d}" for n in range(SAMPLE_ROWS + 5)]
INDICES = [f"XZ{n:02d}" for n in range(SAMPLE_ROWS + 1)]
CLOSED = "2024-01-15"
DAYS = [day for day in weekdays("2024-01-02", 51) if day != CLOSED]

NEW_UNIT, NEW_LEVEL, CUT = 28, 30, 40


def _sound(symbol: str, number: int, position: int) -> dict:
    close = 10.0 + 0.02 * ((number + position) % 5)
    width, part = (0.02, 0.2) if position == CUT else (0.05, 1.0)
    return {
        **{"symbol": symbol, "session_date": DAYS[position], "open_raw": close, "close_raw": close},
        **{"high_raw": round(close + width, 2), "low_raw": round(close - width, 2), "adj_close_raw": close},
        "volume_raw": part * (1e5 + 1e3 * ((7 * number + 3 * position) % 31)),
    }


def _times(row: dict, price: float = 1.0, volume: float = 1.0) -> dict:
    names = ("open_raw", "high_raw", "low_raw", "close_raw", "adj_close_raw")
    return row | {name: row[name] * price for name in names} | {"volume_raw": row["volume_raw"] * volume}


# What is wrong with a faulty share on one session.
_FAULTS = {
    6: lambda row: _times(row, price=100.0),
    8: lambda row: row | {"high_raw": -1.0},
    10: lambda row: row | {"adj_close_raw": np.inf},
    12: lambda row: row | {"high_raw": 2e6},
    16: lambda row: row | prices(10.0) | {"volume_raw": 0.0},
    20: lambda row: row | {"close_raw": 10.013},
    25: lambda row: _times(row, price=1.5),
}


def _faulty(symbol: str, number: int) -> list[dict]:
    rows = []
    for position in range(len(DAYS)):
        row = _sound(symbol, number, 13 if position == 14 else position) | {"session_date": DAYS[position]}
        later = {"price": 0.5 if position >= NEW_LEVEL else 1.0, "volume": 400.0 if position >= NEW_UNIT else 1.0}
        rows.append(_FAULTS.get(position, lambda row: row)(_times(row, **later)))
    del rows[18]
    again = _sound(symbol, number, 3) | {"occurrence": 1}
    return [*rows, again, _sound(symbol, number, 4) | {"session_date": CLOSED}]


def hostile() -> CheckInput:
    """The market, as a run over all of its sessions sees it."""
    rows = [row for number, symbol in enumerate(FAULTY) for row in _faulty(symbol, number)]
    for number, symbol in enumerate(SOUND):
        rows += [_sound(symbol, number, position) for position in range(len(DAYS))]
    for number, symbol in enumerate(INDICES):
        rows += [
            _times(_sound(symbol, number, position), price=1.0 if position < 20 else 0.01)
            for position in range(len(DAYS))
        ]
    split = {"ex_date": DAYS[36], "kind": "split", "ratio": 2.0, "price_factor": 0.5, "share_ratio": 2.0}
    given = over(DAYS, rows, closed=[CLOSED], actions=[{"symbol": symbol} | split for symbol in FAULTY])
    outcomes = pd.DataFrame({"symbol": FAULTY, "status": "failed", "reason": "timeout"}).astype("str")
    second = given.raw.assign(close_raw=given.raw["close_raw"] * 1.05, source="archive:second")
    return CheckInput(given.raw, given.sessions, outcomes, actions=given.actions, second=second)


def undone(given: CheckInput) -> pd.DataFrame:
    """`CheckInput.bars` of rows from which nothing had to be undone."""
    names = [f"{name.partition('_')[0]}_raw" for name in BAR_VALUES]
    return given.raw[[*names, "basis"]].set_axis([*BAR_VALUES, "basis"], axis=1)


def of_symbols(given: CheckInput, symbols: list[str]) -> CheckInput:
    """The same with the rows of some symbols alone, and their outcomes."""
    second = given.second
    return CheckInput(
        *(given.raw[given.raw["symbol"].isin(symbols)], given.sessions),
        given.outcomes[given.outcomes["symbol"].isin(symbols)],
        bars=None if given.bars is None else given.bars[given.raw["symbol"].isin(symbols)],
        actions=given.actions[given.actions["symbol"].isin(symbols)],
        second=None if second is None else second[second["symbol"].isin(symbols)],
    )
