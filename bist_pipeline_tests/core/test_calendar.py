import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bist_pipeline.core.calendar import ISTANBUL, ORIGIN, MarketState, load_calendar
from bist_pipeline.core.errors import SessionError

CALENDAR = load_calendar()
COLUMNS = ["session_date", "is_session", "is_half_day", "open_at", "close_at", "final_at", "note"]

moments = st.datetimes(datetime(2010, 1, 5), datetime(2026, 12, 31), timezones=st.just(ISTANBUL))  # noqa: DTZ001


def istanbul(text):
    return datetime.fromisoformat(text).replace(tzinfo=ISTANBUL)


def utc(text):
    return pd.Timestamp(text, tz="UTC")


@pytest.fixture
def write(tmp_path):
    def _write(content):
        path = tmp_path / "calendar_overrides.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return _write


def row(calendar, day):
    return calendar.schedule(day, day).iloc[0]


# Announced by the exchange, from the news of the day.
CLOSED = [
    *["2023-02-08", "2023-02-09", "2023-02-10", "2023-02-13", "2023-02-14"],
    *["2026-01-01", "2026-03-20", "2026-04-23", "2026-05-01", "2026-05-19", "2026-05-27", "2026-05-28", "2026-05-29"],
    *["2026-07-15", "2026-10-29", "2024-10-29", "2018-08-21"],
]
HALF_DAYS = [
    "2018-08-20",
    "2021-07-19",
    "2022-07-08",
    "2024-04-09",
    "2024-10-28",
    "2025-10-28",
    "2026-03-19",
    "2026-05-26",
]


@pytest.mark.parametrize("day", CLOSED)
def test_the_exchange_is_closed_on_a_holiday_and_says_why(day):
    closed = row(CALENDAR, date.fromisoformat(day))
    assert not closed["is_session"]
    assert not closed["is_half_day"]
    assert closed[["open_at", "close_at", "final_at"]].isna().all()
    assert closed["note"] != ""


@pytest.mark.parametrize("day", HALF_DAYS)
def test_a_half_day_closes_at_12_30_and_is_final_at_12_40(day):
    half = row(CALENDAR, date.fromisoformat(day))
    assert half["is_session"]
    assert half["is_half_day"]
    assert half["open_at"] == utc(f"{day} 07:00")
    assert half["close_at"] == utc(f"{day} 09:30")
    assert half["final_at"] == utc(f"{day} 09:40")
    assert half["note"].startswith("Eve of ")


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        ("2012-01-10", "08:00", "16:00"),  # winter time, UTC+2
        ("2012-07-10", "07:00", "15:00"),  # summer time, UTC+3
        ("2016-11-22", "07:00", "15:00"),  # the winter in which summer time stayed
        ("2026-11-19", "07:00", "15:00"),
    ],
)
def test_a_whole_session_runs_from_10_to_18_in_istanbul_in_the_time_of_its_year(day, opens, closes):
    whole = row(CALENDAR, date.fromisoformat(day))
    assert whole["open_at"] == utc(f"{day} {opens}")
    assert whole["close_at"] == utc(f"{day} {closes}")
    assert whole["final_at"] - whole["close_at"] == timedelta(minutes=10)
    assert not whole["is_half_day"]
    assert whole["note"] == ""


@pytest.mark.parametrize(
    ("day", "note"),
    [
        ("2026-10-29", "Republic Day"),
        ("2026-10-28", "Eve of Republic Day"),
        ("2026-05-28", "Eid al-Adha"),
        ("2011-08-29", "Eve of Eid al-Fitr"),  # and of Victory Day, which shortens no session
        ("2023-05-19", "Commemoration of Atatürk, Youth and Sports Day"),
    ],
)
def test_a_note_names_the_holiday(day, note):
    assert row(CALENDAR, date.fromisoformat(day))["note"] == note


def test_the_cancelled_session_says_that_yahoo_carries_a_bar():
    assert "Yahoo still carries a bar" in row(CALENDAR, date(2023, 2, 8))["note"]


def test_the_schedule_has_one_row_per_weekday_in_the_columns_of_its_table():
    schedule = CALENDAR.schedule(date(2026, 5, 23), date(2026, 6, 1))
    assert list(schedule.columns) == COLUMNS
    assert [str(dtype) for dtype in schedule.dtypes] == [
        *["datetime64[us]", "bool", "bool", *["datetime64[us, UTC]"] * 3, "str"]
    ]
    assert schedule["session_date"].dt.day.tolist() == [25, 26, 27, 28, 29, 1]
    assert schedule["is_session"].tolist() == [True, True, False, False, False, True]
    assert CALENDAR.weekdays(date(2026, 5, 23), date(2026, 6, 1)).tolist() == schedule["session_date"].dt.date.tolist()
    assert CALENDAR.sessions(date(2026, 5, 23), date(2026, 6, 1)).tolist() == [
        date(2026, 5, 25),
        date(2026, 5, 26),
        date(2026, 6, 1),
    ]


def test_a_weekend_has_no_rows_and_the_same_columns():
    empty = CALENDAR.schedule(date(2026, 5, 23), date(2026, 5, 24))
    assert empty.empty
    assert empty.dtypes.equals(CALENDAR.schedule(ORIGIN, ORIGIN).dtypes)
    assert CALENDAR.sessions(date(2026, 5, 23), date(2026, 5, 24)).dtype == "datetime64[D]"
    assert not CALENDAR.is_session(date(2026, 5, 23))


def test_a_caller_cannot_change_the_calendar():
    schedule = CALENDAR.schedule(ORIGIN, ORIGIN)
    schedule.loc[0, ["is_session", "is_half_day", "note"]] = [False, True, "changed"]
    assert row(CALENDAR, ORIGIN)[["is_session", "is_half_day", "note"]].tolist() == [True, False, ""]
    assert CALENDAR.is_session(ORIGIN)
    with pytest.raises(ValueError, match="read-only"):
        CALENDAR.weekdays(ORIGIN, date(2010, 1, 8))[0] = np.datetime64("2020-01-01")


def test_the_calendar_reaches_at_least_the_coming_year_and_ends_on_a_session():
    assert CALENDAR.is_session(CALENDAR.horizon)
    assert CALENDAR.horizon >= date(2027, 11, 19)


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        (date(2024, 1, 5), date(2024, 1, 4), "range is reversed: it starts on 2024-01-05 and ends on 2024-01-04"),
        (date(2010, 1, 3), date(2024, 1, 4), "2010-01-03 lies before 2010-01-04"),
        (date(2024, 1, 5), date(2999, 1, 4), f"2999-01-04 lies after {CALENDAR.horizon}"),
    ],
)
def test_a_range_that_cannot_be_answered_is_refused_naming_the_bound(start, end, reason):
    for question in (CALENDAR.check_range, CALENDAR.sessions, CALENDAR.weekdays, CALENDAR.schedule):
        with pytest.raises(SessionError, match=reason):
            question(start, end)


def test_a_single_day_outside_the_calendar_is_refused_rather_than_closed():
    with pytest.raises(SessionError, match="lies before"):
        CALENDAR.is_session(date(2009, 12, 31))
    with pytest.raises(SessionError, match="lies after"):
        CALENDAR.is_session(CALENDAR.horizon + timedelta(days=1))


def test_the_whole_calendar_is_a_legal_range():
    CALENDAR.check_range(ORIGIN, CALENDAR.horizon)
    assert CALENDAR.weekdays(ORIGIN, CALENDAR.horizon)[0] == np.datetime64("2010-01-04")


@pytest.mark.parametrize(
    ("now", "state", "session", "final"),
    [
        ("2026-11-19 00:00", "closed", "2026-11-18", "2026-11-18"),
        ("2026-11-19 09:39:59.999999", "closed", "2026-11-18", "2026-11-18"),
        ("2026-11-19 09:40", "pre_open", "2026-11-19", "2026-11-18"),
        ("2026-11-19 09:59:59", "pre_open", "2026-11-19", "2026-11-18"),
        ("2026-11-19 10:00", "open", "2026-11-19", "2026-11-18"),
        ("2026-11-19 17:59:59", "open", "2026-11-19", "2026-11-18"),
        ("2026-11-19 18:00", "after_close", "2026-11-19", "2026-11-18"),
        ("2026-11-19 18:09:59", "after_close", "2026-11-19", "2026-11-18"),
        ("2026-11-19 18:10", "after_close", "2026-11-19", "2026-11-19"),
        ("2026-11-19 23:59:59", "after_close", "2026-11-19", "2026-11-19"),
        ("2026-11-21 12:00", "closed", "2026-11-20", "2026-11-20"),  # Saturday
        ("2026-05-26 12:29", "open", "2026-05-26", "2026-05-25"),  # half day
        ("2026-05-26 12:30", "after_close", "2026-05-26", "2026-05-25"),
        ("2026-05-26 12:40", "after_close", "2026-05-26", "2026-05-26"),
        ("2026-05-29 12:00", "closed", "2026-05-26", "2026-05-26"),  # feast
        ("2023-02-14 12:00", "closed", "2023-02-07", "2023-02-07"),
        ("2012-01-10 09:40", "pre_open", "2012-01-10", "2012-01-09"),  # winter time
    ],
)
def test_what_the_exchange_is_doing_at_a_moment(now, state, session, final):
    assert CALENDAR.state_at(istanbul(now)) == MarketState(state)
    assert CALENDAR.session_at(istanbul(now)) == date.fromisoformat(session)
    assert CALENDAR.last_final_session(istanbul(now)) == date.fromisoformat(final)


def test_the_day_of_a_moment_is_that_of_istanbul_not_of_utc():
    assert CALENDAR.session_at(datetime(2026, 11, 18, 22, tzinfo=UTC)) == date(2026, 11, 18)  # 01:00 on the 19th
    assert CALENDAR.state_at(datetime(2026, 11, 18, 22, tzinfo=UTC)) == MarketState.CLOSED


@pytest.mark.parametrize("question", [CALENDAR.state_at, CALENDAR.session_at, CALENDAR.last_final_session])
def test_a_moment_without_zone_or_outside_the_calendar_is_refused(question):
    with pytest.raises(SessionError, match="has no time zone"):
        question(datetime(2026, 11, 19, 12))  # noqa: DTZ001
    with pytest.raises(SessionError, match="lies before"):
        question(istanbul("2010-01-03 12:00"))
    with pytest.raises(SessionError, match="lies after"):
        question(istanbul("2999-01-03 12:00"))


def test_before_the_first_session_there_is_nothing_to_answer():
    with pytest.raises(SessionError, match="no session has begun"):
        CALENDAR.session_at(istanbul("2010-01-04 09:39"))
    with pytest.raises(SessionError, match="no session is final"):
        CALENDAR.last_final_session(istanbul("2010-01-04 18:09"))
    assert CALENDAR.last_final_session(istanbul("2010-01-04 18:10")) == ORIGIN


@given(moments)
def test_the_three_answers_about_a_moment_agree(now):
    state, session, final = CALENDAR.state_at(now), CALENDAR.session_at(now), CALENDAR.last_final_session(now)
    assert CALENDAR.is_session(session)
    assert final <= session <= now.date()
    assert (session == now.date()) == (state != MarketState.CLOSED)
    assert row(CALENDAR, final)["final_at"] <= now
    assert len(CALENDAR.sessions(final, session)) <= 2


def test_a_desk_without_exceptions_needs_no_file(tmp_path):
    assert load_calendar(tmp_path / "calendar_overrides.csv") is load_calendar()


def test_the_overrides_of_a_desk_win(write):
    calendar = load_calendar(
        write(
            "\ufeffsession_date;kind;reason\r\n2024-01-23;closed;Kar yağışı\r\n\r\n2024-01-24;half_day;Bad weather\r\n"
            '2026-05-29;open;"Feast; shortened"\r\n2026-05-28;half_day;Feast shortened\r\n2026-05-26;open;Whole eve\r\n'
            "2023-02-08;open;For the test\r\n"
        )
    )
    assert not calendar.is_session(date(2024, 1, 23))
    assert row(calendar, date(2024, 1, 23))["note"] == "Kar yağışı"
    assert calendar.state_at(istanbul("2024-01-23 12:00")) == MarketState.CLOSED
    assert calendar.last_final_session(istanbul("2024-01-24 12:40")) == date(2024, 1, 24)
    opened = calendar.schedule(date(2026, 5, 26), date(2026, 5, 29)).set_index("session_date")
    assert opened["is_session"].tolist() == [True, False, True, True]
    assert opened["is_half_day"].tolist() == [False, False, True, False]
    assert opened["close_at"].dt.strftime("%H:%M").tolist() == ["15:00", np.nan, "09:30", "15:00"]
    assert opened.loc["2026-05-29", "note"] == "Feast; shortened"
    assert calendar.is_session(date(2023, 2, 8))
    assert not load_calendar().is_session(date(2023, 2, 8))


def test_an_edited_file_is_read_again(write):
    assert not load_calendar(write("session_date,kind,reason\n2024-01-23,closed,Snow\n")).is_session(date(2024, 1, 23))
    assert load_calendar(write("session_date,kind,reason\n")).is_session(date(2024, 1, 23))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "line 1: not the three columns' names"),
        ("2024-01-23,closed,Snow\n", "line 1: not the three columns' names"),
        ("session_date,kind,reason\n23.01.2024,closed,Snow\n", "line 2: Invalid isoformat string: '23.01.2024'"),
        ("session_date,kind,reason\n\n2024-02-30,closed,Snow\n", "line 3: day is out of range for month"),
        ("session_date,kind,reason\n2024-01-23,shut,Snow\n", "line 2: kind is 'shut'"),
        ("session_date,kind,reason\n2024-01-23,closed,\n", "line 2: the reason is empty"),
        ("session_date,kind,reason\n2024-01-23,closed\n", "line 2: 2 fields instead of 3"),
        ("session_date,kind,reason\n2024-01-23,closed,Snow, ice\n", "line 2: 4 fields instead of 3"),
        ("session_date,kind,reason\n2024-01-27,open,Extra\n", "line 2: 2024-01-27 is a Saturday"),
        ("session_date,kind,reason\n2009-01-27,closed,x\n", "line 2: 2009-01-27 lies before"),
        ("session_date,kind,reason\n2924-01-23,closed,x\n", "line 2: 2924-01-23 lies after"),
        ("session_date,kind,reason\n2024-01-23,closed,a\n2024-01-23,open,b\n", "line 3: 2024-01-23 occurs twice"),
        ('session_date,kind,reason\n2024-01-23,closed,"Snow\n', "line 2: unexpected end of data"),
        (b"session_date,kind,reason\n2024-01-23,closed,\xfe\n", "cannot be read"),
    ],
)
def test_a_broken_file_is_refused_naming_file_line_and_legal_form(write, content, reason):
    path = write(content)
    with pytest.raises(SessionError) as caught:
        load_calendar(path)
    message = str(caught.value)
    assert str(path) in message
    assert reason in message
    assert "legal kinds: closed, half_day, open" in message
    assert len(message.splitlines()) == 1


def test_a_folder_in_place_of_the_file_is_refused(tmp_path):
    with pytest.raises(SessionError, match="cannot be read"):
        load_calendar(tmp_path)


def test_importing_the_calendar_does_not_load_the_exchange():
    code = "import sys, bist_pipeline.core.calendar; sys.exit('exchange_calendars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.realdata
def test_sessions_and_hours_are_those_recorded(recordings):
    recorded = pd.read_csv(recordings / "calendar" / "xist_sessions_2000_2027.csv", index_col=0, parse_dates=True)
    recorded = recorded[(recorded.index >= pd.Timestamp(ORIGIN)) & (recorded.index <= pd.Timestamp(CALENDAR.horizon))]
    schedule = CALENDAR.schedule(ORIGIN, recorded.index[-1].date())
    ours = schedule[schedule["is_session"]].set_index("session_date")
    assert ours.index.tolist() == recorded.index.tolist()
    assert (ours["open_at"] == pd.to_datetime(recorded["open"])).all()
    assert (ours["close_at"] == pd.to_datetime(recorded["close"])).all()
    assert ours["is_half_day"].tolist() == recorded["early_close"].tolist()
    holidays = pd.read_csv(recordings / "calendar" / "xist_weekday_holidays_2000_2027.csv")["date"]
    closed = schedule.loc[~schedule["is_session"], "session_date"].dt.strftime("%Y-%m-%d").tolist()
    assert closed == holidays[(holidays >= ORIGIN.isoformat()) & (holidays <= str(recorded.index[-1]))].tolist()


@pytest.mark.realdata
def test_every_day_with_trades_in_many_shares_was_a_session(recordings):
    traded = pd.Series(0, index=pd.DatetimeIndex([]))
    for path in sorted((recordings / "bist_daily").glob("*.csv")):
        bars = pd.read_csv(path, index_col=0, parse_dates=True)
        traded = traded.add((bars["Volume"] > 0).astype(int), fill_value=0)
    days = [day.date() for day in traded[traded > 0].index]
    sessions = CALENDAR.sessions(days[0], days[-1]).tolist()
    assert set(days) - set(sessions) == {date(2023, 2, 8)}  # cancelled: the trades were voided
    assert set(sessions) <= set(days)
