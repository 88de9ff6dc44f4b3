"""Ranges and the chunks they are cut into."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bist_pipeline.core.calendar import ORIGIN, load_calendar
from bist_pipeline.core.errors import SessionError
from bist_pipeline.pipeline.history import history_chunks, newest_chunk, sessions_without_charts
from bist_pipeline.pipeline.span import CHUNK_WEEKDAYS, Span
from bist_pipeline_tests.archives import simulated_bars, write_archive
from bist_pipeline_tests.pipeline.sites import all_contents, assert_same_bits, execute, run

DAYS = st.dates(ORIGIN, date(2027, 6, 30))
ranges = st.tuples(DAYS, DAYS).map(sorted)


def weekdays(span):
    return [day for day in days(span) if day.weekday() < 5]


def days(span):
    return [span.first + timedelta(days=n) for n in range((span.last - span.first).days + 1)]


@given(ranges)
def test_chunks_cover_a_span_exactly_newest_first_with_at_most_260_weekdays_each(ends):
    span = Span(*ends)
    chunks = list(span.chunks())
    assert [day for chunk in reversed(chunks) for day in days(chunk)] == days(span)
    assert all(len(weekdays(chunk)) <= CHUNK_WEEKDAYS for chunk in chunks)
    assert len(chunks) == -(-len(days(span)) // 364)


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        (date(2024, 1, 3), date(2024, 1, 2), "reversed"),
        (date(2009, 12, 31), date(2024, 1, 2), "before 2010-01-04"),
        (date(2024, 1, 3), date(2222, 1, 2), "after"),
    ],
)
def test_a_span_that_cannot_be_is_refused(first, last, message):
    with pytest.raises(SessionError, match=message):
        Span.checked(load_calendar(), first, last)


def test_a_span_says_its_ends_once_where_they_are_the_same():
    assert str(Span(date(2024, 1, 2), date(2024, 1, 2))) == "2024-01-02"
    assert str(Span(date(2024, 1, 2), date(2024, 1, 3))) == "2024-01-02…2024-01-03"


@pytest.fixture(scope="module")
def stored(sites, tmp_path_factory):
    """A database with bars from the origin on."""
    context = sites.make(tmp_path_factory.mktemp("none"))
    execute(
        context,
        """INSERT INTO market.daily_prices (symbol, session_date, open_try, high_try, low_try, close_try,
        volume_shares, adjustment_factor, total_return_factor, basis, is_final, grade, filled, repaired, source, as_of)
        SELECT 'ZZAAA', day, 1, 1, 1, 1, 1, 1, 1, 'as_traded', true, 'A', '', '', 'test', now()
        FROM unnest(ARRAY[DATE '2010-01-04', DATE '2027-12-31']) AS day""",
    )
    return context


any_example = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@any_example
@given(today=DAYS)
def test_the_chunks_of_history_partition_the_weekdays_newest_first(stored, today):
    chunks = history_chunks(stored.database, today)
    covered = [day for chunk in reversed(chunks) for day in weekdays(chunk.span)]
    assert covered == weekdays(Span(ORIGIN, today))
    assert [chunk.number for chunk in chunks] == list(range(chunks[0].number, -1, -1))
    assert all(len(weekdays(chunk.span)) == CHUNK_WEEKDAYS for chunk in chunks[1:])


@any_example
@given(today=DAYS, later=st.integers(1, 800))
def test_a_chunk_keeps_its_number_as_days_pass(stored, today, later):
    now = {chunk.number: chunk.span for chunk in history_chunks(stored.database, today)}
    then = {chunk.number: chunk.span for chunk in history_chunks(stored.database, today + timedelta(days=later))}
    assert now.keys() <= then.keys()
    newest = max(now)
    assert all(then[number] == span for number, span in now.items() if number != newest)
    assert then[newest].first == now[newest].first
    assert then[newest].last >= now[newest].last


@given(today=DAYS)
def test_the_newest_chunk_ends_with_the_last_weekday(today):
    chunk = newest_chunk(today)
    assert not chunk.published
    assert weekdays(chunk.span)[-1] == np.busday_offset(today, 0, roll="backward").astype(date)


def test_chunks_are_published_one_by_one_and_the_newest_alone_before_anything_is_stored(sites, tmp_path):
    bars = simulated_bars(symbols=2, sessions=520)
    archive = write_archive(tmp_path / "archive", bars)
    context = sites.make(archive)
    today = date(2023, 2, 1)
    assert [chunk.published for chunk in history_chunks(context.database, today)] == [False]
    chunks = [newest_chunk(today)]
    seen = []
    while pending := [chunk for chunk in chunks if not chunk.published]:
        seen.append(pending[0].number)
        run(context, pending[0].span.first, pending[0].span.last)
        chunks = history_chunks(context.database, today)
        assert len(seen) < 9
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(chunks) == 3
    assert all(chunk.published for chunk in history_chunks(context.database, today, thorough=True))


def test_history_that_was_derived_before_there_were_chart_patterns_is_derived_anew(sites, tmp_path):
    bars = simulated_bars(symbols=2, sessions=520)
    context = sites.make(write_archive(tmp_path / "archive", bars))
    first, last = (bars["session_date"].agg(end).date() for end in ("min", "max"))
    run(context, first, last)
    tables = ("analytics.chart_patterns", "analytics.chart_candidates", "analytics.candlestick_patterns")
    whole = all_contents(context, tables)
    assert sessions_without_charts(context.database) is None
    # As revision 5 finds the rows of an older version, in a part of the history.
    old = Span(first, first + timedelta(days=400))
    execute(context, f"DELETE FROM analytics.chart_patterns WHERE session_date <= '{old.last}'")
    execute(context, f"DELETE FROM analytics.chart_candidates WHERE session_date <= '{old.last}'")
    execute(
        context,
        "UPDATE analytics.candlestick_patterns SET is_locked = NULL, level_distance_atr = NULL "
        f"WHERE session_date <= '{old.last}'",
    )
    lacking = sessions_without_charts(context.database)
    assert lacking is not None
    assert first <= lacking.first < lacking.last <= old.last

    chunks = history_chunks(context.database, last, thorough=True)
    assert {c.number for c in chunks if not c.published} == {c.number for c in chunks if c.span.first <= lacking.last}
    for chunk in chunks:
        if not chunk.published:
            run(context, chunk.span.first, chunk.span.last)
    assert all(chunk.published for chunk in history_chunks(context.database, last, thorough=True))
    assert sessions_without_charts(context.database) is None
    healed = all_contents(context, tables)
    for table in tables:
        assert_same_bits(healed[table], whole[table], table)
