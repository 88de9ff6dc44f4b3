"""Pictures from frames, as small PNGs. No database, no Dagster."""
