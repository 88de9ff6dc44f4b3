"""What the tests of Yahoo's routes share: two scripted hosts and a pacer that remembers."""

import pytest

from bist_pipeline.core.clock import FixedClock
from bist_pipeline.providers.contract import Services
from bist_pipeline_tests.providers.yahoo.charts import NOW
from bist_pipeline_tests.providers.yahoo.scripted import RecordingPacer, scripted_host


@pytest.fixture
def host():
    with scripted_host() as host:
        yield host


@pytest.fixture
def second_host():
    with scripted_host() as host:
        yield host


@pytest.fixture
def pacer():
    return RecordingPacer()


@pytest.fixture
def services(pacer):
    return Services(pacer, FixedClock(NOW))
