"""Why the server or `initdb` failed, in one line.

Belongs here: turning PostgreSQL's output into a sentence a person can act on. The output itself always follows, so a
cause that is not listed is still told.
"""

from pathlib import Path

# Text that PostgreSQL writes (LC_MESSAGES is C) → what it means here. The first that occurs wins.
_DAMAGED = "the data directory is damaged: restore it, or move it away to start anew"
_CAUSES = (
    ("No space left on device", "the disk is full"),
    ("Disk quota exceeded", "the disk quota is used up"),
    ("File too large", "the limit on the size of a file is too small (ulimit -f)"),
    ("Read-only file system", "the disk is read-only"),
    ("incompatible with server", "the data directory was made by another version of PostgreSQL"),
    ("wrong ownership", "the data directory belongs to another account"),
    ("invalid permissions", "the data directory must be open to its owner alone (chmod 0700)"),
    ("Permission denied", "the account of the server may not use a file"),
    ("could not look up effective user", "the account has no entry in /etc/passwd"),
    ("Cannot allocate memory", "there is not enough memory"),
    ("Too many open files", "the limit on open files is too small (ulimit -n)"),
    ("lock file", "another server uses the data directory or the socket"),
    ("Operation not supported", "the file system of the home has no sockets or locks: move BIST_HOME"),
    ("checkpoint record", _DAMAGED),
    ("WAL directory", _DAMAGED),
    ("database subdirectory", _DAMAGED),
    ("status of transaction", _DAMAGED),
    ("configuration file", "a configuration file in the data directory is missing or wrong"),
    ("checksum", _DAMAGED),
    ("magic number", _DAMAGED),
    ("could not find the database system", _DAMAGED),
    ("could not open file", _DAMAGED),
    ("could not open directory", _DAMAGED),
    ("could not read file", _DAMAGED),
)
_LINES = 4
_LINE_LENGTH = 300
# Lines that say what was done, not what went wrong.
_TOLD_LAST = ("initdb: removing", "initdb: hint", "HINT:", "database system is shut down")


def one_line(output: str) -> str:
    """Return cause and last lines of a program's output as one line."""
    lines = [line.strip()[:_LINE_LENGTH] for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if not any(text in line for text in _TOLD_LAST)]
    last = " | ".join(telling[-_LINES:]) or "no output"
    failed = "\n".join(line for line in telling if _is_failure(line))
    cause = next((meaning for text, meaning in _CAUSES if text in failed), None)
    return f"{cause} ({last})" if cause else last


def read_from(path: Path, offset: int) -> str:
    """Return what was appended to a log after `offset` bytes."""
    with path.open("rb") as log:
        log.seek(offset)
        return log.read().decode(errors="replace")


def _is_failure(line: str) -> bool:
    return any(word in line for word in ("FATAL", "PANIC", "ERROR", "DETAIL", "error:", "could not", "Error"))
