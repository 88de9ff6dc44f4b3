"""Examining a home: what is wrong and what to do about it.

Belongs here: one small function per organ, each returning a diagnosis; a fault of one does not hide the others.
"""

import platform
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import pandas as pd

from bist_pipeline.core.calendar import ORIGIN, load_calendar
from bist_pipeline.core.clock import Clock
from bist_pipeline.core.errors import BistError, ProviderError
from bist_pipeline.core.listings_file import LISTINGS_FILE, read_listings
from bist_pipeline.core.universe import load_universe
from bist_pipeline.operations import kill_switch
from bist_pipeline.operations.disk import check_disk, free_bytes
from bist_pipeline.operations.home_lock import running_instance
from bist_pipeline.pipeline.actions import ACTIONS_FILE, desk_file
from bist_pipeline.pipeline.context import open_database, overrides_path
from bist_pipeline.pipeline.history import sessions_without_charts
from bist_pipeline.pipeline.models import is_prepared
from bist_pipeline.pipeline.pacing import circuit_open
from bist_pipeline.pipeline.second_source import open_second
from bist_pipeline.providers.registry import build_live_providers, build_providers, exchange_clock
from bist_pipeline.settings import Settings
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.migrate import current_fingerprint
from bist_pipeline.storage.views import READER

Grade = Literal["ok", "warn", "fault"]

# Five hundred symbols since 2010 with every version take about 6 GB; below this a first load may not fit.
LEAST_FREE_BYTES = 2 * 1024**3

# A clock that is off by more calls forming bars final, or final ones forming.
MOST_CLOCK_DIFFERENCE = timedelta(seconds=30)

# A wrong file may name strangers on every line; a person needs the first few.
_NAMED = 5

_PACKAGES = ("dagster", "dagster-postgres", "pandas", "numpy", "TA-Lib", "SQLAlchemy", "adbc-driver-postgresql")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found of one organ, and what to do about it (empty when nothing)."""

    organ: str
    grade: Grade
    found: str
    advice: str = ""


def examine(settings: Settings, clock: Clock) -> Iterator[Diagnosis]:
    """Examine everything, one organ after the other."""
    yield _versions()
    yield _guarded("disk", lambda: _disk(settings), "free some space, or set BIST_HOME to another disk")
    yield _guarded("kill switch", lambda: _kill_switch(settings), "remove the file to go on")
    yield _guarded("calendar", lambda: _calendar(settings, clock), "correct calendar_overrides.csv in the home")
    yield _guarded("desk", lambda: _desk(settings), f"correct {ACTIONS_FILE} or {LISTINGS_FILE} in the home")
    yield _guarded("universe", lambda: _universe(settings), "correct BIST_UNIVERSE")
    yield _guarded("provider", lambda: _provider(settings), "correct BIST_PROVIDERS, BIST_ARCHIVE_DIR or YAHOO_HOSTS")
    yield _guarded("second source", lambda: _second(settings), "correct BIST_SECOND_PROVIDER and what belongs to it")
    yield _guarded("exchange", lambda: _exchange(settings), "start `bist-pipeline up --simulated`, or `simulate`")
    yield _guarded("up", lambda: _up(settings), "")
    try:
        with open_database(settings) as database:
            database.rows("SELECT 1")  # a server that nobody can reach is one fault, not one of each organ in it
            yield _guarded("database", lambda: _database(database), "upgrade the server")
            yield _guarded("desk and prices", lambda: _refuted(database), "")
            yield _guarded("chart history", lambda: _charts(database), "")
            yield _guarded("circuits", lambda: _circuits(database), "wait: it recovers by itself")
            yield _guarded("clock", lambda: _clock(database, clock), "synchronise the machine's clock (NTP)")
            yield _guarded("reader role", lambda: _reader(database), "")
    except BistError as error:
        yield Diagnosis("database", "fault", str(error), "start it, or correct BIST_DATABASE_URL")


def _guarded(organ: str, examination: Callable[[], Diagnosis], advice: str) -> Diagnosis:
    try:
        return examination()
    except BistError as error:
        return Diagnosis(organ, "fault", str(error), advice)


def _versions() -> Diagnosis:
    found = [f"Python {platform.python_version()}"]
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            return Diagnosis("versions", "fault", f"{name} is not installed", "install the project again")
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    advice = "" if supported else "use Python 3.11 to 3.13"
    return Diagnosis("versions", "ok" if supported else "warn", ", ".join(found), advice)


def _disk(settings: Settings) -> Diagnosis:
    check_disk(settings.bist_home, LEAST_FREE_BYTES)
    return Diagnosis("disk", "ok", f"{free_bytes(settings.bist_home) / 1024**3:.1f} GB free at {settings.bist_home}")


def _kill_switch(settings: Settings) -> Diagnosis:
    kill_switch.check(settings.bist_kill_switch)
    return Diagnosis("kill switch", "ok", f"{settings.bist_kill_switch or 'none configured'}: not set")


def _calendar(settings: Settings, clock: Clock) -> Diagnosis:
    calendar = load_calendar(overrides_path(settings))
    state = calendar.state_at(_at_the_exchange(settings, clock).now())
    return Diagnosis("calendar", "ok", f"the exchange is {state.replace('_', ' ')}; known up to {calendar.horizon}")


def _at_the_exchange(settings: Settings, clock: Clock) -> Clock:
    try:
        simulated = settings.asks_loopback and settings.bist_providers != ("archive",)
        return exchange_clock(settings) if simulated else clock
    except ProviderError:
        return clock  # another organ tells of it


def _desk(settings: Settings) -> Diagnosis:
    actions, listings = desk_file(settings), read_listings(settings.bist_home / LISTINGS_FILE)
    told = f"{len(actions)} corporate actions and {len(listings)} listings of the desk's own"
    of_actions = {*actions["symbol"], *actions["new_symbol"]}
    strangers = _not_followed(settings, {*of_actions, *(s for one in listings for s in (one.symbol, one.renamed_to))})
    no_sessions = _on_no_session(settings, actions)
    if not strangers and not no_sessions:
        return Diagnosis("desk", "ok", told)
    found, advice = [told], list[str]()
    if strangers:
        found.append(f"not in the universe: {_named(strangers)}")
        advice.append("correct the code, or add it to BIST_UNIVERSE")
    if no_sessions:
        found.append(f"ex_date is no session: {_named(no_sessions)}")
        advice.append("correct the day, or calendar_overrides.csv")
    return Diagnosis("desk", "warn", "; ".join(found), "; ".join(advice))


def _named(texts: Sequence[str]) -> str:
    return ", ".join(texts[:_NAMED]) + (f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else "")


def _on_no_session(settings: Settings, actions: pd.DataFrame) -> list[str]:
    """Lines whose day is none on which the exchange trades, as far as the calendar reaches."""
    try:
        calendar = load_calendar(overrides_path(settings))
    except BistError:
        return []  # another organ tells of it
    days = pd.to_datetime(actions["ex_date"])
    known = (days >= pd.Timestamp(ORIGIN)) & (days <= pd.Timestamp(calendar.horizon))
    wrong = actions[known & ~days.isin(pd.to_datetime(calendar.sessions(ORIGIN, calendar.horizon)))]
    return [f"{row['source']} ({row['symbol']} {str(row['ex_date'])[:10]})" for row in wrong.to_dict("records")]


# The verdict stands on the first bar from the ex-date on.
_REFUTED = """
SELECT a.source, a.symbol, a.ex_date, v.reason FROM reference.corporate_actions AS a
JOIN market.verdicts AS v ON v.symbol = a.symbol AND v.rule = 'action_without_effect' AND v.session_date >= a.ex_date
WHERE a.origin = 'desk' AND NOT EXISTS (
    SELECT FROM market.daily_prices AS d
    WHERE d.symbol = a.symbol AND d.session_date >= a.ex_date AND d.session_date < v.session_date)
ORDER BY a.symbol, a.ex_date, a.kind"""


def _refuted(database: Database) -> Diagnosis:
    """Which of the desk's actions are in force though the price of their day shows nothing of them."""
    organ = "desk and prices"
    if current_fingerprint(database) is None:
        return Diagnosis(organ, "ok", "nothing is stored yet")
    rows = database.rows(_REFUTED)
    if not rows:
        return Diagnosis(organ, "ok", "no price refutes an action of the desk's")
    lines = list(dict.fromkeys(f"{row.source} ({row.symbol} {row.ex_date})" for row in rows))
    found = f"prices refute {_named(lines)}: {rows[0].reason}"
    return Diagnosis(organ, "warn", found, f"correct the day in {ACTIONS_FILE}, or take the line out")


def _not_followed(settings: Settings, symbols: Iterable[str]) -> list[str]:
    """Which symbols the universe lacks; none while universe or providers are at fault, which other organs tell of."""
    try:
        offered = {known for provider in build_providers(settings) for known in provider.symbols() or ()}
        followed = set(load_universe(settings.bist_universe, also=sorted(offered))["symbol"])
    except BistError:
        return []
    return sorted(set(symbols) - followed - {""})


def _universe(settings: Settings) -> Diagnosis:
    universe = load_universe(settings.bist_universe)
    return Diagnosis("universe", "ok", f"{len(universe)} instruments from {settings.bist_universe}")


def _provider(settings: Settings) -> Diagnosis:
    providers = build_providers(settings)
    build_live_providers(settings)
    told = [
        f"{p.name}: {'any symbol' if (known := p.symbols()) is None else f'{len(known)} symbols'}" for p in providers
    ]
    return Diagnosis("provider", "ok", "; ".join(told))


def _second(settings: Settings) -> Diagnosis:
    second = open_second(settings)
    if second is None:
        return Diagnosis("second source", "ok", "none configured (BIST_SECOND_PROVIDER)")
    symbols = second.symbols()
    told = "any symbol" if symbols is None else f"{len(symbols)} symbols"
    return Diagnosis("second source", "ok", f"{second.name}: {told}; bars served: {settings.bist_bar_choice}")


def _exchange(settings: Settings) -> Diagnosis:
    if settings.bist_providers == ("archive",):
        return Diagnosis("exchange", "ok", "none is asked: files only")
    now = exchange_clock(settings).now()
    what = "simulated" if settings.asks_loopback else "Yahoo, not asked by this command"
    return Diagnosis(
        "exchange", "ok", f"{', '.join(settings.yahoo_hosts)}: {what}; its time is {now:%Y-%m-%d %H:%M} UTC"
    )


def _circuits(database: Database) -> Diagnosis:
    if current_fingerprint(database) is None:
        return Diagnosis("circuits", "ok", "nothing was asked yet")
    shut = circuit_open(database)
    if shut is not None:
        return Diagnosis("circuits", "warn", shut.text, "wait: one request probes it then")
    return Diagnosis("circuits", "ok", "closed")


def _up(settings: Settings) -> Diagnosis:
    instance = running_instance(settings.bist_home)
    if instance is None:
        return Diagnosis("up", "warn", "not running on this home", "`bist-pipeline up` keeps signals fresh")
    return Diagnosis("up", "ok", f"runs as pid {instance.pid} at {instance.address}")


def _database(database: Database) -> Diagnosis:
    server = database.check_version()
    if current_fingerprint(database) is None:
        return Diagnosis("database", "warn", f"PostgreSQL {server}, empty", "`bist-pipeline backfill` or `up` fills it")
    current = is_prepared(database)
    advice = "" if current else "any writing command migrates it"
    return Diagnosis("database", "ok" if current else "warn", f"PostgreSQL {server} at {database.url}", advice)


def _charts(database: Database) -> Diagnosis:
    organ = "chart history"
    if not is_prepared(database):
        return Diagnosis(organ, "ok", "not looked at: the database is empty or not migrated")
    span = sessions_without_charts(database)
    if span is None:
        return Diagnosis(organ, "ok", "no session was derived before chart patterns; one added since needs `backfill`")
    found = f"{span.first} to {span.last} were derived by a version that knew no chart patterns"
    return Diagnosis(organ, "warn", found, "`up` derives them anew by itself, a year at a time; or `backfill`")


def _clock(database: Database, clock: Clock) -> Diagnosis:
    server = database.rows("SELECT clock_timestamp() AS now")[0].now
    apart = abs(server - clock.now())
    grade: Grade = "ok" if apart <= MOST_CLOCK_DIFFERENCE else "fault"
    return Diagnosis(
        "clock", grade, f"{apart.total_seconds():.1f} s apart from the database's", "" if grade == "ok" else "NTP"
    )


def _reader(database: Database) -> Diagnosis:
    if database.rows("SELECT 1 FROM pg_roles WHERE rolname = :name", {"name": READER}):
        return Diagnosis("reader role", "ok", f"{READER} exists")
    return Diagnosis(
        "reader role",
        "warn",
        f"{READER} does not exist",
        f"let an administrator run: CREATE ROLE {READER} LOGIN PASSWORD '…'",
    )
