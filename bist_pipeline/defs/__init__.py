"""The only room that imports Dagster: partitions, assets, checks, jobs, sensors and resources over `pipeline`."""
