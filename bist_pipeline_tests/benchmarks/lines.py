"""The table that a benchmark prints.

Belongs here: what one line says and how lines become a table, for a terminal or as Markdown.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

HEADER = ("job", "measured", "CPU", "bar", "baseline", "ratio")


@dataclass(frozen=True, slots=True)
class Line:
    """One job.

    Attributes:
        job: What was done; a leading `· ` marks a part of the line before it.
        measured: In `unit`.
        unit: `s`, `ms`, `MB` or `×`.
        cpu: Processor seconds of this process and of the database server; None where they say nothing.
        bar: The design's bound, in `unit`.
        baseline: What the same work costs without us, in `unit`.
        baseline_says: What that is.
    """

    job: str
    measured: float
    unit: str = "s"
    cpu: tuple[float, float] | None = None
    bar: float | None = None
    baseline: float | None = None
    baseline_says: str = ""

    def cells(self) -> tuple[str, ...]:
        """Spell the line out under `HEADER`."""
        cpu = f"{self.cpu[0]:.1f} + {self.cpu[1]:.1f} s" if self.cpu else ""
        bar = f"≤ {self.bar:g} {self.unit}" if self.bar is not None else ""
        baseline = f"{_number(self.baseline, self.unit)} {self.baseline_says}" if self.baseline is not None else ""
        ratio = f"{self.measured / self.baseline:.1f}" if self.baseline else ""
        return self.job, _number(self.measured, self.unit), cpu, bar, baseline, ratio


def _number(value: float, unit: str) -> str:
    digits = {"MB": 0, "ms": 1, "": 0}.get(unit, 2)
    return f"{value:,.{digits}f} {unit}".strip()


def print_lines(lines: Sequence[Line], title: str, *, markdown: bool) -> None:
    """Print to stdout."""
    if markdown:
        rows = [HEADER, ("---", *["---:"] * 3, "---", "---:"), *(line.cells() for line in lines)]
        text = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        Console(soft_wrap=True, highlight=False, markup=False).print(f"{title}\n\n{text}")
        return
    table = Table(title=title, title_justify="left")
    for name in HEADER:
        table.add_column(name, justify="left" if name in {"job", "baseline"} else "right")
    for line in lines:
        table.add_row(*line.cells())
    console = Console()
    (console if console.is_terminal else Console(width=150)).print(table)
