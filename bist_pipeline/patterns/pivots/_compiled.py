"""How the loops of this room are compiled.

Belongs here: the one decorator of every `_kernels` module. Does not belong here: a loop. Imported by those modules
alone: the compiler takes half a second to import.
"""

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function at its first call, and keep what was compiled for the next process where a folder allows it.

    Without one (an installation that cannot be written, and no home) each process compiles anew, which takes a while.
    """
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return njit(function, cache=True, **options)
    except RuntimeError:
        return njit(function, **options)
