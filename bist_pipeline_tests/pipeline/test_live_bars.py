"""Quotes become forming bars until the history of their session comes, and final ones where it never will."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.bars import PRICE_COLUMNS
from bist_pipeline.core.calendar import ORIGIN
from bist_pipeline.pipeline.cleaning import clean_prices
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.derive import derive_together
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.span import Span
from bist_pipeline.storage.bulk import Scope
from bist_pipeline_tests.archives import sessions_from, write_archive
from bist_pipeline_tests.pipeline.sites import assert_same_bits, assert_same_tables, contents, count, ledger, run
from bist_pipeline_tests.pipeline.split_market import FIRST, PRICES, YahooLike, at, evening, market

SESSIONS = 40
DAYS = [day.astype(object) for day in sessions_from(FIRST, SESSIONS + 1)]
BEFORE, TODAY, TOMORROW = DAYS[-3:]
SPAN = Span(TODAY, TODAY)
BARS = market(2, SESSIONS + 1, {})
# Down to where the quotes of this file are: a bar of a quarter of its neighbours' price would be withheld.
BARS = BARS.assign(**{name: (BARS[name] / 4.35).round(2) for name in PRICE_COLUMNS})
SYMBOL, OTHER = "ZZAAA", "ZZAAB"


@pytest.fixture(scope="module")
def origin(sites, tmp_path_factory):
    """Everything up to the session before today, derived."""
    context = sites.make(write_archive(tmp_path_factory.mktemp("names") / "archive", BARS))
    run(at(context, BEFORE), FIRST, BEFORE, providers=[YahooLike(BARS, {}, BEFORE)])
    return context


@pytest.fixture
def desk(sites, origin):
    """A copy of it, at noon of today."""
    return at(sites.make(origin.settings.bist_archive_dir, copy_of=origin), noon())


def noon(minutes=0):
    return datetime(TODAY.year, TODAY.month, TODAY.day, 9, 0, tzinfo=UTC) + timedelta(minutes=minutes)


def quote(minutes=0, close=10.02, **changes):
    """One row of `market.quotes`, asked for some minutes after noon and a quarter of an hour old."""
    return {
        "symbol": SYMBOL,
        "fetched_at": noon(minutes),
        "session_date": TODAY,
        "state": "trading",
        "reason": "",
        "as_of": noon(minutes - 15),
        "last_try": close,
        "open_try": 10.0,
        "high_try": 10.1,
        "low_try": 9.9,
        "volume_shares": 1000.0,
        "previous_close_try": 10.0,
        "provider": "yahoo_quote",
        "payload_hash": "quoted",
        "run_id": "test",
    } | changes


def tell(context, *quotes):
    """Store quotes as the live lane does."""
    contract = contracts().quotes
    frame = pd.DataFrame(quotes, columns=list(contract.columns))
    moments = {name: pd.to_datetime(frame[name], utc=True).dt.as_unit("us") for name in ("fetched_at", "as_of")}
    frame = frame.assign(**moments, session_date=pd.to_datetime(frame["session_date"]).dt.as_unit("us"))
    with context.database.bulk("telling") as bulk:
        stage = bulk.stage(contract, [frame])
        bulk.merge(contract, stage, Scope(symbols=()))


def bars(context, symbol=SYMBOL, day=TODAY):
    return contents(context, "market.daily_prices", f"symbol = '{symbol}' AND session_date = DATE '{day}'")


def cleaned(context, span=SPAN):
    """The closes of today after cleaning."""
    clean_prices(context, span)
    return bars(context)["close_try"].tolist()


def test_the_newest_quote_is_a_forming_bar(desk):
    tell(desk, quote(5, 10.02), quote(10, 10.03), quote(0, 10.01))
    assert cleaned(desk) == [10.03]
    bar = bars(desk).iloc[0]
    stored = (bar["open_try"], bar["high_try"], bar["low_try"], bar["volume_shares"], bar["is_final"])
    assert stored == (10.0, 10.1, 9.9, 1000.0, False)
    assert (bar["source"], bar["basis"], bar["grade"], bar["filled"]) == ("yahoo_quote", "as_traded", "A", "")
    as_of = desk.database.rows("SELECT as_of FROM market.daily_prices WHERE NOT is_final")[0].as_of
    assert as_of == noon(-5)
    assert not len(bars(desk, OTHER))


def test_an_answer_that_lags_does_not_take_the_bar_back(desk):
    tell(desk, quote(5, 10.03), quote(10, 10.01, as_of=noon(-100)))
    assert cleaned(desk) == [10.03]
    as_of = desk.database.rows("SELECT as_of FROM market.daily_prices WHERE NOT is_final")[0].as_of
    assert as_of == noon(-10)
    tell(desk, quote(15, 10.04, as_of=noon(-10)))  # the same last trade, fetched later
    assert cleaned(desk) == [10.04]


def test_a_hold_counts_by_when_it_was_fetched_and_no_quote_from_before_it_comes_back(desk):
    tell(desk, quote(5, 10.03), quote(10, 5.01, state="action_pending", reason="why", as_of=noon(-100)))
    assert cleaned(desk) == []
    tell(desk, quote(15, 5.02, low_try=4.9, as_of=noon(-90)))  # its last trade is older than that of the first
    assert cleaned(desk) == [5.02]


@pytest.mark.parametrize("state", ["halted", "no_trade_yet", "silent", "failed", "price_only"])
def test_an_answer_that_tells_nothing_leaves_the_newest_bar(desk, state):
    tell(desk, quote(0, 10.01), quote(5, 11.0, state=state, reason="why"))
    assert cleaned(desk) == [10.01]


def test_an_action_that_is_pending_leaves_no_bar_until_it_trades_again(desk):
    tell(desk, quote(0, 10.01))
    assert cleaned(desk) == [10.01]
    tell(desk, quote(5, 5.01, state="action_pending", reason="why"), quote(6, 5.01, state="failed", reason="why"))
    assert cleaned(desk) == []
    tell(desk, quote(10, 5.02, low_try=4.9))
    assert cleaned(desk) == [5.02]


def test_a_bar_that_never_traded_is_none(desk):
    tell(desk, *(quote(n, state=state) for n, state in enumerate(("no_trade_yet", "price_only", "action_pending"))))
    assert cleaned(desk) == []


def test_a_quote_after_the_close_makes_nothing_final(desk):
    late = evening(TODAY) + timedelta(hours=3)
    tell(desk, quote(0, as_of=late - timedelta(minutes=15), fetched_at=late))
    assert cleaned(at(desk, late)) == [10.02]
    assert bars(desk)["is_final"].tolist() == [False]


def with_history(context, as_of, close):
    """Fetch a history that tells of today as of a moment; its row of today has a close of its own."""
    frame = BARS.copy()
    today = frame["session_date"] == pd.Timestamp(TODAY)
    frame.loc[today, [*PRICES]] = close

    class Told(YahooLike):
        def history(self, symbol):
            found = super().history(symbol)
            return type(found)(**{name: getattr(found, name) for name in found.__slots__} | {"as_of": as_of})

    ingest(context, [Told(frame, {}, TODAY)], [SYMBOL, OTHER])


@pytest.mark.parametrize(
    ("told_at", "close", "final", "source"),
    [
        (noon(-16), 10.02, False, "yahoo_quote"),
        (noon(-15), 12.0, False, "yahoo_like:ZZAAA"),
        (noon(-14), 12.0, False, "yahoo_like:ZZAAA"),
        (evening(TODAY), 12.0, True, "yahoo_like:ZZAAA"),
    ],
)
def test_of_history_and_quote_the_newer_counts_and_a_final_history_always(desk, told_at, close, final, source):
    tell(desk, quote(0, 10.02))
    with_history(desk, told_at, 12.0)
    for span in (Span(ORIGIN, ORIGIN), SPAN):  # the whole history, then the session alone
        assert cleaned(desk, span) == [close]
        assert bars(desk)[["is_final", "source"]].iloc[0].tolist() == [final, source]


def test_a_quote_later_than_a_final_history_changes_nothing(desk):
    with_history(desk, evening(TODAY), 12.0)
    late = evening(TODAY) + timedelta(hours=1)
    tell(desk, quote(0, as_of=late, fetched_at=late))
    assert cleaned(at(desk, late)) == [12.0]
    assert bars(desk)["is_final"].tolist() == [True]


def test_a_history_fetched_again_keeps_todays_forming_bar(desk):
    tell(desk, quote(0, 10.02))
    assert cleaned(desk) == [10.02]
    again = YahooLike(BARS, {}, BEFORE)
    again.version = lambda symbol: "another mark"
    ingest(desk, [again], [SYMBOL, OTHER])
    report = clean_prices(desk, Span(ORIGIN, ORIGIN))
    assert report.symbols_cleaned == 2
    assert (report.prices.deleted, report.prices.updated) == (0, 0)
    assert bars(desk)["close_try"].tolist() == [10.02]


HOLE = DAYS[20]
# When the provider has told the whole session: after its closing auction, which ends at 18:10 in Istanbul.
TOLD = datetime(HOLE.year, HOLE.month, HOLE.day, 15, 10, tzinfo=UTC) + timedelta(minutes=15)


def last_quote(fetched_at=TOLD, **changes):
    """The last quote of the session that history will lack; its last trade was before the auction ended."""
    return quote(**{"session_date": HOLE, "as_of": TOLD - timedelta(minutes=20), "fetched_at": fetched_at} | changes)


class Lacking(YahooLike):
    """Tells a history without some sessions, as of a moment of its own where one is given."""

    told_at = None

    def version(self, symbol):
        return f"{self.until} {len(self.bars)}"

    def history(self, symbol):
        found = super().history(symbol)
        return replace(found, as_of=self.told_at or found.as_of)


def fetch_lacking(context, *days, until=BEFORE, told_at=None):
    """Fetch a history that lacks some sessions, and say what became of it."""
    provider = Lacking(BARS[~BARS["session_date"].isin([pd.Timestamp(day) for day in days])], {}, until)
    provider.told_at = told_at
    return ingest(context, [provider], [SYMBOL, OTHER]).outcomes["status"].tolist()


@pytest.mark.parametrize(("fetched_at", "is_final"), [(TOLD, True), (TOLD - timedelta(seconds=1), False)])
def test_the_last_quote_of_a_session_that_history_lacks_is_its_bar(desk, fetched_at, is_final):
    tell(desk, last_quote(fetched_at, last_try=float(np.float32(10.02))))
    fetch_lacking(desk, HOLE)
    for span in (Span(ORIGIN, ORIGIN), Span(HOLE, HOLE)):  # the whole history, then the session alone
        clean_prices(desk, span)
        bar = bars(desk, day=HOLE)[["close_try", "is_final", "source", "basis", "grade"]].iloc[0].tolist()
        assert bar == [10.02, is_final, "yahoo_quote", "as_traded", "C"]
        assert not len(bars(desk, OTHER, HOLE))
    assert count(desk, "market.daily_prices", f"symbol = '{SYMBOL}'") == SESSIONS - 1
    assert ledger(desk, SYMBOL).dirty_from == HOLE
    derive_together(desk, Span(HOLE, HOLE))
    signal = f"symbol = '{SYMBOL}' AND session_date = DATE '{HOLE}'"
    known = desk.database.rows(f"SELECT is_final, known_at FROM analytics.signals WHERE {signal}")[0]
    assert tuple(known) == (is_final, TOLD if is_final else TOLD - timedelta(minutes=5))
    covered = desk.database.rows(f"SELECT state FROM serving.coverage_v1 WHERE {signal}")
    assert [row.state for row in covered] == ["traded"]


def test_a_last_quote_is_final_once_history_goes_on_and_stands_in_nobodys_way(desk):
    late = evening(TODAY)
    tell(desk, quote(as_of=late - timedelta(minutes=20), fetched_at=late))
    assert fetch_lacking(desk, TODAY, until=TODAY, told_at=late) == ["answered"] * 2
    clean_prices(at(desk, late), SPAN)
    assert bars(desk)["is_final"].tolist() == [False]
    # A final bar after the history's end would make its next answer look cut off.
    assert fetch_lacking(desk, TODAY, DAYS[3], until=TODAY, told_at=late) == ["answered"] * 2
    desk = at(desk, TOMORROW)
    for lacking in ([TODAY], [TODAY, DAYS[3]]):
        assert fetch_lacking(desk, *lacking, until=TOMORROW) == ["answered"] * 2
        clean_prices(desk, Span(ORIGIN, ORIGIN))
        assert bars(desk)[["close_try", "is_final"]].iloc[0].tolist() == [10.02, True]


def test_a_last_quote_gives_way_to_a_history_that_comes_after_all(desk):
    before = bars(desk, day=HOLE)
    tell(desk, last_quote(last_try=10.07))
    fetch_lacking(desk, HOLE)
    clean_prices(desk, Span(ORIGIN, ORIGIN))
    assert bars(desk, day=HOLE)["close_try"].tolist() == [10.07]
    fetch_lacking(desk)
    clean_prices(desk, Span(ORIGIN, ORIGIN))
    assert_same_bits(bars(desk, day=HOLE), before)


def test_a_row_of_a_day_to_come_does_not_make_a_history_go_on(desk):
    late = evening(TODAY)
    tell(desk, quote(as_of=late - timedelta(minutes=20), fetched_at=late))
    fetch_lacking(desk, TODAY, until=TOMORROW, told_at=late)
    clean_prices(at(desk, late), SPAN)
    assert bars(desk)["is_final"].tolist() == [False]


def test_a_quote_of_a_provider_that_is_no_longer_known_is_judged_by_the_longest_delay(desk):
    tell(desk, last_quote(provider="retired"))
    fetch_lacking(desk, HOLE)
    clean_prices(desk, Span(ORIGIN, ORIGIN))
    assert bars(desk, day=HOLE)[["source", "is_final"]].iloc[0].tolist() == ["retired", True]


def test_only_the_session_that_is_cleaned_gets_its_bar(desk):
    tell(desk, quote(0, 10.02))
    clean_prices(desk, Span(BEFORE, BEFORE))
    assert not len(bars(desk))


def test_an_impossible_quote_is_quarantined_and_leaves_by_itself(desk):
    tell(desk, quote(0, 10.02, low_try=11.0))
    assert cleaned(desk) == []
    withheld = contents(desk, "market.quarantine", f"session_date = DATE '{TODAY}'").iloc[0]
    assert (withheld["rule"], withheld["occurrence"], withheld["source_row"]) == ("high_below_low", 0, 0)
    assert (withheld["source"], withheld["low_raw"]) == ("yahoo_quote", 11.0)
    tell(desk, quote(5, 10.02))
    assert cleaned(desk) == [10.02]
    assert count(desk, "market.quarantine") == 0


def test_a_live_bar_in_single_precision_is_put_on_the_grid(desk):
    shown = {name: float(np.float32(price)) for name, price in (("last_try", 10.03), ("open_try", 9.97))}
    tell(desk, quote(0, **shown))
    assert cleaned(desk) == [10.03]
    assert bars(desk)[["open_try", "grade"]].iloc[0].tolist() == [9.97, "A"]


def test_a_live_bar_stands_on_the_basis_of_its_history(sites, tmp_path):
    context = sites.make(write_archive(tmp_path / "archive", BARS[BARS["session_date"] < pd.Timestamp(TODAY)]))
    run(at(context, BEFORE), FIRST, BEFORE)
    tell(context, quote(0, 10.0234))
    clean_prices(at(context, noon()), SPAN)
    assert bars(context)[["close_try", "basis", "grade"]].iloc[0].tolist() == [10.0234, "fully_adjusted", "A"]


def test_each_tick_is_derived_as_forming_and_known_when_the_provider_told_it(desk):
    forming = f"session_date = DATE '{TODAY}'"
    for minutes, close in ((0, 10.02), (5, 10.05)):
        tell(desk, quote(minutes, close))
        assert cleaned(desk) == [close]
        derive_together(desk, SPAN)
        signals = desk.database.frame(f"SELECT * FROM analytics.signals WHERE {forming}")
        assert signals[["symbol", "close_try", "is_final"]].iloc[0].tolist() == [SYMBOL, close, False]
        assert ledger(desk, SYMBOL).dirty_from is None
    known = desk.database.rows(f"SELECT known_at FROM analytics.signals WHERE {forming}")[0].known_at
    assert known == noon(5 - 15) + timedelta(minutes=15)


def test_ticks_then_history_end_in_the_tables_of_history_alone(sites, desk, origin):
    for minutes in (0, 5, 10):
        tell(desk, quote(minutes, 10.0 + minutes / 100))
        clean_prices(desk, SPAN)
        derive_together(desk, SPAN)
    alone = sites.make(origin.settings.bist_archive_dir, copy_of=origin)
    for context in (desk, alone):
        run(at(context, TODAY), TODAY, TODAY, providers=[YahooLike(BARS, {}, TODAY)])
    assert_same_tables(desk, alone)
    assert count(desk, "market.fetch_ledger", "dirty_from IS NOT NULL") == 0


def test_without_quotes_nothing_is_looked_for(desk):
    before = contents(desk, "market.daily_prices")
    clean_prices(desk, Span(FIRST, TODAY))
    assert_same_bits(contents(desk, "market.daily_prices"), before)
