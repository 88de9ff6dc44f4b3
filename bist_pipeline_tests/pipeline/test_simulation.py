"""Which market `up --simulated` invents and what time it is there."""

import socket
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bist_pipeline.core.calendar import ORIGIN, load_calendar
from bist_pipeline.core.errors import SessionError, SettingsError
from bist_pipeline.pipeline.simulation import SEED, SYMBOLS, latest_moment, plan_simulation
from bist_pipeline.settings import load_settings, remember
from bist_pipeline.simulator.market import invent_market
from bist_pipeline_tests.pipeline.exchanges import asking, load, moment, play, standing

CALENDAR = load_calendar()
WEDNESDAY, THURSDAY, FRIDAY = date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20)
SATURDAY, SUNDAY, MONDAY = date(2026, 11, 21), date(2026, 11, 22), date(2026, 11, 23)
HALF_DAY, HOLIDAY = date(2026, 10, 28), date(2026, 10, 29)  # a Wednesday that ends at 12:30, and the day after
FEAST = (date(2026, 5, 26), date(2026, 5, 29))  # from its eve, a half day, to a Friday
LATE_MORNING = time(11, 0)
MINUTE = timedelta(minutes=1)


def planned(machine_now, **options):
    """What time it is there, beside the machine's."""
    return machine_now - plan_simulation(load_settings(), CALENDAR, machine_now, **options).behind


@pytest.mark.parametrize(
    ("machine", "there"),
    [
        (moment(FRIDAY, time(10, 14)), moment(THURSDAY, LATE_MORNING)),  # the first quotes come at 10:15
        (moment(FRIDAY, time(10, 15)), moment(FRIDAY, time(10, 15))),
        (moment(FRIDAY, time(13, 0)), moment(FRIDAY, time(13, 0))),
        (moment(FRIDAY, time(17, 15)), moment(FRIDAY, time(17, 15))),
        (moment(FRIDAY, time(17, 16)), moment(FRIDAY, LATE_MORNING)),  # the rest is too short to watch
        (moment(FRIDAY, time(23, 30)), moment(FRIDAY, LATE_MORNING)),
        (moment(SATURDAY, time(0, 30)), moment(FRIDAY, LATE_MORNING)),
        (moment(SUNDAY, time(15, 0)), moment(FRIDAY, LATE_MORNING)),
        (moment(MONDAY, time(9, 0)), moment(FRIDAY, LATE_MORNING)),
        (moment(HALF_DAY, time(11, 45)), moment(HALF_DAY, time(11, 45))),
        (moment(HALF_DAY, time(11, 46)), moment(HALF_DAY, LATE_MORNING)),
        (moment(HOLIDAY, time(12, 0)), moment(HALF_DAY, LATE_MORNING)),
        (moment(FEAST[1], time(12, 0)), moment(FEAST[0], LATE_MORNING)),
    ],
    ids=lambda at: f"{at:%a %d %b %H:%M}",
)
def test_a_session_is_running_there_whatever_the_hour(machine, there):
    assert planned(machine) == there
    assert CALENDAR.state_at(there) == "open"


SEEN = moment(THURSDAY, time(15, 20))


@pytest.mark.parametrize(
    ("machine", "latest", "there"),
    [
        # Started again at night: time goes on from what was seen, not from eleven.
        (moment(THURSDAY, time(23, 0)), SEEN, SEEN),
        (moment(THURSDAY, time(23, 0)), moment(THURSDAY, time(18, 30)), moment(THURSDAY, time(18, 30))),
        # What was seen lies before the session that is replayed now.
        (moment(SATURDAY, time(12, 0)), SEEN, moment(FRIDAY, LATE_MORNING)),
        # The exchange trades now.
        (moment(FRIDAY, time(13, 0)), SEEN, moment(FRIDAY, time(13, 0))),
        # A person has set the exchange's clock ahead of the machine's: back it does not go.
        (moment(FRIDAY, time(13, 0)), moment(FRIDAY, time(18, 30)), moment(FRIDAY, time(18, 30))),
    ],
)
def test_time_there_never_goes_back_behind_what_is_stored(machine, latest, there):
    assert planned(machine, latest=latest) == there


MINUTES = st.integers(0, 10 * 365 * 24 * 60).map(lambda minutes: datetime(2016, 11, 20, tzinfo=UTC) + minutes * MINUTE)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(machine=MINUTES, ago=st.none() | st.timedeltas(timedelta(0), timedelta(days=20)))
def test_time_there_is_never_ahead_of_the_machine_nor_behind_what_is_stored(machine, ago):
    latest = None if ago is None else machine - ago
    there = planned(machine, latest=latest)
    assert there <= machine
    assert latest is None or there >= latest
    assert latest is not None or CALENDAR.state_at(there) == "open"


def test_a_person_says_what_time_it_is_there():
    assert planned(moment(FRIDAY, time(13, 0)), at=moment(WEDNESDAY, time(17, 59))) == moment(WEDNESDAY, time(17, 59))
    assert planned(moment(FRIDAY, time(13, 0)), at=SEEN, latest=SEEN) == SEEN


@pytest.mark.parametrize(
    ("at", "latest", "error", "reason"),
    [
        (moment(FRIDAY, time(13, 1)), None, SettingsError, "lies in the future: Dagster has no partition for it yet"),
        (moment(THURSDAY, time(15, 19)), SEEN, SettingsError, "which this home has seen: take another BIST_HOME"),
        (datetime(2009, 1, 5, 9, tzinfo=UTC), None, SessionError, "2010-01-04"),
    ],
    ids=["in the future", "before what is stored", "before the calendar"],
)
def test_a_time_that_cannot_be_is_refused(at, latest, error, reason):
    with pytest.raises(error, match=reason):
        planned(moment(FRIDAY, time(13, 0)), at=at, latest=latest)


@pytest.fixture
def first_plan():
    return plan_simulation(load_settings(), CALENDAR, moment(FRIDAY, time(13, 0)))


def test_a_first_market_has_three_years_behind_it(first_plan):
    assert (first_plan.seed, first_plan.symbols, first_plan.first) == (SEED, SYMBOLS, date(2023, 11, 1))
    early = plan_simulation(load_settings(), CALENDAR, moment(FRIDAY, time(13, 0)), at=moment(date(2011, 3, 1)))
    assert early.first == ORIGIN


def test_the_next_start_has_the_same_market_on_the_same_port(first_plan):
    home = load_settings().bist_home
    remember(load_settings(), first_plan.variables(home))
    second = plan_simulation(load_settings(), CALENDAR, moment(date(2027, 2, 1), time(13, 0)))
    assert (second.told, second.port) == (first_plan.told, first_plan.port)


def test_a_port_that_somebody_has_taken_meanwhile_is_left_to_him(first_plan):
    remember(load_settings(), first_plan.variables(load_settings().bist_home))
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", first_plan.port))
        taken.listen()
        second = plan_simulation(load_settings(), CALENDAR, moment(FRIDAY, time(14, 0)))
    assert second.told == first_plan.told
    assert second.port not in {0, first_plan.port}


@pytest.mark.parametrize("told", ["seed=7", "seed=x symbols=3 first=2026-01-02", "seed=7 symbols=3 first=soon", "7 3"])
def test_a_market_that_cannot_be_read_is_refused(monkeypatch, told):
    monkeypatch.setenv("BIST_SIMULATION", told)
    with pytest.raises(SettingsError, match="expected `seed=7 symbols=150 first=2023-11-01`"):
        planned(moment(FRIDAY, time(13, 0)))


def test_everything_else_is_told_to_ask_this_exchange_and_no_other(first_plan, monkeypatch):
    monkeypatch.setenv("YAHOO_HOSTS", "https://query2.finance.yahoo.com")
    monkeypatch.setenv("BIST_PROVIDERS", "archive")
    home = load_settings().bist_home
    made = first_plan.settings(home)
    assert made.yahoo_hosts == (f"http://127.0.0.1:{first_plan.port}",)
    assert made.yahoo_requests_per_second == 0
    assert made.bist_providers == ("yahoo_chart", "yfinance")
    assert made.bist_universe == str(home / "simulated_universe.csv")
    assert first_plan.told == made.bist_simulation


def test_the_exchange_is_started_with_what_was_planned(first_plan, tmp_path):
    child = first_plan.child(tmp_path)
    options = dict(zip(child.argv[4::2], child.argv[5::2], strict=True))
    assert child.argv[3] == "simulate"
    assert options["--port"] == str(first_plan.port)
    assert (options["--seed"], options["--symbols"], options["--first"]) == (str(SEED), str(SYMBOLS), "2023-11-01")
    assert float(options["--behind"]) == 0
    assert options["--universe"] == str(tmp_path / "simulated_universe.csv")


def test_the_latest_moment_is_the_exchanges_own(sites):
    market, noon = invent_market(symbols=2, first=date(2026, 10, 1), last=FRIDAY), moment(THURSDAY, time(12, 0))
    with standing(market, noon) as running:
        context = asking(sites, running)
        assert latest_moment(context.database) is None
        load(context, date(2026, 11, 2), THURSDAY)
        loaded = latest_moment(context.database)
        assert loaded is not None
        assert loaded <= noon
        later = moment(THURSDAY, time(14, 0))
        play(context, running, [later])
        assert latest_moment(context.database) == later
