"""Each organ, healthy and at fault."""

import shutil
from collections import namedtuple
from datetime import UTC, date, datetime, time, timedelta
from importlib import metadata

import pytest

from bist_pipeline.core.calendar import OVERRIDES_FILE
from bist_pipeline.core.clock import FixedClock, SystemClock
from bist_pipeline.core.errors import ContractError
from bist_pipeline.core.listings_file import LISTINGS_FILE
from bist_pipeline.core.ticks import snap
from bist_pipeline.operations.home_lock import HomeLock
from bist_pipeline.pipeline import doctor
from bist_pipeline.pipeline.actions import ACTIONS_FILE
from bist_pipeline.pipeline.doctor import examine
from bist_pipeline.settings import YAHOO_HOSTS
from bist_pipeline.simulator.market import invent_market
from bist_pipeline_tests.archives import simulated_bars, write_archive
from bist_pipeline_tests.pipeline.answers import write_candles
from bist_pipeline_tests.pipeline.exchanges import asking, load, moment, play_faults, standing
from bist_pipeline_tests.pipeline.sites import run

ORGANS = [
    *("versions", "disk", "kill switch", "calendar", "desk", "universe", "provider", "second source", "exchange"),
    *("up", "database", "desk and prices", "chart history", "circuits", "clock", "reader role"),
]
DAYS_OFF = ("ZZAAA 2026-08-08", "ZZAAB 2026-05-01")
Usage = namedtuple("Usage", ["total", "used", "free"])


@pytest.fixture
def healthy(settings, tmp_path):
    write_archive(tmp_path / "archive", simulated_bars(symbols=2, sessions=5))
    return settings


def found(settings, clock=None):
    return {one.organ: one for one in examine(settings, clock or SystemClock())}


def test_a_healthy_home_is_ok_in_every_organ(healthy):
    organs = found(healthy)
    assert list(organs) == ORGANS
    assert {name for name, one in organs.items() if one.grade != "ok"} == {"up"}
    assert all(not one.advice for name, one in organs.items() if name != "up")
    assert "2 symbols" in organs["provider"].found


def test_a_running_up_is_told_with_its_address(healthy):
    with HomeLock(healthy.bist_home).held("http://127.0.0.1:3333"):
        one = found(healthy)["up"]
    assert one.grade == "ok"
    assert "http://127.0.0.1:3333" in one.found


@pytest.fixture(scope="module")
def market():
    return invent_market(symbols=2, first=date(2026, 8, 3), last=date(2026, 8, 7))


def test_a_simulated_exchange_is_told_with_its_time(sites, market):
    with standing(market, moment(date(2026, 8, 5), time(12, 0))) as running:
        settings = asking(sites, running).settings
        organs = found(settings)
        assert list(organs) == ORGANS
        assert organs["exchange"].grade == organs["circuits"].grade == "ok"
        assert organs["exchange"].found == f"{running.url}: simulated; its time is 2026-08-05 09:00 UTC"
    organs = found(settings)  # it has ended
    assert organs["exchange"].grade == "fault"
    assert "`bist-pipeline up --simulated`" in organs["exchange"].advice
    assert {name for name, one in organs.items() if one.grade == "fault"} == {"exchange"}


def test_yahoo_is_not_asked_by_an_examination(healthy):
    settings = healthy.model_copy(update={"bist_providers": ("yahoo_chart",), "bist_live_providers": ("yahoo_quote",)})
    one = found(settings)["exchange"]
    assert one.grade == "ok"
    assert one.found.startswith(f"{', '.join(YAHOO_HOSTS)}: Yahoo, not asked by this command; its time is ")


def test_a_circuit_that_is_open_is_worth_a_warning_and_says_until_when(sites, market):
    with standing(market, moment(date(2026, 8, 5), time(12, 0))) as running:
        context = asking(sites, running)
        play_faults(running, {"429": 1.0})
        with pytest.raises(ContractError, match="0 of 2 symbols answered"):
            load(context, date(2026, 8, 3), date(2026, 8, 4))
        one = found(context.settings)["circuits"]
    assert (one.grade, one.advice) == ("warn", "wait: one request probes it then")
    assert one.found.startswith("circuit open until ")


def full_disk(settings, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9 - 5, 5))
    return settings


def set_switch(settings, _):
    place = settings.bist_home.parent / "stop"
    place.write_text("holidays\n")
    return settings.model_copy(update={"bist_kill_switch": place})


def broken_calendar(settings, _):
    settings.bist_home.mkdir(parents=True, exist_ok=True)
    (settings.bist_home / OVERRIDES_FILE).write_text("day;what\n")
    return settings


def broken_actions(settings, _):
    settings.bist_home.mkdir(parents=True, exist_ok=True)
    (settings.bist_home / ACTIONS_FILE).write_text("symbol,ex_date,kind,ratio\nZZAAA,2026-08-05,splitt,2\n")
    return settings


def broken_listings(settings, _):
    settings.bist_home.mkdir(parents=True, exist_ok=True)
    (settings.bist_home / LISTINGS_FILE).write_text("symbol,listed_on\nZZAAA,5.8.2026\n")
    return settings


def unknown_second(settings, _):
    return settings.model_copy(update={"bist_second_provider": "bloomberg"})


def second_without_a_folder(settings, _):
    return settings.model_copy(update={"bist_second_provider": "second_archive"})


def broken_universe(settings, _):
    return settings.model_copy(update={"bist_universe": "/no/such/list.csv"})


def no_archive(settings, _):
    return settings.model_copy(update={"bist_archive_dir": None})


def missing_package(settings, monkeypatch):
    def version(name):
        if name == "TA-Lib":
            raise metadata.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(doctor, "version", version)
    return settings


@pytest.mark.parametrize(
    ("organ", "break_it", "told"),
    [
        ("versions", missing_package, "TA-Lib is not installed"),
        ("disk", full_disk, "MB free"),
        ("kill switch", set_switch, "holidays"),
        ("calendar", broken_calendar, "calendar_overrides.csv, line 1"),
        ("desk", broken_actions, "line 2: kind = 'splitt'"),
        ("desk", broken_listings, "line 2: listed_on = '5.8.2026'"),
        ("second source", unknown_second, "BIST_SECOND_PROVIDER names 'bloomberg'"),
        ("second source", second_without_a_folder, "BIST_SECOND_ARCHIVE_DIR is not set"),
        ("universe", broken_universe, "/no/such/list.csv cannot be read"),
        ("provider", no_archive, "BIST_ARCHIVE_DIR is not set"),
    ],
)
def test_a_fault_of_one_organ_is_told_with_advice_and_hides_no_other(healthy, monkeypatch, organ, break_it, told):
    organs = found(break_it(healthy, monkeypatch))
    assert list(organs) == ORGANS
    assert organs[organ].grade == "fault"
    assert told in organs[organ].found
    assert organs[organ].advice
    assert {name for name, one in organs.items() if one.grade == "fault"} == {organ}


def desk_files(settings, actions="", listings=""):
    settings.bist_home.mkdir(parents=True, exist_ok=True)
    (settings.bist_home / ACTIONS_FILE).write_text(f"symbol,ex_date,kind,ratio,new_symbol\n{actions}")
    (settings.bist_home / LISTINGS_FILE).write_text(f"symbol,delisted_on,renamed_on,renamed_to\n{listings}")


def test_files_of_the_desk_about_followed_symbols_are_counted(healthy):
    desk_files(healthy, "zzaaa,2026-08-05,split,2,\n", "ZZAAB.IS,2026-08-05,,\n")  # of the archive alone
    one = found(healthy)["desk"]
    assert (one.grade, one.found) == ("ok", "1 corporate actions and 1 listings of the desk's own")


def test_symbols_of_the_desk_that_nobody_follows_are_worth_a_warning(healthy):
    renames = "".join(f"ZZAAB,2026-08-{day:02d},rename,,ZZNW{day:02d}\n" for day in range(3, 8))
    desk_files(healthy, f"ZZXXX,2026-08-05,split,2,\n{renames}", "ZZYYY,2026-08-05,,\n")
    one = found(healthy)["desk"]
    assert one.grade == "warn"
    assert one.found.endswith("; not in the universe: ZZNW03, ZZNW04, ZZNW05, ZZNW06, ZZNW07 and 2 more")
    assert "BIST_UNIVERSE" in one.advice


def test_days_of_the_desk_on_which_nothing_is_traded_are_worth_a_warning(healthy):
    desk_files(healthy, "ZZAAA,2026-08-05,split,2,\nZZAAA,2026-08-08,split,2,\nZZAAB,2026-05-01,split,2,\n")
    one = found(healthy)["desk"]
    saturday, holiday = (f"{ACTIONS_FILE}:{n} ({told})" for n, told in enumerate(DAYS_OFF, start=3))
    assert (one.grade, one.found.partition("; ")[2]) == ("warn", f"ex_date is no session: {saturday}, {holiday}")
    assert one.advice == "correct the day, or calendar_overrides.csv"


@pytest.mark.parametrize(("halved_on", "refuted"), [(40, False), (30, True), (60, True)])
def test_actions_of_the_desk_that_prices_refute_are_named_with_their_line(sites, tmp_path, halved_on, refuted):
    """Stated for the forty-first session: it happened then, ten sessions before, or never."""
    bars = simulated_bars(symbols=2, sessions=60)
    days = sorted({day.date() for day in bars["session_date"]})
    halved = (bars["symbol"] == "ZZAAA") & (bars["session_date"].dt.date >= [*days, date.max][halved_on])
    for name in ("open_try", "high_try", "low_try", "close_try"):
        dates = bars.loc[halved, "session_date"].to_numpy().astype("datetime64[D]")
        bars.loc[halved, name] = snap(bars.loc[halved, name].to_numpy() / 2, dates)[0]
    context = sites.make(write_archive(tmp_path / "bars", bars), bist_archive_basis="as_traded")
    desk_files(context.settings, f"ZZAAA,{days[40]},split,2,\n")
    run(context, days[0], days[-1])
    one = found(context.settings)["desk and prices"]
    if refuted:
        assert one.found.startswith(f"prices refute {ACTIONS_FILE}:2 (ZZAAA {days[40]}): the action of ")
    assert (one.grade, bool(one.advice)) == (("warn", True) if refuted else ("ok", False))


def test_a_second_source_is_told_with_what_it_holds(healthy, tmp_path):
    write_archive(tmp_path / "second", simulated_bars(symbols=1, sessions=5))
    chosen = {"bist_second_provider": "second_archive", "bist_second_archive_dir": tmp_path / "second"}
    one = found(healthy.model_copy(update=chosen))["second source"]
    assert (one.grade, one.found) == ("ok", "second_archive: 1 symbols; bars served: first")


@pytest.mark.parametrize(("seconds", "grade"), [(5, "ok"), (120, "fault"), (-3600, "fault")])
def test_a_clock_that_is_off_is_told(healthy, seconds, grade):
    one = found(healthy, FixedClock(datetime.now(UTC) + timedelta(seconds=seconds)))["clock"]
    assert (one.grade, bool(one.advice)) == (grade, grade == "fault")


def test_a_database_that_nobody_can_reach_is_one_fault(healthy):
    url = healthy.bist_database_url.get_secret_value().replace("test_", "no_such_test_")
    organs = list(
        examine(healthy.model_copy(update={"bist_database_url": type(healthy.bist_database_url)(url)}), SystemClock())
    )
    faults = [one for one in organs if one.grade == "fault"]
    assert [one.organ for one in faults] == ["database"]
    assert "BIST_DATABASE_URL" in faults[0].advice
    assert "\n" not in faults[0].found


def test_an_empty_database_and_an_older_one_are_worth_a_warning(healthy, database):
    execute_on(database, "COMMENT ON SCHEMA serving IS 'bist_pipeline 0123'")
    assert found(healthy)["database"].grade == "warn"
    execute_on(database, "COMMENT ON SCHEMA serving IS NULL")
    one = found(healthy)["database"]
    assert (one.grade, "empty" in one.found) == ("warn", True)


def execute_on(database, sql):
    database.run_alone(sql)


def test_a_missing_reader_role_is_worth_a_warning(healthy, monkeypatch):
    monkeypatch.setattr(doctor, "READER", "bist_nobody")
    one = found(healthy)["reader role"]
    assert one.grade == "warn"
    assert "CREATE ROLE bist_nobody" in one.advice


def test_history_without_chart_patterns_is_told_while_it_is_so(healthy, context):
    assert found(healthy)["chart history"].grade == "ok"
    write_candles(context.database, {("ZZAAA", date(2024, 1, 2), "doji"): 100, ("ZZAAA", date(2024, 1, 4), "doji"): 80})
    one = found(healthy)["chart history"]
    assert one.grade == "warn"
    assert "2024-01-02 to 2024-01-04" in one.found
    assert "`up`" in one.advice
    context.database.run_alone("UPDATE analytics.candlestick_patterns SET is_locked = false")
    assert found(healthy)["chart history"].grade == "ok"


def test_charts_are_not_looked_for_in_a_database_that_is_not_migrated(healthy, context):
    context.database.run_alone("ALTER TABLE analytics.candlestick_patterns DROP COLUMN is_locked")
    context.database.run_alone("COMMENT ON SCHEMA serving IS 'bist_pipeline 0123'")
    organs = found(healthy)
    assert organs["chart history"].grade == "ok"
    assert organs["database"].grade == "warn"
