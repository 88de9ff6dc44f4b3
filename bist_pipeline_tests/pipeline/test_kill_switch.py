"""The kill switch stops work wherever it stands."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bist_pipeline.core.errors import KillSwitchError
from bist_pipeline.pipeline.context import open_context
from bist_pipeline.pipeline.derive import derive_indicators, derive_together
from bist_pipeline.pipeline.span import Span
from bist_pipeline_tests.archives import simulated_bars, write_archive
from bist_pipeline_tests.pipeline.sites import as_date, assert_same_tables, count, run
from bist_pipeline_tests.pipeline.stand_ins import Watched, watched

SPAN = Span(as_date("2021-01-04"), as_date("2021-02-26"))


@pytest.fixture
def switch(tmp_path):
    return tmp_path / "stop"


@pytest.fixture
def desk(sites, tmp_path, switch):
    archive = write_archive(tmp_path / "archive", simulated_bars(symbols=4, sessions=30))
    return sites.emptied(archive, bist_kill_switch=switch, collector_batch_size=1)


@dataclass
class Pulling(Watched):
    """A provider during whose second answer somebody sets the switch."""

    switch: Path = field(default_factory=Path)

    def history(self, symbol):
        if len(self.asked) == 1:
            self.switch.write_text("the exchange sends nonsense\n")
        return super().history(symbol)


def test_a_backfill_does_nothing_while_the_switch_is_set(desk, switch):
    switch.write_text("maintenance\n")
    with pytest.raises(KillSwitchError, match="maintenance"):
        run(desk, SPAN.first, SPAN.last)
    for table in ("market.raw_prices", "market.daily_prices", "analytics.indicators", "serving.publishes"):
        assert count(desk, table) == 0


def test_a_backfill_stops_between_two_batches_keeps_what_it_has_and_goes_on_later(sites, desk, switch):
    provider = Pulling(watched(desk.settings.bist_archive_dir).inner, switch=switch)
    with pytest.raises(KillSwitchError, match="nonsense"):
        run(desk, SPAN.first, SPAN.last, providers=[provider])
    assert count(desk, "market.fetch_ledger") == 2
    assert count(desk, "market.raw_prices") == 60
    switch.unlink()
    run(desk, SPAN.first, SPAN.last)
    undisturbed = sites.make(desk.settings.bist_archive_dir)
    run(undisturbed, SPAN.first, SPAN.last)
    assert_same_tables(desk, undisturbed)


@pytest.mark.parametrize("derive", [derive_indicators, derive_together])
def test_nothing_is_derived_while_the_switch_is_set(desk, switch, derive):
    run(desk, SPAN.first, SPAN.first)
    before = count(desk, "analytics.indicators")
    switch.touch()
    with pytest.raises(KillSwitchError, match="no reason given"):
        derive(desk, SPAN)
    assert count(desk, "analytics.indicators") == before


def test_no_context_is_opened_for_work_while_the_switch_is_set_but_one_for_reading_is(desk, switch):
    switch.touch()
    with pytest.raises(KillSwitchError), open_context(desk.settings):
        pass
    with open_context(desk.settings, reads_only=True) as reading:
        assert count(reading, "serving.publishes") == 0
