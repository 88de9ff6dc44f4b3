"""Runs of the real job over a real database."""

from datetime import date, timedelta

import dagster as dg
import pytest

from bist_pipeline.definitions import build_definitions
from bist_pipeline.storage.database import Database
from bist_pipeline_tests.defs.runs import DAILY, key_of
from bist_pipeline_tests.desks import HOLIDAY, LAST, SINGLE, SYMBOLS

WATCHED = {"rows_inserted", "rows_updated", "rows_unchanged", "rows_deleted", "elapsed_seconds", "rows_per_second"}
STAMPS = {"as_of", "fetched_at", "updated_at"}  # of an archive's final bar `as_of` is when its file was read
TABLE_OF = {name: name.replace("/", ".") for name in DAILY if name != "serving/published"}


def rows_of(database: Database, table: str, first: date, last: date | None = None) -> int:
    sql = f"SELECT count(*) AS rows FROM {table} WHERE session_date BETWEEN :first AND :last"
    return database.rows(sql, {"first": first, "last": last or first})[0].rows


def pictures(metadata) -> list[str]:
    return [name for name, value in metadata.items() if isinstance(value, dg.MarkdownMetadataValue)]


def test_one_partition_fills_every_table_and_tells_of_each(runs, database):
    assert runs.derive(SINGLE).success
    for name, table in TABLE_OF.items():
        rows = rows_of(database, table, SINGLE)
        told = runs.metadata(name, SINGLE)
        assert told["dagster/partition_row_count"].value == rows
        assert told.keys() >= WATCHED
    assert rows_of(database, "analytics.signals", SINGLE) == len(SYMBOLS)
    raw = runs.metadata("market/raw_prices", SINGLE)
    assert {n: raw[f"symbols_{n}"].value for n in ("asked", "answered", "failed", "missing", "fetched")} == {
        "asked": 3,
        "answered": 3,
        "failed": 0,
        "missing": 0,
        "fetched": 3,
    }
    published = runs.metadata("serving/published", SINGLE)
    assert published["publish_id"].value == 1
    assert published["signals"].value == rows_of(database, "serving.signals_v1", SINGLE) == len(SYMBOLS)
    # What was derived is one session; what was fetched and accepted is the whole history.
    assert rows_of(database, "analytics.signals", date(2010, 1, 4), LAST) == len(SYMBOLS)
    assert rows_of(database, "market.daily_prices", date(2010, 1, 4), LAST) == 300 * len(SYMBOLS)


def test_a_single_partition_shows_pictures_and_a_range_shows_none(filled_runs):
    filled_runs.derive(SINGLE)
    assert pictures(filled_runs.metadata("market/daily_prices", SINGLE)) == ["coverage"]
    assert pictures(filled_runs.metadata("analytics/signals", SINGLE)) == ["score_histogram", "top_scores"]
    for name in DAILY:
        for value in filled_runs.metadata(name, SINGLE).values():
            assert len(str(value.value)) < 60_000
    filled_runs.derive(SINGLE - timedelta(days=2), SINGLE)
    for name in DAILY:
        assert pictures(filled_runs.metadata(name, SINGLE)) == []


def test_a_range_is_one_run_and_each_partition_tells_its_own_rows(runs, database):
    first, last = date(2022, 1, 4), date(2022, 1, 6)
    assert runs.derive(first, last).success
    for offset in range(3):
        day = first + timedelta(days=offset)
        for name, table in TABLE_OF.items():
            assert runs.metadata(name, day)["dagster/partition_row_count"].value == rows_of(database, table, day)
            assert "session" not in runs.metadata(name, day)
    publishes = database.rows("SELECT first_session, last_session FROM serving.publishes")
    assert [tuple(row) for row in publishes] == [(first, last)]
    assert rows_of(database, "analytics.indicators", first, last) == 3 * len(SYMBOLS)


def test_a_holiday_materializes_empty_and_says_that_the_exchange_was_closed(runs, database):
    assert runs.derive(HOLIDAY).success
    for name, table in TABLE_OF.items():
        told = runs.metadata(name, HOLIDAY)
        assert told["dagster/partition_row_count"].value == 0
        assert told["session"].value == "closed"
        assert rows_of(database, table, HOLIDAY) == 0
    assert runs.metadata("serving/published", HOLIDAY)["signals"].value == 0


def test_a_range_over_a_holiday_marks_only_that_day_closed(filled_runs):
    filled_runs.derive(HOLIDAY - timedelta(days=1), HOLIDAY + timedelta(days=3))
    told = {day: filled_runs.metadata("analytics/signals", HOLIDAY + timedelta(days=day)) for day in (-1, 0, 3)}
    assert [day for day, metadata in told.items() if "session" in metadata] == [0]
    assert [metadata["dagster/partition_row_count"].value for metadata in told.values()] == [3, 0, 3]


def test_a_session_before_every_history_is_derived_as_empty(runs, database):
    assert runs.derive(date(2010, 1, 4)).success
    assert runs.metadata("analytics/signals", date(2010, 1, 4))["dagster/partition_row_count"].value == 0
    assert rows_of(database, "market.daily_prices", date(2010, 1, 4), LAST) > 0


def test_running_again_changes_nothing(filled_runs, filled_database):
    def stored():
        return [
            tuple(
                filled_database.rows(f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t")[
                    0
                ]
            )
            for table in ("market.daily_prices", "analytics.indicators", "analytics.signals", "serving.signals_v1")
        ]

    before = stored()
    assert filled_runs.derive(SINGLE).success
    assert stored() == before
    assert filled_runs.metadata("analytics/indicators", SINGLE)["rows_unchanged"].value == len(SYMBOLS)
    assert filled_runs.metadata("serving/published", SINGLE)["signals"].value == 0


@pytest.mark.parametrize("name", list(TABLE_OF))
def test_materializing_one_partition_of_one_asset_repairs_its_table(filled_runs, filled_database, name):
    table = TABLE_OF[name]
    day = filled_database.rows(f"SELECT max(session_date) AS day FROM {table}")[0].day
    whole = stored_rows(filled_database, table, day)
    with filled_database.transaction() as connection:
        connection.exec_driver_sql(f"DELETE FROM {table} WHERE session_date = '{day}'")
    result = filled_runs.materialize(name, day)
    assert result.success
    assert {e.asset_key for e in result.get_asset_materialization_events()} == {key_of(name)}
    assert stored_rows(filled_database, table, day) == whole
    # The provider delivers whole histories: what was there is delivered again, and left as it is.
    assert filled_runs.metadata(name, day)["rows_inserted"].value == len(whole) > 0


def stored_rows(database: Database, table: str, day: date) -> list[dict]:
    rows = database.rows(f"SELECT * FROM {table} WHERE session_date = :day ORDER BY 1, 2, 3", {"day": day})
    return [{name: v for name, v in row._mapping.items() if name not in STAMPS} for row in rows]


def test_publishing_alone_serves_what_is_derived(filled_runs, filled_database):
    with filled_database.transaction() as connection:
        connection.exec_driver_sql(f"UPDATE analytics.signals SET score = -1 WHERE session_date = '{SINGLE}'")
    assert filled_runs.materialize("serving/published", SINGLE).success
    served = filled_database.rows("SELECT score FROM serving.signals_v1 WHERE session_date = :day", {"day": SINGLE})
    assert [row.score for row in served] == [-1.0] * len(SYMBOLS)


def test_the_universe_is_refreshed_without_a_partition(filled_runs, filled_database):
    with filled_database.transaction() as connection:
        connection.exec_driver_sql("UPDATE reference.stocks SET is_active = false")
    job = build_definitions().resolve_implicit_global_asset_job_def()
    assert job.execute_in_process(instance=filled_runs.instance, asset_selection=[key_of("reference/stocks")]).success
    active = filled_database.rows("SELECT count(*) AS n FROM reference.stocks WHERE is_active")[0].n
    assert active == len(SYMBOLS)


def test_a_daily_asset_alone_finds_a_universe_in_an_empty_database(runs, database):
    assert runs.materialize("market/raw_prices", SINGLE).success
    assert database.rows("SELECT count(*) AS n FROM reference.stocks")[0].n == len(SYMBOLS)


def evaluations(result):
    return {event.check_name: event for event in result.get_asset_check_evaluations()}


def test_checks_report_their_whole_range_with_numbers(filled_runs):
    found = evaluations(filled_runs.derive(SINGLE - timedelta(days=1), SINGLE))
    assert len(found) == len(build_definitions().resolve_asset_graph().asset_check_keys)
    assert all(evaluation.passed for evaluation in found.values())
    assert found["contract"].metadata["violations"].value == 0
    assert f"{SINGLE - timedelta(days=1)}…{SINGLE}" in found["contract"].description
    assert found["symbols_answering"].metadata["answered"].value == len(SYMBOLS)


def test_where_most_of_the_archive_is_unreadable_nothing_downstream_runs(runs, own_desk, monkeypatch, database):
    for path in sorted(own_desk.archive.iterdir())[:6]:
        path.write_text("Date,Open,High,Low,Close,Volume\nno,prices,are,in,this,file\n")
    monkeypatch.setenv("BIST_ARCHIVE_DIR", str(own_desk.archive))
    monkeypatch.setenv("BIST_UNIVERSE", str(own_desk.universe))
    result = runs.derive(date(2021, 2, 1), raise_on_error=False)
    assert not result.success
    blocking = evaluations(result)["symbols_answering"]
    assert not blocking.passed
    assert blocking.severity is dg.AssetCheckSeverity.ERROR
    assert blocking.metadata["failed"].value == 6
    assert len(blocking.metadata["sample"].records) == 6
    # The write before the check stays, and so do the four symbols that answered; nothing is derived from them.
    assert runs.is_materialized("market/raw_prices")
    assert not any(runs.is_materialized(name) for name in DAILY[1:])
    assert rows_of(database, "market.raw_prices", date(2010, 1, 4), LAST) == 4 * 40
    assert rows_of(database, "market.daily_prices", date(2010, 1, 4), LAST) == 0


def test_one_unreadable_file_stops_nobody(runs, own_desk, monkeypatch, database):
    (own_desk.archive / "ZZAAA.csv").write_text("Date,Close\n2021-01-04,dear\n")
    monkeypatch.setenv("BIST_ARCHIVE_DIR", str(own_desk.archive))
    monkeypatch.setenv("BIST_UNIVERSE", str(own_desk.universe))
    result = runs.derive(date(2021, 2, 1))
    assert result.success
    assert runs.metadata("market/raw_prices", date(2021, 2, 1))["symbols_failed"].value == 1
    assert rows_of(database, "analytics.signals", date(2021, 2, 1)) == 9


def test_the_kill_switch_stops_a_run_before_it_writes(runs, monkeypatch, tmp_path, database):
    switch = tmp_path / "stop"
    switch.write_text("auditors are here")
    monkeypatch.setenv("BIST_KILL_SWITCH", str(switch))
    with pytest.raises(dg.DagsterResourceFunctionError) as caught:
        runs.derive(SINGLE)
    assert "auditors are here" in str(caught.value.__cause__)
    assert rows_of(database, "market.raw_prices", date(2010, 1, 4), LAST) == 0
