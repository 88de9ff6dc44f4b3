"""Sessions that the provider cut off: bars of the morning that pass for the day's, with closes of an hour at noon.

One symbol may have a quiet, narrow day. When most of the market has a fraction of its volume within a fraction of its
range, on a whole session, with the next one as usual, the answer was taken before the close and never taken again.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.quality import _thresholds as limits
from bist_pipeline.quality._findings import nothing_there, offences, plural, report, texts
from bist_pipeline.quality._panel import Panel, usable
from bist_pipeline.quality._range import half_days
from bist_pipeline.quality.contract import Check, CheckInput, Finding


def find(given: CheckInput) -> Finding:
    """Find the bars of sessions with a fraction of the market's usual volume and range.

    The newest session of the range is not judged: it may be trading still, and nothing tells yet whether the next is
    as usual. Half days are not either, nor anything where `sessions` does not say which they are.
    """
    panel = Panel.of(given)
    volume = panel.values("volume_raw")
    ratio = _of_usual(np.where(np.isfinite(volume) & (volume >= 0), volume, np.nan))
    width = _of_usual(np.log(usable(panel.values("high_raw")) / usable(panel.values("low_raw"))))
    market, narrow = _median(ratio), _median(width)
    whole = ~np.isin(panel.sessions, half_days(given.sessions)) & ("is_half_day" in given.sessions)
    judged = np.isfinite(market) & np.isfinite(_next(market)) & whole & panel.judged
    if not judged.any():
        return nothing_there("no whole sessions with enough symbols and sessions around them")
    cut = judged & (market <= limits.MAX_TRUNCATED_VOLUME) & (narrow <= limits.MAX_TRUNCATED_RANGE)
    cut &= _next(market) >= limits.MIN_NEXT_VOLUME
    hit = cut & np.isfinite(panel.values("close_raw"))
    rows = panel.at(hit, ratio=ratio, market=market, narrow=narrow)
    template = "volume {ratio:.2f} of its usual; the market's {market:.2f} within {narrow:.2f} of its usual range"
    return report(
        offences(rows["symbol"], rows["session_date"], texts(template, rows), kind="fault"),
        found=f"{plural(int(cut.sum()), 'session')} cut off: {plural(len(rows), 'bar')}.",
        clear=f"None of {plural(int(judged.sum()), 'session')} was cut off.",
        counts={"sessions": int(judged.sum()), "truncated_sessions": int(cut.sum())},
    )


def _of_usual(values: FloatArray) -> FloatArray:
    """Return each value over the symbol's median of the sessions before, NaN where there are too few, shape (s, t)."""
    before = pd.DataFrame(values.T).rolling(limits.USUAL_SESSIONS, min_periods=limits.MIN_USUAL_SESSIONS).median()
    usual = before.shift(1).to_numpy().T
    return np.divide(values, usual, out=np.full_like(values, np.nan), where=usual > 0)


def _median(ratio: FloatArray) -> FloatArray:
    """Return the median over the symbols, NaN where they are too few to say, shape (t,)."""
    enough = np.isfinite(ratio).sum(axis=0) >= limits.MIN_SYMBOLS
    market = np.full(ratio.shape[1], np.nan)
    if enough.any():
        market[enough] = np.nanmedian(ratio[:, enough], axis=0)
    return market


def _next(market: FloatArray) -> npt.NDArray[np.float64]:
    return np.append(market[1:], np.nan)[: len(market)]


CHECK = Check(
    name="truncated_sessions",
    severity="warn",
    blocking=False,
    description="No whole session has a fraction of the market's usual volume and range between usual sessions.",
    find=find,
    effect="doubt",
    market_wide=True,
)
