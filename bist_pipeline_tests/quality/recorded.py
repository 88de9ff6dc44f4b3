"""The table of findings of a folder of recorded daily files: `python -m bist_pipeline_tests.quality.recorded DIR`.

Belongs here: reading the files and running every check on them, for a person and for the tests. Does not belong here:
expectations.
"""

import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from bist_pipeline.core.calendar import load_calendar
from bist_pipeline.core.errors import BistError
from bist_pipeline.providers.archive.provider import ArchiveProvider
from bist_pipeline.providers.contract import Basis
from bist_pipeline.quality.contract import CheckInput, Finding
from bist_pipeline.quality.registry import registered_checks


def recording(folder: Path, basis: Basis = "fully_adjusted") -> CheckInput:
    """Every row of a folder's files, as the archive provider delivers them, and the files that it refuses."""
    provider, frames, outcomes = ArchiveProvider(folder, basis), [], []
    for symbol in provider.symbols():
        try:
            history = provider.history(symbol)
        except BistError as error:
            outcomes.append((symbol, "failed", str(error)))
            continue
        outcomes.append((symbol, "answered", ""))
        frames.append(history.bars.assign(symbol=symbol, basis=history.basis, source=history.source))
    rows = pd.concat(frames, ignore_index=True).astype({"symbol": "str", "basis": "str", "source": "str"})
    rows = rows.assign(occurrence=rows.groupby(["symbol", "session_date"]).cumcount().astype("int64"))
    return input_of(rows, pd.DataFrame(outcomes, columns=["symbol", "status", "reason"]).astype("str"))


def input_of(raw: pd.DataFrame, outcomes: pd.DataFrame | None = None, **further) -> CheckInput:
    """What a run over all of the rows gives to the checks."""
    days = raw["session_date"]
    schedule = load_calendar().schedule(days.min().date(), days.max().date())
    if outcomes is None:
        outcomes = pd.DataFrame({"symbol": raw["symbol"].unique(), "status": "answered", "reason": ""})
    return CheckInput(raw, schedule[["session_date", "is_session", "is_half_day"]], outcomes, **further)


def timed(given: CheckInput) -> tuple[Mapping[str, Finding], Mapping[str, float]]:
    """Run every registered check; the findings and the seconds by name."""
    findings, seconds = {}, {}
    for name, check in registered_checks().items():
        started = time.perf_counter()
        findings[name] = check.find(given)
        seconds[name] = time.perf_counter() - started
    return findings, seconds


def table(findings: Mapping[str, Finding]) -> pd.DataFrame:
    """Count the findings by rule and session: rows, symbols, what cleaning does, an example."""
    effects = {name: check.effect for name, check in registered_checks().items()}
    rows = [
        finding.rows.assign(rule=name, effect=finding.rows["effect"] if "effect" in finding.rows else effects[name])
        for name, finding in findings.items()
        if len(finding.rows)
    ]
    if not rows:
        return pd.DataFrame(columns=["rule", "session_date", "rows", "symbols", "effect", "example"])
    every = pd.concat(rows, ignore_index=True)
    every["example"] = every["symbol"] + ": " + every["detail"]
    return every.groupby(["rule", "session_date"], dropna=False, as_index=False).agg(
        rows=("symbol", "size"),
        symbols=("symbol", "nunique"),
        effect=("effect", lambda effect: ", ".join(sorted(set(effect)))),
        example=("example", "first"),
    )


def main(folder: Path) -> None:
    """Print the table, the totals and the seconds."""
    given = recording(folder)
    findings, seconds = timed(given)
    write = sys.stdout.write
    write(f"{len(given.raw):,} bars of {given.raw['symbol'].nunique()} symbols\n\n")
    write("| rule | session | rows | effect | example |\n")
    write("| --- | --- | ---: | --- | --- |\n")
    for row in table(findings).itertuples():
        session = "" if pd.isna(row.session_date) else f"{row.session_date:%Y-%m-%d}"
        write(f"| {row.rule} | {session} | {row.rows} | {row.effect} | {row.example} |\n")
    write("\n| rule | seconds | summary |\n| --- | ---: | --- |\n")
    for name, finding in findings.items():
        write(f"| {name} | {seconds[name]:.3f} | {finding.summary} |\n")
    write(f"| all | {sum(seconds.values()):.3f} | |\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
