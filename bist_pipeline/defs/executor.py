"""How the steps of a run are executed.

Belongs here: the choice behind `BIST_EXECUTOR`. In one process by default: a process per step costs a second and a half
each, more than the work of most steps.
"""

import dagster as dg

from bist_pipeline.settings import Executor


def executor(name: Executor) -> dg.ExecutorDefinition:
    """Return the executor of that name."""
    if name == "multiprocess":
        # Forked from a server that has loaded the definitions, a step starts in half a second instead of two.
        start = {"forkserver": {"preload_modules": ["bist_pipeline.definitions"]}}
        return dg.multiprocess_executor.configured({"max_concurrent": 2, "start_method": start})
    return dg.in_process_executor
