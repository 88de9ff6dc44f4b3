"""Deriving in one pass gives what deriving table by table gives, and leaves nothing behind when it fails."""

import os
import threading
from datetime import date

import pytest

from bist_pipeline.core.errors import KillSwitchError
from bist_pipeline.pipeline import derive
from bist_pipeline.pipeline.ahead import ahead, spread
from bist_pipeline.pipeline.backfill import backfill
from bist_pipeline.pipeline.derive import (
    derive_candlesticks,
    derive_charts,
    derive_indicators,
    derive_signals,
    derive_together,
)
from bist_pipeline.pipeline.span import Span
from bist_pipeline.providers.registry import build_providers
from bist_pipeline_tests.archives import simulated_bars, write_archive

SESSIONS = 280
REPORTED = (
    *("analytics.indicators", "analytics.candlestick_patterns", "analytics.chart_patterns", "analytics.signals"),
)
TABLES = (*REPORTED, "analytics.chart_candidates")
STEPS = (derive_indicators, derive_candlesticks, derive_charts, derive_signals)


@pytest.fixture
def filled(context, tmp_path, monkeypatch):
    """A database with everything derived in one pass, in several blocks."""
    monkeypatch.setattr(derive, "BLOCK_ROWS", 2 * SESSIONS)
    bars = simulated_bars(symbols=5, sessions=SESSIONS)
    write_archive(tmp_path / "archive", bars)
    span = Span(bars["session_date"].min().date(), bars["session_date"].max().date())
    backfill(context, build_providers(context.settings), span)
    return context, span


def contents(context) -> list[str]:
    """Every row of the derived tables as text, the stamps aside."""
    rows = [
        context.database.rows(f"SELECT (to_jsonb(t) - 'updated_at')::text AS row FROM {table} AS t ORDER BY 1")
        for table in TABLES
    ]
    return [row.row for table in rows for row in table]


def empty(context) -> None:
    for table in TABLES:
        context.database.run_alone(f"TRUNCATE {table}")


def test_one_pass_and_single_steps_store_the_same_bits(filled):
    context, span = filled
    together = contents(context)
    empty(context)
    reports = [step(context, span) for step in STEPS]
    assert contents(context) == together
    again = derive_together(context, span)
    assert [report.table for report in again] == [report.table for report in reports] == list(REPORTED)
    for one, other in zip(again, reports, strict=True):
        assert one.by_session.equals(other.by_session)
        assert one.counts.unchanged == one.counts.delivered == other.counts.inserted > 0


def test_some_symbols_of_some_sessions_leave_the_others_alone(filled):
    context, span = filled
    before = contents(context)
    symbol = context.database.rows("SELECT min(symbol) AS first FROM market.daily_prices")[0].first
    context.database.run_alone(f"DELETE FROM analytics.indicators WHERE symbol = '{symbol}'")
    reports = derive_together(context, span, [symbol])
    assert contents(context) == before
    assert [report.counts.inserted for report in reports] == [SESSIONS, 0, 0, 0]


def test_a_stop_in_the_middle_leaves_all_tables_as_they_were(filled):
    context, span = filled
    empty(context)

    def stop(done: int, total: int) -> None:
        assert total > 1
        if done == 1:
            raise KillSwitchError("set while writing")

    with pytest.raises(KillSwitchError):
        derive_together(context, span, progress=stop)
    assert contents(context) == []


def test_a_history_without_a_bar_derives_nothing(context):
    reports = derive_together(context, Span(date(2021, 1, 4), date(2021, 1, 8)))
    assert [report.counts.delivered for report in reports] == [0, 0, 0, 0]


def test_blocks_come_in_order_and_an_error_at_its_place():
    def blocks():
        yield "first"
        yield "second"
        raise ValueError("third")

    coming = ahead(blocks())
    assert [next(coming), next(coming)] == ["first", "second"]
    with pytest.raises(ValueError, match="third"):
        next(coming)


def test_the_next_block_is_computed_while_one_is_used():
    second_begun = threading.Event()

    def blocks():
        yield 1
        second_begun.set()
        yield 2

    coming = ahead(blocks())
    assert next(coming) == 1
    assert second_begun.wait(timeout=30)
    assert list(coming) == [2]


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.mark.usefixtures("two_cores")
def test_what_is_spread_over_the_cores_comes_in_the_order_of_the_blocks():
    last_begun = threading.Event()

    def make(block: int) -> int:
        if block == 1:
            last_begun.set()
        else:
            assert last_begun.wait(timeout=30)  # the first one ends only when the second one has begun
        return 10 * block

    assert list(spread(make, iter([0, 1]))) == [0, 10]
    assert list(spread(make, [])) == []
    assert list(spread(make, range(2, 20))) == list(range(20, 200, 10))


@pytest.mark.usefixtures("two_cores")
def test_an_error_of_a_spread_block_comes_in_its_place_whatever_was_ready_before():
    def make(block: int) -> int:
        if block == 1:
            raise ValueError("second")
        return block

    coming = spread(make, range(3))
    assert next(coming) == 0
    with pytest.raises(ValueError, match="second"):
        next(coming)
    assert list(coming) == []


@pytest.mark.usefixtures("two_cores")
def test_an_error_of_the_source_of_spread_blocks_is_raised():
    def blocks():
        yield 1
        raise ValueError("source")

    with pytest.raises(ValueError, match="source"):
        list(spread(str, blocks()))


@pytest.mark.usefixtures("two_cores")
def test_no_more_than_a_block_a_core_is_computed_ahead():
    taken: list[int] = []

    def blocks():
        for block in range(9):
            taken.append(block)
            yield block

    coming = spread(str, blocks())
    for used in range(4):
        assert next(coming) == str(used)
        assert len(taken) == used + 3
