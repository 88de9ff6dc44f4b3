"""Coverage: of every symbol and session exactly one thing is said, and the counts sum."""

import itertools
from collections import Counter
from datetime import UTC, date, datetime

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bist_pipeline.core.calendar import ORIGIN
from bist_pipeline.pipeline.cleaning import clean_prices
from bist_pipeline.pipeline.history import coverage_counts
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.span import Span
from bist_pipeline.pipeline.universe import refresh_universe
from bist_pipeline_tests.archives import simulated_bars
from bist_pipeline_tests.pipeline.sites import as_date, execute, ledger
from bist_pipeline_tests.pipeline.spoiled import ACCEPTED, FAULTS, Fault, lines_of, spoiled_archive, write_lines
from bist_pipeline_tests.pipeline.stand_ins import watched

BARS = simulated_bars(symbols=5, sessions=45)
SYMBOLS = sorted(BARS["symbol"].unique())
DAYS = sorted({day.date() for day in BARS["session_date"]})
NUMBERS = itertools.count(1)
STATES = {
    *("traded", "no_trade", "quarantined", "not_listed_yet", "provider_silent", "not_fetched", "provider_failed"),
    "not_yet_due",
}


def fetch_and_clean(context, symbols):
    provider = watched(context.settings.bist_archive_dir)
    refresh_universe(context, [provider])
    ingest(context, [provider], symbols)
    clean_prices(context, Span(DAYS[0], DAYS[-1]))


def states(context, first, last):
    rows = context.database.frame(
        "SELECT symbol, session_date, state FROM serving.coverage_v1 WHERE session_date BETWEEN $1 AND $2",
        [first, last],
    )
    keys = list(zip(rows["symbol"], rows["session_date"].dt.date, strict=True))
    assert len(set(keys)) == len(keys), "more than one state of one symbol and session"
    return dict(zip(keys, rows["state"], strict=True))


# Each state.


@pytest.fixture(scope="module")
def told(sites, tmp_path_factory):
    """One symbol for each story; the second asking finds one file broken that was whole."""
    archive = tmp_path_factory.mktemp("told") / "archive"
    good = {symbol: lines_of(BARS[BARS["symbol"] == symbol]) for symbol in SYMBOLS}
    eventful = good["ZZAAA"][5:40]  # listed on the sixth session, silent in the end
    eventful[3] |= {"Volume": "0"}
    eventful[4] |= {"Close": ""}
    del eventful[10]
    write_lines(archive, "ZZAAA", eventful)
    write_lines(archive, "ZZAAB", [good["ZZAAB"][0] | {"Close": "bozuk"}, *good["ZZAAB"][1:]])
    write_lines(archive, "ZZAAC", good["ZZAAC"][:30])
    write_lines(archive, "ZZAAD", good["ZZAAD"])
    write_lines(archive, "XU100", [line | {"Volume": "0"} for line in good["ZZAAE"]])
    followed = ["ZZAAA", "ZZAAB", "ZZAAC", "ZZAAD", "ZZAAE", "XU100", "THYAO"]
    home = tmp_path_factory.mktemp("followed") / "followed.csv"
    home.write_text("symbol\n" + "\n".join(followed) + "\n")
    context = sites.make(archive, bist_universe=str(home))
    asked = [symbol for symbol in followed if symbol != "THYAO"]
    fetch_and_clean(context, asked)
    write_lines(archive, "ZZAAC", [good["ZZAAC"][0] | {"Close": "bozuk"}, *good["ZZAAC"][1:31]])
    fetch_and_clean(context, asked)
    return context, states(context, DAYS[0], context.calendar.horizon)


@pytest.mark.parametrize(
    ("symbol", "position", "state"),
    [
        ("ZZAAA", 4, "not_listed_yet"),
        ("ZZAAA", 5, "traded"),
        ("ZZAAA", 8, "no_trade"),
        ("ZZAAA", 9, "quarantined"),
        ("ZZAAA", 15, "provider_silent"),
        ("ZZAAA", 39, "traded"),
        ("ZZAAA", 40, "provider_silent"),
        ("ZZAAB", 20, "provider_failed"),
        ("ZZAAC", 29, "traded"),
        ("ZZAAC", 30, "provider_failed"),
        ("ZZAAE", 20, "provider_silent"),
        ("XU100", 20, "traded"),
        ("THYAO", 20, "not_fetched"),
    ],
)
def test_each_symbol_and_session_says_what_happened_to_it(told, symbol, position, state):
    assert told[1][symbol, DAYS[position]] == state


def test_a_session_that_is_not_over_is_not_yet_due(told):
    context, found = told
    coming = context.calendar.sessions(datetime.now(UTC).date() + pd.Timedelta(days=2), context.calendar.horizon)
    assert {found[symbol, day] for symbol in ("ZZAAA", "ZZAAB", "THYAO") for day in coming.tolist()} == {"not_yet_due"}


def test_every_state_is_reached_and_there_is_no_other(told):
    assert set(told[1].values()) == STATES


def test_days_without_a_session_and_symbols_that_left_are_not_in_it(told, sites):
    context, found = told
    assert {day for _, day in found} == set(context.calendar.sessions(DAYS[0], context.calendar.horizon).tolist())
    copy = sites.make(context.settings.bist_archive_dir, copy_of=context)
    refresh_universe(copy, [])  # its universe file names what the archive holds: no THYAO, no ZZAAE
    assert {symbol for symbol, _ in states(copy, DAYS[0], DAYS[0])} == {"XU100", "ZZAAA", "ZZAAB", "ZZAAC", "ZZAAD"}


# The property.


@st.composite
def symbol_files(draw):
    """What one symbol's file holds: where it starts and ends, and its faults; or that it is absent or broken."""
    kind = draw(st.sampled_from(["file", "file", "file", "broken", "absent", "not asked"]))
    start = draw(st.integers(0, 12))
    end = draw(st.integers(start + 1, len(DAYS)))
    faults = draw(st.dictionaries(st.integers(0, end - start - 1), st.sampled_from(FAULTS), max_size=8))
    silent = draw(st.sets(st.integers(start, end - 1), max_size=min(6, end - start - 1)))
    return kind, start, end, faults, silent


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(symbol_files(), min_size=len(SYMBOLS), max_size=len(SYMBOLS)))
def test_the_counts_sum_to_symbols_times_sessions_and_each_state_is_the_one_that_a_person_would_say(sites, files):
    archive = sites.folder / f"random_{next(NUMBERS)}"
    archive.mkdir()
    verdicts = []
    for symbol, (kind, start, end, faults, silent) in zip(SYMBOLS, files, strict=True):
        verdicts += write_symbol(archive, symbol, kind, start, end, faults, silent)
    followed = archive.with_suffix(".csv")
    followed.write_text("symbol\n" + "\n".join(SYMBOLS) + "\n")
    context = sites.emptied(archive, bist_universe=str(followed))
    kinds = dict(zip(SYMBOLS, (file[0] for file in files), strict=True))
    asked = [symbol for symbol in SYMBOLS if kinds[symbol] != "not asked"]
    fetch_and_clean(context, asked)

    sessions = [as_date(day) for day in context.calendar.sessions(date(2010, 1, 4), DAYS[-1])]
    found = states(context, sessions[0], sessions[-1])
    assert set(found) == set(itertools.product(SYMBOLS, sessions))
    counts = coverage_counts(context, Span(sessions[0], sessions[-1]))
    assert counts == Counter(found.values())
    assert sum(counts.values()) == len(SYMBOLS) * len(sessions)
    expected = {
        (symbol, day): said_by_a_person(context, symbol, kinds[symbol], day, verdicts)
        for symbol, day in itertools.product(SYMBOLS, sessions)
    }
    differing = {key: (found[key], expected[key]) for key in found if found[key] != expected[key]}
    assert not differing


def write_symbol(archive, symbol, kind, start, end, faults, silent):
    own = BARS[BARS["symbol"] == symbol].iloc[start:end]
    own = own[~own["session_date"].dt.date.isin([DAYS[position] for position in silent])]
    if kind == "broken":
        write_lines(archive, symbol, [line | {"Close": "bozuk"} for line in lines_of(own)])
    if kind != "file":
        return []
    told = spoiled_archive(archive, own, {symbol: faults})
    fills = {"no volume", "only a close"}
    silent_days = {
        date.fromisoformat(line["Date"])
        for position, line in enumerate(lines_of(own))
        if isinstance(faults.get(position), Fault) and faults[position].name in fills
    }
    return [(s, day, "no trade" if verdict == ACCEPTED and day in silent_days else verdict) for s, day, verdict in told]


def said_by_a_person(context, symbol, kind, day, verdicts):
    mine = [(at, verdict) for s, at, verdict in verdicts if s == symbol]
    here = {verdict for at, verdict in mine if at == day}
    if ACCEPTED in here:
        return "traded"
    if "no trade" in here:
        return "no_trade"
    if here:
        return "quarantined"
    if kind in ("broken", "not asked"):
        return {"broken": "provider_failed", "not asked": "not_fetched"}[kind]
    told = [at for at, _ in mine if at >= ORIGIN]
    return "not_listed_yet" if told and day < min(told) else "provider_silent"


def test_the_ledger_says_what_the_states_rest_on(told):
    context, _ = told
    assert ledger(context, "ZZAAC").status == ledger(context, "ZZAAB").status == "failed"
    assert ledger(context, "ZZAAE").status == "missing"


# Halts, told from silence by the rest of the market.

MANY = simulated_bars(symbols=21, sessions=40)
ALL = sorted(MANY["symbol"].unique())
SUBJECT, INDEX = ALL[0], "XU100"


@pytest.fixture
def market(sites, tmp_path):
    """Write and fetch a market in which some lack one session; returns what is said of it."""

    def market(lacking, at=20, count=21):
        archive = tmp_path / "market"
        for symbol in ALL[:count]:
            lines = lines_of(MANY[MANY["symbol"] == symbol])
            name = INDEX if symbol == ALL[1] and INDEX in lacking else symbol
            write_lines(archive, name, [line for n, line in enumerate(lines) if n != at or name not in lacking])
        context = sites.emptied(archive)
        fetch_and_clean(context, sorted(path.stem for path in archive.iterdir()))
        return context

    return market


def said(context, symbol, position=20):
    rows = context.database.rows(
        "SELECT state, reason FROM serving.coverage_v1 WHERE symbol = :symbol AND session_date = :day",
        {"symbol": symbol, "day": DAYS[position]},
    )
    return tuple(rows[0])


@pytest.mark.parametrize(
    ("lacking", "count", "state", "reason"),
    [
        (1, 21, "halted", "20 of 20 others have a bar"),
        (3, 21, "halted", "18 of 20 others have a bar"),  # nine in ten, to the dot
        (4, 21, "provider_silent", "only 17 of 20 others have a bar"),
        (20, 21, "provider_silent", "only 1 of 20 others have a bar"),
        (1, 6, "halted", "5 of 5 others have a bar"),
        (1, 5, "provider_silent", "only 4 of 4 others have a bar"),  # four are no market
    ],
)
def test_a_hole_is_a_halt_where_nine_others_in_ten_have_a_bar(market, lacking, count, state, reason):
    context = market(ALL[:lacking], count=count)
    assert said(context, SUBJECT) == (state, reason)


def test_an_index_does_not_halt_and_the_ends_of_a_history_are_no_holes(market):
    context = market([INDEX])
    assert said(context, INDEX)[0] == "provider_silent"
    ended = market([ALL[2]], at=39)
    assert said(ended, ALL[2], 39) == ("provider_silent", f"its history ends on {DAYS[38]}")


@pytest.mark.parametrize(
    ("quotes", "state"),
    [
        (["no_trade_yet", "halted"], "halted"),
        (["halted", "no_trade_yet"], "no_trade"),
        (["halted", "trading"], "provider_silent"),  # it traded: whatever the others have, the bar is missing
        (["silent"], "halted"),
    ],
)
def test_what_the_live_lane_saw_last_counts_more_than_what_the_others_have(market, quotes, state):
    context = market([SUBJECT])
    for hour, quote in enumerate(quotes):
        execute(
            context,
            f"""INSERT INTO market.quotes (symbol, fetched_at, session_date, state, reason, provider, payload_hash,
            run_id) VALUES ('{SUBJECT}', '{DAYS[20]} {hour + 8}:00+00', '{DAYS[20]}', '{quote}', '', 't', '', 't')""",
        )
    assert said(context, SUBJECT)[0] == state


def test_what_the_provider_told_once_and_tells_no_more_is_no_halt(market):
    context = market([SUBJECT])
    execute(
        context,
        f"""INSERT INTO market.revisions (symbol, session_date, noted_at, revision_class, detail, source,
        old_payload_hash, new_payload_hash, run_id)
        VALUES ('{SUBJECT}', '{DAYS[20]}', now(), 'vanished', '', 't', '', '', 't')""",
    )
    assert said(context, SUBJECT) == ("provider_silent", "the provider told of it once, and no more")


def test_a_row_that_was_delivered_and_not_cleaned_yet_is_nobodys_silence(market):
    context = market([])
    execute(context, f"DELETE FROM market.daily_prices WHERE symbol = '{SUBJECT}'")
    assert said(context, SUBJECT) == ("not_fetched", "delivered, and not cleaned yet")
    assert said(context, ALL[1])[0] == "traded"


def test_a_session_that_ended_after_the_last_asking_was_not_asked_for(market):
    context = market([])
    execute(context, f"UPDATE market.fetch_ledger SET fetched_at = '{DAYS[39]} 20:00+00' WHERE symbol = '{SUBJECT}'")
    assert said(context, SUBJECT, 40)[0] == "not_fetched"
    assert said(context, ALL[1], 40)[0] == "provider_silent"


def test_days_that_cannot_be_bound_no_history(market):
    context = market([])
    for day in ("1921-01-04", "2099-01-05"):
        execute(
            context,
            f"""INSERT INTO market.raw_prices SELECT symbol, '{day}', occurrence, open_raw, high_raw, low_raw,
            close_raw, adj_close_raw, volume_raw, source_row, basis, source, payload_hash, as_of, fetched_at
            FROM market.raw_prices WHERE symbol = '{SUBJECT}' AND session_date = '{DAYS[3]}'""",
        )
    execute(
        context,
        f"""UPDATE market.fetch_ledger SET first_session = '1921-01-04', last_session = '2099-01-05'
        WHERE symbol = '{SUBJECT}'""",
    )
    early = context.database.rows(
        "SELECT DISTINCT state FROM serving.coverage_v1 WHERE symbol = :s AND session_date < :day",
        {"s": SUBJECT, "day": DAYS[0]},
    )
    assert [row.state for row in early] == ["not_listed_yet"]
    assert said(context, SUBJECT, 40) == ("provider_silent", f"its history ends on {DAYS[39]}")


@pytest.mark.realdata
def test_the_recorded_markets_lost_sessions_are_silence_and_its_lone_holes_are_halts(recorded):
    rows = recorded.database.rows(
        """SELECT symbol, session_date, state FROM serving.coverage_v1 AS c WHERE state IN ('halted', 'provider_silent')
        AND session_date <= '2026-08-07'
        AND symbol IN (SELECT symbol FROM market.fetch_ledger WHERE rows > 0)"""
    )
    silent = Counter(row.session_date for row in rows if row.state == "provider_silent")
    assert (silent[date(2026, 7, 31)], silent[date(2024, 4, 9)]) == (90, 63)
    halted = sorted((row.symbol, str(row.session_date)) for row in rows if row.state == "halted")
    assert ("OTKAR", "2024-08-19") in halted
    assert len(halted) == 10
