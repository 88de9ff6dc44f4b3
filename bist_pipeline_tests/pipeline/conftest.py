"""What the tests of this room share: databases that live as long as a module, and one of the recorded market."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.storage.embedded.server import EmbeddedServer
from bist_pipeline_tests import conftest as shared
from bist_pipeline_tests.pipeline.sites import Sites, run

RECORDED_FIRST, RECORDED_LAST = "2021-08-10", "2026-08-07"


@pytest.fixture(scope="module")
def sites(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """Makes contexts that live as long as the module."""
    made = Sites(server, tmp_path_factory.mktemp("sites"), shared._TEMPLATE)
    yield made
    made.close()


@pytest.fixture(scope="session")
def recorded(
    server: EmbeddedServer, recordings: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PipelineContext]:
    """The 92 recorded shares, backfilled over their whole range; nobody changes this database."""
    made = Sites(server, tmp_path_factory.mktemp("recorded"), shared._TEMPLATE)
    context = made.make(recordings / "bist_daily", bist_archive_basis="fully_adjusted")
    run(context, RECORDED_FIRST, RECORDED_LAST)
    yield context
    made.close()
