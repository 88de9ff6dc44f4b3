"""What the second source's stored rows came of: version marks, so that an unchanged history is not read again.

Belongs here: the marks, in the home, each held against the rows that are stored. They save reading and nothing else:
where they are lost or tell of other rows, the history is fetched again. Beside that they say whose rows are stored:
what carries the mark of another source, folder or basis than are configured now is not this source's. Of rows without
any mark nobody knows it, and they stay: a lost file must not cost what cannot be fetched at the moment.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.providers.contract import History

FILE = "second_source.json"


@dataclass(frozen=True, slots=True)
class Mark:
    """One symbol's mark.

    Attributes:
        version: The provider's own.
        rows: How many rows it answered then.
    """

    version: str
    rows: int

    @classmethod
    def of(cls, history: History, version: str) -> Self:
        """The mark of an answer."""
        return cls(version, len(history.bars))


def read_marks(context: PipelineContext, provider: str) -> Mapping[str, Mark]:
    """Return the marks by symbol of those whose rows are all stored."""
    counted = context.database.rows("SELECT symbol, count(*) AS rows FROM market.second_prices GROUP BY symbol")
    stored = {row.symbol: row.rows for row in counted}
    marks = {symbol: Mark(**mark) for symbol, mark in _read(context, provider).items()}
    return {symbol: mark for symbol, mark in marks.items() if mark.version and stored.get(symbol) == mark.rows}


def foreign_symbols(context: PipelineContext, provider: str) -> frozenset[str]:
    """Return the symbols whose rows in this database another source, folder or basis is noted to have told."""
    own, here = _owner(context, provider), _place(context)
    owners = {owner: marks for owner, marks in _all(context).items() if owner.endswith(here) and owner != own}
    return frozenset(symbol for marks in owners.values() for symbol in marks) - frozenset(_read(context, provider))


def write_marks(context: PipelineContext, provider: str, marks: Mapping[str, Mark]) -> None:
    """Add marks to those of a source; those of another one, of another folder or basis, or database, go."""
    kept = _read(context, provider)
    path = context.settings.bist_home / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    # Replaced whole: a process that is killed here leaves the old marks, not half of the new ones.
    draft = path.with_suffix(".draft")
    told = {_owner(context, provider): kept | {symbol: asdict(mark) for symbol, mark in marks.items()}}
    draft.write_text(json.dumps(told, sort_keys=True), encoding="utf-8")
    draft.replace(path)


def _read(context: PipelineContext, provider: str) -> dict[str, dict]:
    return _all(context).get(_owner(context, provider), {})


def _all(context: PipelineContext) -> dict[str, dict[str, dict]]:
    path = context.settings.bist_home / FILE
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}


def _owner(context: PipelineContext, provider: str) -> str:
    settings = context.settings
    folder, basis = {
        "archive": (settings.bist_archive_dir, settings.bist_archive_basis),
        "second_archive": (settings.bist_second_archive_dir, settings.bist_second_archive_basis),
    }.get(provider, (None, ""))
    told = f" of {folder.resolve()} as {basis}" if folder else ""
    return f"{provider}{told}{_place(context)}"


def _place(context: PipelineContext) -> str:
    return f" in {context.database.url}"
