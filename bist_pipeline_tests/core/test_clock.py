from datetime import UTC, datetime, timedelta, timezone

import pytest

from bist_pipeline.core.clock import FixedClock, SystemClock


def test_the_machines_clock_tells_utc_and_moves():
    clock = SystemClock()
    first = clock.now()
    assert first.tzinfo is UTC
    assert first <= clock.now() <= datetime.now(UTC)


def test_a_fixed_clock_stands_still_and_tells_utc():
    clock = FixedClock(datetime(2024, 4, 9, 12, 30, tzinfo=timezone(timedelta(hours=3))))
    assert clock.now() == clock.now() == datetime(2024, 4, 9, 9, 30, tzinfo=UTC)
    assert clock.now().tzinfo is UTC


def test_a_fixed_clock_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="needs an aware datetime"):
        FixedClock(datetime(2024, 4, 9))  # noqa: DTZ001
