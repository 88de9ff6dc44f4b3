"""A backfill that is killed anywhere loses nothing and duplicates nothing."""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import date

import pytest

from bist_pipeline_tests.archives import simulated_bars
from bist_pipeline_tests.pipeline.sites import TABLES, assert_same_tables, count, run
from bist_pipeline_tests.pipeline.spoiled import one_of_each, spoiled_archive

FIRST, LAST = date(2021, 1, 4), date(2022, 3, 31)

# The commands' own path, with a line for every step, so that the killer knows where it stands.
BACKFILL = """
import sys
from datetime import date
from bist_pipeline.pipeline.backfill import backfill
from bist_pipeline.pipeline.context import open_context
from bist_pipeline.pipeline.span import Span
from bist_pipeline.providers.registry import build_providers
from bist_pipeline.settings import load_settings
settings = load_settings()
with open_context(settings) as context:
    told = lambda stage, done, total: print(f"{stage} {done}", flush=True)
    span = Span(*map(date.fromisoformat, sys.argv[1:]))
    backfill(context, build_providers(settings), span, progress=told)
"""
# The step after which each kill comes; how long after is left to chance.
MOMENTS = ("fetching 2", "fetching 5", "cleaning 3", "deriving 0", "deriving 1")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed") / "archive"
    bars = simulated_bars(symbols=8, sessions=300)
    spoiled_archive(folder, bars, one_of_each(bars))
    return folder


def kill_after(context, moment: str, seconds: float) -> bool:
    """Run a backfill in a process of its own and kill it; return whether it was still running."""
    settings = context.settings
    environment = {
        **os.environ,
        "BIST_HOME": str(settings.bist_home),
        "BIST_DATABASE_URL": settings.bist_database_url.get_secret_value(),
        "BIST_ARCHIVE_DIR": str(settings.bist_archive_dir),
        "BIST_UNIVERSE": settings.bist_universe,
        "COLLECTOR_BATCH_SIZE": "1",
    }
    command = [sys.executable, "-c", BACKFILL, str(FIRST), str(LAST)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if line.strip() == moment:
                break
        time.sleep(seconds)  # chance, not hope: nothing is awaited here
        child.send_signal(signal.SIGKILL)
        return child.wait(timeout=60) == -signal.SIGKILL


def test_a_backfill_killed_at_random_moments_ends_in_the_tables_of_an_undisturbed_one(sites, archive):
    undisturbed, killed = sites.make(archive), sites.make(archive)
    run(undisturbed, FIRST, LAST)
    chance = random.Random(20260807)
    kills = sum(kill_after(killed, moment, chance.uniform(0, 0.08)) for moment in MOMENTS)
    assert kills >= 3, "too fast to be killed: the test says nothing"
    run(killed, FIRST, LAST)
    assert_same_tables(killed, undisturbed, (*TABLES, "reference.stocks", "reference.sessions"))
    assert count(killed, "serving.signals", "superseded_by IS NOT NULL") == 0
    assert count(killed, "market.fetch_ledger", "dirty_from IS NOT NULL") == 0
    assert count(killed, "market.fetch_ledger", "status <> 'answered'") == 0
