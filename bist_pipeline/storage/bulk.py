"""Writing many rows at once, in one transaction that holds the table's lock.

How `replace` works:
1. take the table's advisory lock, so that the live lane and a backfill cannot interleave;
2. where the scope holds no row yet, COPY straight into the table: a first load needs no staging;
3. else COPY into a temporary table, block by block;
4. delete what lies in the scope and was not delivered, update what differs (stamps do not count), insert what is new:
   three joins, since ON CONFLICT would lock every row that stays as it is, which writes it;
5. the caller's transaction commits, or nothing has happened.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Self

import adbc_driver_postgresql.dbapi as adbc
import pandas as pd
import pyarrow as pa

from bist_pipeline.schemas.contract import Contract
from bist_pipeline.storage import statements
from bist_pipeline.storage.arrow import bindable, fetch, to_arrow, to_frame
from bist_pipeline.storage.statements import has_json, name, quoted

_BATCH_ROWS = 8192

# From this many new rows on the server is told of them at once, not when its autovacuum comes by: a plan that takes a
# full table for an empty one compares each row with every other, for minutes. A tenth of the usual sample suffices.
_ROWS_WORTH_COUNTING = 10_000
_COUNT = "SET LOCAL default_statistics_target = 10"


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of a table that the delivered rows define completely; what is in it and not delivered is deleted.

    Attributes:
        first, last: Sessions, inclusive; None for no bound.
        symbols: Only these; None for all.
    """

    first: date | None = None
    last: date | None = None
    symbols: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class WriteCounts:
    """What a write did to a table, in rows."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0

    def __add__(self, other: Self) -> Self:
        mine, theirs = self.as_dict(), other.as_dict()
        return replace(self, **{name: mine[name] + theirs[name] for name in mine})

    @property
    def delivered(self) -> int:
        """Rows that were handed in."""
        return self.inserted + self.updated + self.unchanged

    def as_dict(self) -> dict[str, int]:
        """For metadata."""
        return {
            "inserted": self.inserted,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "deleted": self.deleted,
        }


class BulkTransaction:
    """One open transaction on an ADBC connection. Made by `Database.bulk`."""

    def __init__(self, connection: adbc.Connection) -> None:
        self._connection = connection
        self._staged = 0
        self._rows_staged: dict[str, int] = {}

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement with `$1` parameters and return its rows."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters=bindable(parameters))
            return cursor.fetchall() if cursor.description else []

    def lock(self, name: str) -> None:
        """Wait for the lock of this name and hold it until the transaction ends."""
        self.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))::text", [f"bist_pipeline:{name}"])

    def replace(self, contract: Contract, blocks: Iterable[pd.DataFrame], scope: Scope) -> WriteCounts:
        """Make the scope of a table hold exactly the delivered rows.

        Args:
            contract: The table. Columns that `storage/tables.py` stamps by itself may be left out.
            blocks: Frames with the contract's columns; no key may occur twice over all of them.
            scope: What the rows define completely.
        """
        replacement = self.replacement(contract, scope)
        for block in blocks:
            replacement.add(block)
        return replacement.finish()

    def replacement(self, contract: Contract, scope: Scope) -> "Replacement":
        """Begin what `replace` does at once: hand in the blocks one by one, then finish."""
        self.lock(contract.name)
        return Replacement(self, contract, self._predicate(scope))

    def stage(self, contract: Contract, blocks: Iterable[pd.DataFrame]) -> str:
        """COPY rows into a new temporary table shaped like the contract's and return its name."""
        stage = self._new_stage(contract)
        for block in blocks:
            self._copy(contract, block, stage)
        self._close_stage(contract, stage)
        return stage

    def _new_stage(self, contract: Contract) -> str:
        self._staged += 1
        stage = f"stage_{contract.table}_{self._staged}"
        self.execute(statements.create_stage(contract, stage))
        self._rows_staged[stage] = 0
        return stage

    def _close_stage(self, contract: Contract, stage: str) -> None:
        """Refuse a key that was delivered twice, and order the rows for the joins that follow."""
        self.execute(f"ALTER TABLE {stage} ADD PRIMARY KEY ({', '.join(quoted(contract.key))})")
        self._analyze(contract, stage)

    def _analyze(self, contract: Contract, stage: str) -> None:
        self.execute(f"ANALYZE {stage} ({', '.join(quoted(contract.key))})")

    def _count(self, contract: Contract, inserted: int) -> None:
        if inserted >= _ROWS_WORTH_COUNTING:
            self.execute(_COUNT)
            self._analyze(contract, name(contract))

    def stage_frame(self, frame: pd.DataFrame) -> str:
        """COPY any frame into a new temporary table, types inferred, and return its name."""
        self._staged += 1
        stage = f"stage_frame_{self._staged}"
        with self._connection.cursor() as cursor:
            cursor.adbc_ingest(stage, pa.Table.from_pandas(frame, preserve_index=False), mode="create", temporary=True)
        return stage

    def holds_rows(self, contract: Contract, scope: Scope) -> bool:
        """Tell whether the scope of a table holds any row."""
        return self._any(contract, self._predicate(scope))

    def frame(self, sql: str, parameters: Sequence[Any] = ()) -> pd.DataFrame:
        """Run a query inside the transaction and return a frame."""
        return to_frame(fetch(self._connection, sql, parameters))

    def merge(self, contract: Contract, stage: str, scope: Scope) -> WriteCounts:
        """Upsert what differs from a staged table and delete what the scope no longer holds."""
        return self._merge(contract, stage, self._predicate(scope))

    def _any(self, contract: Contract, where: str) -> bool:
        return bool(self.execute(f"SELECT 1 FROM {name(contract)} AS t WHERE {where} LIMIT 1"))

    def _merge(self, contract: Contract, stage: str, where: str) -> WriteCounts:
        deleted = self._touched(statements.delete(contract, stage, where))
        updated = self._touched(statements.update(contract, stage))
        inserted = self._touched(statements.insert(contract, stage))
        self._count(contract, inserted)
        return WriteCounts(inserted, updated, self._rows_staged[stage] - inserted - updated, deleted)

    def changed(self, contract: Contract, stage: str, scope: Scope) -> pd.DataFrame:
        """Say, before a merge, from which session on each symbol will differ: `symbol`, `session_date`."""
        return self.frame(statements.changes(contract, stage, self._predicate(scope)))

    def predicate(self, scope: Scope) -> str:
        """The SQL condition of a scope on a table aliased `t`."""
        return self._predicate(scope)

    def _predicate(self, scope: Scope) -> str:
        # The days are `date` objects, so their literals cannot carry SQL; symbols travel as a table.
        parts = [
            f"t.session_date {sign} DATE '{day.isoformat()}'"
            for sign, day in ((">=", scope.first), ("<=", scope.last))
            if day is not None
        ]
        if scope.symbols is not None:
            self._staged += 1
            name = f"scope_{self._staged}"
            self.execute(f"CREATE TEMPORARY TABLE {name} (symbol text PRIMARY KEY) ON COMMIT DROP")
            self._ingest(name, pa.table({"symbol": pa.array(sorted(set(scope.symbols)), pa.string())}), temporary=True)
            parts.append(f"t.symbol IN (SELECT symbol FROM {name})")
        return " AND ".join(parts) or "true"

    def _touched(self, sql: str) -> int:
        """Run a statement that changes rows and return how many."""
        return int(self.execute(f"WITH touched AS ({sql} RETURNING 1) SELECT count(*) FROM touched")[0][0])

    def _copy(self, contract: Contract, block: pd.DataFrame, stage: str | None) -> int:
        rows = to_arrow(contract, block)
        if stage is None:
            self._ingest(contract.table, rows, schema=contract.schema)
        else:
            self._ingest(stage, rows, temporary=True)
            self._rows_staged[stage] += rows.num_rows
        return rows.num_rows

    def _ingest(self, table: str, rows: pa.Table, *, schema: str | None = None, temporary: bool = False) -> None:
        # In small batches the server takes one in while the next is encoded, and memory holds one of them.
        batches = rows.to_reader(max_chunksize=_BATCH_ROWS)
        with self._connection.cursor() as cursor:
            cursor.adbc_ingest(table, batches, mode="append", db_schema_name=schema, temporary=temporary)


class Replacement:
    """One table's scope on its way to holding exactly the rows that are handed in. Made by `replacement`."""

    def __init__(self, bulk: BulkTransaction, contract: Contract, where: str) -> None:
        self._bulk, self._contract, self._where = bulk, contract, where
        self._direct = not has_json(contract) and not bulk._any(contract, where)
        self._stage: str | None = None
        self._copied = 0

    def add(self, block: pd.DataFrame) -> None:
        """Copy one block to the server."""
        if not len(block):
            return
        if not self._direct and self._stage is None:
            self._stage = self._bulk._new_stage(self._contract)
        self._copied += self._bulk._copy(self._contract, block, self._stage)

    def finish(self) -> WriteCounts:
        """Make the table hold what was copied."""
        if self._direct:
            self._bulk._count(self._contract, self._copied)
            return WriteCounts(inserted=self._copied)
        if self._stage is None:
            gone = self._bulk._touched(f"DELETE FROM {name(self._contract)} AS t WHERE {self._where}")
            return WriteCounts(deleted=gone)
        self._bulk._close_stage(self._contract, self._stage)
        return self._bulk._merge(self._contract, self._stage, self._where)
