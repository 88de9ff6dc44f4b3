"""Which kind of market a database holds: said once, by the first who writes, and held against everybody after.

Belongs here: reading and noting it. Simulated prices among real ones could not be told apart later.
"""

from dataclasses import dataclass
from datetime import datetime

from bist_pipeline.core.errors import MarketKindError
from bist_pipeline.storage.database import Database, Statements

# A database older than the table of kinds holds files of a real market: nothing else could be loaded then.
_KIND = """
SELECT kind, detail, true AS noted FROM operations.market
UNION ALL
SELECT 'real', 'its rows are older than this question', false WHERE EXISTS (SELECT 1 FROM market.raw_prices)
ORDER BY noted DESC LIMIT 1"""


@dataclass(frozen=True, slots=True)
class _Said:
    """What a database says of itself: the kind, who said so, and whether that is noted or follows from its rows."""

    kind: str
    detail: str
    noted: bool


def stored_market_kind(database: Database) -> str | None:
    """Return the kind of market a database holds: real, simulated or replayed; None for an empty one."""
    with database.statements("reading operations.market") as statements:
        said = _said(statements)
    return said.kind if said else None


def ensure_market_kind(database: Database, kind: str, detail: str, now: datetime) -> None:
    """Note which kind of market is about to be stored; the same kind passes from then on.

    Args:
        database: Where it will be stored.
        kind: One of real, simulated, replayed.
        detail: Who says so: a provider and its address.
        now: When.

    Raises:
        MarketKindError: The database holds another kind.
    """
    with database.statements("noting the kind of market") as statements:
        said = _said(statements)
        if said is None or not said.noted:
            # Two first writers: the second one waits here and then sees what the first one said.
            statements.run("LOCK TABLE operations.market IN SHARE ROW EXCLUSIVE MODE")
            said = _said(statements)
        if said and said.kind != kind:
            raise MarketKindError(
                f"{database.url} holds a {said.kind} market ({said.detail}), {detail} offers a {kind} one: the two are "
                "never mixed; set BIST_HOME or BIST_DATABASE_URL to another place"
            )
        if said is None or not said.noted:
            note = {"kind": kind, "detail": detail, "now": now}
            statements.run("INSERT INTO operations.market (kind, detail, noted_at) VALUES (:kind, :detail, :now)", note)


def _said(statements: Statements) -> _Said | None:
    rows = statements.rows(_KIND)
    return _Said(**rows[0]) if rows else None
