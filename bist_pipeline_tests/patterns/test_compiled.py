"""How loops are compiled: with a folder to keep them in and without one, and all of them by the trial run."""

import subprocess
import sys
from pathlib import Path

import bist_pipeline
from bist_pipeline.patterns.trial import run_every_loop

ROOM = Path(bist_pipeline.__file__).parent / "patterns"

# In an interpreter of its own: other tests have compiled much of it in this one. A locator of numba's knows a folder.
WITHOUT_A_FOLDER = """
from numba.core.caching import CacheImpl
CacheImpl._locator_classes = []
import numpy as np
from bist_pipeline.patterns.pivots._kernels import deviations
print(np.isfinite(deviations(np.log(np.arange(1.0, 10.0)), np.full(9, True), np.array([0, 9]), 3)).sum())
"""

TRIAL = """
import sys
from bist_pipeline.patterns.trial import run_every_loop
run_every_loop()
from numba.core.dispatcher import Dispatcher
for name, module in list(sys.modules.items()):
    if name.startswith("bist_pipeline.patterns"):
        for loop, made in vars(module).items():
            if isinstance(made, Dispatcher) and made.py_func.__module__ == name and not loop.startswith("_"):
                print(loop, len(made.signatures))
"""


def lines_of(script: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_loops_work_where_no_folder_can_keep_them():
    assert int(lines_of(WITHOUT_A_FOLDER)[0]) > 0


def test_all_loops_are_compiled_by_the_one_decorator():
    users = {path.name for path in ROOM.rglob("*.py") if "numba" in path.read_text().split()}
    assert users == {"_compiled.py"}


def test_the_trial_run_has_something_to_do_for_every_loop():
    counts = {name: int(count) for name, count in (line.split() for line in lines_of(TRIAL))}
    assert len(counts) > 15
    assert not [name for name, count in counts.items() if count == 0]


def test_the_trial_run_finds_patterns():
    assert run_every_loop() > 500
