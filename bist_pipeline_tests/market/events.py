"""The 32 recorded shares with their dividends and splits, as a provider would deliver them.

Belongs here: reading them. Does not belong here: any expectation.
"""

import numpy as np
import pandas as pd

from bist_pipeline.market.splits import ACTION_COLUMNS, Actions
from bist_pipeline_tests.market.raw_rows import raw_rows

# The files end on 2025-11-14.
TODAY = pd.Timestamp("2025-11-17")


def recorded_events(folder) -> tuple[pd.DataFrame, Actions]:
    """Every row of the files, fully adjusted, and the events beside them."""
    paths = sorted((folder / "bist_with_events").glob("*.csv"))
    frame = pd.concat([pd.read_csv(path).assign(symbol=path.name.split("_")[0]) for path in paths], ignore_index=True)
    day = pd.to_datetime(frame["Date"].str[:10]).dt.as_unit("us")
    rows = pd.DataFrame(
        {
            "symbol": frame["symbol"].astype("str"),
            "session_date": day,
            **{f"{name}_raw": frame[name].astype("float64") for name in ("open", "high", "low", "close", "volume")},
            "adj_close_raw": np.nan,
            "source_row": np.arange(len(frame)),
            "fetched_at": TODAY.tz_localize("UTC").as_unit("us"),
        }
    )
    rows = raw_rows({}).drop(columns=list(rows.columns.drop("fetched_at"))).merge(rows, how="cross")
    rows = rows.assign(basis=pd.array(["fully_adjusted"] * len(rows), dtype="str"))
    parts = [
        pd.DataFrame({"symbol": frame["symbol"], "ex_date": day, "kind": kind, name: frame[column]})[frame[column] > 0]
        for kind, name, column in (("split", "ratio", "stock splits"), ("dividend", "amount_try", "dividends"))
    ]
    known = pd.concat(parts, ignore_index=True)[list(ACTION_COLUMNS)].astype({"symbol": "str", "kind": "str"})
    return rows, Actions(known, frozenset(frame["symbol"]), TODAY.date())
