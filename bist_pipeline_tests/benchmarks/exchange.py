"""A simulated exchange in a process of its own, so that its work is not counted as ours."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

from bist_pipeline.operations.ports import http_probe
from bist_pipeline_tests.benchmarks.stopwatch import tell
from bist_pipeline_tests.end_to_end.site import free_port

_PROGRAM = (sys.executable, "-c", "from bist_pipeline.cli import main; main(prog_name='bist-pipeline')")
_PATIENCE_SECONDS = 120


@contextmanager
def exchange_process(symbols: int, first: date, now: datetime, universe: Path) -> Iterator[str]:
    """Serve an invented market for the length of a block; yield its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    told = {"--port": port, "--symbols": symbols, "--first": first, "--now": now.isoformat(), "--universe": universe}
    arguments = [str(part) for pair in told.items() for part in pair]
    process = subprocess.Popen([*_PROGRAM, "simulate", *arguments], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not http_probe(f"{url}/simulator"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the simulated exchange did not start (exit code {process.poll()})")
            time.sleep(0.1)
        tell(f"a SIMULATED exchange of {symbols} symbols since {first} is at {url}")
        yield url
    finally:
        process.terminate()
        process.wait(30)
