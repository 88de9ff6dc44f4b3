"""Schedules: what happens by the clock.

Belongs here: the five-minute refresh and the reasons for which a tick is skipped. The end of the day and the
corrections of the next morning are no schedule: the sensor `first_load` fetches a history again as soon as the
provider's mark of it changes (`PriceProvider.version`), and so catches up after a night in which nothing ran.

Of ticks that were missed while the daemon was down only the newest is evaluated: nobody wants the quotes of an hour
ago.
"""

from datetime import timedelta

import dagster as dg

from bist_pipeline.core.calendar import ISTANBUL
from bist_pipeline.core.clock import SystemClock
from bist_pipeline.core.errors import BistError
from bist_pipeline.defs.jobs import refresh_session
from bist_pipeline.defs.lanes import LANE, LIVE, LIVE_TAGS
from bist_pipeline.defs.sensors import UNFINISHED
from bist_pipeline.operations import kill_switch
from bist_pipeline.pipeline.context import PipelineContext, open_context
from bist_pipeline.pipeline.pacing import circuit_open
from bist_pipeline.pipeline.quotes import live_symbols
from bist_pipeline.pipeline.refresh import next_live_moment
from bist_pipeline.providers.registry import exchange_clock
from bist_pipeline.settings import Settings, load_settings

# Market hours with the delay of the data. A simulated exchange keeps its own hours, so its ticks come round the clock.
MARKET_HOURS = "*/5 10-18 * * 1-5"
ROUND_THE_CLOCK = "*/5 * * * *"

# A run that is older is not waited for: the run monitor ends it.
_LONGEST_RUN = timedelta(seconds=int(LIVE_TAGS["dagster/max_runtime"]))


def refresh_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Build the five-minute schedule for Yahoo's hours or a simulated exchange's."""

    @dg.schedule(
        name="refresh_current_session",
        job=refresh_session,
        cron_schedule=ROUND_THE_CLOCK if settings.asks_loopback else MARKET_HOURS,
        execution_timezone="Europe/Istanbul",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every five minutes while the exchange trades: quotes of all symbols in batches, then the whole "
        "chain for this session. A tick says why it was skipped.",
    )
    def refresh_current_session(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """Request the refresh of the session in progress, or say why not."""
        try:
            return _request(context)
        except BistError as error:
            return dg.SkipReason(str(error))

    return refresh_current_session


def _request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    settings = load_settings()
    kill_switch.check(settings.bist_kill_switch)
    if not settings.bist_live_providers:
        return dg.SkipReason("no live provider is configured (BIST_LIVE_PROVIDERS)")
    running = _running(context.instance)
    if running:
        return dg.SkipReason(running)
    with open_context(settings, reads_only=True, clock=exchange_clock(settings)) as opened:
        return _why_not(opened) or _refresh(context, opened)


def _refresh(context: dg.ScheduleEvaluationContext, opened: PipelineContext) -> dg.RunRequest:
    session = opened.calendar.session_at(opened.clock.now())
    return dg.RunRequest(
        run_key=f"refresh:{context.scheduled_execution_time.isoformat()}",
        partition_key=str(session),
        tags=LIVE_TAGS,
    )


def _why_not(opened: PipelineContext) -> dg.SkipReason | None:
    opens = next_live_moment(opened, opened.clock.now())
    if opens is not None:
        local = opens.astimezone(ISTANBUL)
        return dg.SkipReason(f"the market is closed: the first quotes of the next session come {local:%Y-%m-%d %H:%M}")
    circuit = circuit_open(opened.database, hosts=opened.settings.yahoo_hosts)
    if circuit is not None:
        return dg.SkipReason(circuit.text)
    if not live_symbols(opened):
        return dg.SkipReason("no symbol has a history yet: the first load comes before the first refresh")
    return None


def _running(instance: dg.DagsterInstance) -> str:
    """Why the refresh before this one is in the way; empty where it is not, or is past its deadline."""
    records = instance.get_run_records(dg.RunsFilter(tags={LANE: LIVE}, statuses=UNFINISHED), limit=1)
    if not records:
        return ""
    age = SystemClock().now() - records[0].create_timestamp
    if age > _LONGEST_RUN:
        return ""
    return f"the refresh before this one ({records[0].dagster_run.run_id[:8]}) still runs, since {age.seconds} s"
