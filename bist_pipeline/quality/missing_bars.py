"""Holes in a symbol's history: no bar on a session on which the others have one.

A hole over the whole market is the provider's or the calendar's fault and is counted, not blamed on each symbol.
"""

import numpy as np
import numpy.typing as npt

from bist_pipeline.quality._findings import nothing_there, offences, plural, report, texts
from bist_pipeline.quality._panel import Panel
from bist_pipeline.quality.contract import Check, CheckInput, Finding

# Half of the symbols listed then: below it, the session itself is in doubt rather than the symbol.
MIN_SHARE_WITH_BAR = 0.50


def find(given: CheckInput) -> Finding:
    """Find sessions between a symbol's first and last bar of the range on which it has none and most others do.

    A row without a close is no bar. What a symbol lacks before its first and after its last bar is not seen here.
    """
    panel = Panel.of(given)
    has_bar = ~np.isnan(panel.values("close_raw"))
    if not has_bar.any():
        return nothing_there("no bars on sessions")
    listed = _between_first_and_last(has_bar)
    with_bar, expected = has_bar.sum(axis=0), listed.sum(axis=0)
    common = with_bar >= MIN_SHARE_WITH_BAR * expected
    rows = panel.at(listed & ~has_bar & common, with_bar=with_bar, expected=expected)
    thin = int((~common).sum())
    beside = f"; {plural(thin, 'session')} on which most symbols lack a bar"
    return report(
        offences(
            rows["symbol"], rows["session_date"], texts("no bar; {with_bar} of {expected} symbols have one", rows)
        ),
        found=f"{plural(len(rows), 'bar')} of {plural(rows['symbol'].nunique(), 'symbol')} missing{beside}.",
        clear=f"No bar is missing inside the histories of {plural(len(panel.symbols), 'symbol')}{beside}.",
        counts={"bars": int(has_bar.sum()), "symbols": rows["symbol"].nunique(), "thin_sessions": thin},
    )


def _between_first_and_last(has_bar: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    begun = np.logical_or.accumulate(has_bar, axis=1)
    goes_on = np.logical_or.accumulate(has_bar[:, ::-1], axis=1)[:, ::-1]
    return begun & goes_on


CHECK = Check(
    name="missing_bars",
    severity="warn",
    blocking=False,
    description="A symbol has a bar on every session on which most of the symbols listed then have one.",
    find=find,
)
