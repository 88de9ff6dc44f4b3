"""Resources: shells that build the plain objects of the other rooms.

Belongs here: nothing but building. A resource has no secret in its configuration, so none can appear in the UI: the
settings are read from the environment when a run starts.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

import dagster as dg
from pydantic import PrivateAttr

from bist_pipeline.defs.lanes import LANE, LIVE
from bist_pipeline.pipeline.context import PipelineContext, open_context
from bist_pipeline.pipeline.market_kind import stored_market_kind
from bist_pipeline.pipeline.sources import Sources, open_sources
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
        run = context.run  # None outside a run, where a test builds the resource
        is_live = run is not None and run.tags.get(LANE) == LIVE
        with open_context(
            settings, run_id=run.run_id if run else None, origin="live" if is_live else "backfill"
        ) as opened:
            self._context = opened
            yield self

    @property
    def context(self) -> PipelineContext:
        """The open surroundings."""
        return cast(PipelineContext, self._context)

    def sources(self) -> Sources:
        """The configured providers, with what they need to ask."""
        return open_sources(self.context)

    def market_label(self) -> dict[str, str]:
        """Metadata that says so where the market is not the real one."""
        kind = stored_market_kind(self.context.database)
        return {} if kind in {None, "real"} else {"market": str(kind).upper()}
