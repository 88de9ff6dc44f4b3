"""How often a gap was asked for: noted before anybody is asked, and taken back where nobody was.

Belongs here: the columns `attempts` and `asked_at` of `market.gaps` around one asking. Does not belong here: whom to
ask, and when (`gaps.py`). An attempt is one of few: a circuit that is open, or a kill switch, costs none.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bist_pipeline.core.errors import CircuitOpenError
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.providers.contract import History, MarketKind, PriceProvider

_COLUMNS = ("symbol", "first_session", "attempts", "asked_at")


@contextmanager
def noted(
    context: PipelineContext, providers: Sequence[PriceProvider], symbols: Sequence[str]
) -> Iterator[Sequence[PriceProvider]]:
    """Note an attempt for every gap of the symbols; at the end, take back those of symbols that nobody was asked for.

    A process that is killed takes nothing back: what it asked for last may be what kills it.

    Args:
        context: The run's surroundings.
        providers: Those that will be asked.
        symbols: Whose gaps.

    Yields:
        The providers that are to be asked in their place.
    """
    before = _note(context, symbols)
    asked = set[str]()
    try:
        yield [_Noting(provider, asked) for provider in providers]
    finally:
        _take_back(context, [row for row in before if row.symbol not in asked])


@dataclass(frozen=True, slots=True)
class _Noting:
    """A provider that notes of which symbols it was asked. As thread-safe as the provider.

    Attributes:
        inner: The provider.
        asked: Symbols; shared by all providers of a run.
    """

    inner: PriceProvider
    asked: set[str] = field(compare=False)

    @property
    def name(self) -> str:
        """The registered name."""
        return self.inner.name

    @property
    def family(self) -> str:
        """Whose data it is."""
        return self.inner.family

    @property
    def delay(self) -> timedelta:
        """How long after an event it tells of it."""
        return self.inner.delay

    def market_kind(self) -> MarketKind:
        """What kind of market its answers are of."""
        return self.inner.market_kind()

    def symbols(self) -> Sequence[str] | None:
        """The symbols it can deliver."""
        return self.inner.symbols()

    def version(self, symbol: str) -> str | None:
        """The provider's mark; asking for it is no attempt."""
        return self.inner.version(symbol)

    def history(self, symbol: str) -> History:
        """Ask; where the circuit is open, nobody was, unless another provider was before."""
        was_asked = symbol in self.asked
        self.asked.add(symbol)
        try:
            return self.inner.history(symbol)
        except CircuitOpenError:
            if not was_asked:
                self.asked.discard(symbol)
            raise


def _note(context: PipelineContext, symbols: Sequence[str]) -> Sequence[Any]:
    """Note the attempts; return the gaps as they were."""
    before = context.database.rows(
        f"SELECT {', '.join(_COLUMNS)} FROM market.gaps WHERE symbol = ANY (:symbols)",
        {"symbols": list(symbols)},
    )
    with context.database.statements("noting what is asked for") as statements:
        statements.run(
            "UPDATE market.gaps SET attempts = attempts + 1, asked_at = :now WHERE symbol = ANY (:symbols)",
            {"now": context.clock.now(), "symbols": list(symbols)},
        )
    return before


def _take_back(context: PipelineContext, gaps: Collection[Any]) -> None:
    if not gaps:
        return
    with context.database.statements("taking back what was not asked for") as statements:
        statements.run(
            """UPDATE market.gaps SET attempts = :attempts, asked_at = :asked_at
            WHERE symbol = :symbol AND first_session = :first_session""",
            [{name: getattr(row, name) for name in _COLUMNS} for row in gaps],
        )
