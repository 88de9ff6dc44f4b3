"""Gaps: what counts as one, how often it is asked for, and what filling them does. All data here are SIMULATED."""

from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.calendar import OVERRIDES_FILE
from bist_pipeline.core.clock import FixedClock
from bist_pipeline.core.errors import CircuitOpenError, TransientProviderError, UnknownSymbolError
from bist_pipeline.market.coverage import coalesced, outside, runs_of, with_attempts
from bist_pipeline.pipeline.cleaning import clean_prices
from bist_pipeline.pipeline.gap_attempts import noted
from bist_pipeline.pipeline.gaps import MOST_ATTEMPTS, due_symbols, fill, unaskable, update_gaps
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.sources import Sources, open_sources
from bist_pipeline.pipeline.span import Span
from bist_pipeline.pipeline.universe import refresh_universe
from bist_pipeline.providers.registry import build_providers
from bist_pipeline_tests.archives import sessions_from, simulated_bars
from bist_pipeline_tests.conftest import AFTER_CLOSE
from bist_pipeline_tests.pipeline.sites import execute, with_calendar_of_home
from bist_pipeline_tests.pipeline.spoiled import lines_of, write_lines
from bist_pipeline_tests.pipeline.stand_ins import watched

BARS = simulated_bars(symbols=4, sessions=400)
SYMBOLS = sorted(BARS["symbol"].unique())
DAYS = sorted({day.date() for day in BARS["session_date"]})
LINES = {symbol: lines_of(BARS[BARS["symbol"] == symbol]) for symbol in SYMBOLS}


@pytest.fixture
def archive(sites, tmp_path):
    """A folder in which each symbol's file is whole."""
    folder = tmp_path / "archive"
    for symbol in SYMBOLS:
        write_lines(folder, symbol, LINES[symbol])
    return folder


def fetched(sites, archive, **settings):
    context = sites.emptied(archive, **settings)
    # On the evening of the last bar: nothing after it is anybody's fault.
    context = replace(
        context, clock=FixedClock(AFTER_CLOSE.replace(year=DAYS[-1].year, month=DAYS[-1].month, day=DAYS[-1].day))
    )
    providers = build_providers(context.settings)
    refresh_universe(context, providers)
    ingest(context, providers, SYMBOLS)
    clean_prices(context, Span(DAYS[0], DAYS[-1]))
    return context


def later(context, **passed):
    return replace(context, clock=FixedClock(context.clock.now() + timedelta(**passed)))


def gaps(context, until=DAYS[-1]):
    rows = context.database.rows(
        "SELECT * FROM market.gaps WHERE first_session <= :until ORDER BY symbol, first_session", {"until": until}
    )
    return [(row.symbol, row.first_session, row.last_session, row.state, row.attempts) for row in rows]


def without(symbol, *positions):
    return [line for position, line in enumerate(LINES[symbol]) if position not in positions]


def test_sessions_that_lack_their_bar_are_runs_and_whole_histories_have_none(sites, archive):
    write_lines(archive, SYMBOLS[1], without(SYMBOLS[1], 20, 21, 30))
    bad = [line | ({"Close": ""} if position in (20, 22) else {}) for position, line in enumerate(LINES[SYMBOLS[2]])]
    write_lines(archive, SYMBOLS[2], bad)
    context = fetched(sites, archive)
    report = update_gaps(context)
    assert gaps(context) == [
        (SYMBOLS[1], DAYS[20], DAYS[21], "provider_silent", 0),
        (SYMBOLS[1], DAYS[30], DAYS[30], "provider_silent", 0),
        (SYMBOLS[2], DAYS[20], DAYS[20], "quarantined", 0),
        (SYMBOLS[2], DAYS[22], DAYS[22], "quarantined", 0),
    ]
    assert report.found == report.gaps >= 4
    again = update_gaps(context)
    assert (again.found, again.closed, again.gaps) == (0, 0, report.gaps)


def test_a_span_is_looked_at_alone_and_what_is_known_of_the_rest_stays(sites, archive):
    write_lines(archive, SYMBOLS[1], without(SYMBOLS[1], *range(20, 30)))
    context = fetched(sites, archive)
    update_gaps(context)
    whole = gaps(context)
    for first, last in [(0, 5), (22, 25), (25, 40), (29, 29), (15, 20)]:
        update_gaps(context, Span(DAYS[first], DAYS[last]))
        assert gaps(context) == whole
    execute(context, f"DELETE FROM market.gaps WHERE first_session < '{DAYS[-1]}'")
    update_gaps(context, Span(DAYS[22], DAYS[25]))
    assert gaps(context) == [(SYMBOLS[1], DAYS[22], DAYS[25], "provider_silent", 0)]
    update_gaps(context, Span(DAYS[26], DAYS[40]))
    assert gaps(context) == [(SYMBOLS[1], DAYS[22], DAYS[29], "provider_silent", 0)]
    update_gaps(context, Span(DAYS[0], DAYS[21]))
    assert gaps(context) == whole


def test_what_the_provider_tells_at_the_second_asking_closes_the_gap(sites, archive):
    write_lines(archive, SYMBOLS[1], without(SYMBOLS[1], 20, 21, 30))
    context = fetched(sites, archive)
    update_gaps(context)
    write_lines(archive, SYMBOLS[1], without(SYMBOLS[1], 21))
    report = fill(context, open_sources(context), [SYMBOLS[1]])
    assert (report.asked, report.answered, report.closed) == (1, 1, 2)
    assert gaps(context) == [(SYMBOLS[1], DAYS[21], DAYS[21], "provider_silent", 1)]
    dirty = context.database.rows("SELECT dirty_from FROM market.fetch_ledger WHERE symbol = :s", {"s": SYMBOLS[1]})
    assert dirty[0].dirty_from in {DAYS[20], None}


def test_a_gap_is_asked_for_three_times_a_day_apart_and_then_no_more(sites, archive):
    write_lines(archive, SYMBOLS[1], without(SYMBOLS[1], 20))
    context = fetched(sites, archive)
    update_gaps(context)
    sources = open_sources(context)
    execute(context, f"DELETE FROM market.gaps WHERE symbol <> '{SYMBOLS[1]}' OR first_session > '{DAYS[20]}'")
    asked = []
    for _ in range(5):
        asked.append(due_symbols(context.database, context.clock.now()))
        if asked[-1]:
            fill(context, sources, asked[-1])
            execute(context, f"DELETE FROM market.gaps WHERE first_session > '{DAYS[20]}'")
            assert due_symbols(later(context, hours=23).database, later(context, hours=23).clock.now()) == []
        context = later(context, days=1)
    assert asked == [[SYMBOLS[1]]] * MOST_ATTEMPTS + [[]] * 2


def test_the_newest_gaps_come_first_and_whom_nobody_has_is_left_out(sites, archive):
    for symbol, position in zip(SYMBOLS, (10, 50, 30, 40), strict=True):
        write_lines(archive, symbol, without(symbol, position))
    context = fetched(sites, archive)
    update_gaps(context)
    execute(context, f"DELETE FROM market.gaps WHERE first_session > '{DAYS[-1]}'")
    now, (a, b, c, d) = context.clock.now(), SYMBOLS
    assert due_symbols(context.database, now) == [b, d, c, a]
    assert due_symbols(context.database, now, most=2) == [b, d]
    assert due_symbols(context.database, now, but=[b, a]) == [d, c]
    (archive / f"{b}.csv").unlink()
    assert unaskable(context.database, build_providers(context.settings)) == [b]
    execute(context, f"UPDATE market.fetch_ledger SET strikes = 3 WHERE symbol = '{d}'")
    assert due_symbols(context.database, now) == [b, c, a]


def test_a_gap_that_grows_by_a_session_has_been_asked_for_as_often_as_before(sites, archive):
    write_lines(archive, SYMBOLS[1], LINES[SYMBOLS[1]][:390])
    context = fetched(sites, archive)
    update_gaps(context)
    execute(context, f"UPDATE market.gaps SET attempts = 3, found_at = '2021-01-04' WHERE symbol = '{SYMBOLS[1]}'")
    write_lines(archive, SYMBOLS[1], LINES[SYMBOLS[1]][:395])
    ingest(context, build_providers(context.settings), SYMBOLS)
    clean_prices(context, Span(DAYS[0], DAYS[-1]))
    update_gaps(context)
    assert gaps(context) == [(SYMBOLS[1], DAYS[395], DAYS[-1], "provider_silent", 3)]
    assert context.database.rows("SELECT min(found_at)::date AS day FROM market.gaps")[0].day == date(2021, 1, 4)


def circuit_error():
    return CircuitOpenError("circuit open until 20:00:00 (Istanbul): a test", AFTER_CLOSE, is_of_one_host=False)


def attempts(context):
    rows = context.database.rows(
        "SELECT symbol, attempts, asked_at FROM market.gaps WHERE first_session <= :d", {"d": DAYS[-1]}
    )
    return {row.symbol: (row.attempts, row.asked_at) for row in rows}


def test_an_open_circuit_costs_those_an_attempt_who_were_asked_and_nobody_else(sites, archive):
    for symbol in SYMBOLS[:3]:
        write_lines(archive, symbol, without(symbol, 20))
    context = later(fetched(sites, archive, collector_max_workers=1), days=1)
    update_gaps(context)
    execute(context, f"UPDATE market.gaps SET attempts = 1, asked_at = '2021-01-05+03' WHERE symbol = '{SYMBOLS[2]}'")
    before = attempts(context)
    provider = watched(archive, faults={SYMBOLS[1]: circuit_error()})
    report = fill(context, Sources((provider,), ()), SYMBOLS[:3])
    assert provider.asked == SYMBOLS[:2]  # the third was not even asked for
    assert report.answered == 1
    now = context.clock.now()
    assert attempts(context) == {**before, SYMBOLS[0]: (1, now)}
    assert SYMBOLS[1] in due_symbols(context.database, now)


@pytest.mark.parametrize("shut_first", [True, False])
def test_whoever_was_asked_counts_though_the_circuit_of_the_other_provider_is_open(sites, archive, shut_first):
    write_lines(archive, SYMBOLS[1], without(SYMBOLS[1], 20))
    context = fetched(sites, archive)
    update_gaps(context)
    ill = watched(archive, name="ill", faults={SYMBOLS[1]: TransientProviderError("500")})
    shut = watched(archive, name="shut", faults={SYMBOLS[1]: circuit_error()})
    fill(context, Sources((shut, ill) if shut_first else (ill, shut), ()), [SYMBOLS[1]])
    assert (ill.asked, shut.asked) == ([SYMBOLS[1]], [SYMBOLS[1]])
    assert attempts(context)[SYMBOLS[1]] == (1, context.clock.now())


def test_a_symbol_that_the_provider_does_not_have_was_asked_for(sites, archive):
    write_lines(archive, SYMBOLS[1], without(SYMBOLS[1], 20))
    context = fetched(sites, archive)
    update_gaps(context)
    fault = UnknownSymbolError("unknown")
    fill(context, Sources((watched(archive, faults={SYMBOLS[1]: fault}),), ()), [SYMBOLS[1]])
    assert attempts(context)[SYMBOLS[1]] == (1, context.clock.now())


def test_an_attempt_stands_before_anybody_is_asked_and_stays_where_the_run_breaks_off(sites, archive):
    write_lines(archive, SYMBOLS[1], without(SYMBOLS[1], 20))
    context = fetched(sites, archive)
    update_gaps(context)
    assert broken_off(context, archive, asks=True) == 1
    assert attempts(context)[SYMBOLS[1]][0] == 1
    assert broken_off(context, archive, asks=False) == 2
    assert attempts(context)[SYMBOLS[1]][0] == 1


def broken_off(context, archive, *, asks):
    """Break off while somebody is asked, or just before; returns how many attempts stood then."""
    with suppress(KeyboardInterrupt), noted(context, (watched(archive),), [SYMBOLS[1]]) as (provider,):
        if asks:
            provider.history(SYMBOLS[1])
        seen = attempts(context)[SYMBOLS[1]][0]
        raise KeyboardInterrupt
    return seen


def closing(context, *positions):
    """The exchange says afterwards that it did not trade on some days."""
    lines = "".join(f"{DAYS[position]},closed,snow\n" for position in positions)
    (context.settings.bist_home / OVERRIDES_FILE).write_text(f"session_date,kind,reason\n{lines}", encoding="utf-8")
    closed = replace(with_calendar_of_home(context), clock=context.clock)
    refresh_universe(closed, build_providers(closed.settings))
    return closed


@pytest.mark.parametrize("span", [(60, 61), (50, 50), (49, 53), None], ids=str)
def test_a_session_that_turns_out_to_have_been_closed_leaves_its_gaps(sites, archive, span):
    write_lines(archive, SYMBOLS[0], without(SYMBOLS[0], *range(48, 53)))
    bad = [line | ({"Close": ""} if position == 51 else {}) for position, line in enumerate(LINES[SYMBOLS[1]])]
    write_lines(archive, SYMBOLS[1], [line for position, line in enumerate(bad) if position != 50])
    write_lines(archive, SYMBOLS[2], without(SYMBOLS[2], 50))
    context = fetched(sites, archive)
    update_gaps(context)
    assert len(gaps(context)) == 4
    context = closing(context, 50)
    update_gaps(context, span and Span(DAYS[span[0]], DAYS[span[1]]))
    assert gaps(context) == [
        (SYMBOLS[0], DAYS[48], DAYS[52], "provider_silent", 0),
        (SYMBOLS[1], DAYS[51], DAYS[51], "quarantined", 0),
    ]
    rows = context.database.rows("SELECT sessions FROM market.gaps WHERE symbol = :s", {"s": SYMBOLS[0]})
    assert rows[0].sessions == 4


@pytest.mark.parametrize("further_days", [0, 2, 4, 5, 30])
def test_a_short_history_whose_first_rows_are_withheld_ends_where_they_begin(sites, archive, further_days):
    bad = [line | ({"Close": ""} if position in (300, 301) else {}) for position, line in enumerate(LINES[SYMBOLS[1]])]
    write_lines(archive, SYMBOLS[1], bad[300:])
    days = (DAYS[-1] - DAYS[302]).days + 1 + further_days
    context = fetched(sites, archive, min_history_days=days)
    report = update_gaps(context)
    found = [row[1:4] for row in gaps(context) if row[0] == SYMBOLS[1]]
    assert found[-1] == (DAYS[300], DAYS[301], "quarantined")
    asked = [day for first, last, _ in found for day in DAYS if first <= day <= last]
    assert len(asked) == len(set(asked))
    assert all(last < DAYS[300] for _, last, state in found if state == "short_history")
    assert (len(found) == 2) == (DAYS[-1] - timedelta(days=days) < DAYS[300])
    assert update_gaps(context).found == 0
    assert report.gaps == update_gaps(context).gaps


# MIN_HISTORY_DAYS counts days.

LONG = sessions_from(DAYS[0], 900).astype("datetime64[us]")


def history_of(archive, symbol, positions):
    """A file with bars on these of the sessions from the first day on."""
    one = BARS[BARS["symbol"] == symbol].iloc[: len(positions)]
    repeated = one.iloc[np.arange(len(positions)) % len(one)]
    write_lines(archive, symbol, lines_of(repeated.assign(session_date=LONG[positions])))


def short(context):
    update_gaps(context)
    return [
        row[:3] for row in gaps(context, LONG[-1].astype("datetime64[D]").astype(date)) if row[3] == "short_history"
    ]


def positions_within(days):
    return np.flatnonzero(LONG - LONG[0] <= np.timedelta64(days, "D"))


@pytest.mark.parametrize(
    ("days", "rows", "is_short"),
    [(1095, 200, False), (364, 240, True), (365, 200, False), (365, 240, False), (364, 2, True), (0, 1, True)],
)
def test_a_history_is_long_enough_by_its_days_and_not_by_its_rows(sites, archive, days, rows, is_short):
    within = positions_within(days)
    last = within[-1] if (LONG[within[-1]] - LONG[0]).astype("timedelta64[D]").astype(int) == days else None
    if last is None:
        pytest.fail(f"no session lies {days} days after {LONG[0]}")
    history_of(archive, SYMBOLS[0], np.unique(np.linspace(0, last, rows).astype(int)))
    context = fetched(sites, archive)
    found = [row for row in short(context) if row[0] == SYMBOLS[0]]
    assert bool(found) == is_short
    if is_short:
        end = LONG[last].astype("datetime64[D]").astype(date)
        before = context.calendar.sessions(date(2020, 1, 2), DAYS[0] - timedelta(days=1))[-1].astype(date)
        first = min(context.calendar.sessions(end - timedelta(days=365), DAYS[0])[0].astype(date), before)
        assert found == [(SYMBOLS[0], first, before)]


def test_a_listing_date_explains_a_short_history_and_another_limit_counts_otherwise(sites, archive):
    history_of(archive, SYMBOLS[0], positions_within(100))
    context = fetched(sites, archive)
    assert [row[0] for row in short(context)] == [SYMBOLS[0]]
    execute(
        context,
        f"INSERT INTO reference.listings VALUES ('{SYMBOLS[0]}', '{DAYS[0]}', NULL, NULL, '', 'a test', now())",
    )
    assert short(context) == []
    context = fetched(sites, archive, min_history_days=99)
    assert short(context) == []


# The arithmetic alone.


def runs(*rows):
    return pd.DataFrame(rows, columns=["symbol", "first", "last", "state"])


def as_rows(frame):
    return [tuple(row) for row in frame[["symbol", "first", "last", "state"]].to_numpy().tolist()]


def test_cells_become_runs_of_neighbours_in_one_state():
    cells = [("A", 3, "x"), ("A", 1, "x"), ("A", 2, "x"), ("A", 4, "y"), ("A", 6, "y"), ("B", 7, "y")]
    made = runs_of(pd.DataFrame(cells, columns=["symbol", "position", "state"]))
    assert as_rows(made) == [("A", 1, 3, "x"), ("A", 4, 4, "y"), ("A", 6, 6, "y"), ("B", 7, 7, "y")]
    assert as_rows(runs_of(pd.DataFrame(columns=["symbol", "position", "state"]))) == []


def test_cutting_out_a_part_and_putting_it_back_is_the_same():
    whole = runs(("A", 1, 10, "x"), ("B", 5, 5, "x"))
    rest = outside(whole, 4, 6)
    assert as_rows(coalesced(rest)) == [("A", 1, 3, "x"), ("A", 7, 10, "x")]
    assert as_rows(coalesced(pd.concat([rest, runs(("A", 4, 6, "x"), ("B", 5, 5, "x"))]))) == as_rows(whole)


def test_attempts_are_handed_on_to_what_overlaps_or_touches_and_to_nobody_else():
    known = runs(("A", 1, 4, "x"), ("A", 9, 9, "x"), ("B", 1, 4, "x")).assign(
        attempts=[2, 1, 3],
        asked_at=pd.to_datetime(["2024-01-02", "2024-01-05", "2024-01-03"], utc=True),
        found_at=pd.to_datetime(["2024-01-01"] * 3, utc=True),
    )
    new = runs(("A", 5, 8, "x"), ("A", 11, 11, "x"), ("B", 2, 2, "y"), ("B", 4, 4, "y"), ("C", 1, 4, "x"))
    made = with_attempts(new, known)
    assert made["attempts"].tolist() == [2, 0, 3, 3, 0]
    assert made["asked_at"].dt.strftime("%m-%d").fillna("").tolist() == ["01-05", "", "01-03", "01-03", ""]
