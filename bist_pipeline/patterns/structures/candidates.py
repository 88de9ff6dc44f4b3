"""Places where a pattern could be, as arrays: the one shape in which detectors hand them on.

Belongs here: the points of many candidates, and keeping some of them. Most candidates break an early rule that looks at
two points of seven, so what is kept is a list of positions: columns are fetched when somebody looks at them.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Self

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots.arrays import Flags, Ints
from bist_pipeline.patterns.pivots.tape import Tape
from bist_pipeline.patterns.structures.view import View


class Candidates:
    """Places where a pattern could be, shape (n,); their points, shape (n, k). Nothing in it is changed once made.

    Attributes:
        view: What they were found in.
        known: Row of the bar at which all of it was known: never before the last point was confirmed.
        rows: Rows of the points in time order; −1 where a candidate has fewer than k.
        prices: Logarithms of their prices; NaN there.
        known_rows: Row at which each point became known; −1 there.
        scale: κ of the zigzag that the points come from; 0 where they come from elsewhere.
        own: What the pattern's file found out of each, by name, shape (n,) or (n, …).
    """

    def __init__(  # noqa: PLR0917 - its columns, in the order in which a candidate is read
        self,
        view: View,
        known: Ints,
        rows: Ints,
        prices: FloatArray,
        known_rows: Ints,
        scale: FloatArray,
        own: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self.view = view
        self._columns = {"known": known, "rows": rows, "prices": prices, "known_rows": known_rows, "scale": scale}
        self._own = dict(own or {})
        self._chosen: Ints | None = None

    def __len__(self) -> int:
        return len(self._columns["known"] if self._chosen is None else self._chosen)

    def _column(self, name: str) -> np.ndarray:
        whole = self._columns[name]
        return whole if self._chosen is None else whole[self._chosen]

    @cached_property
    def known(self) -> Ints:
        """See above."""
        return self._column("known")

    @cached_property
    def rows(self) -> Ints:
        """See above."""
        return self._column("rows")

    @cached_property
    def prices(self) -> FloatArray:
        """See above."""
        return self._column("prices")

    @cached_property
    def known_rows(self) -> Ints:
        """See above."""
        return self._column("known_rows")

    @cached_property
    def scale(self) -> FloatArray:
        """See above."""
        return self._column("scale")

    @cached_property
    def own(self) -> Mapping[str, np.ndarray]:
        """See above."""
        return _Own(self._own, self._chosen)

    @property
    def tape(self) -> Tape:
        """The bars."""
        return self.view.tape

    @property
    def points(self) -> int:
        """Points of a candidate, k."""
        return self._columns["rows"].shape[1]

    def price(self, point: int) -> FloatArray:
        """Price of a point, counted from 0; from the end where negative."""
        return self._point("prices", point)

    def row(self, point: int) -> Ints:
        """Row of a point."""
        return self._point("rows", point)

    def _point(self, name: str, point: int) -> np.ndarray:
        whole = self._columns[name]
        return whole[:, point] if self._chosen is None else whole[self._chosen, point]

    @cached_property
    def first_row(self) -> Ints:
        """Row of the first point."""
        return self.row(0)

    @cached_property
    def last_row(self) -> Ints:
        """Row of the last point."""
        last = self.row(0)
        for point in range(1, self.points):  # NumPy's own maximum along a short axis is many times slower
            last = np.maximum(last, self.row(point))
        return last

    @cached_property
    def atr(self) -> FloatArray:
        """ATR(14) at the last point; NaN before it is known."""
        return self.tape.atr[self.last_row]

    @property
    def bars(self) -> Ints:
        """Bars from the first point to the last."""
        return self.last_row - self.first_row

    def take(self, chosen: Flags | Ints) -> Self:
        """Keep some of them."""
        places: Ints = np.flatnonzero(chosen) if chosen.dtype == bool else np.asarray(chosen, dtype=np.int64)
        kept = type(self)(self.view, **self._columns, own=self._own)
        kept._chosen = places if self._chosen is None else self._chosen[places]
        # What was looked at before will be looked at again.
        kept.__dict__.update({name: self.__dict__[name][places] for name in _SEEN if name in self.__dict__})
        return kept

    def with_own(self, **values: np.ndarray) -> Self:
        """Add what was found out of them."""
        columns = (self.known, self.rows, self.prices, self.known_rows, self.scale)
        return type(self)(self.view, *columns, {**self.own, **values})


_SEEN = ("known", "first_row", "last_row", "atr")


class _Own(Mapping[str, np.ndarray]):
    """Columns of which some rows are kept, fetched when looked at."""

    def __init__(self, whole: Mapping[str, np.ndarray], chosen: Ints | None) -> None:
        self._whole, self._chosen = whole, chosen
        self._seen: dict[str, np.ndarray] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._seen:
            whole = self._whole[name]
            self._seen[name] = whole if self._chosen is None else whole[self._chosen]
        return self._seen[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole)

    def __len__(self) -> int:
        return len(self._whole)
