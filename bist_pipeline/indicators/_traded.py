"""Whether anything was traded lately: the guard of indicators that divide by a sum of volumes.

Belongs here: that guard alone. TA-Lib keeps running sums, and after a long silence their rounding residue is divided
by another one: with fractional volumes VWMA then says 1181 for a share at 5 lira and CMF leaves [−1, 1] (both seen).
A maximum has no residue, so it tells silence exactly.
"""

import numpy as np
import numpy.typing as npt
import talib

from bist_pipeline.core.bars import FloatArray


def nothing_traded(volume: FloatArray, period: int) -> npt.NDArray[np.bool_]:
    """Return where the last `period` volumes, the bar's own included, are all zero; False before there are as many."""
    return talib.MAX(volume, timeperiod=period) == 0
