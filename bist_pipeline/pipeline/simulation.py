"""The simulated exchange of `up --simulated`: which market, which moment, which settings.

Belongs here: deciding what is invented and what time it is there. Does not belong here: the exchange itself
(`simulator/`), which runs as a process of its own.

Its clock is not ahead of the machine's, since a partition of the future does not exist, and never goes back, since the
bars of an hour ago are already stored: where a person has set it ahead, it stays ahead.
"""

import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bist_pipeline.core.calendar import ISTANBUL, ORIGIN, SessionCalendar
from bist_pipeline.core.errors import SettingsError
from bist_pipeline.operations.ports import http_probe
from bist_pipeline.operations.supervisor.child import Child
from bist_pipeline.settings import Settings, load_settings
from bist_pipeline.storage.database import Database

EXCHANGE = "simulated exchange"
UNIVERSE_FILE = "simulated_universe.csv"

SYMBOLS, SEED, YEARS = 150, 7, 3

# Where the market is closed now, the last session is replayed from here on: an hour of bars is there already.
LATE_MORNING = time(11, 0)
# So much of a session must be left for it to be worth watching.
WORTH_WATCHING = timedelta(minutes=45)
# Quotes come a quarter of an hour late.
DELAY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Simulation:
    """An invented market and the time there.

    Attributes:
        seed: Of the market.
        symbols: How many shares.
        first: Its first session, at the earliest.
        behind: How far its clock is behind the machine's.
        port: On loopback.
    """

    seed: int
    symbols: int
    first: date
    behind: timedelta
    port: int

    @property
    def url(self) -> str:
        """Where it is served."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def told(self) -> str:
        """How the home remembers the market."""
        return f"seed={self.seed} symbols={self.symbols} first={self.first}"

    def settings(self, home: Path) -> Settings:
        """The settings with which everything else asks this exchange."""
        return load_settings(bist_home=home, **{name.lower(): value for name, value in self.variables(home).items()})

    def variables(self, home: Path) -> dict[str, str]:
        """What the home remembers and every process is told."""
        return {
            "BIST_SIMULATION": self.told,
            "BIST_PROVIDERS": "yahoo_chart,yfinance",
            "BIST_LIVE_PROVIDERS": "yahoo_quote,yahoo_spark,yahoo_chart",
            "BIST_UNIVERSE": str(home.absolute() / UNIVERSE_FILE),
            "YAHOO_HOSTS": self.url,
            "YAHOO_REQUESTS_PER_SECOND": "0",
        }

    def child(self, home: Path) -> Child:
        """The process."""
        options: dict[str, Any] = {
            "--port": self.port,
            "--seed": self.seed,
            "--symbols": self.symbols,
            "--first": self.first,
            "--behind": self.behind.total_seconds(),
            "--universe": home / UNIVERSE_FILE,
            "--log": home / "logs" / "exchange_requests.jsonl",
        }
        program = "from bist_pipeline.cli import main; main(prog_name='bist-pipeline')"
        arguments = [str(part) for pair in options.items() for part in pair]
        return Child(
            EXCHANGE,
            (sys.executable, "-c", program, "simulate", *arguments),
            home / "logs" / "exchange.log",
            ready=lambda: http_probe(f"{self.url}/simulator"),
            ready_timeout_seconds=90,
        )


def plan_simulation(
    settings: Settings,
    calendar: SessionCalendar,
    machine_now: datetime,
    *,
    latest: datetime | None = None,
    at: datetime | None = None,
) -> Simulation:
    """Decide which market is invented and what time it is there.

    Args:
        settings: Of the home; they remember the market of an earlier start.
        calendar: Sessions.
        machine_now: The machine's time.
        latest: The newest moment that the stored answers know; time there does not go back behind it.
        at: The moment that a person asks for.

    Raises:
        SettingsError: The moment lies in the future or before what is stored; or what is remembered cannot be read.
        SessionError: The moment lies before the calendar.
    """
    now = _chosen(calendar, at, machine_now, latest) if at else _moment(calendar, machine_now, latest)
    seed, symbols, first = _remembered(settings.bist_simulation) or (SEED, SYMBOLS, _first(now))
    return Simulation(seed, symbols, first, machine_now - now, _port(settings))


def latest_moment(database: Database) -> datetime | None:
    """The newest moment of the exchange that is stored; None where nothing is."""
    row = database.rows(
        "SELECT greatest((SELECT max(as_of) FROM market.raw_prices), (SELECT max(fetched_at) FROM market.quotes)) AS at"
    )[0]
    return row.at


def _chosen(calendar: SessionCalendar, at: datetime, machine_now: datetime, latest: datetime | None) -> datetime:
    if at > machine_now:
        raise SettingsError(f"--now {at} lies in the future: Dagster has no partition for it yet")
    calendar.session_at(at)  # refuses a moment before the first session
    if latest is not None and at < latest:
        raise SettingsError(f"--now {at} lies before {latest}, which this home has seen: take another BIST_HOME")
    return at


def _moment(calendar: SessionCalendar, machine_now: datetime, latest: datetime | None) -> datetime:
    """The machine's time while the exchange trades, else the late morning of the last session that has one."""
    earliest = latest or datetime.min.replace(tzinfo=UTC)
    if _is_worth_watching(calendar, machine_now):
        return max(machine_now, earliest)
    day = machine_now.astimezone(ISTANBUL).date()
    for past in range(10):
        candidate = datetime.combine(day - timedelta(days=past), LATE_MORNING, ISTANBUL).astimezone(UTC)
        if candidate <= machine_now and _is_worth_watching(calendar, candidate):
            # Where that was seen already, time goes on from what was seen, the rest of the session or the night.
            return max(candidate, earliest)
    return max(machine_now, earliest)


def _is_worth_watching(calendar: SessionCalendar, now: datetime) -> bool:
    day = now.astimezone(ISTANBUL).date()
    if not calendar.is_session(day):
        return False
    times = calendar.schedule(day, day).iloc[0]
    return times["open_at"] + DELAY <= now <= times["close_at"] - WORTH_WATCHING


def _first(now: datetime) -> date:
    today = now.astimezone(ISTANBUL).date()
    return max(date(today.year - YEARS, today.month, 1), ORIGIN)


def _remembered(told: str) -> tuple[int, int, date] | None:
    if not told:
        return None
    try:
        parts = dict(part.split("=", 1) for part in told.split())
        return int(parts["seed"]), int(parts["symbols"]), date.fromisoformat(parts["first"])
    except (ValueError, KeyError) as error:
        raise SettingsError(f"BIST_SIMULATION = {told!r}: expected `seed=7 symbols=150 first=2023-11-01`") from error


def _port(settings: Settings) -> int:
    """The port of the start before, so that requests are counted together; another one where it is taken."""
    before = urlsplit(settings.yahoo_hosts[0]).port if settings.bist_simulation and settings.asks_loopback else None
    for port in (before or 0, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return probe.getsockname()[1]
    raise SettingsError("no port is free on 127.0.0.1 for the simulated exchange")
