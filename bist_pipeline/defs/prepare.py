"""Run once before Dagster's processes start: `python -m bist_pipeline.defs.prepare`.

Belongs here: making Dagster's tables by one process alone, and failing the runs of workers that no longer exist. A run
left STARTED would block its lane for ever: monitoring does not notice that its worker was killed with everything else.
"""

import sys

import dagster as dg

# Runs that a worker had begun. Queued ones are still going to be launched, and not-started ones belong to a backfill
# that submits them again.
_IN_A_WORKER = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def main() -> None:
    """Prepare the instance that `DAGSTER_HOME` names; call it only while no run worker lives."""
    with dg.DagsterInstance.get() as instance:
        runs = instance.get_runs(dg.RunsFilter(statuses=_IN_A_WORKER))
        for run in runs:
            instance.report_run_failed(run, "The worker was gone when bist-pipeline started again.")
    sys.stdout.write(f"{len(runs)} interrupted runs were marked as failed\n" if runs else "")


if __name__ == "__main__":
    main()
