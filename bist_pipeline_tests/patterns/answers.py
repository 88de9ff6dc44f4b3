"""What a search came to, in a form that can be compared: between tapes that hold the same bars among others.

Belongs here: naming symbols, and rows by their place within the symbol, so that neither other symbols nor later bars
leave a trace. Does not belong here: what is asked of two answers.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields

import numpy as np

from bist_pipeline.core.bars import Bars
from bist_pipeline.patterns.pivots.tape import Tape, read_tape
from bist_pipeline.patterns.structures.contract import ChartPattern, Outline
from bist_pipeline.patterns.structures.engine import Detected, detect

Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Answer:
    """What was found of one pattern; every array has one item a candidate, structure or change, in their order.

    Rows are counted from the symbol's first bar; −1 stays −1.

    Attributes:
        candidates: Every candidate, with the position of the first rule it broke.
        structures: Those that keep every rule: outline and fate.
        changes: The changes of state.
    """

    candidates: Columns
    structures: Columns
    changes: Columns

    def chosen(self, keep: Callable[[Columns], np.ndarray]) -> "Answer":
        """Keep of each table the rows for which `keep` is true; it sees `symbol` and `row`."""
        return Answer(
            *({name: values[keep(table)] for name, values in table.items()} for table in (self._tables().values()))
        )

    def differences(self, other: "Answer") -> list[str]:
        """Say in which columns the other one differs by a single bit."""
        return [
            f"{table}.{name}"
            for table, columns in self._tables().items()
            for name, values in columns.items()
            if not same_bits(values, other._tables()[table][name])
        ]

    def _tables(self) -> Mapping[str, Columns]:
        return {"candidates": self.candidates, "structures": self.structures, "changes": self.changes}


def same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays hold the same; NaN equals NaN."""
    return one.shape == other.shape and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


def answers(bars: Bars, patterns: Iterable[ChartPattern], names: Mapping[str, str] | None = None) -> dict[str, Answer]:
    """Search bars for patterns; answers by the pattern's name.

    Args:
        bars: Where to look.
        patterns: What for.
        names: What to call symbols in the answer; None: as they are called.
    """
    tape = read_tape(bars)
    return {one.pattern.name: answer(one, tape, names) for one in detect(tape, patterns)}


def answer(found: Detected, tape: Tape, names: Mapping[str, str] | None = None) -> Answer:
    """Bring what was detected into the form that can be compared."""
    symbols = np.array([(names or {}).get(symbol, symbol) for symbol in tape.symbols])
    judged, kept, outline = found.judged.candidates, found.found, found.outline

    def place(rows: np.ndarray, of: np.ndarray) -> np.ndarray:
        start = tape.first_row[of] if rows.ndim == 1 else tape.first_row[of][:, None]
        return np.where(rows < 0, -1, rows - start)

    of = kept.known[found.changes.structure]
    return Answer(
        _by_symbol(
            {
                "symbol": symbols[tape.symbol_index[judged.known]],
                "row": place(judged.known, judged.known),
                "points": place(judged.rows, judged.known),
                "prices": judged.prices,
                "known_rows": place(judged.known_rows, judged.known),
                "scale": judged.scale,
                "broken": found.judged.broken,
            }
        ),
        _by_symbol(
            {
                "symbol": symbols[tape.symbol_index[kept.known]],
                "row": place(kept.known, kept.known),
                "points": place(kept.rows, kept.known),
                "fate": found.fates,
                **{name: place(getattr(outline, name), kept.known) for name in _ROWS},
                **{name: np.asarray(getattr(outline, name)) for name in _VALUES},
            }
        ),
        _by_symbol(
            {
                "symbol": symbols[tape.symbol_index[of]],
                "row": place(found.changes.row, of),
                "known": place(of, of),
                "points": place(kept.rows[found.changes.structure], of),
                **{name: getattr(found.changes, name) for name in _CHANGED},
            }
        ),
    )


_ROWS = ("upper_row", "lower_row", "earliest", "latest", "drawn_from", "span_from")
_VALUES = tuple(field.name for field in fields(Outline) if field.name not in {*_ROWS, "ideal_touches"})
_CHANGED = ("state", "reason", "way", "line", "target", "stop")


def _by_symbol(table: Columns) -> Columns:
    """In the order of the symbols' names; within a symbol as it was."""
    order = np.argsort(table["symbol"], kind="stable")
    return {name: values[order] for name, values in table.items()}
