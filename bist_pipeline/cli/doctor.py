"""`bist-pipeline doctor`."""

import click
from rich.table import Table

from bist_pipeline.cli._console import stdout_console
from bist_pipeline.core.clock import SystemClock
from bist_pipeline.core.errors import BistError
from bist_pipeline.pipeline.doctor import examine
from bist_pipeline.settings import load_settings

_COLOURS = {"ok": "green", "warn": "yellow", "fault": "red"}


@click.command("doctor")
def command() -> None:
    """Check database, archive, disk, clock and versions; say what to do about each fault.

    Ends with exit code 1 when anything is at fault.
    """
    table = Table("organ", "grade", "found", "what to do")
    faults = []
    for diagnosis in examine(load_settings(), SystemClock()):
        colour = _COLOURS[diagnosis.grade]
        table.add_row(diagnosis.organ, f"[{colour}]{diagnosis.grade}[/]", diagnosis.found, diagnosis.advice)
        if diagnosis.grade == "fault":
            faults.append(diagnosis.organ)
    stdout_console().print(table)
    if faults:
        raise BistError(f"at fault: {', '.join(faults)}")
