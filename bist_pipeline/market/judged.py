"""What was judged of delivered rows by looking at their neighbours: withheld, doubted, repaired.

Belongs here: handing the judgement to cleaning, row by row. Does not belong here: judging (`quality/`), and rules that
look at one row alone (`rules.py`).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.market.repairs import REPAIR_COLUMNS

VERDICT_COLUMNS = ("symbol", "session_date", "rule", "effect", "reason")


@dataclass(frozen=True)
class Judged:
    """The judgement of some symbols.

    Attributes:
        verdicts: `VERDICT_COLUMNS`; several of one bar are possible.
        repairs: `repairs.REPAIR_COLUMNS`.
    """

    verdicts: pd.DataFrame
    repairs: pd.DataFrame

    def of(self, raw: pd.DataFrame) -> "ByNeighbours":
        """Look up what is said of each delivered row."""
        withheld, doubted = np.zeros((2, len(raw)), dtype=bool)
        rules, reasons, doubts = (np.full(len(raw), "", dtype=object) for _ in range(3))
        for effect, hit in (("withhold", withheld), ("doubt", doubted)):
            said = self.verdicts[self.verdicts["effect"] == effect].sort_values(["symbol", "session_date", "rule"])
            if said.empty:
                continue
            told = said.groupby(["symbol", "session_date"], sort=False).agg(
                rule=("rule", ", ".join), reason=("reason", " ".join)
            )
            where = told.index.get_indexer(pd.MultiIndex.from_frame(raw[["symbol", "session_date"]]))
            hit[where >= 0] = True
            names = told["rule"].to_numpy(dtype=object)[where[where >= 0]]
            if effect == "doubt":
                doubts[where >= 0] = names
            else:
                first = told["rule"].str.split(", ", n=1).str[0].to_numpy(dtype=object)
                rules[where >= 0] = first[where[where >= 0]]
                reasons[where >= 0] = told["reason"].to_numpy(dtype=object)[where[where >= 0]]
        return ByNeighbours(withheld, doubted, rules, reasons, doubts)


@dataclass(frozen=True, slots=True)
class ByNeighbours:
    """The judgement of each of n delivered rows; arrays of shape (n,).

    Attributes:
        withheld, doubted: Whether it is.
        rules, reasons: First rule that withholds it and all reasons in words; empty where nothing does.
        doubts: Names of what doubts it, comma-separated.
    """

    withheld: npt.NDArray[np.bool_]
    doubted: npt.NDArray[np.bool_]
    rules: npt.NDArray[np.object_]
    reasons: npt.NDArray[np.object_]
    doubts: npt.NDArray[np.object_]

    def quarantined(self, raw: pd.DataFrame, rows: npt.NDArray[np.int64]) -> pd.DataFrame:
        """Lay out some of the rows with rule and reason, in the provider's own values."""
        told = raw.iloc[rows].reset_index(drop=True)
        day = np.datetime_as_string(told["session_date"].to_numpy(dtype="datetime64[D]"))
        reasons = [
            f"{symbol} on {on} breaks {rule}: {reason}"
            for symbol, on, rule, reason in zip(told["symbol"], day, self.rules[rows], self.reasons[rows], strict=True)
        ]
        return told.assign(
            rule=pd.array(self.rules[rows], dtype="str"),
            reason=pd.array(np.array(reasons, dtype=object), dtype="str"),
        )


def nothing_judged() -> Judged:
    """Nothing is said of any row."""
    return Judged(pd.DataFrame(columns=list(VERDICT_COLUMNS)), pd.DataFrame(columns=list(REPAIR_COLUMNS)))
