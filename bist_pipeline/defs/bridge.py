"""Contracts and findings as Dagster shows them.

Belongs here: contract → `TableSchema`, finding → `AssetCheckResult`. dagster-pandera does the like, but pins pandas
below 3 and makes types rather than checks.
"""

import dagster as dg
import pandas as pd

from bist_pipeline.quality.contract import Finding
from bist_pipeline.schemas.contract import Contract
from bist_pipeline.schemas.validation import Violations


def table_schema(contract: Contract) -> dg.TableSchema:
    """Build the column schema that the UI shows."""
    return dg.TableSchema(columns=[_column(contract, name) for name in contract.columns])


def _column(contract: Contract, name: str) -> dg.TableColumn:
    declared = contract.frame.columns[name]
    said = declared.metadata or {}
    unit = f" [{said['unit']}]" if said.get("unit") else ""
    return dg.TableColumn(
        name=name,
        type=str(said["sql"]),
        description=f"{declared.description or ''}{unit}",
        constraints=dg.TableColumnConstraints(
            nullable=bool(declared.nullable),
            unique=contract.key == (name,),
            other=["primary key"] if name in contract.key else [],
        ),
    )


def table(frame: pd.DataFrame) -> dg.TableMetadataValue:
    """Show a small frame; everything as text, since the UI knows no dates."""
    rows = frame.astype(object).where(frame.notna(), None)
    records = [dg.TableRecord({str(k): str(v) for k, v in row.items()}) for row in rows.to_dict("records")]
    columns = [dg.TableColumn(str(name)) for name in frame.columns]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns=columns))


def finding_result(
    name: str, severity: dg.AssetCheckSeverity, finding: Finding, asset: dg.AssetKey
) -> dg.AssetCheckResult:
    """Turn a finding into a check result with its numbers and a bounded sample."""
    sample = {"sample": table(finding.sample)} if len(finding.rows) else {}
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=name,
        passed=finding.passed,
        severity=severity,
        description=finding.summary,
        metadata={**finding.counts, **sample},
    )


def violations_result(name: str, found: Violations, asset: dg.AssetKey, rows: str) -> dg.AssetCheckResult:
    """Turn contract violations into a check result."""
    tables = {"by_rule": table(found.by_rule), "sample": table(found.sample)} if found.count else {}
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=name,
        passed=found.count == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{found.count} violations of the contract in {rows}",
        metadata={"violations": found.count, **tables},
    )
