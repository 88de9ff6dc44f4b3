"""`bist-pipeline simulate`."""

import signal
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Event

import click

from bist_pipeline.cli._options import Moment, Session
from bist_pipeline.core.calendar import ISTANBUL, load_calendar
from bist_pipeline.core.clock import SystemClock
from bist_pipeline.core.errors import BistError
from bist_pipeline.simulator.clock import ExchangeClock
from bist_pipeline.simulator.control import universe as listed_symbols
from bist_pipeline.simulator.exchange import Exchange
from bist_pipeline.simulator.faults import KINDS, parse_faults
from bist_pipeline.simulator.market import Market, invent_market, replay_market
from bist_pipeline.simulator.replay import BASES
from bist_pipeline.simulator.server import exchange

_YEARS = 3
_MOST_BEHIND = 10 * 366 * 86_400


@click.command("simulate", epilog="Fault kinds: " + "; ".join(f"{kind}: {says}" for kind, says in KINDS.items()) + ".")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on loopback; a free one if left out.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Replay a folder with a CSV per symbol.")
@click.option("--basis", type=click.Choice(BASES), help="What the prices of --data are adjusted for.")
@click.option("--now", type=Moment(), help="The exchange's time at the start; the machine's if left out.")
@click.option("--behind", type=float, metavar="SECONDS", help="How far its clock is behind the machine's.")
@click.option("--universe", type=click.Path(dir_okay=False, path_type=Path), help="Write the list of symbols there.")
@click.option("--fault", "faults", multiple=True, metavar="KIND:P", help="A fault and its probability; repeatable.")
@click.option("--symbols", type=click.IntRange(1, 5000), help="How many shares to invent.  [default: 150]")
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True, help="Another seed, another market.")
@click.option("--first", type=Session(), help="First day of the invented history; three years ago if left out.")
@click.option("--log", type=click.Path(dir_okay=False, path_type=Path), help="Append a line of JSON per request.")
def command(
    *,
    port: int,
    data: Path | None,
    basis: str | None,
    now: datetime | None,
    behind: float | None,
    universe: Path | None,
    faults: tuple[str, ...],
    symbols: int | None,
    seed: int,
    first: date | None,
    log: Path | None,
) -> None:
    """Serve a SIMULATED exchange that speaks Yahoo's protocol on this machine, until Ctrl-C.

    Its prices are invented, or replayed from files with --data; they are never today's real ones.
    """
    if (data is None) != (basis is None):
        raise click.UsageError("--data and --basis go together: say what the files' prices are adjusted for")
    if data is not None and (symbols is not None or first is not None):
        raise click.UsageError("--symbols and --first belong to an invented market, --data to a replayed one")
    if now is not None and behind is not None:
        raise click.UsageError("--now and --behind both set the clock: give one")
    if behind is not None and not abs(behind) <= _MOST_BEHIND:  # so written for `nan`
        raise click.UsageError(f"--behind {behind:g}: expected {_MOST_BEHIND:,} seconds at most")
    start = now if behind is None else SystemClock().now() - timedelta(seconds=behind)
    played, clock = parse_faults(faults), ExchangeClock(SystemClock(), start)
    market = replay_market(data, basis, seed=seed) if data and basis else _invent(symbols or 150, seed, first, clock)
    with exchange(market, clock, port=port, faults=played, seed=seed, log=log) as running:
        if universe is not None:
            _write(universe, listed_symbols(running))
        ended = _listen()  # before it says so: whoever reads it may press Ctrl-C at once
        _tell(running, faults)
        ended.wait()
    click.echo("simulated exchange ended")


def _write(place: Path, text: str) -> None:
    try:
        place.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BistError(f"--universe {place} cannot be written: {error.strerror}") from error


def _invent(symbols: int, seed: int, first: date | None, clock: ExchangeClock) -> Market:
    today = clock.now().astimezone(ISTANBUL).date()
    begin = first or date(today.year - _YEARS, today.month, 1)
    # Invented to the calendar's end, shown up to now: it can run for months without inventing again.
    return invent_market(symbols=symbols, seed=seed, first=begin, last=load_calendar().horizon)


def _tell(running: Exchange, faults: tuple[str, ...]) -> None:
    market, now = running.market, running.clock.now()
    what = "invented prices" if market.kind == "simulated" else f"replayed prices, {market.basis}"
    count = len(market.symbols(now - running.delay))
    click.echo(f"{market.label} exchange at {running.url}: {what}, {count} symbols, seed {market.seed}")
    click.echo(f"its time is {now.astimezone(ISTANBUL):%Y-%m-%d %H:%M:%S} in Istanbul; prices are 15 minutes late")
    if faults:
        click.echo(f"faults: {', '.join(faults)}")
    click.echo("\nIn another terminal, in a folder of its own:\n")
    click.echo(f"  curl -s {running.url}/simulator/universe.csv -o simulated_universe.csv")
    click.echo(f"  export YAHOO_HOSTS={running.url}")
    click.echo("  export YAHOO_REQUESTS_PER_SECOND=0")
    click.echo("  export BIST_PROVIDERS=yahoo_chart")
    click.echo("  export BIST_UNIVERSE=simulated_universe.csv\n")
    click.echo("Ctrl-C ends it.")


def _listen() -> Event:
    """Return what Ctrl-C or SIGTERM sets."""
    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    return ended
