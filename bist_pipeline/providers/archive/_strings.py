"""Questions to a whole column of text at once.

Belongs here: the few arrow kernels the readers need, under names that say what is asked. Does not belong here: what the
answers mean. Patterns are RE2; nulls match nothing.
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute

# pyarrow makes its kernels at import, so a type checker sees none of them.
_kernels: Any = pyarrow.compute


def trimmed(cells: pa.Array) -> pa.Array:
    """Return the cells without blanks around them."""
    return _kernels.utf8_trim_whitespace(cells)


def without(cells: pa.Array, marks: pa.Array) -> pa.Array:
    """Return the cells, null where their lower case is one of `marks`."""
    is_mark = _kernels.is_in(_kernels.utf8_lower(cells), value_set=marks)
    return _kernels.if_else(is_mark, pa.scalar(None, pa.string()), cells)


def replaced(cells: pa.Array, pattern: str, text: str) -> pa.Array:
    """Return the cells with every match of `pattern` replaced."""
    return _kernels.replace_substring_regex(cells, pattern, text)


def any_matching(cells: pa.Array, pattern: str) -> bool:
    """Say whether `pattern` is found in some cell."""
    return bool(_kernels.any(_kernels.match_substring_regex(cells, pattern)).as_py())


def any_containing(cells: pa.Array, text: str) -> bool:
    """Say whether `text` is found in some cell; faster than a pattern."""
    return bool(_kernels.any(_kernels.match_substring(cells, text)).as_py())


def first_matching(cells: pa.Array, pattern: str) -> int | None:
    """Return the position of the first cell in which `pattern` is found."""
    return _position(_kernels.match_substring_regex(cells, pattern), value=True)


def first_not_matching(cells: pa.Array, pattern: str) -> int | None:
    """Return the position of the first cell in which `pattern` is not found; nulls are passed over."""
    return _position(_kernels.match_substring_regex(cells, pattern), value=False)


def first_null(cells: pa.Array) -> int | None:
    """Return the position of the first null."""
    return _position(_kernels.is_null(cells), value=True)


def null_filled(cells: pa.Array, value: float) -> pa.Array:
    """Return the cells with `value` for null."""
    return _kernels.fill_null(cells, value)


def _position(flags: pa.Array, *, value: bool) -> int | None:
    found = _kernels.index(flags, value=value).as_py()
    return None if found < 0 else found
