"""When the loops of the chart detectors are compiled, and where what was compiled is kept.

Belongs here: the folder, a process that compiles everything before anybody waits for it, and the mark in the home that
says for which code that was done. Does not belong here: the loops (`patterns/`) and how one is compiled
(`patterns/pivots/_compiled.py`).

On a new installation it takes some twenty seconds; what is compiled serves every later process of it.
"""

import hashlib
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from bist_pipeline.operations.processes import MARK, mark_value
from bist_pipeline.settings import Settings, inherited_environment, set_default

KEPT_IN = "NUMBA_CACHE_DIR"

_TRIAL = "bist_pipeline.patterns.trial"
_POLL_SECONDS = 0.05


def keep_compiled(settings: Settings) -> None:
    """Have this process and its children keep compiled loops in the home, where the package's folder is read-only.

    Without effect where a person chose a folder, and too late once the compiler is imported.
    """
    if not os.access(_package(), os.W_OK):
        set_default(KEPT_IN, str(settings.bist_home / "cache" / "numba"))


def is_compiled(settings: Settings) -> bool:
    """Whether all was compiled before, from the code that is installed now."""
    mark = _mark(settings)
    return mark.exists() and mark.read_text(encoding="utf-8") == _fingerprint()


def compile_ahead(settings: Settings, variables: Mapping[str, str], stop: Callable[[], bool]) -> bool:
    """Compile in a process of its own, which gives its memory back; return whether it was done.

    Args:
        settings: Name the home.
        variables: What the process finds in its environment beside this one's.
        stop: Asked all the time; the process is ended when it says so.
    """
    compiled_for = _fingerprint()
    told = inherited_environment() | {**variables, MARK: mark_value(settings.bist_home)}
    child = subprocess.Popen(
        [sys.executable, "-m", _TRIAL], env=told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while child.poll() is None:
        if stop():
            child.kill()
        time.sleep(_POLL_SECONDS)
    if child.returncode == 0:
        _mark(settings).parent.mkdir(parents=True, exist_ok=True)
        _mark(settings).write_text(compiled_for, encoding="utf-8")
    return child.returncode == 0


def _package() -> Path:
    return Path(str(files("bist_pipeline")))


def _mark(settings: Settings) -> Path:
    """Beside what is compiled: it serves every home of an installation that can be written."""
    if os.access(_package(), os.W_OK):
        return _package() / "patterns" / "__pycache__" / "compiled_for"
    return settings.bist_home / "cache" / "compiled_for"


def _fingerprint() -> str:
    """Changes whenever something would be compiled anew: the code, the compiler, the machine, the place."""
    code = sorted((_package() / "patterns").rglob("*.py"))
    told = [(str(path), (found := path.stat()).st_mtime_ns, found.st_size) for path in code]
    maker = version("numba"), platform.python_version(), platform.machine()
    return hashlib.sha256(repr((maker, told)).encode()).hexdigest()
