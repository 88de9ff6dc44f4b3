"""A refresh of one session in this process: the steps that the five-minute run of the Dagster graph takes.

Belongs here: which lane a session belongs to, and the order of the steps. The session in progress goes through the live
lane; a session that is over through the history lane, which makes its bars final.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import pandas as pd

from bist_pipeline.core.calendar import ISTANBUL
from bist_pipeline.core.errors import SessionError, SettingsError
from bist_pipeline.pipeline.backfill import backfill, derive_all
from bist_pipeline.pipeline.cleaning import clean_prices
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.progress import Progress, silent
from bist_pipeline.pipeline.publish import PublishReport, publish
from bist_pipeline.pipeline.quotes import QuotesReport, take_quotes
from bist_pipeline.pipeline.sources import Sources
from bist_pipeline.pipeline.span import Span
from bist_pipeline.providers.registry import provider_delay


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """What a refresh did.

    Attributes:
        session: The session.
        quotes: What the live lane told; None for a session that is over.
        published: The publish.
        problem: Why the desk's list of actions could not be read; empty where it could, or where there is none.
    """

    session: date
    quotes: QuotesReport | None
    published: PublishReport
    problem: str = ""


def refresh(
    context: PipelineContext, sources: Sources, session: date | None = None, progress: Progress = silent
) -> RefreshReport:
    """Refresh one session: the current one by default.

    Raises:
        SessionError: The session has not begun, or the day is none.
        SettingsError: The session is in progress and no live provider is configured.
        CircuitOpenError: Nothing may be asked now; what is stored stays as it is.
    """
    now = context.clock.now()
    current = context.calendar.session_at(now)
    day = session or current
    if day > current or not context.calendar.is_session(day):
        raise SessionError(f"{day} cannot be refreshed: {_why_not(context, day, current)}")
    span = Span(day, day)
    if not is_session_in_progress(context, span):
        report = backfill(context, sources.history, span, progress=progress)
        return RefreshReport(day, None, report.published, report.cleaned.problem)
    if not sources.live:
        raise SettingsError("no live provider is configured: set BIST_LIVE_PROVIDERS, or wait for the close")
    live = replace(context, origin="live")
    quotes = take_quotes(live, sources, day)
    progress("quotes", sum(quotes.states.values()), sum(quotes.states.values()))
    cleaned = clean_prices(live, span, progress)
    derive_all(live, span, None, progress)
    return RefreshReport(day, quotes, publish(live, span), cleaned.problem)


def is_settled(context: PipelineContext, now: datetime, session: date) -> bool:
    """Whether the provider of history has told everything of a session: the auction is over and the delay is past."""
    final_at = pd.Timestamp(context.calendar.schedule(session, session)["final_at"].iloc[0])
    return now >= final_at + provider_delay(context.settings)


def is_session_in_progress(context: PipelineContext, span: Span) -> bool:
    """Whether a span is the session in progress alone."""
    now = context.clock.now()
    is_current = span.first == span.last == context.calendar.session_at(now)
    return is_current and not is_settled(context, now, span.first)


def next_live_moment(context: PipelineContext, now: datetime) -> datetime | None:
    """When the live lane has something to ask again; None while it has.

    From the open plus the provider's delay, until a little after the last bar is final: quotes of the closing auction
    come that late.
    """
    delay = provider_delay(context.settings)
    today = now.astimezone(ISTANBUL).date()
    schedule = context.calendar.schedule(today, min(today + timedelta(days=15), context.calendar.horizon))
    traded = schedule[schedule["is_session"]]
    for opens, final in zip(traded["open_at"] + delay, traded["final_at"] + delay, strict=True):
        if now < opens:
            return opens.to_pydatetime()
        if now <= final:
            return None
    raise SessionError(f"the calendar knows no session after {today}")


def _why_not(context: PipelineContext, day: date, current: date) -> str:
    if day > current:
        return f"the newest session that has begun is {current}"
    note = context.calendar.schedule(day, day)["note"]
    return f"the exchange was closed ({note.iloc[0] if len(note) else 'a weekend'})"
