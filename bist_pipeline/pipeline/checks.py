"""Checks over what is stored: the contract of the raw table, and every registered quality check.

Belongs here: gathering what a check looks at and running it. What a check is stands in `quality/`.
"""

from collections.abc import Mapping

import pandas as pd

from bist_pipeline.core.errors import ContractError
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.span import Span
from bist_pipeline.quality.contract import Check, CheckInput, Finding
from bist_pipeline.quality.registry import registered_checks
from bist_pipeline.schemas.contract import Contract
from bist_pipeline.schemas.validation import Violations, violations

CONTRACT_CHECK = "contract"


def gather(context: PipelineContext, span: Span, outcomes: pd.DataFrame | None = None) -> CheckInput:
    """Read what checks look at.

    Args:
        context: The run's surroundings.
        span: Sessions to look at.
        outcomes: What became of each symbol asked; None to take the ledger's word.
    """
    raw = context.database.frame(
        f"SELECT * FROM {contracts().raw_prices.name} WHERE session_date BETWEEN $1 AND $2 "
        "ORDER BY symbol, session_date, occurrence",
        [span.first, span.last],
    )
    asked = outcomes if outcomes is not None else stored_outcomes(context)
    sessions = context.calendar.schedule(span.first, span.last)[["session_date", "is_session"]]
    return CheckInput(raw, sessions, asked[["symbol", "status", "reason"]])


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


def blocking_failures(context: PipelineContext, span: Span, outcomes: pd.DataFrame) -> None:
    """Stop a run whose whole answer is unusable, as the blocking checks of the graph do.

    Raises:
        ContractError: A blocking check failed; the message says which and with what numbers.
    """
    found = contract_violations(context, contracts().raw_prices, span)
    if found.count:
        raise ContractError(f"{contracts().raw_prices.name}: {found.count} violations of its contract in {span}")
    blocking = [check for check in registered_checks().values() if check.blocking]
    given = gather(context, span, outcomes) if blocking else None
    for check in blocking:
        finding = check.find(given) if given is not None else Finding(True, "")
        if not finding.passed:
            raise ContractError(f"check {check.name} stops the run: {finding.summary}")
