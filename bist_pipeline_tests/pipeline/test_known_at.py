"""When a row could be known, and what becomes of a bar that was still forming when it came."""

import os
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from bist_pipeline.core.calendar import ISTANBUL
from bist_pipeline.core.clock import FixedClock
from bist_pipeline.pipeline.known_at import known_moments
from bist_pipeline.pipeline.span import Span
from bist_pipeline.providers.archive.provider import ArchiveProvider
from bist_pipeline_tests.archives import simulated_bars, write_archive
from bist_pipeline_tests.pipeline.sites import SERVED, all_contents, run
from bist_pipeline_tests.pipeline.spoiled import lines_of, write_lines

DELAY = timedelta(minutes=15)


def stamped(context, days, delay=DELAY, is_final=True):
    rows = pd.DataFrame({"symbol": "ZZAAA", "session_date": pd.to_datetime(days).as_unit("us"), "is_final": is_final})
    span = Span(rows["session_date"].min().date(), rows["session_date"].max().date())
    return known_moments(context.database, context.calendar, span, delay).stamp(rows)["known_at"].tolist()


def istanbul(text):
    return pd.Timestamp(text, tz="Europe/Istanbul")


def test_a_final_row_is_known_when_the_closing_auction_is_over_and_the_provider_has_told(context):
    # A usual Monday, and the eve of Republic Day, which closes at 12:30.
    found = stamped(context, ["2024-10-21", "2024-10-28"])
    assert found == [istanbul("2024-10-21 18:25"), istanbul("2024-10-28 12:55")]


@pytest.mark.parametrize("minutes", [0, 15, 90])
def test_the_providers_delay_is_added(context, minutes):
    (found,) = stamped(context, ["2024-10-21"], delay=timedelta(minutes=minutes))
    assert found == istanbul("2024-10-21 18:10") + timedelta(minutes=minutes)


@pytest.fixture(scope="module")
def day(sites, tmp_path_factory):
    """A session that is refreshed at 14:30 and after the close; one symbol's bar has changed, four have not."""
    bars = simulated_bars(symbols=5, sessions=60)
    bars = bars[bars["session_date"] <= "2021-03-10"]
    archive = write_archive(tmp_path_factory.mktemp("day") / "archive", bars)
    context = sites.make(archive)
    noon = refresh(context, bars, "14:30", 0.1)
    seen = all_contents(context, SERVED), known(context)
    evening = refresh(context, bars, "18:30", -0.1)
    return {"noon": (noon, *seen), "evening": (evening, all_contents(context, SERVED), known(context), context)}


def refresh(context, bars, written: str, rise: float):
    """Write the files at a time of 2021-03-10 and refresh that session on the next morning."""
    for symbol, own in bars.groupby("symbol"):
        lines = lines_of(own)
        if symbol == "ZZAAA":
            price = f"{float(lines[-2]['Close']) + rise:.2f}"
            lines[-1] |= {"Open": price, "High": price, "Low": price, "Close": price}
        place = write_lines(context.settings.bist_archive_dir, str(symbol), lines)
        at = datetime.fromisoformat(f"2021-03-10T{written}").replace(tzinfo=ISTANBUL).timestamp()
        os.utime(place, (at, at))
    clock = FixedClock(datetime(2021, 3, 11, 7, 0, tzinfo=UTC))
    provider = ArchiveProvider(context.settings.bist_archive_dir, "fully_adjusted", clock)
    return run(context, "2021-01-04", "2021-03-10", providers=[provider])


def known(context):
    """When the newest session's signals and events could be known."""
    return context.database.frame(
        """SELECT known_at FROM serving.signals_v1 WHERE session_date = DATE '2021-03-10' UNION
        SELECT known_at FROM serving.pattern_events_v1 WHERE session_date = DATE '2021-03-10'"""
    )["known_at"]


def test_a_bar_written_while_its_session_ran_is_forming_and_so_is_everything_from_it(day):
    report, tables, moments = day["noon"]
    for table in SERVED:
        rows = tables[table]
        forming = rows[~rows["is_final"].astype(bool)]
        assert len(forming) == (5 if table != "serving.pattern_events_v1" else len(forming))
        assert (forming["session_date"] == "2021-03-10").all()
        assert rows.loc[rows["session_date"] < "2021-03-10", "is_final"].all()
    assert set(moments) == {istanbul("2021-03-10 14:45")}
    assert report.published.last_final_session == date(2021, 3, 9)


def test_it_becomes_final_with_the_file_that_is_written_after_the_close_even_if_no_number_changes(day):
    report, tables, moments, _ = day["evening"]
    for table in SERVED:
        assert tables[table]["is_final"].all(), table
    assert set(moments) == {istanbul("2021-03-10 18:25")}
    assert report.published.last_final_session == date(2021, 3, 10)


def test_every_forming_signal_is_superseded_by_its_final_version(day):
    report = day["evening"][0]
    assert (report.published.signals, report.published.signals_superseded) == (5, 5)


def test_only_the_newest_bars_carry_the_new_time(day):
    times = day["evening"][-1].database.frame("SELECT session_date, as_of FROM market.raw_prices")
    moved = times.loc[times["as_of"] > istanbul("2021-03-10 14:30"), "session_date"]
    assert set(moved) == {pd.Timestamp("2021-03-10")}
    assert len(moved) == 5
