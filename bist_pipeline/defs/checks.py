"""Asset checks: the contract and the quality checks of the raw table, over a run's whole range.

Belongs here: turning findings into Dagster results. No `partitions_def` on them: in a range run Dagster records none,
so each reports its whole range, with numbers and a bounded sample.
"""

from collections.abc import Iterator

import dagster as dg

from bist_pipeline.defs.assets._declare import key_of
from bist_pipeline.defs.bridge import finding_result, violations_result
from bist_pipeline.defs.partitions import span_of_check
from bist_pipeline.defs.resources import PipelineResource
from bist_pipeline.pipeline.checks import CONTRACT_CHECK, contract_violations, gather, run_checks, store_findings
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.quality.registry import registered_checks

_RAW = key_of(contracts().raw_prices)
_SEVERITY = {"error": dg.AssetCheckSeverity.ERROR, "warn": dg.AssetCheckSeverity.WARN}

_SPECS = [
    dg.AssetCheckSpec(
        CONTRACT_CHECK,
        asset=_RAW,
        blocking=True,
        description="Every stored row keeps the contract of the table: columns, types, keys. Blocks what follows.",
    ),
    *(
        dg.AssetCheckSpec(check.name, asset=_RAW, blocking=check.blocking, description=check.description)
        for check in registered_checks().values()
    ),
]


@dg.multi_asset_check(specs=_SPECS, name="raw_prices_checks")
def raw_prices_checks(
    context: dg.AssetCheckExecutionContext, pipeline: PipelineResource
) -> Iterator[dg.AssetCheckResult]:
    """Hold the delivered rows of the run's sessions against the contract and the checks."""
    span = span_of_check(context)
    found = contract_violations(pipeline.context, contracts().raw_prices, span)
    yield violations_result(CONTRACT_CHECK, found, _RAW, str(span))
    findings = run_checks(gather(pipeline.context, span))
    store_findings(pipeline.context, span, findings)
    for check, finding in findings.items():
        yield finding_result(check.name, _SEVERITY[check.severity], finding, _RAW)
