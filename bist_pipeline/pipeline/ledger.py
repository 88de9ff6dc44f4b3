"""The fetch ledger: what is known of each symbol's stored history.

Belongs here: reading entries and shaping them for writing. Does not belong here: deciding what to fetch.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime

import pandas as pd

from bist_pipeline.storage.database import Database


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One symbol's row of `market.fetch_ledger`; see its contract for what each field means.

    Two fields are no columns: `rows_found` is how many rows are really stored, so that lost ones are noticed;
    `accepted_last` is the newest session with an accepted bar that is final: a forming one may be a live quote's.
    """

    symbol: str
    provider: str
    status: str
    fetched_at: datetime
    reason: str = ""
    version: str = ""
    payload_hash: str = ""
    rows: int = 0
    first_session: date | None = None
    last_session: date | None = None
    basis: str = ""
    recognised: str = "{}"
    cleaned_hash: str = ""
    states_actions: bool = False
    strikes: int = 0
    struck_on: date | None = None
    dirty_from: date | None = None
    dirty_because: str = ""
    rows_found: int = 0
    accepted_last: date | None = None

    def holds(self, mark: str | None) -> bool:
        """Whether what is stored is what asking again would give, by the provider's version mark.

        Args:
            mark: The provider's mark now; None where only asking tells.
        """
        if mark is None or self.version != mark or self.status == "failed":
            return False
        return self.status == "missing" or self.rows == self.rows_found


def read_ledger(database: Database) -> Mapping[str, LedgerEntry]:
    """Read all entries by symbol."""
    rows = database.rows(
        """SELECT l.*, coalesce(r.rows, 0) AS rows_found,
            (SELECT max(p.session_date) FROM market.daily_prices AS p WHERE p.symbol = l.symbol AND p.is_final)
            AS accepted_last
        FROM market.fetch_ledger AS l
        LEFT JOIN (SELECT symbol, count(*) AS rows FROM market.raw_prices GROUP BY symbol) AS r USING (symbol)"""
    )
    return {row.symbol: LedgerEntry(**row._mapping) for row in rows}


def ledger_frame(entries: Iterable[LedgerEntry]) -> pd.DataFrame:
    """Shape entries as rows of `market.fetch_ledger`."""
    frame = pd.DataFrame([asdict(entry) for entry in entries]).drop(columns=["rows_found", "accepted_last"])
    days = {
        name: frame[name].astype("datetime64[us]")
        for name in ("first_session", "last_session", "struck_on", "dirty_from")
    }
    fetched_at = pd.to_datetime(frame["fetched_at"], utc=True).dt.as_unit("us")
    return frame.assign(
        **days, fetched_at=fetched_at, rows=frame["rows"].astype("int64"), strikes=frame["strikes"].astype("int64")
    )
