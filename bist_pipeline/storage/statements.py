"""The SQL with which a staged table becomes part of its target.

Belongs here: statements built from a contract. The target's alias is `t`, the stage's `s`. Does not belong here:
running them (`bulk.py`).
"""

from collections.abc import Iterable, Sequence

from bist_pipeline.schemas.contract import Contract
from bist_pipeline.storage.arrow import sql_type
from bist_pipeline.storage.tables import SERVER_STAMPS


def delete(contract: Contract, stage: str, where: str) -> str:
    """Remove what lies in the scope and was not delivered."""
    return f"DELETE FROM {name(contract)} AS t WHERE {where} AND {_absent(stage, 's', contract)}"


def update(contract: Contract, stage: str) -> str:
    """Change what differs; stamps do not count, and a table of nothing but its key never differs."""
    columns = compared(contract)
    changed = [n for n in contract.columns if n not in SERVER_STAMPS and n not in contract.key]
    values = [f"{q} = {value}" for q, value in zip(quoted(changed), _staged(contract, changed), strict=True)]
    values += [f"{q} = now()" for q in quoted(n for n in contract.columns if n in SERVER_STAMPS)]
    assignments = ", ".join(values) or f"{quoted(contract.key)[0]} = t.{quoted(contract.key)[0]}"
    return (
        f"UPDATE {name(contract)} AS t SET {assignments} FROM {stage} AS s "
        f"WHERE {_same_key(contract)} AND {_differs(contract, columns)}"
    )


def insert(contract: Contract, stage: str) -> str:
    """Add what is new."""
    columns = [n for n in contract.columns if n not in SERVER_STAMPS]
    into, values = ", ".join(quoted(columns)), ", ".join(_staged(contract, columns))
    is_new = _absent(name(contract), "t", contract)
    return f"INSERT INTO {name(contract)} ({into}) SELECT {values} FROM {stage} AS s WHERE {is_new}"


def changes(contract: Contract, stage: str, where: str) -> str:
    """From which session on each symbol will differ: `symbol`, `session_date`."""
    return f"""
        SELECT symbol, min(session_date) AS session_date FROM (
            SELECT s.symbol, s.session_date FROM {stage} AS s LEFT JOIN {name(contract)} AS t ON {_same_key(contract)}
            WHERE t.symbol IS NULL OR {_differs(contract, compared(contract))}
            UNION ALL
            SELECT t.symbol, t.session_date FROM {name(contract)} AS t
            WHERE {where} AND {_absent(stage, "s", contract)}
        ) AS changes GROUP BY symbol"""


def create_stage(contract: Contract, stage: str) -> str:
    """A temporary table with the contract's columns; JSON as text, since the driver's COPY has no binary form of it."""
    types = ("text" if sql == "jsonb" else sql for sql in (sql_type(contract, n) for n in contract.columns))
    columns = ", ".join(f"{q} {sql}" for q, sql in zip(quoted(contract.columns), types, strict=True))
    return f"CREATE TEMPORARY TABLE {stage} ({columns}) ON COMMIT DROP"


def has_json(contract: Contract) -> bool:
    """Whether a table cannot be copied into without a stage."""
    return any(sql_type(contract, n) == "jsonb" for n in contract.columns)


def compared(contract: Contract) -> list[str]:
    """The columns that decide whether a row has changed."""
    unimportant = {*contract.key, *contract.stamps, *SERVER_STAMPS}
    return [n for n in contract.columns if n not in unimportant]


def name(contract: Contract) -> str:
    """The table's qualified name, quoted."""
    return f'"{contract.schema}"."{contract.table}"'


def quoted(names: Iterable[str]) -> list[str]:
    """Names as identifiers."""
    return [f'"{one}"' for one in names]


def _same_key(contract: Contract) -> str:
    return " AND ".join(f"s.{key} = t.{key}" for key in quoted(contract.key))


def _absent(table: str, alias: str, contract: Contract) -> str:
    return f"NOT EXISTS (SELECT 1 FROM {table} AS {alias} WHERE {_same_key(contract)})"


def _differs(contract: Contract, columns: Sequence[str]) -> str:
    if not columns:
        return "false"
    ours = ", ".join(f"t.{q}" for q in quoted(columns))
    return f"({ours}) IS DISTINCT FROM ({', '.join(_staged(contract, columns))})"


def _staged(contract: Contract, columns: Iterable[str]) -> list[str]:
    """A stage's columns as the table has them."""
    return [f's."{n}"' + ("::jsonb" if sql_type(contract, n) == "jsonb" else "") for n in columns]
