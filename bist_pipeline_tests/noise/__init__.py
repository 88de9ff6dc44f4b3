"""How often detectors find something in chance: `python -m bist_pipeline_tests.noise`.

Belongs here: the rates of confirmed events in a real market, in its bars resampled and in a driftless walk, as a table,
and the small fixed-seed version of it that CI holds every detector to (`rates.csv`).
"""
