"""Daily files of other exchanges whose faults somebody repaired: what is flagged, against what the repair changed.

Neither limit, nor ticks, nor calendar of Borsa Istanbul apply. `pytest -s` prints the table.
"""

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.quality.breaks import analyse
from bist_pipeline.quality.breaks.contract import Exchange
from bist_pipeline_tests.quality.breaks.histories import history

pytestmark = pytest.mark.realdata

UNITS_AND_SPLITS = (
    "4063-T-1d-bad-stock-split",
    "ALPHA-PA-1d-bad-stock-split",
    "CNE-L-1d-bad-stock-split",
    "AET-L-1d-100x-error",
)
DIVIDENDS = (
    "1398-HK-1d-bad-div",
    "4063-T-1d-bad-div",
    "8TRA-DE-1d-missing-div-adjust",
    "ADIG-L-1d-bad-div",
    "KEN-TA-1d-bad-div",
    "RGL-L-1d-bad-div",
)
CLEAN = ("CALM-1d-no-bad-divs", "HSBK-IL-1d-no-bad-divs")
VALUES = ("Open", "High", "Low", "Close", "Volume")


def read(name):
    beside = Path(__file__).resolve().parents[4] / "shared" / "data"
    path = Path(os.environ.get("BIST_REALDATA", beside)) / "price_repair" / f"{name}.csv"
    if not path.is_file():
        pytest.skip(f"no recording {path.name}")
    rows = pd.read_csv(path)
    day = rows.iloc[:, 0].str[:10].to_numpy(dtype="datetime64[D]")
    return rows.assign(day=day).sort_values("day", ignore_index=True)


def judged(rows):
    numbers = {name: rows[name].to_numpy(dtype=np.float64) for name in (*VALUES, "Adj Close", "Dividends")}
    splits = rows["Stock Splits"].to_numpy(dtype=np.float64)
    one = history(
        rows["day"].to_numpy(dtype="datetime64[D]"),
        [numbers[name] for name in VALUES],
        "split_adjusted",
        adj_close=numbers["Adj Close"],
        dividend=np.nan_to_num(numbers["Dividends"]),
        split=np.where(splits > 0, splits, 1.0),
    )
    return analyse(one, Exchange())


def flagged(rows, breaks):
    """Which rows are withheld, doubted, multiplied, or have a value beside the bar that is."""
    day = rows["day"].to_numpy().astype("datetime64[us]")
    effective = breaks.verdicts.loc[breaks.verdicts["effect"] != "none", "session_date"]
    hit = np.isin(day, effective.to_numpy().astype("datetime64[us]"))
    for spans in (breaks.repairs, breaks.misadjusted):
        for row in spans.itertuples():
            hit |= (day >= np.datetime64(row.first_session)) & (day <= np.datetime64(row.last_session))
    return hit


def repaired(rows, fixed):
    names = [*VALUES, "Adj Close", "Dividends"]
    same = np.isclose(rows[names], fixed[names], rtol=1e-3, atol=1e-9, equal_nan=True)
    return ~same.all(axis=1)


def score(name):
    rows, fixed = read(name), read(f"{name}-fixed")
    hit, wrong = flagged(rows, judged(rows)), repaired(rows, fixed)
    precision, recall = (float((hit & wrong).sum() / max(side.sum(), 1)) for side in (hit, wrong))
    sys.stdout.write(
        f"\n{name:32s} {len(rows):4d} rows, {wrong.sum():3d} faulty, {hit.sum():3d} flagged: "
        f"precision {precision:.3f}, recall {recall:.3f}"
    )
    return precision, recall


@pytest.mark.parametrize("name", UNITS_AND_SPLITS)
def test_rows_in_another_unit_or_untouched_by_a_split_are_flagged_and_no_other(name):
    assert score(name) == (1.0, 1.0)


@pytest.mark.parametrize("name", DIVIDENDS)
def test_faulty_dividends_and_adjusted_closes_are_flagged(name):
    precision, recall = score(name)
    assert precision >= 0.995  # a row without a close counts as flagged, and no repair can be seen on it
    assert recall == 1.0


@pytest.mark.parametrize("name", CLEAN)
def test_files_without_a_fault_stay_untouched(name):
    rows = read(name)
    breaks = judged(rows)
    assert breaks.verdicts.empty
    assert not flagged(rows, breaks).any()


@pytest.mark.parametrize("name", [*UNITS_AND_SPLITS[:3], *DIVIDENDS])
def test_the_factors_lead_to_the_repaired_values(name):
    rows, fixed = read(name), read(f"{name}-fixed")
    breaks, day = judged(rows), rows["day"].to_numpy().astype("datetime64[us]")
    columns = {"adj_close": "Adj Close", "dividend": "Dividends"}
    values = {name: rows[name].to_numpy(dtype=np.float64).copy() for name in ("Close", "Adj Close", "Dividends")}
    for row in breaks.repairs.itertuples():
        values["Close"][(day >= row.first_session) & (day <= row.last_session)] *= row.price_factor
    for row in breaks.misadjusted.itertuples():
        values[columns[row.column]][(day >= row.first_session) & (day <= row.last_session)] *= row.factor
    for column in ("Close", *(("Adj Close", "Dividends") if name in DIVIDENDS else ())):
        np.testing.assert_allclose(values[column], fixed[column], rtol=1e-5, atol=1e-9)
