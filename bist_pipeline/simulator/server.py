"""Starting and ending the simulated exchange.

Belongs here: the one entrance for tests, the command line and `up`. Does not belong here: what it answers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Thread

from bist_pipeline.core.errors import PortInUseError
from bist_pipeline.simulator.clock import ExchangeClock
from bist_pipeline.simulator.exchange import Exchange, new_exchange
from bist_pipeline.simulator.faults import Faults
from bist_pipeline.simulator.market import Market
from bist_pipeline.simulator.wire import LOOPBACK, Server

YAHOO_DELAY = timedelta(minutes=15)
LATE = timedelta(seconds=8)
_NO_FAULTS = Faults()


@contextmanager
def exchange(
    market: Market,
    clock: ExchangeClock,
    *,
    port: int = 0,
    faults: Faults = _NO_FAULTS,
    seed: int = 7,
    delay: timedelta = YAHOO_DELAY,
    late: timedelta = LATE,
    log: Path | None = None,
) -> Iterator[Exchange]:
    """Serve a market on loopback until the block ends.

    Args:
        market: What is traded.
        clock: The exchange's time.
        port: Where to listen; 0 takes a free port, see `Exchange.url`.
        faults: What Yahoo does instead of answering.
        seed: Of the faults.
        delay: How late the market is shown.
        late: How long the fault `late` takes.
        log: File for a line of JSON per request.

    Raises:
        PortInUseError: The port is taken.
        SimulatorError: The log cannot be written.
    """
    running = new_exchange(market, clock, faults=faults, seed=seed, delay=delay, late=late, log=log)
    try:
        server = _listen(port, running)
    except PortInUseError:
        running.log.close()
        raise
    running.url = f"http://{LOOPBACK}:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="simulated-exchange", daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.end()
        thread.join()
        running.log.close()


def _listen(port: int, running: Exchange) -> Server:
    try:
        return Server(port, running)
    except OSError as error:
        raise PortInUseError(
            f"port {port} cannot be listened on: {error.strerror}; choose another with --port"
        ) from error
