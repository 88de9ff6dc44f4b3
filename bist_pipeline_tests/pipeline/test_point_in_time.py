"""A row is computed in its own session's shares: a split changes nothing before it, and jumps nowhere."""

import itertools
import random
from datetime import date

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.bars import PRICE_COLUMNS, Bars
from bist_pipeline.core.calendar import ORIGIN
from bist_pipeline.indicators.engine import compute_indicators
from bist_pipeline.pipeline.cleaning import clean_prices
from bist_pipeline.pipeline.derive import derive_candlesticks, derive_charts, derive_indicators, derive_signals
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.point_in_time import PointInTime
from bist_pipeline.pipeline.span import Span
from bist_pipeline_tests.archives import sessions_from, simulated_bars, write_archive
from bist_pipeline_tests.pipeline.sites import (
    DERIVED,
    SERVED,
    all_contents,
    assert_same_bits,
    assert_same_tables,
    contents,
    count,
    execute,
    ledger,
    run,
)
from bist_pipeline_tests.pipeline.split_market import FIRST, PRICES, YahooLike, at, market
from bist_pipeline_tests.pipeline.talib_columns import COLUMNS, Series, candlestick_events

SESSIONS = 320
DAYS = [day.astype(object) for day in sessions_from(FIRST, SESSIONS)]
ONCE, TWICE, NEVER = "ZZAAA", "ZZAAB", "ZZAAC"
SPLITS = {ONCE: [(DAYS[300], 2.0)], TWICE: [(DAYS[280], 3.0792917), (DAYS[310], 2.0)]}
BARS = market(3, SESSIONS, SPLITS)
TABLES = (*DERIVED, *SERVED)


def provider(until=DAYS[-1], splits=SPLITS, bars=BARS):
    return YahooLike(bars, splits, until)


def filled(context, until=DAYS[-1], first=DAYS[0], splits=SPLITS):
    """Fetch what is told on a day, and derive a range that ends with it."""
    return run(at(context, until), first, until, providers=[provider(until, splits)])


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A folder that names the symbols."""
    return write_archive(tmp_path_factory.mktemp("names") / "archive", BARS)


@pytest.fixture(scope="module")
def whole(sites, archive):
    """Everything fetched at the end and derived as one range."""
    context = sites.make(archive)
    filled(context)
    return context


def test_what_is_stored_is_what_was_traded(whole):
    stored = contents(whole, "market.daily_prices")
    for name in (*PRICES, "volume_shares"):
        assert stored[name].tolist() == BARS[name].tolist()
    assert set(stored["grade"]) == {"A"}
    assert set(stored["basis"]) == {"as_traded"}
    changes = stored.groupby("symbol")["adjustment_factor"].unique().map(list).to_dict()
    assert changes[NEVER] == [1.0]
    assert changes[ONCE] == [0.5, 1.0]
    assert changes[TWICE] == pytest.approx([0.5 / 3.0792917, 0.5, 1.0])


def hand_adjusted(symbol, last):
    """Bars up to a session in the shares of that session, adjusted split by split."""
    own = BARS[(BARS["symbol"] == symbol) & (BARS["session_date"] <= pd.Timestamp(last))].copy()
    for day, ratio in SPLITS.get(symbol, ()):
        if day <= last:
            before = own["session_date"] < pd.Timestamp(day)
            own.loc[before, list(PRICES)] /= ratio
            own.loc[before, "volume_shares"] *= ratio
    return Series._make(own[name].to_numpy(dtype=np.float64) for name in (*PRICES, "volume_shares"))


@pytest.mark.parametrize("symbol", [ONCE, TWICE, NEVER])
@pytest.mark.parametrize("row", [270, 279, 280, 281, 299, 300, 301, 309, 310, 319])
def test_a_row_equals_talib_on_prices_adjusted_by_hand(whole, symbol, row):
    where = f"symbol = '{symbol}' AND session_date = DATE '{DAYS[row]}'"
    served, series = contents(whole, "serving.indicators_v1", where).iloc[0], hand_adjusted(symbol, DAYS[row])
    for name, ask in COLUMNS.items():
        wanted = ask(series)[-1]
        np.testing.assert_allclose(served[name], wanted, rtol=1e-9, atol=1e-12, equal_nan=True, err_msg=name)
    found = contents(whole, "analytics.candlestick_patterns", where)
    events = {pattern: strength for (place, pattern), strength in candlestick_events(series).items() if place == row}
    assert dict(zip(found["pattern"], found["strength"].astype(int), strict=True)) == events
    closes = contents(whole, "analytics.signals", where)["close_try"]
    assert closes.tolist() == [BARS.loc[BARS["symbol"] == symbol, "close_try"].iloc[row]]


def test_any_ranges_in_any_order_end_in_the_tables_of_one_range(sites, archive, whole):
    pieces = sites.make(archive)
    edges = [0, 281, 299, 301, 320]
    ranges = [(DAYS[begin], DAYS[end - 1]) for begin, end in itertools.pairwise(edges)]
    random.Random(1).shuffle(ranges)
    for first, last in ranges:
        run(at(pieces, DAYS[-1]), first, last, providers=[provider()])
    assert_same_tables(pieces, whole)
    assert count(pieces, "serving.signals", "superseded_by IS NOT NULL") == 0


@pytest.mark.parametrize("row", [300, 310])
def test_a_split_on_time_changes_no_bar_and_no_row_of_an_earlier_session(sites, archive, whole, row):
    context = sites.make(archive)
    filled(context, DAYS[row - 1])
    before = all_contents(context, ("market.daily_prices", *TABLES))
    filled(context, DAYS[row], first=DAYS[row])
    assert count(context, "market.fetch_ledger", "dirty_from IS NOT NULL") == 0
    after = all_contents(context, tuple(before))
    for table, rows in before.items():
        kept = after[table][after[table]["session_date"] < pd.Timestamp(DAYS[row])].reset_index(drop=True)
        read_time = {"adjustment_factor", "total_return_factor"} & set(rows)
        assert_same_bits(kept.drop(columns=read_time), rows.drop(columns=read_time), table)
    filled(context, first=DAYS[row])
    assert_same_tables(context, whole)
    assert count(context, "serving.signals", "superseded_by IS NOT NULL") == 0


def test_a_split_fetched_on_the_morning_before_the_share_trades_changes_no_bar(sites, archive):
    context = sites.make(archive)
    filled(context, DAYS[299])
    before = contents(context, "market.daily_prices")
    early = YahooLike(BARS[BARS["session_date"] < pd.Timestamp(DAYS[300])], SPLITS, DAYS[300])
    run(at(context, DAYS[300]), DAYS[300], DAYS[300], providers=[early])
    after = contents(context, "market.daily_prices")
    assert after.loc[after["symbol"] == ONCE, "adjustment_factor"].unique().tolist() == [0.5]
    for name in (*PRICES, "volume_shares"):
        assert after[name].tolist() == before[name].tolist()
    assert count(context, "market.fetch_ledger", "dirty_from IS NOT NULL") == 0


def test_a_split_learnt_late_restates_its_symbol_from_its_ex_date_on_and_nothing_else(sites, archive, whole):
    context = sites.make(archive)
    late = {TWICE: SPLITS[TWICE]}
    filled(context, splits=late)
    before = all_contents(context, DERIVED)
    told = at(context, DAYS[-1])
    ingest(told, [provider()], [ONCE, TWICE, NEVER])
    clean_prices(told, Span(ORIGIN, ORIGIN))
    assert ledger(context, ONCE).dirty_from == DAYS[300]
    assert {ledger(context, symbol).dirty_from for symbol in (TWICE, NEVER)} == {None}
    filled(context, first=DAYS[300])
    assert ledger(context, ONCE).dirty_from is None
    assert_same_tables(context, whole)
    after = all_contents(context, DERIVED)
    for table, rows in before.items():
        for symbol, first in ((ONCE, DAYS[300]), (TWICE, date.max), (NEVER, date.max)):
            kept, old = (_until(frame, symbol, first) for frame in (after[table], rows))
            assert_same_bits(kept, old, f"{table} of {symbol}")
    changed = contents(context, "serving.signals", "superseded_by IS NOT NULL")
    assert set(changed["symbol"]) == {ONCE}
    assert changed["session_date"].min() >= pd.Timestamp(DAYS[300])


def _until(rows, symbol, day):
    early = np.array([one.date() < day for one in rows["session_date"]], dtype=bool)
    return rows[(rows["symbol"] == symbol) & early].reset_index(drop=True)


def test_a_ratio_that_is_corrected_restates_from_its_ex_date_on(sites, archive, whole):
    context = sites.make(archive)
    filled(context, splits=SPLITS | {ONCE: [(DAYS[300], 2.5)]})
    told = at(context, DAYS[-1])
    ingest(told, [provider()], [ONCE])
    clean_prices(told, Span(ORIGIN, ORIGIN))
    assert ledger(context, ONCE).dirty_from is not None
    filled(context)
    assert_same_tables(context, whole)


def test_the_tables_one_after_the_other_are_those_of_one_pass_and_make_it_clean(sites, archive, whole):
    context = sites.make(archive, copy_of=whole)
    for table in DERIVED:
        execute(context, f"TRUNCATE {table}")
    execute(context, f"UPDATE market.fetch_ledger SET dirty_from = DATE '{DAYS[290]}'")
    span = Span(DAYS[0], DAYS[-1])
    for derive in (derive_indicators, derive_candlesticks, derive_charts, derive_signals):
        derive(at(context, DAYS[-1]), span)
    assert_same_tables(context, whole, DERIVED)
    assert count(context, "market.fetch_ledger", "dirty_from IS NOT NULL") == 0


def test_another_answer_of_the_same_history_is_no_changed_bar(sites, archive, whole):
    context = sites.make(archive, copy_of=whole)
    other = provider()
    other.name, other.family = "other", "other"
    other.version = lambda symbol: "another mark"
    ingest(at(context, DAYS[-1]), [other], [ONCE, TWICE, NEVER])
    clean_prices(at(context, DAYS[-1]), Span(ORIGIN, ORIGIN))
    assert set(contents(context, "market.daily_prices")["source"].str.split(":").str[0]) == {"other"}
    assert count(context, "market.fetch_ledger", "dirty_from IS NOT NULL") == 0


def test_an_archive_as_traded_with_splits_is_derived_in_its_sessions_shares_too(sites, tmp_path):
    bars = simulated_bars(1, 60, first=FIRST)
    after = bars["session_date"] >= bars["session_date"].iloc[39]
    for name in PRICE_COLUMNS:
        bars.loc[after, name] = (bars.loc[after, name] / 2).round(2)
    folder = write_archive(tmp_path / "archive", bars)
    place = folder / "ZZAAA.csv"
    lines = place.read_text().splitlines()
    split_on = lines[40].split(",")[0]
    place.write_text(
        "\n".join(f"{line},{'Stock Splits' if not n else 2.0 if n == 40 else 0.0}" for n, line in enumerate(lines))
    )
    context = sites.make(folder, bist_archive_basis="as_traded")
    run(context, FIRST, bars["session_date"].max())
    assert contents(context, "reference.corporate_actions")["ratio"].tolist() == [2.0]
    stored = contents(context, "market.daily_prices")
    assert stored["close_try"].tolist() == bars["close_try"].tolist()
    assert stored["adjustment_factor"].tolist() == [0.5] * 39 + [1.0] * 21
    factors = pd.DataFrame({"ex_date": [pd.Timestamp(split_on)], "price_factor": [0.5], "share_ratio": [2.0]})
    wanted = PointInTime({"ZZAAA": factors}).compute(
        compute_indicators, Bars.from_frame(bars.assign(is_final=True)), ORIGIN
    )
    served = contents(context, "analytics.indicators")
    assert served["rsi_14"].tolist()[20:] == wanted["rsi_14"].tolist()[20:]


def test_dividends_and_the_desks_actions_are_derived_through_and_change_no_earlier_row(sites, tmp_path):
    bars = simulated_bars(1, 60, first=FIRST)
    days = bars["session_date"]
    base = bars["close_try"].iloc[29]
    paid = round(base * 0.08, 2)
    # Of a bonus and rights issue the archive knows nothing.
    for name in PRICES:
        bars.loc[30:, name] = np.round((bars.loc[30:, name] - paid) / 2, 2)
    folder = write_archive(tmp_path / "archive", bars)
    place = folder / "ZZAAA.csv"
    lines = place.read_text().splitlines()
    told = [f"{line},{'Dividends' if not n else paid if n == 31 else 0.0}" for n, line in enumerate(lines)]
    place.write_text("\n".join(told))
    context = sites.make(folder, bist_archive_basis="as_traded")
    day = f"{days[30]:%Y-%m-%d}"
    desk = context.settings.bist_home / "corporate_actions.csv"
    desk.write_text(
        f"symbol,ex_date,kind,ratio,subscription_try\nZZAAA,{day},bonus,0.75,\nZZAAA,{day},rights,0.25,{base / 5:.4f}\n"
    )
    run(context, FIRST, days.max())
    row = contents(context, "reference.action_factors").iloc[0]
    left = (base + 0.25 * round(base / 5, 4) - paid) / 2 / base
    assert (row["price_factor"], row["share_ratio"], row["kinds"]) == (
        pytest.approx(left),
        2.0,
        "bonus,rights,dividend",
    )
    served = contents(context, "analytics.indicators")
    for end in (30, 60):
        known = bars.iloc[:end].assign(is_final=True)
        if end > 30:
            known.loc[:29, list(PRICES)] *= left
            known.loc[:29, "volume_shares"] *= 2.0
        wanted = compute_indicators(Bars.from_frame(known)).iloc[20 if end == 30 else 30 :]
        for name in ("rsi_14", "atr_14", "mfi_14"):
            np.testing.assert_allclose(served[name].iloc[wanted.index], wanted[name], rtol=1e-9, err_msg=name)
