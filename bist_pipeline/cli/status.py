"""`bist-pipeline status`."""

import click
import pandas as pd

from bist_pipeline.cli._console import print_table
from bist_pipeline.operations.home_lock import running_instance
from bist_pipeline.pipeline.context import open_context
from bist_pipeline.pipeline.status import Status, read_status
from bist_pipeline.settings import load_settings
from bist_pipeline.storage.views import READER

_FAILURES_SHOWN = 10


@click.command("status")
def command() -> None:
    """Say what is stored, what is missing and what is withheld."""
    settings = load_settings()
    instance = running_instance(settings.bist_home)
    running = f"up runs as pid {instance.pid} at {instance.address}" if instance else "up is not running"
    with open_context(settings, reads_only=True) as context:
        status = read_status(context)
        if status.kind not in {"", "real"}:
            click.echo(f"{status.kind.upper()} market: no price here is real")
        click.echo(f"home {settings.bist_home}: {running}; the exchange is {status.market.replace('_', ' ')}")
        click.echo(f"consumers read at {context.database.url.with_user(READER).libpq}")
    _print_watermark(status)
    if status.problem:
        click.echo(f"the desk's corporate actions stay as they were: {status.problem}")
    if status.listings_problem:
        click.echo(f"the desk's listings stay as they were: {status.listings_problem}")
    if status.idle is not None and status.idle.total_seconds() > settings.max_idle_seconds:
        minutes = status.idle.total_seconds() / 60
        click.echo(f"STALE: no live answer for {minutes:.0f} minutes though the exchange trades; see the circuit below")
    print_table(status.tables, ["table", "rows", "first_session", "last_session"], title="Tables")
    for title, frame in (
        ("Symbols by what became of asking for them", status.symbols),
        ("Coverage of the newest sessions", status.coverage),
        ("Quarantine by rule", status.quarantine),
        ("Accepted bars by grade: A as delivered, B filled or repaired, C doubtful", status.grades),
        ("Derived rows that rest on bars which have changed since: `bist-pipeline restate`", status.dirty),
        (f"Stale: the last good signal stays ({len(status.stale)} in all)", status.stale.head(_FAILURES_SHOWN)),
        (
            "Newest publishes",
            status.publishes[["publish_id", "published_at", "first_session", "last_session", "signals"]],
        ),
        (f"Failures ({len(status.failures)} in all)", status.failures.head(_FAILURES_SHOWN)),
        ("Newest refresh of a session in progress", status.live),
        ("Runs that failed in the last day: why, the UI says", status.failed_runs),
        ("Requests of the last day", _short(status.health)),
        ("Providers", status.providers),
    ):
        if len(frame):
            print_table(frame, list(frame.columns), title=title)


def _short(health: pd.DataFrame) -> pd.DataFrame:
    """The columns that fit beside each other; faults of all kinds together."""
    faults = ["server_errors", "bad_bodies", "timeouts", "connection_faults", "unauthorized", "refused"]
    told = health.assign(
        faults=health[faults].sum(axis=1),
        waited_s=health["waited_seconds"].round(1),
        megabytes=(health["bytes_received"] / 1e6).round(1),
        host=health["host"].str.removeprefix("https://").str.removeprefix("http://"),
    )
    # Short headings: beside each other, long ones cut off what stands below them.
    headings = {
        "requests": "asked",
        "success_ratio": "success",
        "throttled": "429",
        "megabytes": "MB",
        "last_answer_at": "last_answer",
    }
    columns = ["provider", "host", "requests", "answered", "success_ratio", "retried", "throttled", "faults"]
    return told[[*columns, "waited_s", "megabytes", "last_answer_at", "circuit"]].rename(columns=headings)


def _print_watermark(status: Status) -> None:
    if status.watermark.empty:
        click.echo("nothing is published yet")
        return
    newest = status.watermark.iloc[0]
    served = _served_up_to(newest["last_final_session"], newest["last_session"])
    click.echo(f"{served}, publish {newest['publish_id']} of {newest['published_at']:%Y-%m-%d %H:%M} UTC")


def _served_up_to(final: pd.Timestamp | None, newest: pd.Timestamp | None) -> str:
    """Both are missing where no signal is served, and the first one alone before any session of them is over."""
    if not pd.isna(final):
        return f"served up to {final:%Y-%m-%d} (final)"
    if not pd.isna(newest):
        return f"served: {newest:%Y-%m-%d} (forming), nothing final yet"
    return "no signal is served yet"
