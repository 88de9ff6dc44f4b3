"""Gaps: sessions that lack a bar which they should have, kept as runs in `market.gaps`, and asked for again.

How gaps are kept and filled:
1. `update_gaps` reads the cells of `serving.coverage_v1` that are no good news, and makes runs of them;
2. a symbol whose whole history spans fewer days than `MIN_HISTORY_DAYS`, and of which nobody says when it was listed,
   lacks the sessions before: the providers' answers end where their own records do;
3. a gap that is known keeps how often it was asked for, one that is gone leaves the table;
4. `due_symbols` chooses whom to ask: newest gaps first, each at most `MOST_ATTEMPTS` times, a day apart;
5. `fill` fetches whole histories. It notes the attempt before it asks, so that a run that is killed counts
   (`gap_attempts.py`).
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd

from bist_pipeline.core.calendar import ORIGIN
from bist_pipeline.market.coverage import coalesced, outside, runs_of, with_attempts
from bist_pipeline.pipeline.cleaning import clean_prices
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.gap_attempts import noted
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.sources import Sources
from bist_pipeline.pipeline.span import Span
from bist_pipeline.pipeline.strikes import DELISTED_AFTER
from bist_pipeline.providers.contract import PriceProvider
from bist_pipeline.storage.bulk import BulkTransaction, Scope
from bist_pipeline.storage.database import Database

# States in which a bar is missing that may yet be had.
OPEN_STATES = ("provider_failed", "provider_silent", "quarantined", "not_fetched")
SHORT_HISTORY = "short_history"

MOST_SYMBOLS = 20
MOST_ATTEMPTS = 3
AGAIN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class GapReport:
    """The gaps that are known after an update.

    Attributes:
        gaps: Runs of sessions.
        symbols: Symbols that have one.
        sessions: Symbol-sessions in them.
        found, closed: Runs that were not there before, and that are there no more.
    """

    gaps: int
    symbols: int
    sessions: int
    found: int
    closed: int

    def summary(self) -> dict[str, int]:
        """For metadata."""
        return {f"gaps_{name}": value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class FillReport:
    """What asking for gaps did.

    Attributes:
        asked: Symbols whose whole history was asked for.
        answered: Those of them that a provider answered.
        closed: Sessions that lacked a bar before, and lack none now.
        still_open: Sessions of these symbols that lack one.
    """

    asked: int
    answered: int
    closed: int
    still_open: int

    def summary(self) -> dict[str, int]:
        """For metadata."""
        return asdict(self)


def update_gaps(context: PipelineContext, span: Span | None = None, symbols: Sequence[str] | None = None) -> GapReport:
    """Bring `market.gaps` up to date.

    Args:
        context: The run's surroundings.
        span: Sessions that are looked at; what is known of others stays. None: all of them.
        symbols: Only these; None for all.
    """
    scope = Scope(symbols=None if symbols is None else tuple(symbols))
    contract = contracts().gaps
    with context.database.bulk("writing market.gaps") as bulk:
        bulk.lock(contract.name)
        places = _Places.read(bulk)
        known = places.positions(bulk.frame(f"SELECT t.* FROM {contract.name} AS t WHERE {bulk.predicate(scope)}"))
        runs = _open_runs(bulk, places, known, span, symbols)
        short = _before(runs, _short_histories(bulk, places, context.settings.min_history_days, symbols))
        rows = with_attempts(pd.concat([runs, short], ignore_index=True), known)
        written = places.rows(rows)
        counts = bulk.replace(contract, [written.drop(columns="found_at")], scope)
        _keep_found_at(bulk, written)
    sessions = int((rows["last"] - rows["first"] + 1).sum())
    return GapReport(len(rows), rows["symbol"].nunique(), sessions, counts.inserted, counts.deleted)


def due_symbols(database: Database, now: datetime, but: Collection[str] = (), most: int = MOST_SYMBOLS) -> list[str]:
    """Choose the symbols whose gaps are to be asked for, those with the newest gap first.

    Args:
        database: Where the gaps are.
        now: What time it is at the exchange.
        but: Symbols to leave out: whom others ask anyway, and whom no provider has.
        most: How many at the most.
    """
    rows = database.rows(
        """SELECT g.symbol FROM market.gaps AS g
        JOIN reference.stocks AS s ON s.symbol = g.symbol AND s.is_active
        LEFT JOIN market.fetch_ledger AS l ON l.symbol = g.symbol
        WHERE g.attempts < :attempts AND (g.asked_at IS NULL OR g.asked_at <= :before)
        AND coalesce(l.strikes, 0) < :strikes AND NOT g.symbol = ANY (:but)
        GROUP BY g.symbol ORDER BY max(g.last_session) DESC, g.symbol LIMIT :most""",
        {
            "attempts": MOST_ATTEMPTS,
            "before": now - AGAIN_AFTER,
            "strikes": DELISTED_AFTER,
            "but": sorted(but),
            "most": most,
        },
    )
    return [row.symbol for row in rows]


def unaskable(database: Database, providers: Sequence[PriceProvider]) -> list[str]:
    """The symbols with gaps that no provider has, where all of them list what they have: a folder lists its files."""
    lists = [provider.symbols() for provider in providers]
    offered = {symbol for listed in lists for symbol in listed or ()}
    if any(listed is None for listed in lists):
        return []
    return [row.symbol for row in database.rows("SELECT DISTINCT symbol FROM market.gaps") if row.symbol not in offered]


def fill(context: PipelineContext, sources: Sources, symbols: Sequence[str]) -> FillReport:
    """Ask once more for the whole histories of symbols that have gaps, and accept what came.

    What is derived from new bars is left to whoever derives: they find the rows that lack, and the symbols that are
    dirty.

    Raises:
        KillSwitchError: The kill switch is set.
        MarketKindError: The database holds another kind of market.
    """
    before = _sessions_lacking(context, symbols)
    with noted(context, sources.history, symbols) as providers:
        report = ingest(context, providers, symbols, whatever_is_stored=True)
    # Histories that changed are cleaned whole, whatever span is named; of the others nothing is to be cleaned.
    clean_prices(context, Span(ORIGIN, ORIGIN))
    update_gaps(context, symbols=symbols)
    after = _sessions_lacking(context, symbols)
    return FillReport(len(symbols), len(report.with_status("answered")), len(before - after), len(after))


@dataclass(frozen=True, slots=True)
class _Places:
    """The sessions in order; a position is an index of them."""

    sessions: pd.DatetimeIndex

    @classmethod
    def read(cls, bulk: BulkTransaction) -> "_Places":
        found = bulk.frame("SELECT session_date FROM reference.sessions WHERE is_session ORDER BY session_date")
        return cls(pd.DatetimeIndex(found["session_date"]))

    def at_or_after(self, days: "pd.Series | pd.DatetimeIndex") -> "pd.Series":
        return pd.Series(self.sessions.searchsorted(pd.DatetimeIndex(days)), dtype="int64")

    def positions(self, gaps: pd.DataFrame) -> pd.DataFrame:
        """The stored gaps as runs of what are sessions now; a gap of which none is left is no gap."""
        first = self.at_or_after(gaps["first_session"]).to_numpy()
        last = self.sessions.searchsorted(pd.DatetimeIndex(gaps["last_session"]), side="right") - 1
        runs = gaps.assign(first=first, last=last)
        return runs.loc[first <= last, ["symbol", "first", "last", "state", "attempts", "asked_at", "found_at"]]

    def rows(self, runs: pd.DataFrame) -> pd.DataFrame:
        """Runs as rows of `market.gaps`."""
        return runs.assign(
            first_session=self.sessions[runs["first"]].as_unit("us"),
            last_session=self.sessions[runs["last"]].as_unit("us"),
            sessions=(runs["last"] - runs["first"] + 1).astype("int64"),
            asked_at=pd.to_datetime(runs["asked_at"], utc=True).astype("datetime64[us, UTC]"),
        )


def _open_runs(
    bulk: BulkTransaction, places: _Places, known: pd.DataFrame, span: Span | None, symbols: Sequence[str] | None
) -> pd.DataFrame:
    asked = "" if symbols is None else " AND symbol = ANY (string_to_array($3, ','))"
    first, last = (span.first, span.last) if span else (date.min, date.max)
    states = ", ".join(f"'{state}'" for state in OPEN_STATES)
    cells = bulk.frame(
        f"""SELECT symbol, session_date, state FROM serving.coverage_v1
        WHERE session_date BETWEEN $1 AND $2 AND state IN ({states}){asked}""",
        [first, last, *([] if symbols is None else [",".join(symbols)])],
    )
    runs = runs_of(cells.assign(position=places.at_or_after(cells["session_date"]).to_numpy()))
    if span is None:
        return runs
    ends = places.sessions.searchsorted(pd.DatetimeIndex([span.first, span.last]), side="left")
    last_position = int(ends[1]) - (0 if pd.Timestamp(span.last) in places.sessions else 1)
    others = outside(known[known["state"] != SHORT_HISTORY], int(ends[0]), last_position)
    return coalesced(pd.concat([runs, others], ignore_index=True))


def _short_histories(bulk: BulkTransaction, places: _Places, days: int, symbols: Sequence[str] | None) -> pd.DataFrame:
    """The sessions before each history that spans too few days, counted from its last session."""
    found = bulk.frame(
        """SELECT st.symbol, p.first_session, p.last_session FROM reference.stocks AS st
        LEFT JOIN reference.listings AS li ON li.symbol = st.symbol
        CROSS JOIN LATERAL (
            SELECT min(d.session_date) AS first_session, max(d.session_date) AS last_session
            FROM market.daily_prices AS d WHERE d.symbol = st.symbol) AS p
        WHERE st.is_active AND li.listed_on IS NULL AND p.last_session - p.first_session < $1""",
        [days],
    )
    found = found if symbols is None else found[found["symbol"].isin(symbols)]
    since = places.at_or_after(found["last_session"] - pd.Timedelta(days=days)).to_numpy()
    last = places.at_or_after(found["first_session"]).to_numpy() - 1
    # Where but a weekend lacks, the session before the first one tells as well as any.
    first = np.minimum(since, last)
    runs = pd.DataFrame({"symbol": found["symbol"].to_numpy(), "first": first, "last": last, "state": SHORT_HISTORY})
    return runs[runs["last"] >= 0]


def _before(runs: pd.DataFrame, short: pd.DataFrame) -> pd.DataFrame:
    """Cut short histories where a run of the same symbol begins: withheld rows stand before the first bar, too."""
    begins = short["symbol"].map(runs.groupby("symbol")["first"].min())
    cut = short.assign(last=np.fmin(short["last"], begins.astype("float64") - 1).astype("int64"))
    return cut[cut["first"] <= cut["last"]]


def _keep_found_at(bulk: BulkTransaction, rows: pd.DataFrame) -> None:
    """Let a gap that changed its ends be as old as it is: the table stamps every change."""
    old = rows.loc[rows["found_at"].notna(), ["symbol", "first_session", "found_at"]]
    if len(old):
        stage = bulk.stage_frame(old)
        bulk.execute(
            f"""UPDATE market.gaps AS t SET found_at = s.found_at FROM {stage} AS s
            WHERE s.symbol = t.symbol AND s.first_session::date = t.first_session AND s.found_at <> t.found_at"""
        )


def _sessions_lacking(context: PipelineContext, symbols: Sequence[str]) -> set[tuple[str, date]]:
    """The symbol-sessions that lie in a gap."""
    rows = context.database.rows(
        """SELECT g.symbol, s.session_date FROM market.gaps AS g
        JOIN reference.sessions AS s ON s.is_session AND s.session_date BETWEEN g.first_session AND g.last_session
        WHERE g.symbol = ANY (:symbols)""",
        {"symbols": list(symbols)},
    )
    return {(row.symbol, row.session_date) for row in rows}
