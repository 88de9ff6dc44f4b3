"""`bist-pipeline signals`."""

import sys
from collections.abc import Sequence
from datetime import date, datetime

import click
import pandas as pd

from bist_pipeline.cli._console import print_table
from bist_pipeline.cli._options import Moment, Session, split_symbols
from bist_pipeline.client import Client
from bist_pipeline.core.errors import BistError
from bist_pipeline.core.symbols import normalise_symbols
from bist_pipeline.pipeline.context import open_context
from bist_pipeline.pipeline.market_kind import stored_market_kind
from bist_pipeline.pipeline.universe import active_symbols
from bist_pipeline.settings import load_settings

_SHOWN = ("symbol", "session_date", "score", "action", "confidence", "close_try", "is_final", "grade", "known_at")
_STALE = ("symbol", "session_date", "score", "action", "grade", "is_stale", "stale_because")


@click.command("signals")
@click.option("--date", "session", type=Session(), help="Session; the newest one with signals if left out.")
@click.option("--symbol", "symbols", callback=split_symbols, metavar="A,B", help="Only these symbols.")
@click.option("--latest", is_flag=True, help="Each symbol's newest signal, wherever it lies; stale ones say why.")
@click.option("--as-of", type=Moment(), help="As they were visible at this moment.")
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json", "parquet"]), default="table", show_default=True
)
def command(
    session: date | None, symbols: list[str] | None, as_of: datetime | None, form: str, *, latest: bool
) -> None:
    """Print the served signals, best score first.

    A score says how far known readings agree (−1 to 1); it is no forecast. csv, json and parquet hold every column,
    terms included, and go to stdout.
    """
    settings = load_settings()
    if latest and (session or as_of):
        raise click.UsageError("--latest goes with neither --date nor --as-of")
    with open_context(settings, reads_only=True) as context:
        wanted = None if symbols is None else active_symbols(context, normalise_symbols(symbols))
        if session is not None:
            context.calendar.check_range(session, session)
        client = Client(context.database.url.libpq)
        try:
            found = client.latest_signals(wanted) if latest else client.signals(session, symbols=wanted, as_of=as_of)
        finally:
            client.close()
        if found.empty:
            traded = session is None or context.calendar.is_session(session)
            raise BistError(f"{_why_empty(session, as_of, traded=traded)} (home {settings.bist_home})")
        kind = stored_market_kind(context.database)
    if kind not in {None, "real"}:
        click.echo(f"{str(kind).upper()} market: no price here is real", err=True)
    _write(found.sort_values(["score", "symbol"], ascending=[False, True]), form, _STALE if latest else _SHOWN)


def _why_empty(session: date | None, as_of: datetime | None, *, traded: bool) -> str:
    if not traded:
        return f"no signals for {session}: the exchange was closed"
    when = f" as of {as_of.isoformat()}" if as_of else ""
    what = f"for {session}" if session else "yet"
    return f"no signals {what}{when}: `bist-pipeline status` says what is stored, `bist-pipeline backfill` derives more"


def _write(found: pd.DataFrame, form: str, shown: Sequence[str]) -> None:
    if form == "table":
        print_table(found, list(shown), title="Signals: how far known readings agree; no forecast, no advice")
    elif form == "csv":
        found.to_csv(sys.stdout, index=False)
    elif form == "json":
        found.to_json(sys.stdout, orient="records", date_format="iso", lines=True)
    else:
        found.to_parquet(sys.stdout.buffer, index=False)
