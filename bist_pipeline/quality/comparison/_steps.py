"""Steps of the ratio that no known action explains.

Belongs here: which changes of level are disagreements. Sources on different bases part at every action, by what it left
of a price (or by its shares alone, or by its cash alone): that is how bases differ, and nothing is wrong.
"""

import numpy as np
import pandas as pd

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.quality.comparison._disputes import Compared
from bist_pipeline.quality.comparison._pairs import BoolArray, IntArray
from bist_pipeline.quality.comparison.contract import ACTION_TOLERANCE, MIN_STEP


def unexplained_steps(compared: Compared, actions: pd.DataFrame) -> tuple[IntArray, FloatArray]:
    """Return the first bars of new levels that nothing explains, and by how much (log) the level changed.

    Args:
        compared: What was compared.
        actions: `symbol`, `ex_date`, `price_factor`, `share_ratio`.
    """
    rows = np.flatnonzero(compared.levels.is_step & compared.comparable[compared.pairs.code])
    change = compared.levels.level[rows] - compared.levels.level[rows - 1]
    told = (np.abs(change) >= MIN_STEP) & ~_by_basis(compared, rows, change, actions)
    return rows[told], change[told]


def _by_basis(compared: Compared, rows: IntArray, change: FloatArray, actions: pd.DataFrame) -> BoolArray:
    pairs = compared.pairs
    explained = np.zeros(len(rows), dtype=bool)
    differ = pairs.first.basis[rows] != pairs.second.basis[rows]
    if not len(actions) or not differ.any():
        return explained
    code = pd.Index(pairs.symbols).get_indexer(pd.Index(actions["symbol"]))
    ex_date = actions["ex_date"].to_numpy(dtype="datetime64[D]")
    price, shares = (np.log(actions[name].to_numpy(dtype=np.float64)) for name in ("price_factor", "share_ratio"))
    for place in np.flatnonzero(differ).tolist():
        row = rows[place]
        between = (code == pairs.code[row]) & (ex_date <= pairs.day[row]) & (ex_date > pairs.day[row - 1])
        sizes = np.abs([np.sum(part[between]) for part in (price, shares, price + shares)])
        explained[place] = between.any() and bool((np.abs(sizes - abs(change[place])) <= ACTION_TOLERANCE).any())
    return explained
