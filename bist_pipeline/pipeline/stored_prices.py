"""Writing accepted bars, and noting whose past has changed.

Belongs here: `dirty_from` and `dirty_because`. Does not belong here: making bars (`histories.py`, `cleaning.py`),
computing anew what rests on them (`restate.py`).
"""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from bist_pipeline.core.bars import BAR_COLUMNS
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.storage.bulk import BulkTransaction, Scope, WriteCounts

# What derived rows are computed from, and the grade that signals carry. A bar that differs in nothing else, such as its
# factors or who told of it, is the same bar.
_DERIVED_FROM = (*BAR_COLUMNS, "basis", "grade")


def write_prices(
    bulk: BulkTransaction, accepted: pd.DataFrame, scope: Scope, factors: pd.DataFrame | None = None
) -> WriteCounts:
    """Make the scope hold exactly these bars; symbols whose past changes become dirty.

    Args:
        bulk: The transaction.
        accepted: Rows of `market.daily_prices`.
        scope: What they define completely.
        factors: What `reference.action_factors` is about to hold of the scope; None where it stays as it is.
    """
    contract = contracts().daily_prices
    bulk.lock(contract.name)
    if scope.first is None and not bulk.holds_rows(contract, scope):
        return bulk.replace(contract, [accepted], scope)
    stage = bulk.stage(contract, [accepted])
    others = tuple(name for name in contract.columns if name not in _DERIVED_FROM)
    changed = bulk.changed(replace(contract, stamps=others), stage, scope)
    _set_dirty(bulk, changed, _BARS_CHANGED)
    if factors is not None:
        known = bulk.stage(contracts().action_factors, [factors.astype({"symbol": "str", "kinds": "str"})])
        late = _ACTIONS_LEARNT_LATE.format(factors=known, scope=bulk.predicate(scope))
        _set_dirty(bulk, bulk.frame(late), _ACTIONS_CHANGED)
    return bulk.merge(contract, stage, scope)


# An action that comes, goes or changes concerns the stored rows from its ex-date on, where bars lie before it.
_ACTIONS_LEARNT_LATE = """
    SELECT symbol, min(first) AS session_date FROM (
        SELECT symbol, (SELECT min(t.session_date) FROM market.daily_prices AS t
            WHERE t.symbol = c.symbol AND t.session_date >= c.ex_date) AS first
        FROM (SELECT symbol, ex_date FROM {factors} AS n FULL JOIN (
                SELECT t.* FROM reference.action_factors AS t WHERE {scope}) AS o USING (symbol, ex_date)
            WHERE abs(coalesce(n.price_factor, 1) / coalesce(o.price_factor, 1) - 1) > 1e-9
            OR abs(coalesce(n.share_ratio, 1) / coalesce(o.share_ratio, 1) - 1) > 1e-9) AS c
        WHERE EXISTS (SELECT FROM market.daily_prices AS t WHERE t.symbol = c.symbol AND t.session_date < c.ex_date)
        ) AS firsts
    WHERE first IS NOT NULL GROUP BY symbol"""

# Why, in words: what the revision ledger noted with the answer that is stored now.
_BARS_CHANGED = """'bars from ' || c.changed_from::date || ' on changed' || coalesce(': ' || (
    SELECT string_agg(n || ' × ' || revision_class, ', ' ORDER BY revision_class) FROM (
        SELECT r.revision_class, count(*) AS n FROM market.revisions AS r
        WHERE r.symbol = l.symbol AND r.new_payload_hash = l.payload_hash GROUP BY r.revision_class) AS classes), '')"""
_ACTIONS_CHANGED = """'an action of ' || c.changed_from::date || ' was learnt, changed or withdrawn late'"""


def _set_dirty(bulk: BulkTransaction, changes: pd.DataFrame, because: str) -> None:
    """Mark each symbol whose past changed. A bar after the last stored one is not past: nothing rests on it yet."""
    if not len(changes):
        return
    stage = bulk.stage_frame(changes.rename(columns={"session_date": "changed_from"}))
    bulk.execute(
        f"""UPDATE market.fetch_ledger AS l SET dirty_from = least(l.dirty_from, c.changed_from),
            dirty_because = left(concat_ws('; ', nullif(l.dirty_because, ''), nullif({because}, l.dirty_because)), 500)
        FROM {stage} AS c JOIN (SELECT symbol, max(session_date) AS last FROM market.daily_prices GROUP BY symbol) AS p
        USING (symbol) WHERE l.symbol = c.symbol AND c.changed_from <= p.last"""
    )


def remember(bulk: BulkTransaction, marks: Mapping[str, str]) -> None:
    """Note in the ledger what the bars of some symbols rest on."""
    if marks:
        stage = bulk.stage_frame(pd.DataFrame({"symbol": list(marks), "mark": list(marks.values())}))
        bulk.execute(
            f"UPDATE market.fetch_ledger AS l SET cleaned_hash = m.mark FROM {stage} AS m WHERE l.symbol = m.symbol"
        )
