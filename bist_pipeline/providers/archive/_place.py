"""Where in an archive something stands, for messages; and the marks that stand for nothing.

Belongs here: the wording of "symbol: file line n, column c". Does not belong here: deciding what is wrong.
"""

from dataclasses import dataclass

from bist_pipeline.core.errors import BadPayloadError

# In lower case; what pandas, Excel, Yahoo and people write into a cell without a value.
MISSING_MARKS = ("", "nan", "null", "none", "-", "--", "n/a", "na", "#n/a", "<na>", "nat")


@dataclass(frozen=True, slots=True)
class Place:
    """One symbol's file.

    Attributes:
        symbol: Normalised code.
        file: File name without its folder.
        unit: What a position counts: lines of a text, rows of a table.
    """

    symbol: str
    file: str
    unit: str = "line"

    def refuse(self, what: str, *, row: int | None = None, column: str | None = None) -> BadPayloadError:
        """Return the error that says `what` is wrong with the file, and at which place in it."""
        at = f" {self.unit} {row}" if row is not None else ""
        at += ("," if at else "") + f" column {' '.join(column.split())}" if column is not None else ""
        return BadPayloadError(f"{self.symbol}: {self.file}{at}{':' if at else ''} {what}")


def quoted(text: str, limit: int = 40) -> str:
    """Return `text` in quotation marks on one line, cut to `limit` characters."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")
