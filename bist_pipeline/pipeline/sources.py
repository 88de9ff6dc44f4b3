"""The providers of a run, with what they need to ask over the network.

Belongs here: putting pacer, clock and settings together, and refusing a market of another kind than the database holds.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bist_pipeline.core.clock import OffsetClock
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.market_kind import ensure_market_kind
from bist_pipeline.pipeline.pacing import PostgresPacer
from bist_pipeline.providers.contract import LiveProvider, PriceProvider, Services
from bist_pipeline.providers.registry import build_live_providers, build_providers


@dataclass(frozen=True, slots=True)
class Sources:
    """What a run may ask.

    Attributes:
        history: Providers of history, in the order in which they are asked.
        live: Providers of the session in progress, likewise; empty where none is configured.
        pacer: What their requests wait for.
    """

    history: tuple[PriceProvider, ...]
    live: tuple[LiveProvider, ...]
    pacer: PostgresPacer | None = None

    @contextmanager
    def within(self, deadline: float) -> Iterator[None]:
        """Let no request be sent after `time.monotonic()` has reached the deadline, for the length of a block."""
        if self.pacer is None:
            yield
            return
        self.pacer.deadline = deadline
        try:
            yield
        finally:
            self.pacer.deadline = None

    def check_market(self, context: PipelineContext) -> None:
        """Note the kind of market that the providers tell of, or refuse it.

        Raises:
            MarketKindError: The database holds another kind of market.
            ProviderError: A simulated exchange does not say what it is.
        """
        note_market(context, self.history, self.live)


def open_sources(context: PipelineContext) -> Sources:
    """Make the providers that the settings name; nothing is asked yet."""
    pacer = PostgresPacer(context.database, context.settings, context.run_id)
    services = Services(pacer, context.clock)
    return Sources(
        tuple(build_providers(context.settings, services)),
        tuple(build_live_providers(context.settings, services)),
        pacer,
    )


def note_market(context: PipelineContext, *providers: "tuple[PriceProvider, ...] | tuple[LiveProvider, ...]") -> None:
    """Hold the kind of every provider's market against the database's, and note how its clock differs from ours."""
    for provider in (one for group in providers for one in group):
        ensure_market_kind(context.database, provider.market_kind(), provider.name, context.clock.now())
    clock = context.clock
    if isinstance(clock, OffsetClock):
        with context.database.statements("noting the exchange's clock") as statements:
            statements.run(
                "UPDATE operations.market SET clock_offset_seconds = :seconds "
                "WHERE clock_offset_seconds IS NULL OR abs(clock_offset_seconds - :seconds) > 1",
                {"seconds": clock.offset.total_seconds()},
            )
