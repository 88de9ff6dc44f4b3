"""Migrations: from nothing to what the contracts state, once, by anybody, and additively ever after."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bist_pipeline.core.errors import StorageError
from bist_pipeline.pipeline.contracts import contracts, database_shape
from bist_pipeline.schemas import analytics
from bist_pipeline.schemas.contract import Contract
from bist_pipeline.schemas.serving import signals_contract
from bist_pipeline.storage import migrations
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.embedded.server import EmbeddedServer
from bist_pipeline.storage.migrate import SCHEMAS, Shape, _config, current_fingerprint, described, migrate
from bist_pipeline.storage.url import DatabaseUrl

# Made by hand in the first revision: alembic cannot describe a partial index from a contract.
PARTIAL_INDEXES = {"signals_current", "pattern_events_current", "signals_publish_id_idx"}
REVISIONS = Path(migrations.__file__).parent / "versions"
INDICATOR_KEYS = ("symbol", "session_date", "is_final", "updated_at")


@pytest.fixture
def empty(empty_url: DatabaseUrl) -> Iterator[Database]:
    """A fresh database in which nothing has been migrated."""
    database = Database(empty_url)
    yield database
    database.close()


def differences(database: Database, shape: Shape) -> list[Any]:
    options = {
        "compare_type": True,
        "compare_server_default": True,
        "include_schemas": True,
        "include_name": lambda name, kind, _: kind != "schema" or name in SCHEMAS,
        "version_table": "bist_alembic_version",
        "version_table_schema": "reference",
    }
    with database.transaction() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts=options), described(shape))
    return [one for one in found if not (one[0] == "remove_index" and one[1].name in PARTIAL_INDEXES)]


def shape_with(*extra: str, at: int | None = None, description: str = "Added later.") -> Shape:
    """The project's shape with more indicator columns, in front of column number `at` or at the end."""
    old = contracts().indicators
    known = [(n, _unit(old, n), old.frame.columns[n].description or "") for n in old.columns if n not in INDICATOR_KEYS]
    place = len(known) if at is None else at
    columns = [*known[:place], *((name, "ratio", description) for name in extra), *known[place:]]
    return shape_of(columns)


def shape_of(columns: Sequence[tuple[str, str, str]]) -> Shape:
    indicators = analytics.indicators_contract(columns)
    shape = database_shape()
    others = tuple(indicators if c.name == indicators.name else c for c in shape.contracts)
    return replace(shape, contracts=others, indicators=indicators)


def _unit(contract: Contract, name: str) -> str:
    return str((contract.frame.columns[name].metadata or {})["unit"])


def view_columns(database: Database, view: str) -> list[str]:
    rows = database.rows(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'serving' AND table_name = :view "
        "ORDER BY ordinal_position",
        {"view": view},
    )
    return [row.column_name for row in rows]


def changes(database: Database) -> list[tuple[Any, ...]]:
    rows = database.rows(
        "SELECT table_name, column_name, sql_type, change_number FROM reference.schema_changes ORDER BY change_number"
    )
    return [tuple(row) for row in rows]


def test_a_migrated_database_is_what_the_contracts_state(empty):
    assert migrate(empty, database_shape())
    assert differences(empty, database_shape()) == []


def test_the_comparison_would_see_a_difference(empty):
    migrate(empty, database_shape())
    empty.run_alone("COMMENT ON COLUMN market.daily_prices.close_try IS 'changed'")
    empty.run_alone("DROP INDEX market.daily_prices_session_date_idx")
    empty.run_alone("ALTER TABLE market.raw_prices ALTER COLUMN open_raw TYPE real")
    empty.run_alone("ALTER TABLE market.quarantine ALTER COLUMN rule DROP NOT NULL")
    told = [one[0][0] if isinstance(one, list) else one[0] for one in differences(empty, database_shape())]
    assert sorted(told) == ["add_index", "modify_comment", "modify_nullable", "modify_type"]


def test_migrating_again_does_nothing(empty):
    migrate(empty, database_shape())
    before = database_objects(empty)
    assert not migrate(empty, database_shape())
    assert database_objects(empty) == before


def database_objects(database: Database) -> list[tuple[Any, ...]]:
    """Every table, view and index by the transaction that last touched its entry in the catalogue."""
    return [tuple(row) for row in database.rows("SELECT oid, relname, xmin::text FROM pg_class ORDER BY oid")]


def test_a_database_of_the_first_revision_keeps_its_rows_and_gets_what_came_later(empty):
    with empty.transaction() as connection:
        for name in SCHEMAS:
            connection.execute(sa.text(f"CREATE SCHEMA {name}"))
        command.upgrade(_config(connection), "0001")
        columns = {one["name"]: one for one in sa.inspect(connection).get_columns("fetch_ledger", schema="market")}
        assert not {"states_actions", "strikes", "struck_on"} & columns.keys()
        written = {name: _anything(one["type"]) for name, one in columns.items() if not one["nullable"]}
        names, values = ", ".join(written), ", ".join(f":{name}" for name in written)
        connection.execute(sa.text(f"INSERT INTO market.fetch_ledger ({names}) VALUES ({values})"), written)
    assert migrate(empty, database_shape())
    (row,) = empty.rows("SELECT * FROM market.fetch_ledger")
    assert {name: getattr(row, name) for name in written} == written
    assert (row.states_actions, row.strikes, row.struck_on) == (False, 0, None)
    assert differences(empty, database_shape()) == []


def _anything(kind: Any) -> Any:
    return {
        str: "archive",
        int: 3,
        bool: True,
        float: 1.5,
        date: date(2024, 1, 2),
        datetime: datetime(2024, 1, 2, 15, tzinfo=UTC),
        dict: "{}",
    }[kind.python_type]


def test_every_appended_column_is_recorded_in_order(empty):
    migrate(empty, database_shape())
    found = changes(empty)
    assert [row[3] for row in found] == list(range(1, len(found) + 1))
    recorded = {(row[0], row[1]) for row in found}
    indicators = {("analytics.indicators", n) for n in contracts().indicators.columns if n not in INDICATOR_KEYS}
    terms = {
        (table.name, name)
        for table in (contracts().signals, contracts().served_signals)
        for name in table.columns
        if name.startswith("term_")
    }
    assert recorded == indicators | terms
    assert {row[2] for row in found} == {"DOUBLE PRECISION"}


@pytest.mark.parametrize("place", [0, 3, None])
def test_a_new_indicator_is_appended_to_table_and_view_wherever_the_registry_puts_it(database, place):
    before, recorded = view_columns(database, "indicators_v1"), changes(database)
    shape = shape_with("newcomer_5", at=place)
    assert migrate(database, shape)
    assert view_columns(database, "indicators_v1") == [*before, "newcomer_5"]
    number = recorded[-1][3] + 1
    assert changes(database) == [*recorded, ("analytics.indicators", "newcomer_5", "DOUBLE PRECISION", number)]
    assert differences(database, shape) == []
    assert not migrate(database, shape)


def test_newcomers_keep_the_places_they_were_given(database):
    before = view_columns(database, "indicators_v1")
    migrate(database, shape_with("zebra_5", at=2))
    migrate(database, shape_with("aardvark_5", "zebra_5", at=0))
    assert view_columns(database, "indicators_v1") == [*before, "zebra_5", "aardvark_5"]


def test_a_retired_indicator_stays_in_the_view(database):
    shape = shape_with("newcomer_5")
    migrate(database, shape)
    served = view_columns(database, "indicators_v1")
    assert migrate(database, database_shape())
    assert view_columns(database, "indicators_v1") == served


def test_a_new_term_reaches_both_tables_of_signals(database):
    shape = database_shape()
    terms = [(name, "Old.") for name, _ in shape.terms] + [("newcomer", "New.")]
    newer = {c.name: c for c in (analytics.signals_contract(terms), signals_contract(terms))}
    changed = tuple(newer.get(c.name, c) for c in shape.contracts)
    assert migrate(database, replace(shape, contracts=changed, terms=(*shape.terms, ("newcomer", "volume"))))
    assert [row[:2] for row in changes(database)[-2:]] == [
        ("analytics.signals", "term_newcomer"),
        ("serving.signals", "term_newcomer"),
    ]
    sql = "SELECT pg_get_viewdef('serving.signals_v1'::regclass)"
    assert "term_newcomer" in database.rows(sql)[0][0]


AWKWARD = '100 % of it\'s own: %s, %(name)s, %%, :name, \\ and "quotes"; ğüşıöç − −1…1\n$$'


def test_a_comment_holds_whatever_the_description_says(database):
    migrate(database, shape_with("newcomer_5", description=AWKWARD))
    sql = """SELECT col_description('analytics.indicators'::regclass, attnum) FROM pg_attribute
        WHERE attrelid = 'analytics.indicators'::regclass AND attname = 'newcomer_5'"""
    assert database.rows(sql)[0][0] == AWKWARD


def test_a_description_that_changes_reaches_the_database(database):
    first = shape_with("newcomer_5", description="first")
    second = shape_with("newcomer_5", description="second")
    migrate(database, first)
    assert first.fingerprint() != second.fingerprint()
    assert migrate(database, second)
    assert differences(database, second) == []


def test_the_fingerprint_is_the_same_in_every_process(database):
    code = "from bist_pipeline.pipeline.contracts import database_shape; print(database_shape().fingerprint())"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == database_shape().fingerprint()
    assert current_fingerprint(database) == f"bist_pipeline {other.stdout.strip()}"


def test_a_database_that_was_never_migrated_has_no_fingerprint(empty):
    assert current_fingerprint(empty) is None


def migrate_alone(url: DatabaseUrl) -> bool:
    database = Database(url)
    try:
        return migrate(database, database_shape())
    finally:
        database.close()


def test_threads_that_migrate_one_database_at_once_do_it_once(empty):
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(migrate_alone, [empty.url] * 4))
    assert sorted(done) == [False, False, False, True]
    assert differences(empty, database_shape()) == []


def test_processes_that_migrate_one_database_at_once_both_succeed(empty):
    code = (
        "import sys\n"
        "from bist_pipeline_tests.storage.test_migrate import migrate_alone\n"
        "from bist_pipeline.storage.url import DatabaseUrl\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "print(migrate_alone(DatabaseUrl.parse(sys.argv[1])))\n"
    )
    command = [sys.executable, "-c", code, empty.url.libpq]
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60) for process in both]
    assert sorted(answer.strip() for answer, _ in told) == ["False", "True"], told
    assert differences(empty, database_shape()) == []


def test_databases_of_one_server_are_migrated_at_once_without_meeting(server: EmbeddedServer):
    names = [f"side_by_side_{number}" for number in range(3)]
    for name in names:
        server.ensure_database(name)
    urls = [DatabaseUrl.parse(server.url(name)) for name in names]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(migrate_alone, urls)) == [True, True, True]
    maintenance = Database(DatabaseUrl.parse(server.url("postgres")))
    for name in names:
        maintenance.run_alone(f"DROP DATABASE {name} WITH (FORCE)")
    maintenance.close()


def test_a_user_without_createrole_migrates_where_the_reader_exists(empty, server: EmbeddedServer):
    del server  # its template has made the role for the whole server
    assert empty.rows("SELECT count(*) FROM pg_roles WHERE rolname = 'bist_reader'")[0][0] == 1
    name = f"plain_{empty.url.database}"
    empty.run_alone(f"CREATE ROLE {name} LOGIN")
    empty.run_alone(f"ALTER DATABASE {empty.url.database} OWNER TO {name}")
    assert migrate_alone(DatabaseUrl(empty.url.url.set(username=name)))
    assert differences(empty, database_shape()) == []
    reader = Database(DatabaseUrl(empty.url.url.set(username="bist_reader")))
    assert reader.rows("SELECT count(*) FROM serving.signals_v1")[0][0] == 0
    reader.close()


def test_a_migration_that_fails_leaves_nothing_behind(empty):
    empty.run_alone("CREATE SCHEMA serving")
    empty.run_alone("CREATE TABLE serving.publishes (ours text)")
    with pytest.raises(StorageError, match='migrating the database: relation "publishes" already exists'):
        migrate(empty, database_shape())
    assert empty.rows("SELECT to_regnamespace('market')")[0][0] is None
    assert view_columns(empty, "publishes") == ["ours"]


def test_a_server_that_is_too_old_is_refused(empty, monkeypatch):
    monkeypatch.setattr("bist_pipeline.storage.database.OLDEST_SERVER", 99)
    with pytest.raises(StorageError, match=r"is too old: 99 or newer is needed"):
        migrate(empty, database_shape())
    assert empty.rows("SELECT to_regnamespace('market')")[0][0] is None


def test_alembic_keeps_its_own_version_table(database):
    newest = max(path.name for path in REVISIONS.glob("rev_*.py")).split("_")[1]
    assert [row[0] for row in database.rows("SELECT version_num FROM reference.bist_alembic_version")] == [newest]
    with database.transaction() as connection:
        assert sa.inspect(connection).get_table_names(schema="public") == []
