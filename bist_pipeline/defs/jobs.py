"""Jobs: selections of the graph that are run together.

Belongs here: what is selected and how its runs are tagged. When they run stands in `sensors.py` and `schedules.py`.
"""

import dagster as dg

from bist_pipeline.defs.lanes import LIVE_TAGS

derive_sessions = dg.define_asset_job(
    "derive_sessions",
    selection=dg.AssetSelection.all(),
    description="The whole chain for a session or a range of up to 260: fetch, check, clean, derive, publish.",
    # Six hundred histories at one request a second, with retries.
    tags={"dagster/max_runtime": "3600"},
)

_LIVE_CHAIN = (
    "market/quotes",
    "reference/corporate_actions",
    "market/daily_prices",
    "analytics/indicators",
    "analytics/candlestick_patterns",
    "analytics/chart_patterns",
    "analytics/signals",
    "serving/published",
)

refresh_session = dg.define_asset_job(
    "refresh_session",
    selection=dg.AssetSelection.assets(*(name.split("/") for name in _LIVE_CHAIN)),
    description="The session in progress: quotes in batches, forming bars, indicators, patterns, signals, publish.",
    tags=LIVE_TAGS,
)
