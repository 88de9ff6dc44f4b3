"""The kill switch: a file whose presence stops all work.

Belongs here: looking for the file. Does not belong here: deciding who asks (every refresh, backfill and command that
writes does) or what is skipped then.
"""

from pathlib import Path

from bist_pipeline.core.errors import KillSwitchError

_REASON_LENGTH = 200  # the message is one line of an alert; the file may hold anything


def check(path: Path | None) -> None:
    """Refuse to go on while the kill switch is set.

    A switch that cannot be looked at counts as set: whoever configured it wants work to stop in doubt.

    Args:
        path: The configured file, or None where no switch is configured.

    Raises:
        KillSwitchError: The file exists; the message names it and its first line, which is the reason.
    """
    if path is None:
        return
    try:
        path.lstat()  # a dangling link is present too
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise KillSwitchError(
            f"kill switch {path} cannot be looked at ({error.strerror}), so it counts as set"
        ) from error
    raise KillSwitchError(f"kill switch {path} is set: {_reason(path)}; remove the file to resume")


def _reason(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            line = file.readline(_REASON_LENGTH).strip()
    except OSError as error:
        return f"its reason cannot be read ({error.strerror})"
    return line or "no reason given"
