"""What a provider tells differently than before is kept beside what it told then, and nothing else is."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.clock import FixedClock
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.providers.registry import build_providers
from bist_pipeline_tests.archives import sessions_from, simulated_bars, write_archive
from bist_pipeline_tests.pipeline.sites import contents, count, execute
from bist_pipeline_tests.pipeline.split_market import FIRST, YahooLike, evening, market
from bist_pipeline_tests.pipeline.spoiled import lines_of, write_lines

BARS = simulated_bars(symbols=3, sessions=30)
DAYS = sorted({day.date() for day in BARS["session_date"]})
SYMBOL, OTHER = "ZZAAB", "ZZAAA"
TABLE = "market.revisions"


@pytest.fixture
def archive(tmp_path):
    return write_archive(tmp_path / "archive", BARS)


@pytest.fixture
def context(sites, archive):
    made = sites.emptied(archive)
    fetch(made)
    return made


def fetch(context, *, seconds=0):
    """Ask for everything, some time after the evening at which all is told."""
    now = datetime(2026, 8, 7, 20, 0, tzinfo=UTC) + timedelta(seconds=seconds)
    ingest(replace(context, clock=FixedClock(now)), build_providers(context.settings), sorted(BARS["symbol"].unique()))


def rewrite(context, edit, symbol=SYMBOL):
    """Change one symbol's file and fetch it."""
    lines = lines_of(BARS[BARS["symbol"] == symbol])
    place = write_lines(context.settings.bist_archive_dir, symbol, edit(lines))
    rewrite.written += 5
    os.utime(place, (rewrite.written, rewrite.written))
    fetch(context)


rewrite.written = datetime(2026, 8, 7, 19, 0, tzinfo=UTC).timestamp()


def with_line(number, **values):
    return lambda lines: [line | values if n == number else line for n, line in enumerate(lines)]


def revisions(context):
    return contents(context, TABLE)


def test_a_first_fetch_and_one_that_says_the_same_are_no_revision(context):
    assert count(context, TABLE) == 0
    rewrite(context, lambda lines: lines)
    assert count(context, TABLE) == 0


def test_a_longer_history_is_no_revision(context, sites, archive):
    place = archive / f"{SYMBOL}.csv"
    whole = place.read_text().splitlines()
    place.write_text("\n".join(whole[:20]) + "\n")
    shorter = sites.emptied(archive)
    fetch(shorter)
    rewrite(shorter, lambda lines: lines)
    assert count(shorter, "market.raw_prices", f"symbol = '{SYMBOL}'") == len(DAYS)
    assert count(shorter, TABLE) == 0


def test_a_corrected_price_is_kept_with_both_values_and_both_payloads(context):
    before = context.database.rows("SELECT * FROM market.raw_prices WHERE symbol = 'ZZAAB' ORDER BY session_date")[12]
    rewrite(context, with_line(12, Close=repr(before.low_raw)))
    kept = context.database.rows(f"SELECT * FROM {TABLE}")
    assert len(kept) == 1
    after = context.database.rows("SELECT * FROM market.raw_prices WHERE symbol = 'ZZAAB' ORDER BY session_date")[12]
    assert (kept[0].symbol, kept[0].session_date, kept[0].revision_class) == (SYMBOL, DAYS[12], "correction")
    for name in ("open_raw", "high_raw", "low_raw", "close_raw", "volume_raw", "payload_hash"):
        told = (getattr(kept[0], f"old_{name}"), getattr(kept[0], f"new_{name}"))
        assert told == (getattr(before, name), getattr(after, name)), name
    assert kept[0].price_ratio == after.close_raw / before.close_raw
    assert kept[0].detail == f"close {before.close_raw:.10g} → {after.close_raw:.10g}"
    assert (kept[0].source, kept[0].run_id) == (f"archive:{SYMBOL}.csv", context.run_id)


def test_each_difference_has_its_class_and_other_symbols_have_none(context):
    def edit(lines):
        changed = with_line(3, Volume="4711")(lines)
        changed = with_line(5, Close=changed[5]["Low"])(changed)
        return [line for n, line in enumerate(changed) if n != 8]

    rewrite(context, edit)
    assert dict(zip(revisions(context)["session_date"].dt.date, revisions(context)["revision_class"], strict=True)) == {
        DAYS[3]: "late_volume",
        DAYS[5]: "correction",
        DAYS[8]: "vanished",
    }
    rewrite(context, edit)
    assert count(context, TABLE) == 3
    rewrite(context, lambda lines: lines)
    last = revisions(context).drop_duplicates("session_date", keep="last")
    assert last["revision_class"].tolist() == ["late_volume", "correction", "appeared"]
    assert set(revisions(context)["symbol"]) == {SYMBOL}


def test_a_row_that_is_told_twice_now_is_one_revision_of_its_session(context):
    rewrite(context, lambda lines: [*lines[:10], lines[9] | {"Volume": "1"}, lines[9] | {"Volume": "2"}, *lines[10:]])
    noted = revisions(context)
    assert (noted["session_date"].tolist(), noted["revision_class"].tolist()) == ([pd.Timestamp(DAYS[9])], ["appeared"])


def test_what_was_told_at_one_moment_has_two_notes_where_the_clock_stands_still(context):
    rewrite(context, with_line(3, Volume="4711"))
    rewrite(context, with_line(3, Volume="4712"))
    noted = context.database.rows(f"SELECT noted_at, new_volume_raw FROM {TABLE} ORDER BY noted_at")
    assert [row.new_volume_raw for row in noted] == [4711, 4712]
    assert noted[0].noted_at < noted[1].noted_at


def test_an_ingest_that_fails_notes_nothing(context):
    execute(context, "ALTER TABLE market.delivered_actions ADD CONSTRAINT nothing CHECK (symbol <> 'ZZAAB') NOT VALID")
    try:
        text = "Date,Open,High,Low,Close,Volume,Stock Splits\n"
        place = context.settings.bist_archive_dir / f"{SYMBOL}.csv"
        lines = with_line(3, Volume="4711")(lines_of(BARS[BARS["symbol"] == SYMBOL]))
        place.write_text(
            text
            + "".join(",".join([*line.values(), "2.0" if n == 9 else "0.0"]) + "\n" for n, line in enumerate(lines))
        )
        with pytest.raises(Exception, match="nothing"):
            fetch(context)
        assert count(context, TABLE) == 0
        assert count(context, "market.raw_prices", "volume_raw = 4711") == 0
    finally:
        execute(context, "ALTER TABLE market.delivered_actions DROP CONSTRAINT nothing")


# Sessions that were not over.

MARKET_DAYS = [day.astype(object) for day in sessions_from(FIRST, 30)]
SPLIT_MARKET = market(2, 30, {OTHER: [(MARKET_DAYS[20], 2.0)]})


class Told(YahooLike):
    """A provider whose newest bar is of another moment than the evening."""

    def __init__(self, bars, splits, until, as_of=None, adjusted=None):
        super().__init__(bars, splits, until)
        self.as_of, self.adjusted = as_of, adjusted

    def history(self, symbol):
        told = super().history(symbol)
        bars = (
            told.bars
            if self.adjusted is None
            else told.bars.assign(adj_close_raw=told.bars["close_raw"] * self.adjusted)
        )
        return replace(told, as_of=self.as_of or told.as_of, bars=bars, payload_hash=f"{id(self)}")


def ask(context, until, *, splits=None, as_of=None, bars=None, adjusted=None):
    day = MARKET_DAYS[until]
    known = {OTHER: [(MARKET_DAYS[20], 2.0)]} if splits is None else splits
    provider = Told(SPLIT_MARKET if bars is None else bars, known, day, as_of, adjusted)
    ingest(
        replace(context, clock=FixedClock(as_of or evening(day))), [provider], [OTHER, SYMBOL], whatever_is_stored=True
    )
    return provider


@pytest.fixture
def empty(sites, archive):
    return sites.emptied(archive)


def doubled(day):
    own = (SPLIT_MARKET["session_date"] == pd.Timestamp(day)).to_numpy()
    return SPLIT_MARKET.assign(
        volume_shares=np.where(own, SPLIT_MARKET["volume_shares"] * 2, SPLIT_MARKET["volume_shares"])
    )


def test_a_bar_that_was_forming_when_it_was_told_is_no_revision(empty):
    noon = evening(MARKET_DAYS[10]) - timedelta(hours=4)
    ask(empty, 10, as_of=noon)
    ask(empty, 10, bars=doubled(MARKET_DAYS[10]))
    assert count(empty, TABLE) == 0
    ask(empty, 11)
    assert set(revisions(empty)["revision_class"]) == {"late_volume"}
    assert set(revisions(empty)["session_date"]) == {pd.Timestamp(MARKET_DAYS[10])}


def test_another_adjusted_close_alone_is_no_revision(empty):
    ask(empty, 10)
    ask(empty, 11, adjusted=0.9)
    assert count(empty, "market.raw_prices", "adj_close_raw < close_raw") > 0
    assert count(empty, TABLE) == 0


def test_a_split_on_its_day_rebases_every_earlier_bar_and_is_named(empty):
    ask(empty, 19)
    ask(empty, 20)
    noted = revisions(empty)
    assert set(noted["symbol"]) == {OTHER}
    assert noted["session_date"].dt.date.tolist() == MARKET_DAYS[:20]
    assert set(noted["revision_class"]) == {"split"}
    assert noted["price_ratio"].tolist() == pytest.approx([0.5] * 20, rel=1e-6)
    assert set(noted["detail"]) == {f"split none → 2 of {MARKET_DAYS[20]}"}


def test_a_split_told_without_its_effect_is_no_revision_and_its_effect_alone_a_correction(empty):
    ask(empty, 25, splits={})
    ask(empty, 26)
    assert set(revisions(empty)["revision_class"]) == {"split"}
    other = Told(SPLIT_MARKET, {OTHER: [(MARKET_DAYS[20], 2.0), (MARKET_DAYS[10], 3.0)]}, MARKET_DAYS[27])
    history = other.history(OTHER)
    untold = replace(history, actions=history.actions.iloc[:1], payload_hash="untold")
    other.history = lambda symbol: untold
    ingest(replace(empty, clock=FixedClock(evening(MARKET_DAYS[27]))), [other], [OTHER])
    last = contents(empty, TABLE, "new_payload_hash = 'untold'")
    assert set(last["revision_class"]) == {"correction"}
    assert last["session_date"].dt.date.tolist() == MARKET_DAYS[:10]
