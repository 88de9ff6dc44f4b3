"""Use cases over the rooms: ingest, clean, derive, publish. The same code serves Dagster and the command line."""
