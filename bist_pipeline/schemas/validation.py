"""Holding a frame against its contract.

Belongs here: running pandera lazily and telling its answer in our words. Turning that into a Dagster result is
`defs/`' work (dagster-pandera would pin pandas below 3).
"""

from dataclasses import dataclass

import pandas as pd
from pandera.errors import SchemaErrors

from bist_pipeline.core.errors import ContractError
from bist_pipeline.schemas.contract import Contract

SAMPLE_CASES = 10

# A column that is missing or strange: pandera then names the table as the column, and the column as the case.
_ABOUT_COLUMNS = ("column_in_dataframe", "column_in_schema")


@dataclass(frozen=True, slots=True)
class Violations:
    """What is wrong with a frame.

    Attributes:
        count: Failing cases over all rules.
        by_rule: Columns `column`, `rule`, `cases`.
        sample: The first failing cases: `column`, `rule`, `case`.
    """

    count: int
    by_rule: pd.DataFrame
    sample: pd.DataFrame


def violations(contract: Contract, frame: pd.DataFrame) -> Violations:
    """Validate a frame and collect every violation; the frame is not changed."""
    try:
        contract.frame.validate(frame, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases.rename(columns={"check": "rule", "failure_case": "case"})
        named = cases["column"].where(~cases["rule"].isin(_ABOUT_COLUMNS), cases["case"])
        cases = cases.assign(column=named.astype(str), rule=cases["rule"].astype(str))
        by_rule = cases.groupby(["column", "rule"], sort=True).size().rename("cases").reset_index()
        sample = cases[["column", "rule", "case"]].head(SAMPLE_CASES).astype(str)
        return Violations(len(cases), by_rule, sample)
    empty = pd.DataFrame(columns=["column", "rule", "cases"])
    return Violations(0, empty, pd.DataFrame(columns=["column", "rule", "case"]))


def require(contract: Contract, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame if it keeps its contract.

    Raises:
        ContractError: It does not; the message names the table, the first columns and rules and how often they fail.
    """
    found = violations(contract, frame)
    if found.count:
        rules = "; ".join(f"{row.column}: {row.rule} ({row.cases}×)" for row in found.by_rule.head(5).itertuples())
        raise ContractError(f"{contract.name}: {found.count} violations: {rules}")
    return frame
