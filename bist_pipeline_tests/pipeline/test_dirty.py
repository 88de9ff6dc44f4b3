"""What changed in the past is derived anew before it counts as clean, whoever derives it and in whatever order."""

import os
import shutil
from datetime import date
from unittest import mock

import pytest

from bist_pipeline.pipeline.cleaning import clean_prices
from bist_pipeline.pipeline.derive import (
    bars_for,
    derive_candlesticks,
    derive_charts,
    derive_indicators,
    derive_signals,
    derive_together,
)
from bist_pipeline.pipeline.dirty import read_dirt, settle
from bist_pipeline.pipeline.history import history_chunks
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.publish import publish
from bist_pipeline.pipeline.restate import pending
from bist_pipeline.pipeline.span import Span
from bist_pipeline.providers.registry import build_providers
from bist_pipeline_tests.archives import simulated_bars, write_archive
from bist_pipeline_tests.pipeline.sites import execute, ledger, run
from bist_pipeline_tests.pipeline.spoiled import lines_of, write_lines

BARS = simulated_bars(symbols=3, sessions=60)
DAYS = sorted({day.date() for day in BARS["session_date"]})
FIRST, CHANGED, LAST = DAYS[0], DAYS[45], DAYS[-1]
WHOLE = Span(FIRST, LAST)
SYMBOL = "ZZAAB"


@pytest.fixture(scope="module")
def origin(sites, tmp_path_factory):
    context = sites.make(write_archive(tmp_path_factory.mktemp("origin") / "archive", BARS))
    run(context, FIRST, LAST)
    return context


@pytest.fixture
def desk(sites, origin, tmp_path):
    """A backfilled database in which one past bar has been corrected and cleaned, and nothing derived anew."""
    archive = shutil.copytree(origin.settings.bist_archive_dir, tmp_path / "archive")
    context = sites.make(archive, copy_of=origin)
    correct(context, "4711")
    return context


def correct(context, volume):
    lines = lines_of(BARS[BARS["symbol"] == SYMBOL])
    lines[45]["Volume"] = volume
    place = write_lines(context.settings.bist_archive_dir, SYMBOL, lines)
    later = place.stat().st_mtime + int(volume)
    os.utime(place, (later, later))
    ingest(context, build_providers(context.settings), [SYMBOL])
    clean_prices(context, Span(date(2010, 1, 4), date(2010, 1, 4)))
    assert ledger(context, SYMBOL).dirty_from == CHANGED


def dirty_from(context):
    return ledger(context, SYMBOL).dirty_from


def test_publishing_alone_makes_nobody_clean(desk):
    publish(desk, WHOLE)
    assert dirty_from(desk) == CHANGED


def test_signals_alone_make_nobody_clean(desk):
    derive_signals(desk, WHOLE)
    assert dirty_from(desk) == CHANGED


@pytest.mark.parametrize("only", [derive_indicators, derive_candlesticks])
def test_signals_on_one_fresh_table_and_a_spoiled_one_make_nobody_clean(desk, only):
    execute(desk, "UPDATE analytics.candlestick_patterns SET strength = strength + 1 WHERE symbol = 'ZZAAB'")
    if only is derive_candlesticks:
        derive_candlesticks(desk, WHOLE)
    else:
        derive_indicators(desk, WHOLE)
    derive_signals(desk, WHOLE)
    assert dirty_from(desk) == CHANGED


def test_the_tables_one_after_the_other_make_it_clean(desk):
    for derive in (derive_indicators, derive_candlesticks, derive_charts, derive_signals):
        derive(desk, WHOLE)
    assert dirty_from(desk) is None


def test_a_part_of_the_past_moves_the_mark_and_the_rest_clears_it(desk):
    run(desk, CHANGED, DAYS[50])
    assert CHANGED < dirty_from(desk) <= DAYS[51]
    run(desk, CHANGED, LAST)
    assert dirty_from(desk) is None


def test_a_derivation_whose_bars_are_corrected_while_it_computes_leaves_the_mark(desk):
    def read_and_be_overtaken(context, span, symbols=None):
        old = bars_for(context, span, symbols)
        correct(context, "4712")
        return old

    for derive in (derive_indicators, derive_candlesticks, derive_charts):
        derive(desk, WHOLE)
    with mock.patch("bist_pipeline.pipeline.derive.bars_for", read_and_be_overtaken):
        derive_signals(desk, WHOLE)
    assert dirty_from(desk) == CHANGED
    with mock.patch("bist_pipeline.pipeline.derive.bars_for", read_and_be_overtaken):
        derive_together(desk, WHOLE)
    assert dirty_from(desk) == CHANGED


def test_a_dirty_symbol_is_restated_alone_and_is_no_chunk_that_lacks_something(desk):
    assert {chunk.published for chunk in history_chunks(desk.database, LAST, thorough=True)} == {True}
    assert [one.symbol for one in pending(desk.database)] == [SYMBOL]


def test_becoming_clean_clears_the_reason_too(desk):
    execute(desk, "UPDATE market.fetch_ledger SET dirty_because = 'a test' WHERE dirty_from IS NOT NULL")
    run(desk, CHANGED, DAYS[50])
    assert ledger(desk, SYMBOL).dirty_because == "a test"
    run(desk, CHANGED, LAST)
    assert ledger(desk, SYMBOL).dirty_because == ""


def test_another_reason_that_comes_while_it_is_derived_leaves_the_mark(desk):
    span = Span(CHANGED, LAST)
    noted = read_dirt(desk, span)
    execute(desk, "UPDATE market.fetch_ledger SET dirty_because = 'something else' WHERE dirty_from IS NOT NULL")
    with desk.database.bulk("settling") as bulk:
        settle(bulk, noted, LAST)
    assert dirty_from(desk) == CHANGED


def test_an_answer_that_comes_meanwhile_keeps_the_mark_and_its_reason(desk):
    execute(desk, "UPDATE market.fetch_ledger SET dirty_because = 'a test' WHERE dirty_from IS NOT NULL")
    ingest(desk, build_providers(desk.settings), [SYMBOL], whatever_is_stored=True)
    assert (dirty_from(desk), ledger(desk, SYMBOL).dirty_because) == (CHANGED, "a test")


def test_rows_that_were_derived_and_not_published_are_still_to_be_published(desk):
    for derive in (derive_indicators, derive_candlesticks, derive_charts, derive_signals):
        derive(desk, WHOLE)
    assert False in {chunk.published for chunk in history_chunks(desk.database, LAST, thorough=True)}
    publish(desk, WHOLE)
    assert {chunk.published for chunk in history_chunks(desk.database, LAST, thorough=True)} == {True}
