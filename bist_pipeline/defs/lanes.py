"""Lanes: what a run is for, as a tag that the run queue and the runs themselves read.

Belongs here: the names of the lanes and their place in the queue. One run per lane at a time (`dagster.yaml`); where a
place is free, the live lane goes first.
"""

LANE = "bist/lane"

LIVE = "live"  # the session in progress, every five minutes
HISTORY = "history"  # whole histories and what is derived from them, a chunk a run

LIVE_TAGS = {LANE: LIVE, "dagster/priority": "10", "dagster/max_runtime": "240"}
HISTORY_TAGS = {LANE: HISTORY, "dagster/priority": "-5"}
