"""Starting, watching and stopping the processes of `up`. Knows processes only: no Dagster, no SQL."""
