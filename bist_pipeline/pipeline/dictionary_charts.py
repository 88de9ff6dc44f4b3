"""The chart patterns' part of the generated documentation.

Belongs here: every registered chart pattern with its definition, thresholds and rules, as its file states them.
"""

from collections.abc import Iterator
from math import inf, isinf

from bist_pipeline.patterns.registry import registered_charts
from bist_pipeline.patterns.structures.contract import ChartPattern, Life, Rule
from bist_pipeline.patterns.structures.judging import rules_of
from bist_pipeline.patterns.structures.life import REASONS, STATES
from bist_pipeline.pipeline.dictionary_tables import heading, markdown_table

_BREAKS = {"up": "above the upper line", "down": "below the lower line", "either": "beyond either line"}
_MIRRORED_BREAKS = {"up": "below the lower line", "down": "above the upper line", "either": "beyond either line"}


def chart_pages() -> Iterator[str]:
    """Every chart pattern: one table of all, then each with its thresholds and rules."""
    parts = registered_charts().values()
    yield from heading(
        "Chart patterns",
        f"{len(parts)} patterns, over turning points that are confirmed before anything rests on them. Prices are "
        "looked at in logarithms across splits and dividends; tolerances are in ATR or per cent, and how far a "
        "target lies is a distance in the logarithm of the price too. The evidence that "
        "chart patterns announce anything is weak; [noise.md](noise.md) says how often chance makes each of them.",
    )
    rows = [
        (f"`{p.name}`", p.title, p.direction, f"`{p.mirror}`" if p.mirror else "none", str(p.warm_up), p.meaning)
        for p in parts
    ]
    yield from markdown_table(("pattern", "title", "announces", "mirror image", "warm-up", "meaning"), rows)
    states = f"States: {', '.join(STATES)}. Reasons of a change: {'; '.join(REASONS)}."
    fates = (
        "What becomes of a candidate that keeps every rule: `kept` (an event begins), `same_structure` (it is another "
        "detection of an event that was known before), `not_broken_before` (by the bar at which all of it was known it "
        "had been left on the wrong side, too early or too late, or its target lay behind the close). A stopped "
        "structure may still be busted; every other end is the last."
    )
    yield from (states, "", fates, "")
    for part in parts:
        if not (part.flipped and part.mirror in registered_charts()):
            yield from _page(part)


def _page(part: ChartPattern) -> Iterator[str]:
    mirror = f" and `{part.mirror}`" if part.mirror not in {"", part.name} else ""
    yield from (f"### `{part.name}`{mirror}", "", f"{part.source} Version {part.version}.", "")
    breaks = (_MIRRORED_BREAKS if part.flipped else _BREAKS)[part.life.breaks]
    beyond = f" by more than {part.life.margin_atr:g} ATR" if part.life.margin_atr else ""
    yield f"Confirmed by a close {breaks}{beyond}{_volume(part.life)}; followed for {part.life.hold_bars} bars. " + (
        "The rules speak of this side; its mirror image keeps them upside down." if mirror else ""
    )
    yield from ("", part.aims, "")
    yield from (f"Thresholds: {', '.join(f'{name} {value:g}' for name, value in part.parameters.items())}.", "")
    yield from markdown_table(("rule", "measures", "unit", "bounds"), [_rule(rule) for rule in rules_of(part)])


def _volume(life: Life) -> str:
    if not isinf(life.volume_z):
        return f", with a volume of at least {life.volume_z:g} σ over the mean of the 20 sessions before"
    if not isinf(life.volume_ratio):
        return f", with a volume of at least {life.volume_ratio:g} times the mean of the 50 sessions before"
    return ""


def _rule(rule: Rule) -> tuple[str, str, str, str]:
    bounds = [
        f"{sign} {bound:.4g}" for sign, bound, none in (("≥", rule.least, -inf), ("≤", rule.most, inf)) if bound != none
    ]
    return f"`{rule.name}`", rule.description, rule.unit, " and ".join(bounds).replace("≥ 1e-09", "> 0")
