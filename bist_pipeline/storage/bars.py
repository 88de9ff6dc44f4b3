"""Reading accepted bars as arrays.

Belongs here: the one query that every derivation starts with.
"""

from collections.abc import Sequence
from datetime import date

from bist_pipeline.core.bars import BAR_COLUMNS, Bars
from bist_pipeline.storage.database import Database


def read_bars(database: Database, until: date, symbols: Sequence[str] | None = None) -> Bars:
    """Read the accepted bars from each symbol's first one up to a session.

    Args:
        database: The data's database.
        until: Last session, inclusive. Nothing after it is read: what is derived for it cannot look ahead.
        symbols: Only these; None for all.
    """
    frame = database.frame(
        f"""SELECT {", ".join(BAR_COLUMNS)} FROM market.daily_prices
        WHERE session_date <= $1 AND ($2::text IS NULL OR symbol = ANY (string_to_array($2, ',')))
        ORDER BY symbol, session_date""",
        [until, None if symbols is None else ",".join(symbols)],
    )
    return Bars.from_frame(frame)
