"""The only room that imports Dagster: partitions, assets, checks, jobs, sensors and resources over `pipeline`."""

import warnings

from dagster import BetaWarning

# Known and accepted: dagster is pinned below its next minor release, and nobody who types `dagster dev` needs to read
# it once per asset.
warnings.filterwarnings("ignore", category=BetaWarning, message=".*`backfill_policy`")
