"""A number that says which bars something was computed from.

Belongs here: the running fingerprint of a symbol's accepted bars. It is a checksum against mistakes, not a seal
against an adversary.
"""

import numpy as np
import numpy.typing as npt

from bist_pipeline.core.bars import Bars

# Odd multipliers of splitmix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators"), which
# spread neighbouring bit patterns over all 64 bits.
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_GAMMA = np.uint64(0x9E3779B97F4A7C15)

_FIELDS = ("open", "high", "low", "close", "volume")


def running_fingerprints(bars: Bars) -> npt.NDArray[np.int64]:
    """Fingerprint, for every bar, the symbol's bars from its first up to this one.

    The fingerprint of a prefix does not depend on what follows, so a row's fingerprint changes exactly when a bar at or
    before it does.

    Returns:
        One number per row of `bars.frame`, shape (rows,).
    """
    rows = [_of_symbol(*(getattr(one, name) for name in ("session_date", *_FIELDS, "is_final"))) for one in bars]
    return np.concatenate(rows).view(np.int64) if rows else np.array([], dtype=np.int64)


def _of_symbol(session_date: np.ndarray, *fields: np.ndarray) -> npt.NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        mixed = _mix(session_date.astype("datetime64[D]").astype(np.int64).view(np.uint64))
        for field in fields:
            # Adding 0.0 turns −0.0 into 0.0: PostgreSQL takes them for equal, so must the fingerprint.
            mixed = _mix(mixed + _GAMMA + (field.astype(np.float64) + 0.0).view(np.uint64))
        return np.cumsum(mixed, dtype=np.uint64)


def _mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    values = (values ^ (values >> np.uint64(30))) * _MIX_1
    values = (values ^ (values >> np.uint64(27))) * _MIX_2
    return values ^ (values >> np.uint64(31))
