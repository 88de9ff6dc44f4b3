"""How a table becomes an asset: one place for what all assets have in common.

Belongs here: keys, groups, owners, column schemas, partitions, the backfill policy, derived from the contract. An
asset's module states only what is its own.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from bist_pipeline.defs.bridge import table_schema
from bist_pipeline.defs.partitions import CHUNKS, SESSIONS
from bist_pipeline.schemas.contract import Contract

OWNERS = ["team:market-data"]


def key_of(contract: Contract) -> dg.AssetKey:
    """The asset's key: schema and table."""
    return dg.AssetKey([contract.schema, contract.table])


def declare(
    contract: Contract, *, kinds: Sequence[str], version: str, description: str = "", deps: Sequence[Contract] = ()
) -> dict[str, Any]:
    """Arguments of `dg.asset` for the table of a contract."""
    return {
        "key": key_of(contract),
        "deps": [key_of(dep) for dep in deps],
        "description": f"{contract.description}\n\n{description}".strip(),
        "group_name": contract.schema,
        "owners": OWNERS,
        "kinds": {"postgres", *kinds},
        "code_version": version,
        "metadata": {"dagster/table_name": contract.name, "dagster/column_schema": table_schema(contract)},
    }


def daily(contract: Contract, **own: Any) -> dict[str, Any]:
    """Arguments of `dg.asset` for a table with one partition per session."""
    return declare(contract, **own) | {"partitions_def": SESSIONS, "backfill_policy": CHUNKS}


def daily_spec(contract: Contract, **own: Any) -> dg.AssetSpec:
    """One table of several that one step writes in one transaction; partitions as in `daily`."""
    return dg.AssetSpec(**declare(contract, **own))
