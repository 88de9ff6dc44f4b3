"""The command `bist-pipeline`: thin shells over `pipeline`.

Belongs here: arguments, what is printed, exit codes. Does not belong here: work. Each command is a module with a click
command of its own, imported when it is used, so that `--help` answers at once.
"""

from bist_pipeline.cli.root import main

__all__ = ["main"]
