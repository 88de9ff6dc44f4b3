"""A restatement derives some symbols alone, says what it did, and goes on where one before it was killed."""

import os
import shutil
from datetime import date
from unittest import mock

import pytest
from click.testing import CliRunner

from bist_pipeline.cli.restate import command
from bist_pipeline.core.errors import KillSwitchError
from bist_pipeline.pipeline import restate as module
from bist_pipeline.pipeline.cleaning import clean_prices
from bist_pipeline.pipeline.derive import derive_together
from bist_pipeline.pipeline.history import history_chunks
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.restate import BEGUN, pending, restate, restate_all
from bist_pipeline.pipeline.span import Span
from bist_pipeline.providers.registry import build_providers
from bist_pipeline_tests.archives import simulated_bars, write_archive
from bist_pipeline_tests.pipeline.sites import (
    TABLES,
    all_contents,
    assert_same_bits,
    assert_same_tables,
    count,
    execute,
    ledger,
    run,
)
from bist_pipeline_tests.pipeline.spoiled import lines_of, write_lines

BARS = simulated_bars(symbols=4, sessions=60)
DAYS = sorted({day.date() for day in BARS["session_date"]})
FIRST, LAST = DAYS[0], DAYS[-1]
# By symbol, the number of the bar that is corrected.
CORRECTED = {"ZZAAB": 45, "ZZAAD": 30}
NOBODY = Span(date(2010, 1, 4), date(2010, 1, 4))
TABLE = "market.restatements"


@pytest.fixture(scope="module")
def origin(sites, tmp_path_factory):
    context = sites.make(write_archive(tmp_path_factory.mktemp("origin") / "archive", BARS))
    run(context, FIRST, LAST)
    return context


@pytest.fixture(scope="module")
def corrected(sites, origin, tmp_path_factory):
    """The archive with two bars of the past corrected, and what comes of it when it is there from the beginning."""
    archive = tmp_path_factory.mktemp("corrected") / "archive"
    shutil.copytree(origin.settings.bist_archive_dir, archive)
    for symbol, number in CORRECTED.items():
        correct(archive, symbol, number)
    context = sites.make(archive)
    run(context, FIRST, LAST)
    return context


@pytest.fixture
def dirty(sites, origin, corrected):
    """A derived database whose past has changed, and nothing derived anew."""
    context = sites.make(corrected.settings.bist_archive_dir, copy_of=origin)
    ingest(context, build_providers(context.settings), sorted(BARS["symbol"].unique()))
    clean_prices(context, NOBODY)
    return context


def correct(archive, symbol, number, volume="4711"):
    lines = lines_of(BARS[BARS["symbol"] == symbol])
    lines[number]["Volume"] = volume
    place = write_lines(archive, symbol, lines)
    later = place.stat().st_mtime + 7
    os.utime(place, (later, later))


def restated(context):
    rows = context.database.rows(f"SELECT * FROM {TABLE} ORDER BY first_session, symbol, restated_at")
    return [(row.symbol, row.first_session, row.last_session) for row in rows if row.publish_id != BEGUN]


def test_what_is_dirty_is_restated_the_oldest_change_first_and_is_as_if_it_had_always_been_so(dirty, corrected):
    assert [(one.symbol, one.first) for one in pending(dirty.database)] == [("ZZAAD", DAYS[30]), ("ZZAAB", DAYS[45])]
    report = restate(dirty)
    assert [one.symbol for one in report.restated] == ["ZZAAD", "ZZAAB"]
    assert restated(dirty) == [("ZZAAD", DAYS[30], LAST), ("ZZAAB", DAYS[45], LAST)]
    assert not pending(dirty.database)
    assert_same_tables(dirty, corrected)
    assert {chunk.published for chunk in history_chunks(dirty.database, LAST, thorough=True)} == {True}


def test_the_others_are_not_even_published_again(dirty):
    before = all_contents(dirty, ("serving.signals", "serving.pattern_events"))
    report = restate(dirty)
    for table, was in before.items():
        now = all_contents(dirty, (table,))[table]
        others = [rows[~rows["symbol"].isin(list(CORRECTED))].reset_index(drop=True) for rows in (was, now)]
        assert_same_bits(*others, table)
    row = dirty.database.rows("SELECT * FROM serving.publishes ORDER BY publish_id DESC LIMIT 1")[0]
    assert (row.publish_id, row.symbols) == (report.published.publish_id, 2)
    assert row.signals == sum(one.signals_changed for one in report.restated)
    assert row.events == sum(one.events_changed for one in report.restated)
    assert (row.first_session, row.last_session) == (DAYS[30], LAST)


def test_one_symbol_can_be_named_and_the_other_stays_dirty(dirty):
    assert [one.symbol for one in restate(dirty, ["zzaab"]).restated] == ["ZZAAB"]
    assert ledger(dirty, "ZZAAD").dirty_from == DAYS[30]
    assert ledger(dirty, "ZZAAB").dirty_from is None


def test_a_run_is_bounded_and_the_next_one_goes_on(dirty, corrected):
    with mock.patch.object(module, "MOST_SYMBOLS", 1):
        first = restate(dirty)
        assert ([one.symbol for one in first.restated], first.left) == (["ZZAAD"], 1)
        assert [len(report.restated) for report in restate_all(dirty)] == [1]
    assert_same_tables(dirty, corrected)


def test_all_of_them_are_restated_run_by_run(dirty, corrected):
    with mock.patch.object(module, "MOST_SYMBOLS", 1):
        reports = restate_all(dirty)
    assert [[one.symbol for one in report.restated] for report in reports] == [["ZZAAD"], ["ZZAAB"]]
    assert_same_tables(dirty, corrected)


def test_a_dirty_symbol_of_which_nothing_was_derived_is_the_first_derivations_work(sites, origin):
    context = sites.make(origin.settings.bist_archive_dir)
    ingest(context, build_providers(context.settings), ["ZZAAA"])
    clean_prices(context, NOBODY)
    execute(context, f"UPDATE market.fetch_ledger SET dirty_from = '{DAYS[10]}'")
    assert not pending(context.database)
    assert restate(context).published is None
    assert count(context, "serving.publishes") == 0


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("place", ["derive_together", "publish"])
def test_one_that_is_ended_before_a_step_is_still_pending_with_its_reason_and_goes_on(dirty, corrected, place):
    execute(dirty, "UPDATE market.fetch_ledger SET dirty_because = 'a test' WHERE dirty_from IS NOT NULL")
    with mock.patch.object(module, place, side_effect=KilledError), pytest.raises(KilledError):
        restate(dirty)
    assert restated(dirty) == []
    assert {(one.symbol, one.because) for one in pending(dirty.database)} == {(s, "a test") for s in CORRECTED}
    restate(dirty)
    assert restated(dirty) == [("ZZAAD", DAYS[30], LAST), ("ZZAAB", DAYS[45], LAST)]
    assert count(dirty, TABLE) == 2
    assert not pending(dirty.database)
    assert_same_tables(dirty, corrected)


def test_one_that_is_ended_inside_the_publish_leaves_nothing_of_it(dirty, corrected):
    before = count(dirty, "serving.publishes")
    with mock.patch.object(module, "_complete", side_effect=KilledError), pytest.raises(KilledError):
        restate(dirty)
    assert count(dirty, "serving.publishes") == before
    assert count(dirty, "serving.signals", "superseded_by IS NOT NULL") == 0
    restate(dirty)
    assert_same_tables(dirty, corrected)


def test_a_backfill_that_derived_it_meanwhile_does_not_lose_the_note(dirty, corrected):
    with mock.patch.object(module, "derive_together", side_effect=KilledError), pytest.raises(KilledError):
        restate(dirty)
    run(dirty, FIRST, LAST)
    assert {one.symbol for one in pending(dirty.database)} == set(CORRECTED)
    report = restate(dirty)
    assert [one.signals_changed for one in report.restated] == [0, 0]
    assert_same_tables(dirty, corrected)


def test_a_past_that_changes_while_it_is_restated_is_restated_again(dirty, tmp_path, sites):
    archive = shutil.copytree(dirty.settings.bist_archive_dir, tmp_path / "archive")
    context = sites.make(archive, copy_of=dirty)

    def overtaken(*given):
        correct(archive, "ZZAAB", 20, "4712")
        ingest(context, build_providers(context.settings), ["ZZAAB"])
        clean_prices(context, NOBODY)
        return derive_together(*given)

    with mock.patch.object(module, "derive_together", overtaken):
        restate(context)
    assert [(one.symbol, one.first) for one in pending(context.database)] == [("ZZAAB", DAYS[20])]
    restate(context)
    fresh = sites.make(archive)
    run(fresh, FIRST, LAST)
    assert_same_tables(context, fresh, TABLES)
    assert restated(context)[0] == ("ZZAAB", DAYS[20], LAST)


def test_where_the_clock_stands_still_a_symbol_is_restated_twice_all_the_same(dirty):
    restate(dirty)
    execute(dirty, f"UPDATE market.fetch_ledger SET dirty_from = '{DAYS[50]}' WHERE symbol = 'ZZAAB'")
    restate(dirty)
    assert restated(dirty)[-1] == ("ZZAAB", DAYS[50], LAST)
    assert count(dirty, TABLE, "symbol = 'ZZAAB'") == 2


def test_while_the_kill_switch_is_set_nothing_is_begun(dirty, tmp_path):
    (tmp_path / "stop").write_text("auditors are here")
    stopped = dirty.settings.model_copy(update={"bist_kill_switch": tmp_path / "stop"})
    with pytest.raises(KillSwitchError, match="auditors"):
        restate(module.PipelineContext(stopped, dirty.database, dirty.calendar, dirty.clock, "stopped"))
    assert count(dirty, TABLE) == 0


def test_the_command_restates_everything_and_prints_what_and_why(dirty, corrected, monkeypatch):
    execute(dirty, "UPDATE market.fetch_ledger SET dirty_because = 'a test says so' WHERE dirty_from IS NOT NULL")
    monkeypatch.setenv("BIST_HOME", str(dirty.settings.bist_home))
    monkeypatch.setenv("BIST_DATABASE_URL", dirty.settings.bist_database_url.get_secret_value())
    monkeypatch.setenv("BIST_ARCHIVE_DIR", str(dirty.settings.bist_archive_dir))
    told = CliRunner().invoke(command, [])
    assert told.exit_code == 0, told.output
    assert "2 symbols restated" in told.stdout
    assert told.stdout.count("a test says so") == 2
    assert "deriving: 1 of 1" in told.stderr
    assert_same_tables(dirty, corrected)
    assert CliRunner().invoke(command, []).stdout == "nothing is to be restated\n"
