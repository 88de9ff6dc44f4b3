"""Resources: shells that build the plain objects of the other rooms.

Belongs here: nothing but building. A resource has no secret in its configuration, so none can appear in the UI: the
settings are read from the environment when a run starts.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

import dagster as dg
from pydantic import PrivateAttr

from bist_pipeline.pipeline.context import PipelineContext, open_context
from bist_pipeline.providers.contract import PriceProvider
from bist_pipeline.providers.registry import build_providers
from bist_pipeline.settings import load_settings


class PipelineResource(dg.ConfigurableResource):
    """The database, the calendar and the settings for the length of a run.

    Attributes:
        home: Home to use instead of `BIST_HOME`; for tests.
    """

    home: str | None = None

    _context: PipelineContext | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator["PipelineResource", None, None]:
        """Open the pipeline's surroundings for one run."""
        settings = load_settings(bist_home=self.home)
        run_id = context.run.run_id if context.run else None  # None outside a run, where a test builds the resource
        with open_context(settings, run_id=run_id) as opened:
            self._context = opened
            yield self

    @property
    def context(self) -> PipelineContext:
        """The open surroundings."""
        return cast(PipelineContext, self._context)

    def providers(self) -> list[PriceProvider]:
        """The configured providers of history, in order."""
        return build_providers(self.context.settings)
