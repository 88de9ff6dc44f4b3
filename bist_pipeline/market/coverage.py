"""Gaps of coverage as runs of sessions: pure arithmetic on intervals.

Belongs here: putting single cells together to runs, splicing a part that was looked at anew into what is known, and
handing on how often a gap was asked for. Does not belong here: what state a cell is in (the view `coverage_v1`), and
asking anybody (`pipeline/gaps.py`).

A position is a session's place in the calendar, so that neighbours differ by one whatever lies between them.
"""

import pandas as pd

# A run: sessions from `first` to `last`, positions, of one symbol in one state.
RUN_COLUMNS = ("symbol", "first", "last", "state")


def runs_of(cells: pd.DataFrame) -> pd.DataFrame:
    """Put cells together to runs.

    Args:
        cells: `symbol`, `position`, `state`, each symbol and position once.

    Returns:
        `RUN_COLUMNS`, sorted by symbol and first: the longest runs of neighbours in the same state.
    """
    return coalesced(cells.assign(first=cells["position"], last=cells["position"])[list(RUN_COLUMNS)])


def coalesced(runs: pd.DataFrame) -> pd.DataFrame:
    """Join runs of the same symbol and state that touch; none may overlap another of its symbol."""
    ordered = runs.sort_values(["symbol", "first"], kind="stable").reset_index(drop=True)
    before = ordered.shift(1)
    goes_on = (
        (ordered["symbol"] == before["symbol"])
        & (ordered["state"] == before["state"])
        & (ordered["first"] == before["last"] + 1)
    )
    grouped = ordered.groupby((~goes_on).cumsum(), sort=False)
    joined = grouped.agg(
        symbol=("symbol", "first"), first=("first", "min"), last=("last", "max"), state=("state", "first")
    )
    return joined.astype({"first": "int64", "last": "int64"}).reset_index(drop=True)


def outside(runs: pd.DataFrame, first: int, last: int) -> pd.DataFrame:
    """What is left of runs when the positions from `first` to `last` are cut out."""
    left = runs[runs["first"] < first].assign(last=lambda part: part["last"].clip(upper=first - 1))
    right = runs[runs["last"] > last].assign(first=lambda part: part["first"].clip(lower=last + 1))
    return pd.concat([left, right], ignore_index=True)[list(RUN_COLUMNS)]


def with_attempts(runs: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Hand on to each run what is known of the gaps that it overlaps or touches.

    A gap that grew by a day, or of which a part was filled, has been asked for as often as before: a delisted share
    would else be asked for three times more after every session.

    Args:
        runs: `RUN_COLUMNS`.
        known: The same columns, `attempts`, and the moments `asked_at` (NaT where never) and `found_at`.

    Returns:
        The runs with `attempts` (0 for a new one), `asked_at` (the latest) and `found_at` (the earliest; NaT).
    """
    numbered = runs.reset_index(drop=True).rename_axis("run").reset_index()
    pairs = numbered.merge(known, on="symbol", suffixes=("", "_known"))
    near = pairs[(pairs["first_known"] <= pairs["last"] + 1) & (pairs["last_known"] >= pairs["first"] - 1)]
    told = near.groupby("run").agg(
        attempts=("attempts", "max"), asked_at=("asked_at", "max"), found_at=("found_at", "min")
    )
    joined = numbered.join(told, on="run").drop(columns="run")
    return joined.assign(attempts=joined["attempts"].fillna(0).astype("int64"))
