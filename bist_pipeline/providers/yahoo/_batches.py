"""Many symbols in few requests.

Belongs here: cutting a list of symbols into requests, and making one answer of what becomes of them. Does not belong
here: what a request asks (`quote.py`, `spark.py`).

A failed request is its symbols' failure alone. Only where nothing at all was answered does an open circuit reach the
caller: what has arrived is used.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pandas as pd

from bist_pipeline.core.errors import CircuitOpenError, DeadlineError, ProviderError
from bist_pipeline.core.symbols import yahoo_symbol
from bist_pipeline.providers.contract import LiveAnswer
from bist_pipeline.providers.yahoo._quote_answer import Told, empty_quotes


@dataclass(frozen=True, slots=True)
class Reported:
    """What became of one request.

    Attributes:
        symbols: What it asked for.
        told: What was told; None where it failed.
        error: Why it failed.
    """

    symbols: Sequence[str]
    told: Told | None = None
    error: ProviderError | None = None

    def reasons(self) -> dict[str, str]:
        """Return why nothing is known, by symbol."""
        if self.told is not None:
            return dict(self.told.failed)
        prefix = "deadline: " if isinstance(self.error, DeadlineError) else ""
        return dict.fromkeys(self.symbols, f"{prefix}{self.error}")


def cut(symbols: Iterable[str], *, most: int, room: int) -> list[tuple[str, ...]]:
    """Cut symbols into requests, in order, repetitions left out.

    Args:
        symbols: Normalised codes.
        most: Symbols a request may have.
        room: Characters that their Yahoo spellings may take, with commas between.
    """
    batches: list[tuple[str, ...]] = []
    batch: list[str] = []
    for symbol in dict.fromkeys(symbols):
        if batch and (len(batch) == most or len(joined([*batch, symbol])) > room):
            batches.append(tuple(batch))
            batch = []
        batch.append(symbol)
    return [*batches, tuple(batch)] if batch else batches


def joined(symbols: Iterable[str]) -> str:
    """Return symbols as a query has them: `THYAO.IS,AKBNK.IS`."""
    return ",".join(map(yahoo_symbol, symbols))


def ask_all(ask: Callable[[Sequence[str]], Told], batches: Sequence[Sequence[str]], *, workers: int) -> list[Reported]:
    """Ask for every batch, several at a time; what fails is reported, not raised."""

    def report(batch: Sequence[str]) -> Reported:
        try:
            return Reported(batch, told=ask(batch))
        except ProviderError as error:
            return Reported(batch, error=error)

    if len(batches) < 2 or workers < 2:
        return [report(batch) for batch in batches]
    with ThreadPoolExecutor(min(workers, len(batches)), thread_name_prefix="yahoo") as pool:
        return list(pool.map(report, batches))


def one_answer(reports: Sequence[Reported], *, bars: bool) -> LiveAnswer:
    """Make one answer of all reports.

    Raises:
        CircuitOpenError: Nothing was answered, and nothing may be asked now.
    """
    told = [report.told for report in reports if report.told is not None]
    shut = next((report.error for report in reports if isinstance(report.error, CircuitOpenError)), None)
    if shut is not None and not told:
        raise shut
    tables = [each.quotes for each in told if len(each.quotes)]
    failed: dict[str, str] = {}
    for report in reports:
        failed |= report.reasons()
    return LiveAnswer(
        quotes=pd.concat(tables, ignore_index=True) if tables else empty_quotes(),
        silent=tuple(s for report in reports if report.told for s in report.told.silent(report.symbols)),
        failed=failed,
        bars=bars,
    )
