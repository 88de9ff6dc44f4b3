from datetime import date, datetime
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster import partition_loading_context
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from bist_pipeline.core.calendar import load_calendar
from bist_pipeline.defs.partitions import CHUNKS, SESSIONS, range_tags
from bist_pipeline.pipeline.span import CHUNK_WEEKDAYS, Span

ISTANBUL = ZoneInfo("Europe/Istanbul")


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        pytest.param((2026, 11, 20, 0, 1), "2026-11-20", id="a session is there from its first minute"),
        pytest.param((2026, 11, 19, 23, 59), "2026-11-19", id="and not before"),
        pytest.param((2026, 11, 21, 12, 0), "2026-11-20", id="Friday stays the newest on Saturday"),
        pytest.param((2026, 11, 22, 23, 0), "2026-11-20", id="and on Sunday"),
        pytest.param((2026, 10, 29, 12, 0), "2026-10-29", id="a holiday is its own day, not the one after"),
        pytest.param((2026, 1, 1, 12, 0), "2026-01-01", id="New Year's Day too"),
    ],
)
def test_the_newest_partition_is_todays_weekday(now, newest):
    with partition_loading_context(datetime(*now, tzinfo=ISTANBUL)):
        assert SESSIONS.get_last_partition_key() == newest
        assert SESSIONS.get_first_partition_key() == "2010-01-04"


def test_every_session_of_the_calendar_has_a_partition_and_weekends_have_none():
    with partition_loading_context(datetime(2026, 11, 20, 12, tzinfo=ISTANBUL)):
        keys = SESSIONS.get_partition_keys()
    calendar = load_calendar()
    first, last = date.fromisoformat(keys[0]), date.fromisoformat(keys[-1])
    assert set(map(str, calendar.sessions(first, last))) <= set(keys)
    assert list(map(str, calendar.weekdays(first, last))) == keys
    assert all(date.fromisoformat(key).weekday() < 5 for key in keys)


def test_the_identity_never_changes():
    """A changed identity ends every running backfill and forgets what is materialized."""
    assert repr(SESSIONS) == repr(
        dg.TimeWindowPartitionsDefinition(
            start="2010-01-04", fmt="%Y-%m-%d", cron_schedule="0 0 * * 1-5", timezone="Europe/Istanbul", end_offset=1
        )
    )
    assert SESSIONS.get_serializable_unique_identifier() == "00ae97bbec772e737f237fcaccb3cae528b7a16b"


def test_a_backfill_is_a_run_per_year_of_weekdays():
    assert CHUNKS.max_partitions_per_run == CHUNK_WEEKDAYS == 260


def test_the_tags_of_a_range_are_those_that_dagster_reads():
    first, last = date(2022, 1, 3), date(2022, 1, 5)
    assert range_tags(Span(first, last)) == {
        ASSET_PARTITION_RANGE_START_TAG: "2022-01-03",
        ASSET_PARTITION_RANGE_END_TAG: "2022-01-05",
    }
