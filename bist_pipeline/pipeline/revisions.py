"""The revision ledger: what a provider tells differently than before, noted before it is written over.

Belongs here: finding the stored rows that an answer changes, and keeping both values in `market.revisions`, in the
transaction that changes them. Does not belong here: what kind of difference it is (`market/revisions.py`), and what
follows for derived rows (`cleaning.py` marks the symbol, `restate.py` derives it anew).

No revision is: a first fetch; a row beyond the stored history; another value of a bar that was forming when it was
told; another adjusted close alone; the same values from another source.
"""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd

from bist_pipeline.core.calendar import ISTANBUL, ORIGIN, SessionCalendar
from bist_pipeline.market.revisions import ACTION_CHANGES, VALUES, changed_actions, classify
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.providers.contract import History
from bist_pipeline.storage.bulk import BulkTransaction, Scope

_OLD = ", ".join(f"o.{name} AS old_{name}" for name in (*VALUES, "basis", "source", "as_of", "payload_hash"))
_NEW = ", ".join(f"s.{name} AS new_{name}" for name in (*VALUES, "basis", "source", "payload_hash"))


def _compared(alias: str) -> str:
    return ", ".join(f"{alias}.{name}" for name in (*VALUES, "basis"))


# One pass over both: what neither differs nor is missing on a side goes no further.
_DIFFERENCES = f"""
    SELECT symbol, session_date, occurrence, {_OLD}, {_NEW},
        o.basis IS NOT NULL AS was_told, s.basis IS NOT NULL AS is_told, l.fetched_at AS asked_at
    FROM {{stage}} AS s
    FULL JOIN (SELECT t.* FROM market.raw_prices AS t WHERE {{scope}}) AS o USING (symbol, session_date, occurrence)
    JOIN market.fetch_ledger AS l USING (symbol)
    WHERE ({_compared("s")}) IS DISTINCT FROM ({_compared("o")})
    AND (o.basis IS NOT NULL OR session_date BETWEEN l.first_session AND l.last_session)
    ORDER BY symbol, session_date, occurrence"""


def note_revisions(
    bulk: BulkTransaction,
    context: PipelineContext,
    histories: Sequence[History],
    *,
    stage: str,
    scope: Scope,
    now: datetime,
) -> int:
    """Note what the answers of a batch change in the stored past; return how many bars.

    Args:
        bulk: The transaction that is about to write the rows and the actions; neither may be written yet.
        context: The run's surroundings.
        histories: The answers.
        stage: The staged rows of `market.raw_prices` that they became.
        scope: Their symbols.
        now: When.
    """
    found = bulk.frame(_DIFFERENCES.format(stage=stage, scope=bulk.predicate(scope)))
    found = found[_was_settled(found, context.calendar)]
    if not len(found):
        return 0
    found = found.drop_duplicates(["symbol", "session_date"]).reset_index(drop=True)
    revised = classify(found, _actions(bulk, found, histories))
    contract = contracts().revisions
    rows = _shaped(revised, _free_moment(bulk, now), context.run_id)
    # Appended: what was noted earlier stays, whatever the scope.
    noted = bulk.stage(contract, [rows])
    columns = ", ".join(contract.columns)
    bulk.execute(f"INSERT INTO {contract.name} ({columns}) SELECT {columns} FROM {noted}")
    return len(rows)


def _was_settled(found: pd.DataFrame, calendar: SessionCalendar) -> "pd.Series[bool]":
    """Whether each row's session was over when the old answer was given; of one that it lacked, when it was asked."""
    schedule = calendar.schedule(ORIGIN, calendar.horizon).set_index("session_date")["final_at"]
    final_at = found["session_date"].map(schedule)
    known_at = found["old_as_of"].where(found["was_told"].astype(bool), found["asked_at"])
    # On a day without a session a row is settled when the day is over.
    day = known_at.dt.tz_convert(ISTANBUL).dt.tz_localize(None)
    is_past = day >= found["session_date"] + pd.Timedelta(days=1)
    return (known_at >= final_at).where(final_at.notna(), is_past).astype(bool)


def _actions(bulk: BulkTransaction, found: pd.DataFrame, histories: Sequence[History]) -> pd.DataFrame:
    """What the answers say of actions that the stored ones did not, of the symbols whose prices differ."""
    wanted = set(found["symbol"])
    stored = bulk.frame(
        """SELECT symbol, ex_date, kind, ratio, amount_try FROM market.delivered_actions
        WHERE symbol = ANY (string_to_array($1, ','))""",
        [",".join(sorted(wanted))],
    )
    frames = []
    for history in histories:
        if history.symbol in wanted:
            told = history.actions.drop_duplicates(["ex_date", "kind"], keep="last")
            old = stored[stored["symbol"] == history.symbol].drop(columns="symbol")
            frames.append(changed_actions(old, told, history.bars, symbol=history.symbol, basis=history.basis))
    kept = [frame for frame in frames if len(frame)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=list(ACTION_CHANGES))


def _free_moment(bulk: BulkTransaction, now: datetime) -> datetime:
    """Now, or just after the newest note: a clock may stand still, and be set back."""
    newest = bulk.frame("SELECT max(noted_at) AS newest FROM market.revisions")["newest"].iloc[0]
    moment = pd.Timestamp(now).tz_convert("UTC")
    return moment if pd.isna(newest) else max(moment, newest + pd.Timedelta(microseconds=1))


def _shaped(revised: pd.DataFrame, noted_at: datetime, run_id: str) -> pd.DataFrame:
    texts = {name: revised[name].fillna("") for name in ("old_payload_hash", "new_payload_hash")}
    source = revised["new_source"].where(revised["is_told"].astype(bool), revised["old_source"])
    moment = pd.DatetimeIndex([noted_at]).tz_convert("UTC").as_unit("us").repeat(len(revised))
    return revised.assign(**texts, source=source, noted_at=moment, run_id=run_id)[list(contracts().revisions.columns)]
