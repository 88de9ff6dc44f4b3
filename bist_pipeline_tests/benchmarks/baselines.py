"""What the same work costs without us.

Belongs here: TA-Lib alone, and a bare binary COPY of the same rows by the same driver. Ratios against these travel
between machines.
"""

import pandas as pd

from bist_pipeline.core.bars import Bars
from bist_pipeline.indicators.registry import registered_indicators
from bist_pipeline.patterns.registry import registered_candlesticks
from bist_pipeline.pipeline.context import PipelineContext


def indicators_alone(bars: Bars) -> None:
    """Call every indicator's function for every symbol and drop the answers."""
    for one in bars:
        for indicator in registered_indicators().values():
            indicator.compute(*(getattr(one, name) for name in indicator.inputs))


def candlesticks_alone(bars: Bars) -> None:
    """Call every candlestick's function for every symbol and drop the answers."""
    for one in bars:
        for pattern in registered_candlesticks().values():
            pattern.compute(one.open, one.high, one.low, one.close)


def copy_alone(context: PipelineContext, rows: pd.DataFrame) -> None:
    """COPY the rows into a temporary table: no index, no log, no other row to compare with."""
    with context.database.bulk("measuring COPY") as bulk:
        bulk.stage_frame(rows)
