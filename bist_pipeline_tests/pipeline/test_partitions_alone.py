"""One partition, several ranges in any order, or everything at once: the same rows to the last bit."""

import itertools
import random

import pytest

from bist_pipeline_tests.archives import sessions_from, simulated_bars, write_archive
from bist_pipeline_tests.pipeline.sites import (
    DERIVED,
    PRICES,
    SERVED,
    assert_same_bits,
    assert_same_tables,
    contents,
    count,
    run,
)
from bist_pipeline_tests.pipeline.spoiled import one_of_each, spoiled_archive

SESSIONS = 280
DAYS = sessions_from(simulated_bars(1, 1)["session_date"].iloc[0].date(), SESSIONS)
FIRST, BEFORE_LAST, LAST = DAYS[0], DAYS[-2], DAYS[-1]

# Five ranges with gaps of nothing between them: uneven, one of them a single session.
EDGES = [0, 60, 61, 150, 233, SESSIONS]
RANGES = [(DAYS[begin], DAYS[end - 1]) for begin, end in itertools.pairwise(EDGES)]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "archive"
    bars = simulated_bars(symbols=4, sessions=SESSIONS)
    spoiled_archive(folder, bars[bars["symbol"] != "ZZAAD"], one_of_each(bars))
    write_archive(folder, bars[bars["symbol"] == "ZZAAD"])  # one without faults
    return folder


@pytest.fixture(scope="module")
def whole(sites, archive):
    """The market backfilled as one range."""
    context = sites.make(archive)
    run(context, FIRST, LAST)
    return context


def of_last_session(context, table):
    return contents(context, table, f"session_date = DATE '{LAST}'")


def test_the_last_session_alone_gives_the_rows_of_the_range(sites, archive, whole):
    alone = sites.make(archive)
    run(alone, FIRST, BEFORE_LAST)
    assert not len(of_last_session(alone, "analytics.signals"))
    run(alone, LAST, LAST)
    for table in (*DERIVED, *SERVED):
        if not table.startswith(("analytics.candlestick", "analytics.chart")):  # a session may have none
            assert len(of_last_session(whole, table)) or table == "serving.pattern_events_v1"
        assert_same_bits(of_last_session(alone, table), of_last_session(whole, table), table)
    assert_same_tables(alone, whole)


def test_the_last_session_alone_gives_the_same_rows_when_its_bars_came_later(sites, whole, tmp_path):
    bars = simulated_bars(symbols=4, sessions=SESSIONS)
    growing = write_archive(tmp_path / "archive", bars[bars["session_date"] < str(LAST)])
    late, at_once = sites.make(growing), sites.make(growing)
    run(late, FIRST, BEFORE_LAST)
    write_archive(growing, bars)
    run(late, LAST, LAST)
    run(at_once, FIRST, LAST)
    assert count(late, "serving.signals_v1", f"session_date = DATE '{LAST}'") == 4
    assert_same_tables(late, at_once)
    assert count(late, "serving.signals", "superseded_by IS NOT NULL") == 0


@pytest.mark.parametrize("seed", [None, 3])
def test_five_ranges_in_any_order_end_in_the_tables_of_one_range(sites, archive, whole, seed):
    ranges = RANGES[::-1] if seed is None else random.Random(seed).sample(RANGES, len(RANGES))
    pieces = sites.make(archive)
    for begin, end in ranges:
        run(pieces, begin, end)
    assert_same_tables(pieces, whole)
    assert count(pieces, "serving.publishes") == len(RANGES)
    assert count(pieces, "serving.signals", "superseded_by IS NOT NULL") == 0


def test_the_same_range_again_changes_no_row_and_publishes_nothing_new(sites, archive, whole):
    again = sites.make(archive, copy_of=whole)
    report = run(again, FIRST, LAST)
    writes = (report.ingested.counts, report.cleaned.prices, report.cleaned.quarantine)
    for counts in (*writes, *(derived.counts for derived in report.derived)):
        assert counts.inserted == counts.updated == counts.deleted == 0
    published = report.published
    assert (published.signals, published.signals_superseded, published.events, published.events_superseded) == (0,) * 4
    assert_same_tables(again, whole)


def test_symbols_one_by_one_end_in_the_derived_tables_of_all_at_once(sites, archive, whole):
    piecewise = sites.make(archive)
    for symbol in ("ZZAAC", "zzaaa.is", "ZZAAD", "BIST:ZZAAB"):
        run(piecewise, FIRST, LAST, symbols=[symbol])
    assert_same_tables(piecewise, whole, (*PRICES, *DERIVED, *SERVED))
