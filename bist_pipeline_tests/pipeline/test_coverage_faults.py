"""Faults in any order: every symbol and session stays in exactly one state, and it is the right one. SIMULATED bars.

The right one is said by `expected`, slow Python over the rows of the tables, written apart from the view.
"""

import itertools
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pytest

from bist_pipeline.core.calendar import ISTANBUL, ORIGIN, load_calendar
from bist_pipeline.core.clock import FixedClock
from bist_pipeline.core.errors import TransientProviderError
from bist_pipeline.core.listings_file import LISTINGS_FILE
from bist_pipeline.pipeline.cleaning import clean_prices
from bist_pipeline.pipeline.gaps import update_gaps
from bist_pipeline.pipeline.history import coverage_counts
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.listings import refresh_listings
from bist_pipeline.pipeline.span import Span
from bist_pipeline.pipeline.universe import active_symbols, refresh_universe
from bist_pipeline.storage.coverage_view import COVERAGE_STATES
from bist_pipeline_tests.archives import simulated_bars
from bist_pipeline_tests.pipeline.sites import execute
from bist_pipeline_tests.pipeline.spoiled import lines_of, write_lines
from bist_pipeline_tests.pipeline.stand_ins import watched

BARS = simulated_bars(symbols=8, sessions=24)
SYMBOLS = sorted(BARS["symbol"].unique())
DAYS = sorted({day.date() for day in BARS["session_date"]})
BEFORE, AFTER = date(2020, 12, 21), date(2021, 2, 19)
LINES = {symbol: lines_of(BARS[BARS["symbol"] == symbol]) for symbol in SYMBOLS}
NUMBERS = itertools.count(1)
SEEN = set()
EVENINGS = [
    datetime.combine(day.astype(date), time(20), UTC) for day in load_calendar().sessions(DAYS[0], date(2021, 2, 12))
]

STEPS_OF_ONE_COURSE = 14
COURSES = 3


def course(rng):
    """What happens, drawn evenly: hypothesis draws mostly what changes nothing. A desk states something first."""
    changes = ("rewrite", "rewrite", "lose_a_session", "lose_a_session", "spoil", "remove", "list", "leave", "turn")
    askings = ("fetch_and_clean", "fetch_and_clean", "fetch", "clean")  # a fetch alone: killed before the cleaning
    yield "list"
    for number in range(STEPS_OF_ONE_COURSE):
        yield str(rng.choice(askings if number % 2 else changes))


@pytest.mark.parametrize("seed", range(COURSES))
def test_after_any_step_the_states_sum_and_are_what_slow_python_says(sites, seed):
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, len(DAYS), 2)
    desk = Desk(sites)
    span = Span(DAYS[min(ends)], DAYS[max(ends)])
    for step in ["fetch_and_clean", *course(rng)]:
        getattr(desk, step)(rng)
        found = desk.states()
        sessions = [day.astype(date) for day in desk.context.calendar.sessions(BEFORE, AFTER)]
        active = active_symbols(desk.context)
        assert Counter((row.symbol, row.session_date) for row in found) == Counter(itertools.product(active, sessions))
        counts = coverage_counts(desk.context, span)
        assert sum(counts.values()) == len(active) * sum(span.first <= day <= span.last for day in sessions)
        wanted = expected(desk)
        states = {(row.symbol, row.session_date): row.state for row in found}
        assert {key: (state, wanted[key]) for key, state in states.items() if state != wanted[key]} == {}, step
        SEEN.update(states.values())
        assert all(bool(row.reason) == (row.state != "traded") for row in found)
        update_gaps(desk.context, span)
        update_gaps(desk.context)
        assert desk.gap_sessions(sessions) == {
            key
            for key, state in states.items()
            if state in ("provider_failed", "provider_silent", "quarantined", "not_fetched")
        }


def test_the_steps_led_into_every_state_but_one():
    # A bar without volume is not among the changes.
    assert set(COVERAGE_STATES) - SEEN == {"no_trade"}


class Desk:
    """An archive whose files change under a database, and a clock that is turned."""

    def __init__(self, sites):
        self.archive = sites.folder / f"faults_{next(NUMBERS)}"
        for symbol in SYMBOLS:
            write_lines(self.archive, symbol, LINES[symbol])
        self.universe = self.archive.with_suffix(".csv")
        self.followed, self.listed = set(SYMBOLS), {}
        self.write_universe()
        self.context = sites.emptied(self.archive, bist_universe=str(self.universe))
        self.set_time(EVENINGS[-1])
        refresh_universe(self.context, [])

    def rewrite(self, rng):
        """Another answer: it begins later, ends earlier at times, lacks sessions, has rows without a close."""
        first, last = int(rng.integers(0, 8)), len(DAYS) - int(rng.choice([0, 0, 0, 5]))
        drawn = rng.choice(len(DAYS), 6, replace=False).tolist()
        lines = [
            LINES[str(rng.choice(SYMBOLS))][n] | ({"Close": ""} if n in drawn[:3] else {})
            for n in range(first, last)
            if n not in drawn[3:]
        ]
        write_lines(self.archive, str(rng.choice(SYMBOLS)), lines)

    def lose_a_session(self, rng):
        """One session goes missing: of one, of two, of most, of all."""
        place, some = int(rng.integers(1, len(DAYS) - 1)), rng.permutation(SYMBOLS)[: rng.choice([1, 1, 2, 7, 8])]
        for symbol in some.tolist():
            write_lines(self.archive, symbol, [line for n, line in enumerate(LINES[symbol]) if n != place])

    def spoil(self, rng):
        write_lines(self.archive, one := str(rng.choice(SYMBOLS)), [LINES[one][0] | {"Close": "bozuk"}])

    def remove(self, rng):
        (self.archive / f"{rng.choice(SYMBOLS)}.csv").unlink(missing_ok=True)

    def list(self, rng):
        columns = ("listed_on", "delisted_on", "renamed_on")
        self.listed[str(rng.choice(SYMBOLS))] = (str(rng.choice(columns)), DAYS[rng.integers(0, len(DAYS))])
        lines = [
            ",".join([symbol, *(str(day) if column == one else "" for column in columns)])
            for symbol, (one, day) in self.listed.items()
        ]
        path = self.context.settings.bist_home / LISTINGS_FILE
        path.write_text("\n".join([",".join(["symbol", *columns]), *lines, ""]))
        refresh_listings(self.context)

    def leave(self, rng):
        self.followed = (self.followed - {str(rng.choice(SYMBOLS))}) or self.followed
        self.write_universe()
        refresh_universe(self.context, [])

    def write_universe(self):
        self.universe.write_text("symbol\n" + "".join(f"{symbol}\n" for symbol in sorted(self.followed)))

    def fetch(self, rng):
        asked = rng.permutation(sorted(self.followed))[: rng.integers(4, len(SYMBOLS) + 1)].tolist()
        faults = {symbol: TransientProviderError("the network is down") for symbol in asked[: rng.choice([0, 0, 2])]}
        shorter = asked if rng.random() < 0.7 else []
        provider = watched(self.archive, faults=faults)
        ingest(self.context, [provider], asked, accept_shorter=shorter, whatever_is_stored=True)
        self.tell_the_time()

    def clean(self, rng):
        clean_prices(self.context, Span(DAYS[0], DAYS[-1]))

    def fetch_and_clean(self, rng):
        self.fetch(rng)
        self.clean(rng)

    def turn(self, rng):
        """Into the range of the bars, or after it; during a session at times."""
        self.set_time(EVENINGS[rng.integers(len(DAYS) - 8, len(EVENINGS))] - timedelta(hours=int(rng.choice([0, 8]))))

    def set_time(self, at):
        self.context = replace(self.context, clock=FixedClock(at))
        self.tell_the_time()

    def tell_the_time(self):
        now = self.context.clock.now().isoformat()
        execute(
            self.context,
            f"UPDATE operations.market SET clock_offset_seconds = extract(epoch FROM timestamptz '{now}' - now())",
        )

    def states(self):
        return self.context.database.rows(
            "SELECT * FROM serving.coverage_v1 WHERE session_date BETWEEN :first AND :last",
            {"first": BEFORE, "last": AFTER},
        )

    def gap_sessions(self, sessions):
        rows = self.context.database.rows("SELECT * FROM market.gaps WHERE state <> 'short_history'")
        return {(r.symbol, day) for r in rows for day in sessions if r.first_session <= day <= r.last_session}


def expected(desk):
    """The state of each active symbol and session of the window."""
    told = Told(desk)
    return {(symbol, day): told.state(symbol, day) for symbol in active_symbols(desk.context) for day in told.finals}


class Told:
    """What the tables hold, and what a person would make of it."""

    def __init__(self, desk):
        rows = desk.context.database.rows
        self.listed = desk.listed
        self.bars = {(r.symbol, r.session_date): r.volume_shares for r in rows("SELECT * FROM market.daily_prices")}
        self.withheld = {(r.symbol, r.session_date) for r in rows("SELECT * FROM market.quarantine")}
        self.raw = {(r.symbol, r.session_date) for r in rows("SELECT * FROM market.raw_prices")}
        noted = rows("SELECT * FROM market.revisions ORDER BY noted_at")
        newest = {(r.symbol, r.session_date): r.revision_class for r in noted}
        self.vanished = {key for key, revision in newest.items() if revision == "vanished"}
        self.once = {(r.symbol, r.session_date) for r in noted if r.revision_class == "vanished"}
        self.ledger = {r.symbol: r for r in rows("SELECT * FROM market.fetch_ledger")}
        # Without a market the database knows no time but its own.
        has_market = rows("SELECT 1 FROM operations.market")
        self.now = desk.context.clock.now() if has_market else datetime.now(UTC)
        schedule = desk.context.calendar.schedule(BEFORE, AFTER)
        schedule = schedule[schedule["is_session"]]
        self.finals = dict(zip(schedule["session_date"].dt.date, schedule["final_at"], strict=True))

    def state(self, symbol, day):
        key = symbol, day
        if key in self.bars:
            return "traded" if self.bars[key] > 0 else "no_trade"
        if key in self.withheld:
            return "quarantined"
        return self.by_listing(symbol, day) or self.by_asking(symbol, day) or self.by_the_others(symbol, day)

    def by_listing(self, symbol, day):
        column, listed = self.listed.get(symbol, ("", day))
        if column == "listed_on" and day < listed:
            return "not_listed_yet"
        return "delisted_or_renamed" if column in ("delisted_on", "renamed_on") and day >= listed else ""

    def by_asking(self, symbol, day):
        known, (first, last) = self.ledger.get(symbol), self.bounds(symbol)
        is_after = last is None or day > last
        is_before = first is not None and day < first and "listed_on" not in self.listed.get(symbol, ())
        answers = {
            "not_yet_due": self.finals[day] > self.now,
            "not_fetched": known is None,
            "provider_failed": known is not None and known.status == "failed" and is_after,
            "delisted_or_renamed": known is not None and known.strikes >= 3 and last is not None and is_after,
            "provider_silent": known is not None and first is None,
            "not_listed_yet": is_before,
        }
        return next((state for state, holds in answers.items() if holds), "")

    def by_the_others(self, symbol, day):
        known, (first, last) = self.ledger[symbol], self.bounds(symbol)
        if (symbol, day) in self.raw or (day > last and known.fetched_at < self.finals[day]):
            return "not_fetched"
        spans = {s: one for s, one in self.ledger.items() if s != symbol and one.first_session}
        others = sum(one.first_session <= day <= one.last_session for one in spans.values())
        present = sum(at == day for _, at in self.bars)
        is_hole = first < day < last and (symbol, day) not in self.vanished
        return "halted" if is_hole and present >= 5 and present >= 0.9 * max(others, 1) else "provider_silent"

    def bounds(self, symbol):
        """First and last session told; what lies ahead of an asking is no end (the clock is turned back)."""
        told = [day for s, day in self.raw if s == symbol and day >= ORIGIN]
        known = self.ledger.get(symbol)
        asked_on = known.fetched_at.astimezone(ISTANBUL).date() if known else date.max
        first = min([*told, *(day for s, day in self.once if s == symbol)], default=None)
        return first, max((day for day in told if day <= asked_on), default=None)
