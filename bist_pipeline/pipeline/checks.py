"""Checks over what is stored: the contract of the raw table, and every registered quality check.

Belongs here: gathering what a check looks at, running it, keeping the row results. What a check is stands in
`quality/`; what cleaning does with the rows that were found in `judging.py`.
"""

from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import pandas as pd

from bist_pipeline.core.calendar import ORIGIN
from bist_pipeline.core.errors import ContractError
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.span import Span
from bist_pipeline.quality.contract import BAR_VALUES, Check, CheckInput, Finding
from bist_pipeline.quality.registry import registered_checks
from bist_pipeline.schemas.contract import Contract
from bist_pipeline.schemas.validation import Violations, violations
from bist_pipeline.storage.bulk import WriteCounts

CONTRACT_CHECK = "contract"

# What is read around a range, so that its first and last bars have neighbours: thirty sessions before, ten after.
_BEFORE, _AFTER = timedelta(days=45), timedelta(days=15)

_DELIVERED = ("open_raw", "high_raw", "low_raw", "close_raw", "volume_raw", "basis")


def gather(context: PipelineContext, span: Span, outcomes: pd.DataFrame | None = None) -> CheckInput:
    """Read what checks look at.

    Args:
        context: The run's surroundings.
        span: Sessions to judge.
        outcomes: What became of each symbol asked; None to take the ledger's word.
    """
    first, last = max(span.first - _BEFORE, ORIGIN), min(span.last + _AFTER, context.calendar.horizon)
    raw = context.database.frame(
        f"SELECT * FROM {contracts().raw_prices.name} WHERE session_date BETWEEN $1 AND $2 "
        "ORDER BY symbol, session_date, occurrence",
        [first, last],
    )
    asked = outcomes if outcomes is not None else stored_outcomes(context)
    sessions = context.calendar.schedule(first, last)[["session_date", "is_session", "is_half_day"]]
    return CheckInput(
        raw,
        sessions,
        asked[["symbol", "status", "reason"]],
        bars=_as_traded(context, raw, Span(first, last)),
        actions=_actions(context),
        second=_second(context, Span(first, last)),
        first=pd.Timestamp(span.first),
        last=pd.Timestamp(span.last),
        bounds=_bounds(context),
    )


def _bounds(context: PipelineContext) -> pd.DataFrame:
    """Each symbol's first and last session with a close, from an index and not from the rows between."""
    ends = ", ".join(
        f"""(SELECT r.session_date FROM market.raw_prices AS r JOIN reference.sessions AS s USING (session_date)
        WHERE r.symbol = l.symbol AND s.is_session AND r.close_raw <> 'NaN' ORDER BY r.session_date {order} LIMIT 1
        ) AS {name}"""
        for name, order in (("first_session", "ASC"), ("last_session", "DESC"))
    )
    return context.database.frame(f"SELECT l.symbol, {ends} FROM market.fetch_ledger AS l ORDER BY l.symbol")


def _as_traded(context: PipelineContext, raw: pd.DataFrame, span: Span) -> pd.DataFrame:
    """Each delivered row as it was accepted; rows that were not accepted, or were repaired, stay as delivered.

    What was done to a bar is told with a colon in `repaired`; names of what doubts it are not.
    """
    accepted = context.database.frame(
        f"""SELECT symbol, session_date, {", ".join(BAR_VALUES)}, basis FROM market.daily_prices
        WHERE session_date BETWEEN $1 AND $2 AND repaired NOT LIKE '%: %'""",
        [span.first, span.last],
    )
    keys = pd.MultiIndex.from_frame(accepted[["symbol", "session_date"]])
    where = keys.get_indexer(pd.MultiIndex.from_frame(raw[["symbol", "session_date"]]))
    is_known = (where >= 0) & (raw["occurrence"] == 0).to_numpy()
    columns = {}
    for name, given in zip((*BAR_VALUES, "basis"), _DELIVERED, strict=True):
        delivered = raw[given].to_numpy()
        columns[name] = np.where(is_known, np.append(accepted[name].to_numpy(), delivered[:1])[where], delivered)
    return pd.DataFrame(columns, index=raw.index).astype({"basis": "str"})


def _actions(context: PipelineContext) -> pd.DataFrame:
    return context.database.frame(
        """SELECT a.symbol, a.ex_date, a.kind, a.ratio, a.amount_try, a.subscription_try, a.origin,
            f.price_factor, f.share_ratio
        FROM reference.corporate_actions AS a LEFT JOIN reference.action_factors AS f USING (symbol, ex_date)
        ORDER BY symbol, ex_date, kind"""
    )


def _second(context: PipelineContext, span: Span) -> pd.DataFrame | None:
    if not context.settings.bist_second_provider:
        return None
    return context.database.frame(
        f"SELECT * FROM {contracts().second_prices.name} WHERE session_date BETWEEN $1 AND $2 "
        "ORDER BY symbol, session_date, occurrence",
        [span.first, span.last],
    )


def stored_outcomes(context: PipelineContext) -> pd.DataFrame:
    """What the ledger says of each active symbol: `symbol`, `status`, `reason`."""
    return context.database.frame(
        """SELECT l.symbol, l.status, l.reason FROM market.fetch_ledger AS l
        JOIN reference.stocks AS s USING (symbol) WHERE s.is_active ORDER BY symbol"""
    )


def contract_violations(context: PipelineContext, contract: Contract, span: Span) -> Violations:
    """Hold the stored rows of a span against their table's contract."""
    rows = context.database.frame(
        f"SELECT * FROM {contract.name} WHERE session_date BETWEEN $1 AND $2", [span.first, span.last]
    )
    return violations(contract, rows[list(contract.columns)])


def run_checks(given: CheckInput) -> Mapping[Check, Finding]:
    """Run every registered check."""
    return {check: check.find(given) for check in registered_checks().values()}


def store_findings(context: PipelineContext, span: Span, found: Mapping[Check, Finding]) -> WriteCounts:
    """Make `market.quality_findings` hold what was found in a span, and nothing else of it."""
    contract = contracts().quality_findings
    blocks = [_rows(context, span, check, finding) for check, finding in found.items() if len(finding.rows)]
    with context.database.bulk(f"writing {contract.name}") as bulk:
        return bulk.replace(contract, blocks, span.scope())


def _rows(context: PipelineContext, span: Span, check: Check, finding: Finding) -> pd.DataFrame:
    rows = finding.rows.reset_index(drop=True)
    days = rows["session_date"].fillna(pd.Timestamp(span.last)).astype("datetime64[us]")
    told = {
        "check_name": check.name,
        "symbol": rows["symbol"].astype("str"),
        "session_date": days,
        "occurrence": rows.assign(session_date=days).groupby(["symbol", "session_date"]).cumcount().astype("int64"),
        "severity": check.severity,
        "effect": rows.get("effect", check.effect),
        "kind": rows.get("kind", ""),
        "detail": rows["detail"].astype("str"),
        "run_id": context.run_id,
    }
    return pd.DataFrame(told).astype(dict.fromkeys(("check_name", "severity", "effect", "kind", "run_id"), "str"))


def check_and_store(context: PipelineContext, span: Span, outcomes: pd.DataFrame) -> None:
    """Run every check over a span, keep what was found, and stop a run whose whole answer is unusable.

    Raises:
        ContractError: A blocking check failed, as in the graph; the message says which and with what numbers.
    """
    for chunk in span.chunks():
        found = contract_violations(context, contracts().raw_prices, chunk)
        if found.count:
            raise ContractError(f"{contracts().raw_prices.name}: {found.count} violations of its contract in {chunk}")
        findings = run_checks(gather(context, chunk, outcomes))
        store_findings(context, chunk, findings)
        for check, finding in findings.items():
            if check.blocking and not finding.passed:
                raise ContractError(f"check {check.name} stops the run: {finding.summary}")
