"""Which instruments the pipeline follows, and which weekdays are sessions.

Belongs here: writing `reference.stocks` and `reference.sessions`, and choosing symbols out of them.
"""

from collections.abc import Sequence

import pandas as pd

from bist_pipeline.core.calendar import ORIGIN
from bist_pipeline.core.errors import UniverseError
from bist_pipeline.core.symbols import normalise_symbols
from bist_pipeline.core.universe import load_universe
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.listings import refresh_listings
from bist_pipeline.providers.contract import PriceProvider
from bist_pipeline.schemas.validation import require
from bist_pipeline.storage.bulk import Scope, WriteCounts


def refresh_universe(context: PipelineContext, providers: Sequence[PriceProvider]) -> WriteCounts:
    """Bring `reference.stocks` and `reference.sessions` up to date.

    A symbol that left the universe stays, inactive: its history is still there.

    Raises:
        UniverseError: `BIST_UNIVERSE` cannot be read.
    """
    offered = sorted({symbol for provider in providers for symbol in provider.symbols() or ()})
    listed = load_universe(context.settings.bist_universe, also=offered).assign(is_active=True)
    tables = contracts()
    known = context.database.frame(f"SELECT * FROM {tables.stocks.name}")
    left = known[~known["symbol"].isin(listed["symbol"])].assign(is_active=False)
    columns = [name for name in tables.stocks.columns if name != "updated_at"]
    rows = pd.concat([listed[columns], left[columns]], ignore_index=True) if len(left) else listed[columns]
    sessions = context.calendar.schedule(ORIGIN, context.calendar.horizon)
    with context.database.bulk("writing the universe") as bulk:
        bulk.replace(tables.sessions, [sessions[list(tables.sessions.columns)]], Scope())
        counts = bulk.replace(tables.stocks, [rows], Scope())
    refresh_listings(context)
    require(
        tables.stocks, context.database.frame(f"SELECT {', '.join(tables.stocks.columns)} FROM {tables.stocks.name}")
    )
    return counts


def ensure_universe(context: PipelineContext, providers: Sequence[PriceProvider]) -> None:
    """Write the universe if there is none yet, so that a backfill of the daily tables alone finds one."""
    if not context.database.rows("SELECT 1 FROM reference.stocks LIMIT 1"):
        refresh_universe(context, providers)


def active_symbols(context: PipelineContext, wanted: Sequence[str] | None = None) -> list[str]:
    """List the active symbols, or check that the wanted ones are among them.

    Args:
        context: Where to look.
        wanted: Symbols as a person writes them; None for all.

    Raises:
        SymbolError: One of them is no symbol.
        UniverseError: One of them is not in the universe.
    """
    rows = context.database.rows("SELECT symbol FROM reference.stocks WHERE is_active ORDER BY symbol")
    active = [row[0] for row in rows]
    if wanted is None:
        return active
    asked = sorted(set(normalise_symbols(wanted)))
    strangers = [symbol for symbol in asked if symbol not in set(active)]
    if strangers:
        raise UniverseError(
            f"not in the universe ({context.settings.bist_universe}): {', '.join(strangers)}; "
            "BIST_UNIVERSE decides what is"
        )
    return asked
