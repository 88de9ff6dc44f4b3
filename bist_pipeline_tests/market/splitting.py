"""Split-adjusted rows and what is known of the splits behind them, for the tests of `market/`.

Belongs here: building the inputs. Does not belong here: any expectation.
"""

import numpy as np
import pandas as pd

from bist_pipeline.market.splits import ACTION_COLUMNS, Actions
from bist_pipeline_tests.market.raw_rows import raw_rows

TODAY = pd.Timestamp("2026-08-07")


def split(ex_date, ratio):
    """One split of THYAO."""
    return {"symbol": "THYAO", "ex_date": pd.Timestamp(ex_date), "kind": "split", "ratio": ratio, "amount_try": np.nan}


def dividend(ex_date, amount):
    """One dividend of THYAO."""
    return split(ex_date, np.nan) | {"kind": "dividend", "amount_try": amount}


def actions(*known, stating=("THYAO",)):
    """What is known of the symbols, as of `TODAY`."""
    types = {"symbol": "str", "ex_date": "datetime64[us]", "kind": "str", "ratio": "float64", "amount_try": "float64"}
    return Actions(pd.DataFrame(known, columns=list(ACTION_COLUMNS)).astype(types), frozenset(stating), TODAY.date())


def yahoo_rows(days, fetched_at="2024-02-01T12:00:00Z"):
    """Split-adjusted rows of THYAO whose prices are all equal: close and volume by day; the last day's time is told."""
    changes = [
        {"session_date": day, **dict.fromkeys(("open_raw", "high_raw", "low_raw", "close_raw"), close), "volume_raw": v}
        for day, (close, v) in days.items()
    ]
    as_of = pd.Timestamp(f"{max(days)}T15:10:00Z").as_unit("us")
    fetched = pd.Timestamp(fetched_at).as_unit("us")
    return raw_rows(*changes).assign(basis="split_adjusted", as_of=as_of, fetched_at=fetched)
