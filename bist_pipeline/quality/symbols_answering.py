"""Whether the providers answered at all: the one plausibility check that stops a run."""

import pandas as pd

from bist_pipeline.quality._findings import no_offences, nothing_there, offences, report
from bist_pipeline.quality._thresholds import MAX_FAILED_SHARE
from bist_pipeline.quality.contract import Check, CheckInput, Finding

_REASONS_SHOWN = 3  # a summary is one line; the rows name every symbol


def find(given: CheckInput) -> Finding:
    """Fail where too many symbols failed, or where none answered.

    A symbol that the provider does not have is not a failure; that it has none of those asked for is.
    """
    outcomes, status = given.outcomes, given.outcomes["status"]
    counts = {"asked": len(status)} | {name: int((status == name).sum()) for name in ("answered", "failed", "missing")}
    if not counts["asked"]:
        return nothing_there("no symbols that were asked for")
    # Of those that the provider has: an archive of 90 files is asked for 600 symbols.
    share = counts["failed"] / max(counts["failed"] + counts["answered"], 1)
    # Where a file is broken and no other is there, its fault is the reason, not the symbols that have no file.
    silent = outcomes[status == "failed"] if counts["answered"] or counts["failed"] else outcomes
    bad = share > MAX_FAILED_SHARE or not counts["answered"]
    summary = (
        f"{counts['answered']:,} of {counts['asked']:,} symbols answered, {counts['failed']:,} failed "
        f"({share:.1%}; the limit is {MAX_FAILED_SHARE:.0%}), {counts['missing']:,} unknown to the provider."
        f"{_most_frequent(silent)}"
    )
    rows = _rows(silent) if bad else no_offences()
    return report(rows, found=summary, clear=summary, counts=counts | {"failed_share": share})


def _reasons(outcomes: pd.DataFrame) -> pd.Series:
    return outcomes["reason"].fillna("").replace("", "no reason given").astype(str)


def _most_frequent(outcomes: pd.DataFrame) -> str:
    top = _reasons(outcomes).value_counts().head(_REASONS_SHOWN)
    return f" Reasons: {'; '.join(f'{reason} ({count:,})' for reason, count in top.items())}." if len(top) else ""


def _rows(outcomes: pd.DataFrame) -> pd.DataFrame:
    details = (outcomes["status"].astype(str) + ": " + _reasons(outcomes)).tolist()
    return offences(outcomes["symbol"].tolist(), [pd.NaT] * len(outcomes), details)


CHECK = Check(
    name="symbols_answering",
    severity="error",
    blocking=True,
    description=f"At most {MAX_FAILED_SHARE:.0%} of the symbols the provider has failed, and at least one answered.",
    find=find,
    market_wide=True,
)
