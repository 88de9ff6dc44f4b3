"""Grades of the bars that signals rest on.

Belongs here: looking them up for a span. Most bars are of grade A, and only the others are read.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bist_pipeline.pipeline.span import Span
from bist_pipeline.storage.database import Database

_KEY = ["symbol", "session_date"]


@dataclass(frozen=True)
class Grades:
    """The grades of one span.

    Attributes:
        frame: `symbol`, `session_date`, `grade` of the bars that are not of grade A.
    """

    frame: pd.DataFrame

    def stamp(self, signals: pd.DataFrame) -> pd.DataFrame:
        """Return the signals with the `grade` of the bar each rests on."""
        grade = np.full(len(signals), "A", dtype=object)
        if len(self.frame) and len(signals):
            known = pd.MultiIndex.from_frame(self.frame[_KEY])
            where = known.get_indexer(pd.MultiIndex.from_frame(signals[_KEY]))
            grade[where >= 0] = self.frame["grade"].to_numpy(dtype=object)[where[where >= 0]]
        return signals.assign(grade=pd.array(grade, dtype="str"))


def read_grades(database: Database, span: Span) -> Grades:
    """Read the grades of a span."""
    return Grades(
        database.frame(
            """SELECT symbol, session_date, grade FROM market.daily_prices
            WHERE session_date BETWEEN $1 AND $2 AND grade <> 'A'""",
            [span.first, span.last],
        )
    )
