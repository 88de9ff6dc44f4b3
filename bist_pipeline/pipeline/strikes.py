"""Strikes: telling a delisted symbol from a provider that is out of order.

Belongs here: counting on how many sessions in a row a provider said that there is no such symbol. One answer is no
proof: Yahoo has said so of every symbol for an afternoon.
"""

from datetime import date

import pandas as pd

from bist_pipeline.core.calendar import ORIGIN
from bist_pipeline.core.errors import SessionError
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts

# From this many sessions on a symbol counts as delisted or renamed, and the live lane leaves it out.
DELISTED_AFTER = 3

# Below it, what did not answer says nothing about single symbols.
LEAST_SHARE_ANSWERED = 0.80


def strike(context: PipelineContext, outcomes: pd.DataFrame) -> int:
    """Give a strike for this session to each symbol that was just asked for and is unknown; return how many.

    Args:
        context: The run's surroundings.
        outcomes: Columns `symbol`, `status`, `fetched` of one ingest, the symbols that were not asked included. Nothing
            happens where a fifth of those with a history failed or is unknown all at once: that is an outage. An answer
            clears a symbol's strikes (`ingest.py`).
    """
    struck = outcomes.loc[outcomes["fetched"] & (outcomes["status"] == "missing"), "symbol"].tolist()
    if not struck or _is_outage(context, outcomes, struck):
        return 0
    with context.database.bulk("counting strikes") as bulk:
        bulk.lock(contracts().fetch_ledger.name)
        stage = bulk.stage_frame(pd.DataFrame({"symbol": struck}))
        rows = bulk.execute(
            f"""UPDATE market.fetch_ledger AS l SET strikes = l.strikes + 1, struck_on = $1 FROM {stage} AS s
            WHERE l.symbol = s.symbol AND l.struck_on IS DISTINCT FROM $1 RETURNING l.symbol""",
            [_session(context)],
        )
    return len(rows)


def _is_outage(context: PipelineContext, outcomes: pd.DataFrame, unknown: list[str]) -> bool:
    counted = outcomes["status"].value_counts()
    answered, failed = int(counted.get("answered", 0)), int(counted.get("failed", 0))
    gone = context.database.rows(
        "SELECT count(*) AS n FROM market.fetch_ledger WHERE symbol = ANY (:unknown) AND rows > 0 AND strikes = 0",
        {"unknown": unknown},
    )[0].n
    # One share may leave a list of three; that many leave on the same day is the provider's doing.
    failed += gone if gone > 1 else 0
    return not answered or answered < LEAST_SHARE_ANSWERED * (answered + failed)


def _session(context: PipelineContext) -> date:
    """The session that the strike is of: several askings on one day are one strike."""
    try:
        return context.calendar.session_at(context.clock.now())
    except SessionError:
        return ORIGIN
