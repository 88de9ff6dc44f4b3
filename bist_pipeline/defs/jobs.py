"""Jobs: selections of the graph that are run together.

Belongs here: what is selected and how its runs are tagged. When they run stands in `sensors.py`.
"""

import dagster as dg

derive_sessions = dg.define_asset_job(
    "derive_sessions",
    selection=dg.AssetSelection.all(),
    description="The whole chain for a session or a range of up to 260: fetch, check, clean, derive, publish.",
    tags={"dagster/max_runtime": "1800"},
)
