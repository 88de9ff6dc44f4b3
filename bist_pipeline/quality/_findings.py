"""How checks word what they found.

Belongs here: the shape of the offending rows and of an empty answer, so that all checks speak alike. Does not belong
here: any threshold.
"""

from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Any

import numpy as np
import pandas as pd

from bist_pipeline.quality.contract import Finding


def offences(
    symbols: Any, session_dates: Any, details: Sequence[str], *, effect: Any = None, kind: Any = None
) -> pd.DataFrame:
    """Lay out offending rows as `Finding.rows`, by session and then by symbol.

    Args:
        symbols: One code per row.
        session_dates: One day per row; NaT where the offence is not about a day.
        details: One text per row, with the numbers.
        effect: One effect per row or one for all; None where the check's own holds.
        kind: `action`, `fault` or nothing per row or for all; None where the check does not tell them apart.
    """
    further = {name: value for name, value in (("effect", effect), ("kind", kind)) if value is not None}
    rows = pd.DataFrame(
        {
            "symbol": pd.array(symbols, dtype="str"),
            "session_date": pd.array(session_dates, dtype="datetime64[us]"),
            "detail": pd.array(details, dtype="str"),
            **{name: pd.array(np.broadcast_to(value, len(details)), dtype="str") for name, value in further.items()},
        }
    )
    return rows.sort_values(["session_date", "symbol"], kind="stable", ignore_index=True)


def no_offences() -> pd.DataFrame:
    """Return `Finding.rows` without a row."""
    return offences([], [], [])


def nothing_there(what: str) -> Finding:
    """Answer for a range that holds nothing to judge: passed, and saying so rather than that all is well."""
    return Finding(passed=True, summary=f"Nothing to judge: there are {what} in the range.", rows=no_offences())


def report(rows: pd.DataFrame, found: str, clear: str, counts: Mapping[str, int | float]) -> Finding:
    """Answer that passes where no row offends.

    Args:
        rows: From `offences`.
        found: The summary where rows offend.
        clear: The summary where none does.
        counts: Numbers worth watching over time; the number of offending rows is added.
    """
    return Finding(
        passed=rows.empty,
        summary=clear if rows.empty else found,
        counts={"offending_rows": len(rows), **counts},
        rows=rows,
    )


def plural(count: int, noun: str) -> str:
    """Return `1 bar`, `2 bars`, `1,234 bars`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def texts(template: str, rows: pd.DataFrame) -> list[str]:
    """Fill `template` with each row's columns, those that it names alone; for offending rows, not for all."""
    names = sorted({name for _, name, _, _ in Formatter().parse(template) if name})
    values = zip(*(rows[name].tolist() for name in names), strict=True)
    return [template.format_map(dict(zip(names, row, strict=True))) for row in values]
