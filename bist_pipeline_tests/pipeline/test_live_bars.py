"""Quotes become forming bars until the history of their session comes, and only history makes a bar final."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

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
DAYS = [day.astype(object) for day in sessions_from(FIRST, SESSIONS)]
TODAY, BEFORE = DAYS[-1], DAYS[-2]
SPAN = Span(TODAY, TODAY)
BARS = market(2, SESSIONS, {})
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


def test_a_session_that_history_leaves_out_stays_a_forming_bar(desk):
    tell(desk, quote(0, 10.02, session_date=DAYS[20], as_of=evening(DAYS[20]), fetched_at=evening(DAYS[20])))
    clean_prices(desk, Span(DAYS[20], DAYS[20]))
    assert bars(desk, day=DAYS[20])["is_final"].tolist() == [True]
    hole = YahooLike(BARS[BARS["session_date"] != pd.Timestamp(DAYS[20])], {}, BEFORE)
    hole.version = lambda symbol: "another mark"
    ingest(desk, [hole], [SYMBOL, OTHER])
    clean_prices(desk, Span(ORIGIN, ORIGIN))
    assert bars(desk, day=DAYS[20])[["close_try", "is_final"]].iloc[0].tolist() == [10.02, False]
    assert not len(bars(desk, OTHER, DAYS[20]))


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
