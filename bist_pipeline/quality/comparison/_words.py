"""What is disagreed about and who is supported, in words with the numbers.

Belongs here: texts of the rows of a comparison. Does not belong here: deciding anything.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.quality.comparison._disputes import Compared
from bist_pipeline.quality.comparison._evidence import Against
from bist_pipeline.quality.comparison._pairs import IntArray

_NAMES = ("open", "high", "low", "close")
_VERDICTS = {
    "first_supported": "the first is supported",
    "second_supported": "the second is supported",
    "undecided": "nothing tells who is right",
}


def of_prices(
    compared: Compared, rows: IntArray, found: Sequence[Against], verdict: npt.NDArray[np.object_]
) -> list[str]:
    """Word bars with prices in dispute: `close 10.5 against 10.61 (-1.04 %): …`; the second on the first's basis."""
    brought = compared.pairs.second.prices[:, rows] * np.exp(compared.levels.level[rows])
    texts = []
    for place, row in enumerate(rows.tolist()):
        told = [
            f"{name} {compared.pairs.first.prices[n, row]:.6g} against {brought[n, place]:.6g} "
            f"({np.expm1(compared.residual[n, row]):+.2%})"
            for n, name in enumerate(_NAMES)
            if compared.disputed[n, row]
        ]
        texts.append(f"{', '.join(told)}: {_support(found, verdict[place], place)}")
    return texts


def of_volumes(
    compared: Compared, rows: IntArray, found: Sequence[Against], verdict: npt.NDArray[np.object_]
) -> list[str]:
    """Word bars with nothing but the volume in dispute; the second's in the first's unit."""
    first, second = compared.pairs.first.volume, compared.volumes.second
    return [
        f"volume {first[row]:,.0f} against {second[row]:,.0f} shares: {_support(found, verdict[place], place)}"
        for place, row in enumerate(rows.tolist())
    ]


def of_steps(
    compared: Compared, rows: IntArray, change: FloatArray, found: Sequence[Against], verdict: npt.NDArray[np.object_]
) -> list[str]:
    """Word first bars of new levels: the sources do not tell of the same action."""
    first, second = compared.pairs.first.close, compared.pairs.second.close
    return [
        f"from here on the first per second is {np.exp(change[place]):.6g} times what it was (returns "
        f"{first[row] / first[row - 1] - 1:+.2%} and {second[row] / second[row - 1] - 1:+.2%}): they do not tell of "
        f"the same action; {_support(found, verdict[place], place)}"
        for place, row in enumerate(rows.tolist())
    ]


def _support(found: Sequence[Against], verdict: str, place: int) -> str:
    why = [
        f"the {side} {one.says}"
        for side, hit in (("first", "first"), ("second", "second"))
        for one in found
        if getattr(one, hit)[place]
    ]
    return _VERDICTS[verdict] + (f", {' and '.join(why)}" if why else "")
