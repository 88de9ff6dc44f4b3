"""How long things take and how much memory they need: `python -m bist_pipeline_tests.benchmarks`.

Belongs here: measuring the jobs of the design's table of speed on a SIMULATED market, beside what the same bytes cost
without us (baselines of the same run: a ratio travels between machines, a second does not). No test: nothing fails
because a machine is slow.
"""
