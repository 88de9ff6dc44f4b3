"""One session on which much happens at once: each share ends in its right state, and none in a false signal."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time

import pandas as pd
import pytest

from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.simulator.events import Delisting, Halt, NoTradeUntil, Rename, Split
from bist_pipeline.simulator.exchange import Exchange
from bist_pipeline.simulator.market import invent_market
from bist_pipeline_tests.pipeline.exchanges import (
    EVENING,
    asking,
    coverage,
    load,
    moment,
    play,
    sessions_between,
    standing,
    states,
    without,
)
from bist_pipeline_tests.pipeline.sites import TABLES, Sites, all_contents, assert_same_bits, contents, execute, ledger

FIRST = date(2025, 5, 2)
SESSIONS = sessions_between(FIRST, date(2026, 3, 6))
EVE, DAY, SECOND, THIRD = SESSIONS[-4:]
LATE_MORNING = time(11, 0)

SPLIT, LATE, RENAMED, HALTED, DELISTED = "ZZAAA", "ZZAAB", "ZZAAC", "ZZAAD", "ZZAAE"
RATIO = 4.0
EVENTS = (
    Split(SPLIT, DAY, RATIO),
    NoTradeUntil(LATE, DAY, time(15, 0)),
    Rename(RENAMED, "ZYAAC", DAY),
    Halt(HALTED, EVE, SECOND),
    Delisting(DELISTED, DAY),
)
COUNT = 12
NORMAL = [f"ZZAA{letter}" for letter in "FGHIJKL"]


@dataclass
class Told:
    """What was there at four moments.

    Attributes:
        context: The database, at the end.
        before: Its tables on the evening before.
        morning: At eleven.
        evening: After the close.
        plain: The tables of the same market without the events, at eleven and after the close.
        states: Of the quotes at eleven.
        coverage: At eleven, after the close, and after the third session.
        strikes: By symbol, after each of three sessions.
    """

    context: PipelineContext
    before: dict[str, pd.DataFrame]
    morning: dict[str, pd.DataFrame]
    evening: dict[str, pd.DataFrame]
    plain: list[dict[str, pd.DataFrame]]
    states: dict[str, str]
    coverage: list[dict[str, str]]
    strikes: list[dict[str, int]]


def keep_time(context: PipelineContext) -> None:
    """Tell the database what time it is at the exchange, as a run does whose clock runs on."""
    now = context.clock.now().isoformat()
    execute(
        context,
        f"UPDATE operations.market SET clock_offset_seconds = extract(epoch FROM timestamptz '{now}' - now())",
    )


def prepared(sites: Sites, running: Exchange) -> PipelineContext:
    running.clock.set(moment(EVE))
    context = asking(sites, running)
    load(context, FIRST, EVE)
    return context


def at(context: PipelineContext, running: Exchange, day: date, of_day: time) -> dict[str, pd.DataFrame]:
    play(context, running, [moment(day, of_day)])
    keep_time(context)
    return all_contents(context, TABLES)


def strikes(context: PipelineContext) -> dict[str, int]:
    rows = context.database.rows("SELECT symbol, strikes FROM market.fetch_ledger WHERE strikes > 0")
    return {row.symbol: row.strikes for row in rows}


@pytest.fixture(scope="module")
def told(sites) -> Iterator[Told]:
    def market(events):
        return invent_market(symbols=COUNT, seed=23, first=FIRST, last=THIRD, events=events)

    with standing(market(()), moment(EVE)) as running:
        context = prepared(sites, running)
        plain = [at(context, running, DAY, LATE_MORNING), at(context, running, DAY, EVENING)]
    with standing(market(EVENTS), moment(EVE)) as running:
        context = prepared(sites, running)
        before = all_contents(context, TABLES)
        morning, quoted, covered = at(context, running, DAY, LATE_MORNING), states(context, DAY), coverage(context, DAY)
        evening, covered_later, struck = at(context, running, DAY, EVENING), coverage(context, DAY), [strikes(context)]
        for day in (SECOND, THIRD):
            at(context, running, day, EVENING)
            struck.append(strikes(context))
        ended = coverage(context, DAY)
        yield Told(context, before, morning, evening, plain, quoted, [covered, covered_later, ended], struck)


def of(rows: pd.DataFrame, *symbols: str, session: date | None = None) -> pd.DataFrame:
    kept = rows[rows["symbol"].isin(symbols)]
    kept = kept if session is None else kept[kept["session_date"] == pd.Timestamp(session)]
    return kept.reset_index(drop=True)


def symbols_on(rows: pd.DataFrame, session: date) -> set[str]:
    return set(rows.loc[rows["session_date"] == pd.Timestamp(session), "symbol"])


def test_at_eleven_each_share_is_in_its_state(told):
    assert told.states == dict.fromkeys(NORMAL, "trading") | {
        SPLIT: "trading",
        LATE: "no_trade_yet",
        RENAMED: "silent",
        HALTED: "halted",
        DELISTED: "silent",
    }
    assert told.coverage[0] == dict.fromkeys([*NORMAL, SPLIT], "traded") | dict.fromkeys(
        [LATE, RENAMED, HALTED, DELISTED], "not_yet_due"
    )


def test_after_the_close_and_after_three_sessions_each_share_is_in_its_state(told):
    traded = dict.fromkeys([*NORMAL, SPLIT, LATE], "traded") | {HALTED: "no_trade"}
    assert told.coverage[1] == traded | dict.fromkeys([RENAMED, DELISTED], "provider_silent")
    assert told.coverage[2] == traded | dict.fromkeys([RENAMED, DELISTED], "delisted_or_renamed")
    assert told.strikes == [{RENAMED: n, DELISTED: n} for n in (1, 2, 3)]
    assert {ledger(told.context, symbol).struck_on for symbol in (RENAMED, DELISTED)} == {THIRD}


@pytest.mark.parametrize("name", ["market.daily_prices", "analytics.signals", "serving.signals_v1"])
def test_a_share_without_a_trade_has_neither_bar_nor_signal_of_the_session(told, name):
    assert symbols_on(told.morning[name], DAY) == {*NORMAL, SPLIT}
    assert not symbols_on(told.evening[name], DAY) & {RENAMED, DELISTED}


def test_the_bar_of_a_halted_share_has_no_volume_and_says_so(told):
    bar = of(told.evening["market.daily_prices"], HALTED, session=DAY)
    assert (bar["volume_shares"] == 0).all()
    last = of(told.before["market.daily_prices"], HALTED, session=SESSIONS[-5])["close_try"].iloc[0]
    assert (bar[["open_try", "high_try", "low_try", "close_try"]] == last).all().all()


@pytest.mark.parametrize("name", ["serving.signals_v1", "serving.pattern_events_v1"])
def test_a_halted_share_has_no_signal_of_the_session(told, name):
    assert HALTED not in symbols_on(told.evening[name], DAY)


def test_the_split_share_goes_on_as_if_it_had_not_been_split(told):
    """But for the grid, on which a quarter of a price has less room."""
    for found, plain in zip((told.morning, told.evening), told.plain, strict=True):
        split, whole = (of(rows["analytics.indicators"], SPLIT, session=DAY).iloc[0] for rows in (found, plain))
        for name in ("rsi_14", "adx_14", "mfi_14", "willr_14"):
            assert split[name] == pytest.approx(whole[name], abs=3.0), name
        assert split["sma_20"] * RATIO == pytest.approx(whole["sma_20"], rel=0.01)
        assert split["atr_14"] * RATIO == pytest.approx(whole["atr_14"], rel=0.05)
        scores = [of(rows["serving.signals_v1"], SPLIT, session=DAY)["score"].iloc[0] for rows in (found, plain)]
        assert scores[0] == pytest.approx(scores[1], abs=10)


def test_the_bars_before_the_split_stay_as_they_were_traded_to_the_last_bit(told):
    factors = ("adjustment_factor", "total_return_factor")
    for later in (told.morning, told.evening):
        stored = of(later["market.daily_prices"], SPLIT)
        stored = stored[stored["session_date"] < pd.Timestamp(DAY)].reset_index(drop=True)
        was = of(told.before["market.daily_prices"], SPLIT)
        assert_same_bits(without(stored, *factors), without(was, *factors), "market.daily_prices")
        assert (stored["adjustment_factor"] * RATIO == was["adjustment_factor"]).all()
    action = of(told.morning["reference.corporate_actions"], SPLIT).iloc[-1]
    assert (action["kind"], action["ratio"], action["ex_date"]) == ("split", RATIO, pd.Timestamp(DAY))


def test_nothing_that_was_derived_before_the_split_is_derived_anew(told):
    for name in ("analytics.indicators", "analytics.signals", "serving.signals_v1"):
        later = told.evening[name]
        later = later[later["session_date"] < pd.Timestamp(DAY)].reset_index(drop=True)
        assert_same_bits(later, told.before[name], name)
    assert ledger(told.context, SPLIT).dirty_from is None


def test_the_other_shares_notice_nothing(told):
    for found, plain in zip((told.morning, told.evening), told.plain, strict=True):
        for name in TABLES:
            assert_same_bits(of(found[name], *NORMAL), of(plain[name], *NORMAL), name)


def test_the_renamed_share_is_asked_no_more_and_keeps_its_history(told):
    kept = of(contents(told.context, "market.daily_prices"), RENAMED)
    assert_same_bits(kept, of(told.before["market.daily_prices"], RENAMED), "market.daily_prices")
    asked = told.context.database.rows(
        "SELECT count(*) AS n FROM market.quotes WHERE symbol = :s AND session_date > :d", {"s": RENAMED, "d": DAY}
    )
    assert asked[0].n == 0
