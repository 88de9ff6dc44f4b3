"""For consumers: frames from the served views. Needs only the database's address, no settings and no Dagster.

Belongs here: reading `serving`. Columns and units: docs/tables.md. Example:

    from bist_pipeline.client import Client
    today = Client("postgresql://bist_reader@host/bist").signals()
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd

from bist_pipeline.core.errors import SessionError
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.url import DatabaseUrl


class Client:
    """Reads what is served.

    Args:
        url: `postgresql://user:password@host/database`; the role `bist_reader` suffices.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(DatabaseUrl.parse(url, variable="url"))
        self._market_kind: str | None = None

    def market_kind(self) -> str:
        """Which kind of market this is: real, simulated or replayed; every frame carries it as `attrs["market"]`."""
        if self._market_kind is None:
            rows = self._database.rows("SELECT kind FROM serving.market")
            if not rows:
                return "real"  # nothing else can be in a database that is older than this note, or empty
            self._market_kind = str(rows[0].kind)
        return self._market_kind

    def watermark(self) -> pd.DataFrame:
        """The newest publish: publish_id, published_at, last_session, last_final_session; empty before the first."""
        return self._database.frame("SELECT * FROM serving.watermark")

    def signals(
        self,
        session: date | None = None,
        *,
        last: date | None = None,
        symbols: Sequence[str] | None = None,
        as_of: datetime | None = None,
    ) -> pd.DataFrame:
        """Read signals.

        Args:
            session: The session, or the first of a range; None for the newest one with signals.
            last: The last session of a range; None for one session.
            symbols: Only these; None for all.
            as_of: As they were visible at this moment (aware); None for now.

        Returns:
            Columns of `serving.signals_v1`, sorted by session and symbol; `terms` as JSON text.

        Raises:
            SessionError: `as_of` has no time zone.
        """
        if as_of is not None and as_of.tzinfo is None:
            raise SessionError(f"the time {as_of} has no time zone: pass an aware datetime")
        source, parameters = ("serving.signals_v1", []) if as_of is None else ("serving.signals_as_of($1)", [as_of])
        return self._read(source, parameters, session, last, symbols)

    def latest_signals(self, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """Read each active symbol's newest signal, wherever it lies.

        Args:
            symbols: Only these; None for all.

        Returns:
            Columns of `serving.latest_signals_v1`, sorted by symbol. `is_stale` where a session with signals, or
            one that ended two hours ago, has none of this symbol or left it forming; `stale_because` says why.
        """
        frame = self._database.frame(
            """SELECT * FROM serving.latest_signals_v1
            WHERE $1::text IS NULL OR symbol = ANY (string_to_array($1, ',')) ORDER BY symbol""",
            [None if symbols is None else ",".join(symbols)],
        )
        frame.attrs["market"] = self.market_kind()
        return frame

    def prices(self, first: date, last: date, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """Read `serving.prices_v1` for a range of sessions."""
        return self._read("serving.prices_v1", [], first, last, symbols)

    def indicators(self, first: date, last: date, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """Read `serving.indicators_v1` for a range of sessions."""
        return self._read("serving.indicators_v1", [], first, last, symbols)

    def pattern_events(self, first: date, last: date, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """Read `serving.pattern_events_v1` for a range of sessions; `details` as JSON text."""
        return self._read("serving.pattern_events_v1", [], first, last, symbols)

    def coverage(self, first: date, last: date, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """Read `serving.coverage_v1` for a range of sessions."""
        return self._read("serving.coverage_v1", [], first, last, symbols)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def _read(
        self, source: str, parameters: list[Any], first: date | None, last: date | None, symbols: Sequence[str] | None
    ) -> pd.DataFrame:
        begin = first if first is not None else self._newest(source, parameters)
        count = len(parameters)
        frame = self._database.frame(
            f"""SELECT * FROM {source} WHERE session_date BETWEEN ${count + 1} AND ${count + 2}
            AND (${count + 3}::text IS NULL OR symbol = ANY (string_to_array(${count + 3}, ',')))
            ORDER BY session_date, symbol""",
            [*parameters, begin, last or begin, None if symbols is None else ",".join(symbols)],
        )
        frame.attrs["market"] = self.market_kind()
        return frame

    def _newest(self, source: str, parameters: list[Any]) -> date | None:
        # From the end of the index: max() over a view reads every row of it.
        newest = self._database.frame(
            f"SELECT session_date FROM {source} ORDER BY session_date DESC LIMIT 1", parameters
        )["session_date"]
        return newest.iloc[0].date() if len(newest) else None
