"""Bars on which a second source disagrees with the first.

Who is supported is decided in `comparison/`; this check says what it means for the bar. Where nothing speaks for the
first, its bar is doubtful. A bar that the second stands in for is the second's by then, and is not found here.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.quality._findings import no_offences, nothing_there, offences, plural, report
from bist_pipeline.quality._range import is_judged, trading_days
from bist_pipeline.quality.comparison.engine import bars_of, compare
from bist_pipeline.quality.contract import Check, CheckInput, Finding

NAME = "sources_disagree"
_DOUBTFUL = ("undecided", "second_supported")


def is_doubted(rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which rows of a comparison speak against the first's bar, shape (n,)."""
    return (rows["kind"].isin(["bar", "volume"]) & rows["verdict"].isin(_DOUBTFUL)).to_numpy(dtype=bool)


def find(given: CheckInput) -> Finding:
    """Find bars, gaps and actions on which the second source tells otherwise.

    A bar that only the first has is none of them: the first need not lack what another lacks. Nor are symbols whose
    prices have nothing in common; they are counted.
    """
    if given.raw.empty:
        return nothing_there("no rows")
    if given.second is None:
        return Finding(passed=True, summary="No second source is configured.", rows=no_offences())
    compared = compare(
        bars_of(given.raw, given.bars),
        bars_of(given.second),
        sessions=trading_days(given.sessions).astype("datetime64[D]"),
        actions=given.actions,
    )
    told = compared.rows[is_judged(given, compared.rows["session_date"]) & (compared.rows["verdict"] != "only_first")]
    doubted = is_doubted(told)
    recognised = compared.recognised
    unlike = recognised["reason"].str.contains("different shares")
    rows = offences(
        told["symbol"],
        told["session_date"],
        told["detail"].tolist(),
        effect=np.where(doubted, "doubt", "none"),
        kind=np.where(told["kind"] == "action", "action", "fault"),
    )
    bars = int(recognised["bars"].sum())
    return report(
        rows,
        found=f"{plural(len(rows), 'disagreement')} of {plural(told['symbol'].nunique(), 'symbol')} with the second "
        f"source, {int(doubted.sum())} of them doubtful bars; {plural(bars, 'bar')} compared.",
        clear=f"Two sources agree on {plural(bars, 'bar')}.",
        counts={
            "bars_compared": bars,
            "doubted": int(doubted.sum()),
            "symbols_compared": int(recognised["comparable"].sum()),
            "symbols_unlike": int(unlike.sum()),
        },
    )


CHECK = Check(
    name=NAME,
    severity="warn",
    blocking=False,
    description="Where a second source is configured, it tells the same bars.",
    find=find,
    effect="doubt",
)
