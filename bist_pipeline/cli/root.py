"""The root command: which commands there are, and the one boundary at which errors become a line and an exit code.

Belongs here: the list of commands, the boundary. Exit codes: 0 done, 1 an error that the one line explains, 2 wrong
usage, 130 interrupted.
"""

import importlib
from typing import Any

import click

from bist_pipeline import __version__
from bist_pipeline.core.errors import BistError

_COMMANDS = {
    "up": "Start everything: database, Dagster's UI, daemon and code server.",
    "env": "Print the exports with which plain `dagster dev` works.",
    "backfill": "Fetch, clean, derive and publish a range of sessions.",
    "refresh": "Refresh one session: the one in progress, or one that is over.",
    "restate": "Compute anew what rests on bars that have changed since.",
    "signals": "Print the served signals.",
    "explain": "Say why a signal is what it is, and why there is a chart pattern, or none.",
    "status": "Say what is stored, what is missing and what is withheld.",
    "doctor": "Check database, provider, disk, clock and versions; say what to do.",
    "export": "Write the served tables as files.",
    "simulate": "Serve a SIMULATED or replayed exchange that speaks Yahoo's protocol.",
}


class _Root(click.Group):
    """Imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which a newcomer needs them."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(f"bist_pipeline.cli.{cmd_name}").command
        command.short_help = _COMMANDS[cmd_name]
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of ours is one line on stderr."""
        try:
            return super().invoke(ctx)
        except BistError as error:
            click.echo(f"bist-pipeline: {error}", err=True)
            raise SystemExit(1) from error
        except KeyboardInterrupt as error:
            click.echo("bist-pipeline: interrupted; what was committed stays, the rest was rolled back", err=True)
            raise SystemExit(130) from error


@click.group(cls=_Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bist-pipeline")
def main() -> None:
    """Borsa Istanbul prices to audited signals.

    A first look, on an invented market that needs nothing from outside:

    \b
        bist-pipeline up --simulated       # then open the address it prints
        bist-pipeline signals              # in another terminal, same folder

    Everything lives in the folder .bist (.bist-simulated) of the current directory, or where BIST_HOME says.
    """  # noqa: D301 - click reads the backspace itself as "keep these lines"
