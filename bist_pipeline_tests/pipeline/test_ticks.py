"""Sessions refreshed tick by tick: they end where a backfill ends, and no tick knows what comes after it.

With all recorded symbols, which takes minutes, as a script that prints what it found:

    python -m bist_pipeline_tests.pipeline.test_ticks FOLDER [SESSIONS [SYMBOLS]]
"""

import itertools
import shutil
import sys
import tempfile
import time as stopwatch
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest

from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.simulator.events import Dividend, Split
from bist_pipeline.simulator.exchange import Exchange
from bist_pipeline.simulator.market import Market, invent_market, replay_market
from bist_pipeline_tests import conftest as shared
from bist_pipeline_tests.pipeline.exchanges import (
    TICKS,
    another_future,
    asking,
    load,
    moment,
    play,
    sessions_between,
    standing,
    ticks_of,
    without,
)
from bist_pipeline_tests.pipeline.sites import SERVED, TABLES, Sites, all_contents, assert_same_bits, count

FIRST, LAST = date(2025, 5, 2), date(2026, 3, 6)
SESSIONS = sessions_between(FIRST, LAST)
PLAYED = SESSIONS[-5:]
SYMBOLS = ("ZZAAA", "ZZAAB", "ZZAAC", "ZZAAD", "ZZAAE", "ZZAAF")
SPLIT, DIVIDEND = PLAYED[2], PLAYED[3]
EVENTS = (Split("ZZAAB", SPLIT, 4.0), Dividend("ZZAAC", DIVIDEND, 1.37))

# Who told of a row first, which a tick that is left out changes: not what the row says.
TELLERS = ("origin", "source")

_SESSIONS_BEFORE = 20


@dataclass
class Played:
    """Sessions that were refreshed tick by tick.

    Attributes:
        market: What was traded.
        base: A database with what was there before the first tick.
        context: The database at the end.
        since: First session of `served`.
        served: What was served at each tick of the sessions played and of some before.
    """

    market: Market
    base: PipelineContext
    context: PipelineContext
    since: date
    served: dict[datetime, dict[str, pd.DataFrame]] = field(default_factory=dict)

    def read(self, context: PipelineContext) -> dict[str, pd.DataFrame]:
        """What a database serves of the sessions that are compared."""
        return all_contents(context, SERVED, f"session_date >= DATE '{self.since}'")


def play_sessions(sites: Sites, running: Exchange, first: date, played: list[date]) -> Played:
    """Load the history up to the first session, then refresh each tick of each session."""
    earlier = sessions_between(first, played[0])[:-1]
    before = earlier[-1]
    running.clock.set(moment(before))
    base = asking(sites, running)
    load(base, first, before)
    context = asking(sites, running, copy_of=base)
    done = Played(running.market, base, context, earlier[-_SESSIONS_BEFORE:][0])
    play(context, running, ticks_of(played), after=lambda at: done.served.update({at: done.read(context)}))
    return done


def load_at_once(sites: Sites, running: Exchange, first: date, last: date) -> PipelineContext:
    """The same sessions as one range on a fresh database."""
    running.clock.set(moment(last))
    context = asking(sites, running)
    load(context, first, last)
    return context


def assert_same_end(one: PipelineContext, other: PipelineContext) -> int:
    """Both hold the same; returns in how many rows."""
    left, right = all_contents(one, TABLES), all_contents(other, TABLES)
    for table in TABLES:
        assert_same_bits(without(left[table], *TELLERS), without(right[table], *TELLERS), table)
    return sum(len(rows) for rows in left.values())


def settled(rows: pd.DataFrame) -> pd.DataFrame:
    """Leave out what an event that is not final keeps from the tick at which it was first served in its state."""
    if "event_id" not in rows.columns:
        return rows
    keeps = rows["is_final"].to_numpy(dtype=bool)
    return rows.assign(**{name: rows[name].astype(object).where(keeps) for name in ("known_at", "strength", "details")})


def replay_with_other_futures(sites: Sites, running: Exchange, done: Played, ticks: list[datetime]) -> int:
    """Play the same ticks, each in a market whose time after the tick is another one; returns how many.

    Some may be left out, but none of the last ones of a session: what is served at one does not rest on those before.
    """
    context = asking(sites, running, copy_of=done.base)

    def turn(at: datetime) -> None:
        running.market = another_future(done.market, at - running.delay, seed=int(at.timestamp()))

    def compare(at: datetime) -> None:
        found = done.read(context)
        for table in SERVED:
            told, then = (settled(without(rows[table], *TELLERS)) for rows in (found, done.served[at]))
            assert_same_bits(told, then, f"{table} at {at}")

    try:
        return len(play(context, running, ticks, before=turn, after=compare))
    finally:
        running.market = done.market


@pytest.fixture(scope="module")
def running() -> Iterator[Exchange]:
    market = invent_market(symbols=len(SYMBOLS), seed=11, first=FIRST, last=LAST, events=EVENTS)
    with standing(market, moment(LAST)) as running:
        yield running


@pytest.fixture(scope="module")
def played(sites, running) -> Played:
    return play_sessions(sites, running, FIRST, PLAYED)


def test_sessions_refreshed_tick_by_tick_end_in_the_tables_of_one_backfill(sites, running, played):
    whole = load_at_once(sites, running, FIRST, LAST)
    assert assert_same_end(played.context, whole) > 6 * 200 * 4
    assert count(whole, "reference.corporate_actions", f"ex_date IN ('{SPLIT}', '{DIVIDEND}')") == 2
    assert count(played.context, "market.daily_prices", "NOT is_final") == 0
    assert count(played.context, "market.quotes", "state = 'trading'") >= 4 * 4 * len(PLAYED)


def test_each_tick_serves_a_forming_bar_that_goes_on_from_the_one_before(played):
    for day in PLAYED:
        served = [played.served[moment(day, at)]["serving.prices_v1"] for at in TICKS]
        bars = [rows[rows["session_date"] == pd.Timestamp(day)].set_index("symbol") for rows in served]
        assert [list(rows["is_final"].unique()) for rows in bars] == [[False]] * 4 + [[True]]
        for earlier, later in itertools.pairwise(bars):
            both = earlier.index.intersection(later.index)
            assert len(both) >= 3
            assert (later.loc[both, "high_try"] >= earlier.loc[both, "high_try"]).all()
            assert (later.loc[both, "low_try"] <= earlier.loc[both, "low_try"]).all()
            assert (later.loc[both, "volume_shares"] >= earlier.loc[both, "volume_shares"]).all()
            assert later.loc[both, "open_try"].equals(earlier.loc[both, "open_try"])


def test_a_share_that_traded_in_the_opening_auction_alone_has_its_bar(played):
    assert count(played.context, "market.quotes", "(as_of AT TIME ZONE 'Europe/Istanbul')::time < '10:00'") > 0
    served = played.served[moment(PLAYED[0], TICKS[0])]["serving.prices_v1"]
    assert set(served.loc[served["session_date"] == pd.Timestamp(PLAYED[0]), "symbol"]) == set(SYMBOLS)


def test_nothing_served_at_a_tick_depends_on_what_comes_after_it(sites, running, played):
    # One more tick in each session, another one each time: the first bars, the split, the dividend are among them.
    some = [moment(day, at) for day, at in zip(PLAYED, TICKS[:4] * 2, strict=False)]
    ticks = sorted([*some, *(moment(day, TICKS[-1]) for day in PLAYED)])
    assert replay_with_other_futures(sites, running, played, ticks) == 10


# ── the recorded market ──

RECORDED_FIRST, RECORDED_LAST = date(2021, 8, 10), date(2026, 8, 7)


def recorded_market(folder: Path, into: Path, symbols: int) -> Market:
    """The first files of a folder as a market."""
    into.mkdir()
    for path in sorted(folder.glob("*.csv"))[:symbols]:
        shutil.copy(path, into)
    return replay_market(into, "fully_adjusted")


@pytest.mark.realdata
def test_recorded_sessions_refreshed_tick_by_tick_end_in_the_tables_of_one_backfill(sites, recordings, tmp_path):
    market = recorded_market(recordings / "bist_daily", tmp_path / "few", 8)
    first = date(2025, 11, 3)
    sessions = sessions_between(first, RECORDED_LAST)
    with standing(market, moment(RECORDED_LAST)) as running:
        done = play_sessions(sites, running, first, sessions[-2:])
        whole = load_at_once(sites, running, first, RECORDED_LAST)
        assert assert_same_end(done.context, whole) > 0


def main(arguments: list[str]) -> int:
    """Play the last sessions of a folder of recordings and print what was found."""
    from bist_pipeline.pipeline.contracts import database_shape
    from bist_pipeline.storage.database import Database
    from bist_pipeline.storage.embedded.server import EmbeddedServer
    from bist_pipeline.storage.migrate import migrate
    from bist_pipeline.storage.url import DatabaseUrl
    from bist_pipeline_tests.storage.embedded_homes import temporary_home

    folder, sessions, symbols = Path(arguments[0]), *(int(text) for text in [*arguments[1:], "30", "92"][:2])
    with temporary_home() as home, tempfile.TemporaryDirectory() as place:
        server = EmbeddedServer(home)
        server.start(die_with_parent=True)
        server.ensure_database(shared._TEMPLATE)
        template = Database(DatabaseUrl.parse(server.url(shared._TEMPLATE)))
        migrate(template, database_shape())
        template.close()
        sites = Sites(server, Path(place), shared._TEMPLATE)
        market = recorded_market(folder, Path(place) / "files", symbols)
        with standing(market, moment(RECORDED_LAST)) as running:
            _print_result(sites, running, sessions_between(RECORDED_FIRST, RECORDED_LAST)[-sessions:])
        sites.close()
        server.stop()
    return 0


def _print_result(sites: Sites, running: Exchange, played: list[date]) -> None:
    began = stopwatch.monotonic()
    done = play_sessions(sites, running, RECORDED_FIRST, played)
    _say(f"{len(done.served)} ticks of {len(played)} sessions from {played[0]} to {played[-1]}", began)
    rows = assert_same_end(done.context, load_at_once(sites, running, RECORDED_FIRST, RECORDED_LAST))
    _say(f"{rows:,} rows in {len(TABLES)} tables are the same bits as those of one range backfill", began)
    ticks = replay_with_other_futures(sites, running, done, list(done.served))
    _say(f"{ticks} ticks with another future each: what is served is the same bits", began)


def _say(text: str, began: float) -> None:
    sys.stdout.write(f"{stopwatch.monotonic() - began:7.1f} s  {text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
