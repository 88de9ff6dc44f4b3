"""A history made of a chart: days, the live row, actions, basis, and up to when it is told."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bist_pipeline.core.calendar import load_calendar
from bist_pipeline.core.errors import BadPayloadError
from bist_pipeline.providers.contract import ACTION_COLUMNS, RAW_BAR_COLUMNS
from bist_pipeline.providers.yahoo._about import Note
from bist_pipeline.providers.yahoo._chart_answer import read_chart
from bist_pipeline.providers.yahoo._chart_history import Setting, build_history
from bist_pipeline.providers.yahoo._chart_times import day_mark, time_of_newest
from bist_pipeline_tests.providers.yahoo.charts import DAYS, MARKET_TIME, NOW, answer, chart, edited, opening

DELAY = timedelta(minutes=15)
FINAL = datetime(2026, 8, 7, 15, 10, tzinfo=UTC)  # the end of the closing auction of the last day
LAST_TRADE = datetime(2026, 8, 7, 14, 59, 40, tzinfo=UTC)


def setting(now=NOW, note=None):
    return Setting("yahoo_chart", now, load_calendar(), DELAY, note)


def history(document, now=NOW, note=None, **options):
    return build_history(read_chart(answer(document)), "THYAO", setting(now, note), **options)


def test_a_history_has_the_contracts_columns_and_types():
    told = history(chart())
    assert tuple(told.bars.columns) == RAW_BAR_COLUMNS
    assert told.bars["session_date"].dtype == np.dtype("datetime64[us]")
    assert told.bars["source_row"].dtype == np.int64
    assert {str(told.bars[name].dtype) for name in RAW_BAR_COLUMNS[1:-1]} == {"float64"}
    assert told.bars["session_date"].dt.date.tolist() == DAYS
    assert told.bars["adj_close_raw"].tolist() == [50.5, 51.0, 51.5, 52.0]
    assert (told.symbol, told.source, told.basis, told.states_actions) == (
        "THYAO", "yahoo_chart:THYAO.IS", "split_adjusted", True,
    )  # fmt: skip


def test_the_live_row_replaces_the_row_of_the_same_session():
    document = edited(chart([*DAYS, DAYS[-1]]), timestamp=[*map(opening, DAYS), MARKET_TIME])
    told = history(document)
    assert told.bars["session_date"].dt.date.tolist() == DAYS
    assert told.bars["source_row"].tolist() == [0, 1, 2, 4]
    assert told.bars["close_raw"].iloc[-1] == 105.0
    assert told.recognised["live_row"] == "row 4, the last trade, replaces row 3 of 2026-08-07"


def test_the_live_row_stands_alone_where_there_is_no_other_of_its_session():
    told = history(edited(chart(), timestamp=[*map(opening, DAYS[:3]), MARKET_TIME]))
    assert told.bars["source_row"].tolist() == [0, 1, 2, 3]
    assert "live_row" not in told.recognised


@pytest.mark.parametrize("close", [None, 105.0])
def test_other_rows_of_one_day_stay_for_cleaning_to_judge(close):
    last = MARKET_TIME if close is None else MARKET_TIME - 60
    document = edited(chart([*DAYS, DAYS[-1]]), timestamp=[*map(opening, DAYS), last], close=[1, 2, 3, 4, close])
    assert len(history(document).bars) == 5


def test_a_row_of_a_day_to_come_stays_and_does_not_keep_today_from_being_final():
    document = chart([*DAYS, date(2026, 8, 10)], market_time=int(LAST_TRADE.timestamp()))
    told = history(document, FINAL + DELAY)
    assert len(told.bars) == 5
    assert told.as_of == FINAL


def test_actions_have_the_contracts_columns_and_days_at_the_exchange():
    events = {
        "dividends": {"a": {"date": opening(DAYS[2]), "amount": 3.44}},
        "splits": {"b": {"date": opening(DAYS[1]), "numerator": 2, "denominator": 1}},
    }
    actions = history(edited(chart(), events=events)).actions
    assert tuple(actions.columns) == ACTION_COLUMNS
    assert actions["ex_date"].dtype == np.dtype("datetime64[us]")
    expected = [(DAYS[1], "split", 2.0, None), (DAYS[2], "dividend", None, 3.44)]
    rows = actions.astype(object).where(actions.notna(), None).itertuples(index=False, name=None)
    assert [(day.date(), *rest) for day, *rest in rows] == expected


def test_no_actions_are_an_empty_frame_of_the_same_types():
    actions = history(chart()).actions
    assert (len(actions), tuple(actions.columns)) == (0, ACTION_COLUMNS)
    assert actions["ex_date"].dtype == np.dtype("datetime64[us]")
    assert pd.api.types.is_string_dtype(actions["kind"])


def test_an_action_that_makes_no_sense_is_said():
    told = history(edited(chart(), events={"splits": {"1": {"date": opening(DAYS[1]), "numerator": 0}}}))
    assert len(told.actions) == 0
    assert "split" in told.recognised["refused_actions"][0]


@pytest.mark.parametrize(
    ("now", "as_of"),
    [
        (NOW, datetime.fromtimestamp(MARKET_TIME, UTC)),
        (FINAL + DELAY - timedelta(seconds=1), LAST_TRADE),
        (FINAL + DELAY, FINAL),
        (FINAL + timedelta(days=2), FINAL),
    ],
    ids=["in session", "not final yet", "just final", "on Sunday"],
)
def test_a_bar_is_told_up_to_the_last_trade_and_is_final_once_the_provider_can_know(now, as_of):
    market_time = MARKET_TIME if now == NOW else int(LAST_TRADE.timestamp())
    assert history(chart(market_time=market_time), now).as_of == as_of


def test_a_bar_whose_last_trade_came_after_the_auction_is_told_up_to_it():
    late = FINAL + timedelta(minutes=1)
    assert history(chart(market_time=int(late.timestamp())), FINAL + DELAY).as_of == late


def test_a_halted_share_is_final_up_to_its_own_last_session():
    told = history(chart(DAYS[:2], market_time=opening(DAYS[1])), FINAL)
    assert told.as_of == datetime(2026, 8, 5, 15, 10, tzinfo=UTC)


def ending(days, **quote):
    """A chart whose last trade was one of the session before, though today's row is there."""
    last_trade = int(LAST_TRADE.timestamp()) - 86_400
    return edited(chart(days, market_time=last_trade), **quote)


UNTRADED = {name: [1.0, 1.0, 1.0, None] for name in ("open", "high", "low", "close", "volume")}


@pytest.mark.parametrize(
    ("now", "as_of"),
    [
        ("2026-08-07T09:41:00+03:00", datetime(2026, 8, 6, 15, 10, tzinfo=UTC)),
        ("2026-08-07T18:24:59+03:00", datetime(2026, 8, 6, 15, 10, tzinfo=UTC)),
        ("2026-08-07T18:25:00+03:00", FINAL),
    ],
)
def test_a_row_of_today_without_a_trade_takes_nothing_from_yesterdays_bar(now, as_of):
    assert history(ending(DAYS, **UNTRADED), at(now)).as_of == as_of


def test_a_session_that_a_halted_share_missed_is_told_too_once_it_has_a_later_row():
    document = chart([DAYS[0], DAYS[3]], market_time=opening(DAYS[0]))
    assert history(document).as_of == datetime(2026, 8, 6, 15, 10, tzinfo=UTC)


@given(
    first=st.dates(date(2026, 3, 10), date(2026, 8, 7)),
    rows=st.integers(1, 5),
    minutes=st.integers(0, 5 * 24 * 60),
    traded=st.integers(0, 5 * 24 * 60),
)
def test_a_chart_is_never_told_up_to_later_than_now_nor_earlier_than_its_last_trade(first, rows, minutes, traded):
    days = np.arange(first, first + timedelta(days=rows), dtype="datetime64[D]")
    now = datetime.fromtimestamp(opening(first), UTC) + timedelta(minutes=minutes)
    market_time = now - timedelta(minutes=traded)
    calendar = load_calendar()
    told = time_of_newest(days, market_time, now, calendar, DELAY)
    later = time_of_newest(np.append(days, days[-1] + 1), market_time, now, calendar, DELAY)
    assert market_time <= told <= later <= now


def test_a_row_of_a_closed_day_is_final_with_the_session_before():
    days = [date(2026, 5, 26), date(2026, 5, 27)]  # the eve and the first day of the feast
    now = datetime(2026, 5, 27, 9, 0, tzinfo=UTC)
    told = history(chart(days, market_time=opening(days[0])), now)
    assert told.as_of == datetime(2026, 5, 26, 9, 40, tzinfo=UTC)


def test_a_last_trade_in_the_future_is_refused():
    with pytest.raises(BadPayloadError, match="clock"):
        history(chart(market_time=int(NOW.timestamp()) + 1))


def test_a_chart_without_bars_is_refused():
    with pytest.raises(BadPayloadError, match=r"THYAO\.IS: Yahoo's chart has no bars"):
        history(edited(chart([]), timestamp=None))


def test_another_currency_is_refused_unless_any_will_do():
    document = chart(currency="USD")
    with pytest.raises(BadPayloadError, match="in USD, not in TRY"):
        history(document)
    assert len(history(document, currency=None).bars) == 4


def test_bars_that_are_not_of_days_are_refused():
    with pytest.raises(BadPayloadError, match="1mo"):
        history(chart(dataGranularity="1mo"))


def test_a_renamed_symbol_is_noted():
    assert history(chart(symbol="TRALT.IS")).recognised["answered_as"] == "TRALT.IS"
    assert "answered_as" not in history(chart()).recognised


@pytest.mark.parametrize(
    ("given", "basis", "states_actions"),
    [
        ("as_traded", "split_adjusted", True),
        ("split_adjusted", "split_adjusted", True),
        ("fully_adjusted", "fully_adjusted", False),
    ],
)
def test_a_replayed_exchange_decides_the_basis(given, basis, states_actions):
    told = history(chart(), note=Note("replayed", given, NOW))
    assert (told.basis, told.states_actions) == (basis, states_actions)


def at(text):
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("now", "mark"),
    [
        ("2026-08-07T18:24:59+03:00", "1:2026-08-06:morning"),
        ("2026-08-07T18:25:00+03:00", "1:2026-08-07:evening"),
        ("2026-08-08T08:59:59+03:00", "1:2026-08-07:evening"),
        ("2026-08-08T09:00:00+03:00", "1:2026-08-07:morning"),
        ("2026-08-10T18:00:00+03:00", "1:2026-08-07:morning"),
        ("2026-08-10T18:25:00+03:00", "1:2026-08-10:evening"),
        ("2026-05-26T12:54:00+03:00", "1:2026-05-25:morning"),
        ("2026-05-26T12:55:00+03:00", "1:2026-05-26:evening"),  # a half day
    ],
)
def test_a_history_is_worth_asking_for_after_the_close_and_once_the_next_morning(now, mark):
    assert day_mark(at(now).astimezone(UTC), load_calendar(), DELAY) == mark
