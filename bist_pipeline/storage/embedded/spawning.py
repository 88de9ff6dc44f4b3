"""Starting PostgreSQL's programs as the right account, with nothing inherited.

Belongs here: session, descriptors, threads; account and environment are the launcher's. Does not belong here: which
program, and waiting for it.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path

from bist_pipeline.core.errors import EmbeddedServerError
from bist_pipeline.storage.embedded import launcher
from bist_pipeline.storage.embedded.account import Account


def command_for(program: Path, arguments: Sequence[str], account: Account, death_signal: int) -> list[str]:
    """Return the command that runs a program as the account, through the launcher.

    Args:
        program: What to run.
        arguments: Its arguments.
        account: As whom.
        death_signal: What it gets when the thread that started it ends (Linux); 0 for nothing.
    """
    ids = (account.uid, account.gid) if account.is_lent else (-1, -1)
    script = str(Path(launcher.__file__).resolve())
    numbers = (str(number) for number in (os.getpid(), death_signal, *ids))
    return [sys.executable, "-I", "-S", script, *numbers, str(program), *arguments]


def run(program: Path, arguments: Sequence[str], account: Account, *, cwd: Path, seconds: float) -> str:
    """Run a program to its end; it dies with us.

    Raises:
        EmbeddedServerError: It failed, with its output as the message, or took too long.
    """
    try:
        ended = subprocess.run(
            command_for(program, arguments, account, signal.SIGKILL),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise EmbeddedServerError(f"{program.name} did not end within {seconds:.0f} s") from error
    output = ended.stdout.decode(errors="replace")
    if ended.returncode:
        raise EmbeddedServerError(output)
    return output


def spawn(command: Sequence[str], *, cwd: Path, log: int, keep_open: Iterable[int]) -> int:
    """Start a program in its own session, so that a terminal's Ctrl-C does not reach it.

    A thread of its own starts it and lives as long as it does: the kernel sends the death signal when the thread that
    forked ends, not the process; and the thread reaps it, so that it never stays as a zombie of ours.

    Args:
        command: From `command_for`.
        cwd: Its working directory.
        log: Descriptor for its output.
        keep_open: Descriptors that it inherits.

    Returns:
        Its pid.

    Raises:
        OSError: It could not be started.
    """
    started: Future[int] = Future()
    descriptors = tuple(keep_open)

    def keep() -> None:
        try:
            child = subprocess.Popen(
                command,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=descriptors,
            )
        except OSError as error:
            started.set_exception(error)
        else:
            started.set_result(child.pid)
            child.wait()

    threading.Thread(target=keep, name="embedded-postgres", daemon=True).start()
    return started.result()
