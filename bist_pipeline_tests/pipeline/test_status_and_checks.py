"""What a person asks first, what stops a run, and the pictures of a session."""

import pandas as pd
import pytest

from bist_pipeline.core.errors import ContractError
from bist_pipeline.pipeline import gallery
from bist_pipeline.pipeline.checks import check_and_store, contract_violations, gather, run_checks, stored_outcomes
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.history import rows_by_session
from bist_pipeline.pipeline.span import Span
from bist_pipeline.pipeline.status import read_status
from bist_pipeline_tests.archives import simulated_bars
from bist_pipeline_tests.pipeline.sites import as_date, count, execute, run
from bist_pipeline_tests.pipeline.spoiled import lines_of, one_of_each, spoiled_archive, write_lines

BARS = simulated_bars(symbols=5, sessions=60)
SPAN = Span(as_date("2021-01-04"), as_date("2021-03-26"))
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def spoiled(sites, tmp_path_factory):
    """Faults of every kind in four symbols, a fifth that cannot be read."""
    archive = tmp_path_factory.mktemp("spoiled") / "archive"
    good = BARS[BARS["symbol"] != "ZZAAE"]
    spoiled_archive(archive, good, one_of_each(good))
    bad = lines_of(BARS[BARS["symbol"] == "ZZAAE"])
    write_lines(archive, "ZZAAE", [bad[0] | {"Low": "?!"}, *bad[1:]])
    context = sites.make(archive)
    run(context, SPAN.first, SPAN.last)
    return context


# Status.


def test_status_tells_what_is_stored_what_failed_and_what_is_withheld(spoiled):
    status = read_status(spoiled)
    tables = status.tables.set_index("table")
    for name in tables.index:
        assert tables["rows"].to_dict()[name] == count(spoiled, str(name)) > 0, name
    assert list(status.failures["symbol"]) == ["ZZAAE"]
    assert "?!" in status.failures["reason"].iloc[0]
    assert dict(zip(status.symbols["status"], status.symbols["symbols"], strict=True)) == {"answered": 4, "failed": 1}
    assert status.quarantine["rows"].sum() == count(spoiled, "market.quarantine")
    assert status.quarantine["rows"].is_monotonic_decreasing
    assert status.dirty.empty
    assert list(status.publishes["publish_id"]) == [1]
    assert status.watermark["last_session"].iloc[0] == pd.Timestamp(SPAN.last)
    newest = status.coverage.groupby("session_date")["symbols"].sum()
    assert len(newest) == 5
    assert set(newest) == {5}
    assert status.providers.set_index("provider").loc["archive", "configured"]
    assert status.market == "after_close"


def test_status_of_an_empty_database_is_empty(context):
    status = read_status(context)
    assert set(status.tables["rows"]) == {0}
    for frame in (status.watermark, status.coverage, status.symbols, status.failures, status.publishes, status.dirty):
        assert frame.empty


# Checks.


def test_every_check_runs_on_what_is_stored_and_finds_what_was_spoiled(spoiled):
    to_the_holiday = Span(SPAN.first, as_date("2021-05-31"))
    found = {check.name: finding for check, finding in run_checks(gather(spoiled, to_the_holiday)).items()}
    for name in ("duplicate_bars", "non_positive_prices", "ohlc_order", "bars_on_closed_days"):
        assert not found[name].passed, name
        assert set(found[name].rows["symbol"]) <= {"ZZAAA", "ZZAAB", "ZZAAC", "ZZAAD"}
        assert len(found[name].sample) <= 10
    assert found["symbols_answering"].passed
    assert found["symbols_answering"].counts["failed"] == 1


def test_checks_judge_the_span_alone_and_see_what_lies_around_it(spoiled):
    given = gather(spoiled, Span(as_date("2021-02-01"), as_date("2021-02-05")))
    assert given.raw["session_date"].min() < pd.Timestamp("2021-02-01")
    assert given.raw["session_date"].max() > pd.Timestamp("2021-02-05")
    for finding in run_checks(given).values():
        days = finding.rows["session_date"].dropna()
        assert days.between("2021-02-01", "2021-02-05").all()


def test_outcomes_are_those_of_active_symbols(sites, spoiled):
    copy = sites.make(spoiled.settings.bist_archive_dir, copy_of=spoiled)
    assert list(stored_outcomes(copy)["status"]) == ["answered"] * 4 + ["failed"]
    execute(copy, "UPDATE reference.stocks SET is_active = false WHERE symbol = 'ZZAAE'")
    assert list(stored_outcomes(copy)["symbol"]) == ["ZZAAA", "ZZAAB", "ZZAAC", "ZZAAD"]


@pytest.mark.parametrize("table", ["raw_prices", "daily_prices", "quarantine", "indicators", "signals"])
def test_what_the_pipeline_stores_keeps_its_contract(spoiled, table):
    contract = getattr(contracts(), table)
    found = contract_violations(spoiled, contract, SPAN)
    assert found.count == 0, found.by_rule


def test_a_broken_contract_of_the_raw_table_stops_a_run(sites, spoiled):
    copy = sites.make(spoiled.settings.bist_archive_dir, copy_of=spoiled)
    execute(copy, "UPDATE market.raw_prices SET basis = 'guessed' WHERE session_date = DATE '2021-02-01'")
    with pytest.raises(ContractError, match=r"market.raw_prices: \d+ violations"):
        check_and_store(copy, SPAN, stored_outcomes(copy))
    check_and_store(copy, Span(as_date("2021-02-02"), SPAN.last), stored_outcomes(copy))


def test_a_single_symbols_faults_block_nobody(spoiled):
    check_and_store(spoiled, SPAN, stored_outcomes(spoiled))


@pytest.mark.parametrize(("failed", "stops"), [(1, False), (2, True), (5, True)])
def test_too_many_failing_symbols_stop_a_run(spoiled, failed, stops):
    outcomes = stored_outcomes(spoiled).assign(status=["failed"] * failed + ["answered"] * (5 - failed))
    if stops:
        with pytest.raises(ContractError, match="symbols_answering"):
            check_and_store(spoiled, SPAN, outcomes)
    else:
        check_and_store(spoiled, SPAN, outcomes)


def test_rows_are_counted_by_session(spoiled):
    counted = rows_by_session(spoiled, contracts().raw_prices, SPAN)
    assert counted.sum() == count(spoiled, "market.raw_prices", "session_date BETWEEN '2021-01-04' AND '2021-03-26'")


# Pictures.


def test_a_session_has_pictures(spoiled):
    busy = spoiled.database.rows(
        """SELECT session_date FROM analytics.candlestick_patterns WHERE fits_trend GROUP BY session_date
        ORDER BY count(DISTINCT symbol) DESC, session_date LIMIT 1"""
    )[0].session_date
    charts, scores = gallery.candlesticks(spoiled, busy), gallery.scores(spoiled, SPAN.last)
    assert 1 <= len(charts) <= gallery.CHARTS
    assert all(name.startswith("chart_ZZAA") for name in charts)
    assert set(scores) == {"score_histogram", "top_scores"}
    for picture in (*charts.values(), *scores.values()):
        assert picture.startswith(PNG)


def test_a_session_without_bars_has_none(spoiled):
    holiday = as_date("2021-01-01")
    assert gallery.candlesticks(spoiled, holiday) == {}
    assert gallery.scores(spoiled, holiday) == {}
