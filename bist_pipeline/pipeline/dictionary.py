"""The documentation that is generated, so that it cannot drift: `python -m bist_pipeline.pipeline.dictionary docs`.

Belongs here: `tables.md`, `parts.md` and `settings.md`, rendered from contracts, registries and `Settings`. Does not
belong here: anything that would have to be said twice. A test fails where the checked-in files differ.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from bist_pipeline.indicators.registry import registered_indicators
from bist_pipeline.market.rules import RULES
from bist_pipeline.patterns.registry import registered_candlesticks
from bist_pipeline.pipeline.dictionary_charts import chart_pages
from bist_pipeline.pipeline.dictionary_tables import GENERATED, heading, markdown_table, tables_text
from bist_pipeline.providers.registry import registered_providers
from bist_pipeline.quality.registry import registered_checks
from bist_pipeline.settings import Settings
from bist_pipeline.signals.model import MODEL
from bist_pipeline.signals.registry import registered_terms

FILES = ("tables.md", "parts.md", "settings.md")


def render() -> dict[str, str]:
    """Return the text of every generated file by name."""
    return dict(zip(FILES, (tables_text(), parts_text(), settings_text()), strict=True))


def write(folder: Path) -> None:
    """Write the generated files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in render().items():
        (folder / name).write_text(text, encoding="utf-8")


def parts_text() -> str:
    """Indicators, candlesticks, chart patterns, signal terms, checks, cleaning rules and providers, as registered."""
    sections = (_indicators(), _candlesticks(), chart_pages(), _terms(), _checks(), _rules(), _providers())
    return "\n".join([*GENERATED, "# Parts", "", *chain.from_iterable(sections)])


def settings_text() -> str:
    """Every environment variable."""
    rows = [(f"`{n.upper()}`", _kind(f), _default(f), f.description or "") for n, f in Settings.model_fields.items()]
    says = (
        "Read once, from the environment; what `bist-pipeline up` was last told is remembered in the home "
        "(`settings.env`), and the environment wins over it. An illegal value stops the command with the variable's "
        "name and the legal values."
    )
    table = markdown_table(("variable", "type", "default", "meaning"), rows)
    return "\n".join([*GENERATED, "# Settings", "", says, "", *table])


def _indicators() -> Iterator[str]:
    parts = registered_indicators().values()
    columns = sum(len(part.columns) for part in parts)
    yield from heading("Indicators", f"{len(parts)} indicators with {columns} columns. Periods count sessions.")
    for family in dict.fromkeys(part.family for part in parts):
        rows = [
            (f"`{c.name}`", c.unit, str(c.warm_up), _sentence(c.description, c.undefined_when), part.source)
            for part in parts
            if part.family == family
            for c in part.columns
        ]
        yield from (f"### {family}", "")
        yield from markdown_table(("column", "unit", "warm-up", "meaning", "source"), rows)


def _sentence(description: str, undefined_when: str | None) -> str:
    return description if undefined_when is None else f"{description} NULL when {undefined_when.rstrip('.')}."


def _candlesticks() -> Iterator[str]:
    parts = registered_candlesticks().values()
    yield from heading(
        "Candlesticks",
        f"{len(parts)} patterns. The presumed trend is what the textbook asks for before the pattern, for a bullish "
        "and for a bearish one; TA-Lib does not look at it. The evidence that candlesticks announce anything is weak.",
    )
    rows = [
        (f"`{p.name}`", p.title, str(p.bars), *(trend or "none" for trend in p.presumes), p.meaning, p.source)
        for p in parts
    ]
    yield from markdown_table(
        ("pattern", "title", "bars", "presumes, bullish", "presumes, bearish", "meaning", "source"), rows
    )


def _terms() -> Iterator[str]:
    yield from heading(
        "Signal terms",
        f"Model `{MODEL.version}`: a stated prior, nothing is fitted. A term's weight is its share of its sub-signal, "
        "a sub-signal's its share of the score. Score, sub-signals and terms lie between −1 and 1; NULL when unknown.",
    )
    shares = [(name, f"{weight:g}", MODEL.reasons[name]) for name, weight in MODEL.weights.items()]
    yield from markdown_table(("sub-signal", "weight", "reason"), shares)
    rows = [
        (
            f"`term_{t.name}`",
            t.sub_signal,
            f"{t.weight:g}",
            ", ".join(f"`{i}`" for i in t.inputs),
            t.description,
            t.source,
        )
        for t in registered_terms().values()
    ]
    yield from markdown_table(("column", "sub-signal", "weight", "reads", "meaning", "source"), rows)
    actions = [
        ("`strong_buy`", f"score ≥ {MODEL.strong:g}", MODEL.reasons["strong"]),
        ("`buy`", f"{MODEL.buy:g} ≤ score < {MODEL.strong:g}", MODEL.reasons["buy"]),
        ("`hold`", f"−{MODEL.buy:g} < score < {MODEL.buy:g}", ""),
        ("`sell`", f"−{MODEL.strong:g} < score ≤ −{MODEL.buy:g}", ""),
        ("`strong_sell`", f"score ≤ −{MODEL.strong:g}", ""),
    ]
    yield from markdown_table(("action", "when", "reason"), actions)


def _checks() -> Iterator[str]:
    yield from heading("Checks", "Of the delivered rows. One that blocks stops what follows in the same run.")
    rows = [
        (f"`{c.name}`", c.severity, "yes" if c.blocking else "no", c.description) for c in registered_checks().values()
    ]
    yield from markdown_table(("check", "severity", "blocks", "meaning"), rows)


def _rules() -> Iterator[str]:
    yield from heading(
        "Cleaning rules",
        "What withholds one delivered row by itself, in this order: the first rule that it breaks stands in "
        "`market.quarantine.rule`. Under a check's name, or a rule of the analysis of breaks, stand there rows that "
        "are withheld for what their neighbours say of them (`market.verdicts`).",
    )
    yield from markdown_table(("rule", "meaning"), [(f"`{rule.name}`", rule.says) for rule in RULES])


def _providers() -> Iterator[str]:
    yield from heading("Providers", "Sources of history, by the name used in `BIST_PROVIDERS`.")
    rows = [
        (f"`{p.name}`", f"{p.delay.total_seconds() / 60:g} minutes", p.terms) for p in registered_providers().values()
    ]
    yield from markdown_table(("provider", "delay", "terms"), rows)


def _kind(field: FieldInfo) -> str:
    """What a person may write, in words."""
    kind = field.annotation
    bounds = [f"{sign} {getattr(m, name)}" for m in field.metadata for name, sign in _BOUNDS if hasattr(m, name)]
    return " ".join([_words(kind), ", ".join(bounds)]).strip()


_BOUNDS = (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
_WORDS: dict[Any, str] = {Path: "path", SecretStr: "URL, secret", str: "text", int: "whole number", float: "number"}


def _words(kind: Any) -> str:
    if get_origin(kind) in {Union, UnionType}:
        return _words(next(part for part in get_args(kind) if part is not type(None)))
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(f"`{value}`" for value in get_args(kind))
    if get_origin(kind) is tuple:
        return "names, comma-separated"
    return _WORDS.get(kind, str(getattr(kind, "__name__", kind)))


def _default(field: FieldInfo) -> str:
    default = field.get_default()
    if default is None:
        return "unset"
    told = _joined(default) if isinstance(default, tuple) else str(default)
    return f"`{told}`" if told else "none"


def _joined(values: Iterable[object]) -> str:
    return ",".join(map(str, values))


def main(arguments: Sequence[str]) -> None:
    """Write the files into the folder that the command line names."""
    if len(arguments) != 1:
        raise SystemExit("usage: python -m bist_pipeline.pipeline.dictionary FOLDER")
    write(Path(arguments[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
