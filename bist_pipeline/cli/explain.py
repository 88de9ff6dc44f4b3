"""`bist-pipeline explain`."""

from datetime import date
from math import isnan
from pathlib import Path

import click
import pandas as pd

from bist_pipeline.cli._console import print_table
from bist_pipeline.cli._options import Session
from bist_pipeline.core.errors import BistError
from bist_pipeline.core.symbols import normalise_symbols
from bist_pipeline.patterns.structures.explaining import Asked
from bist_pipeline.pipeline.context import PipelineContext, open_context
from bist_pipeline.pipeline.explain import Explanation, PatternTold, draw, explain
from bist_pipeline.pipeline.market_kind import stored_market_kind
from bist_pipeline.settings import load_settings

_LIFE = ("session_date", "state", "because", "close_try", "line_try", "target_try", "stop_try", "tape")
_TERMS = ("sub_signal", "term", "value", "weight", "contribution")


@click.command("explain")
@click.argument("symbol")
@click.option("--date", "session", type=Session(), help="Session; the newest one with a bar if left out.")
@click.option(
    "--pattern", metavar="P", help="One chart pattern, with every rule that was asked; docs/parts.md has all."
)
@click.option("--png", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Draw it; with --pattern.")
def command(symbol: str, session: date | None, pattern: str | None, png: Path | None) -> None:
    """Say why a signal is what it is, and why there is a chart pattern, or none.

    Of a chart pattern it names the first rule that the nearest candidate broke, and by how much. The evidence that
    patterns announce anything is weak; docs/noise.md says how often each one turns up in pure noise.
    """
    if png is not None and pattern is None:
        raise click.UsageError("--png goes with --pattern")
    if png is not None and not png.absolute().parent.is_dir():
        raise click.UsageError(f"--png {png}: there is no folder {png.parent}")
    settings = load_settings()
    with open_context(settings, reads_only=True) as context:
        day = session or context.calendar.session_at(context.clock.now())
        told = explain(context, normalise_symbols([symbol])[0], day, pattern)
        picture = None if png is None else draw(context, told)
        _warn(context)
    if pattern is None:
        _tell_signal(told)
        _tell_patterns(told)
    else:
        _tell_pattern(told, told.patterns[0])
    if png is not None and picture is not None:
        _write(png, picture)
        click.echo(f"drawn: {png}", err=True)


def _write(place: Path, picture: bytes) -> None:
    try:
        place.write_bytes(picture)
    except OSError as error:
        raise BistError(f"cannot write to {place}: {error.strerror or error}") from error


def _warn(context: PipelineContext) -> None:
    kind = stored_market_kind(context.database)
    if kind not in {None, "real"}:
        click.echo(f"{str(kind).upper()} market: no price here is real", err=True)


def _tell_signal(told: Explanation) -> None:
    if told.signal is None:
        click.echo(f"{told.symbol} {told.session}: no signal")
        return
    row = told.signal
    click.echo(
        f"{told.symbol} {told.session}: {row['action']}, score {row['score']:+.3f}, "
        f"confidence {row['confidence']:.2f}, close {row['close_try']:g}, grade {row['grade']}, "
        f"model {row['model_version']}"
    )
    print_table(pd.DataFrame(list(told.terms)), list(_TERMS), title="Terms; contributions sum to the score")


def _tell_patterns(told: Explanation) -> None:
    """One line a pattern: the state of its newest event, and the first rule that its nearest candidate broke."""
    rows = [
        {
            "pattern": one.pattern.name,
            "newest_event": "" if one.life.empty else f"{one.life['state'].iloc[-1]} {_last_day(one)}",
            "nearest_candidate": "" if one.near_session is None else str(one.near_session),
            "first_rule_broken": _first_broken(one),
        }
        for one in told.patterns
    ]
    frame = pd.DataFrame(rows, columns=["pattern", "newest_event", "nearest_candidate", "first_rule_broken"])
    print_table(frame, list(frame.columns), title="Chart patterns; --pattern P says more of one")


def _last_day(one: PatternTold) -> str:
    return f"{one.life['session_date'].iloc[-1]:%Y-%m-%d}"


def _first_broken(one: PatternTold) -> str:
    if one.near is None:
        return ""
    broken = one.near.first_broken
    return one.near.fate if broken is None else f"{broken.rule.name}: {said(broken)}"


def _tell_pattern(told: Explanation, one: PatternTold) -> None:
    click.echo(
        f"{told.symbol} {told.session}, {one.pattern.title} (version {one.pattern.version}): {one.pattern.meaning}"
    )
    if len(one.life):
        print_table(one.life, list(_LIFE), title=f"Newest event {one.life['event_id'].iloc[0]}")
    if one.near is None:
        click.echo("No candidate became known in the last month of sessions.")
        return
    broken = one.near.first_broken
    verdict = f"it keeps every rule: {one.near.fate}" if broken is None else f"{broken.rule.name} turned it away"
    points = ", ".join(f"{day:%Y-%m-%d} {price:g}" for day, price in one.points.itertuples(index=False))
    click.echo(f"Nearest candidate, known {one.near_session}; {verdict}. Points: {points}")
    rules = pd.DataFrame(
        [
            {"rule": asked.rule.name, "kept": "yes" if asked.keeps else "NO", "measured": asked.rule.description,
             "outcome": said(asked)}
            for asked in one.near.asked
        ]
    )  # fmt: skip
    print_table(rows_until_broken(rules), list(rules.columns), title="Rules, in the order in which they are asked")
    if one.pattern.flipped:
        click.echo(
            f"Rules are named as in {one.pattern.mirror}, upside down; slopes count toward the pattern: "
            "that of a falling line is above zero."
        )


def rows_until_broken(rules: pd.DataFrame) -> pd.DataFrame:
    """Leave out what lies behind the first broken rule: measures may mean nothing there."""
    broken = rules.index[rules["kept"] == "NO"]
    return rules.loc[: broken[0]] if len(broken) else rules


def said(asked: Asked) -> str:
    """Say a measurement beside its bounds, and by how much it misses them."""
    rule = asked.rule
    if isnan(asked.value):
        return "cannot be measured"
    bounds = [
        f"{word} {bound:.3g}"
        for word, bound in (("at least", rule.least), ("at most", rule.most))
        if abs(bound) < 1e300
    ]
    missed = "" if asked.keeps else f", misses by {-asked.slack:.3g}"
    return f"{asked.value:.3g} {rule.unit} where {' and '.join(bounds)}{missed}"
