"""Against the results that the Skender library publishes for 502 daily bars of 2017 and 2018.

Belongs here: nothing but that comparison. Its figures come from another implementation in another language.
"""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.indicators.registry import registered_indicators

pytestmark = pytest.mark.realdata

DEFAULT = Path(__file__).parents[3] / "shared" / "data"

# (column, file, field, bar from which both agree). Where the bar is not the first at which both have a value, the two
# start a recursion from another seed, whose trace has to fade: MACD (the fast mean's seed), directional movement
# (Wilder's sums start with 13 or with 14 bars), TEMA and T3 (chained means seeded at once or one after the other), SAR
# (the first direction; equal from the first reversal that both see).
PUBLISHED = [
    ("sma_20", "sma", "sma", 19),
    ("ema_20", "ema", "ema", 19),
    ("ema_12", "macd", "fastEma", 11),
    ("ema_26", "macd", "slowEma", 25),
    ("rsi_14", "rsi", "rsi", 14),
    ("macd_12_26_9", "macd", "macd", 170),
    ("macd_signal_12_26_9", "macd", "signal", 170),
    ("macd_hist_12_26_9", "macd", "histogram", 170),
    ("bb_upper_20_2", "bb", "upperBand", 19),
    ("bb_middle_20_2", "bb", "sma", 19),
    ("bb_lower_20_2", "bb", "lowerBand", 19),
    ("atr_14", "atr", "atr", 14),
    ("natr_14", "atr", "atrp", 14),
    ("adx_14", "adx", "adx", 300),
    ("plus_di_14", "adx", "pdi", 250),
    ("minus_di_14", "adx", "mdi", 250),
    ("cci_20", "cci", "cci", 19),
    ("mfi_14", "mfi", "mfi", 14),
    ("willr_14", "willr", "williamsR", 13),
    ("stoch_k_14_3_3", "stoch", "k", 17),
    ("stoch_d_14_3_3", "stoch", "d", 17),
    ("kama_10", "kama", "kama", 10),
    ("ultosc_7_14_28", "uo", "ultimate", 28),
    ("tema_20", "tema", "tema", 215),
    ("t3_5", "t3", "t3", 60),
    ("sar", "psar", "sar", 251),
]


@pytest.fixture(scope="module")
def folder() -> Path:
    found = Path(os.environ.get("BIST_REALDATA", DEFAULT)) / "ta_reference"
    if not found.is_dir():
        pytest.skip(f"no folder {found}")
    return found


@pytest.fixture(scope="module")
def computed(folder) -> dict[str, np.ndarray]:
    quotes = pd.read_csv(folder / "quotes" / "default.csv").astype({"volume": float})
    return {
        column.name: values
        for part in registered_indicators().values()
        for column, values in zip(
            part.columns, part.compute(*(quotes[name].to_numpy(copy=True) for name in part.inputs)), strict=True
        )
    }


@pytest.mark.parametrize(("column", "file", "field", "since"), PUBLISHED, ids=[row[0] for row in PUBLISHED])
def test_values_agree_with_the_published_results(folder, computed, column, file, field, since):
    rows = json.loads((folder / "results" / f"{file}.standard.json").read_text(encoding="utf-8"))
    published = np.array([row[field] for row in rows], dtype=np.float64)
    assert len(published) == len(computed[column]) == 502
    np.testing.assert_allclose(computed[column][since:], published[since:], rtol=1e-9, atol=0)
