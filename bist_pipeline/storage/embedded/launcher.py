"""Turn this process into another program: run as a script, by path, never imported by the package.

Belongs here: what must happen between fork and exec. `subprocess` could do it in `preexec_fn`, but that is unsafe in
a process with threads, and `user=` would need the account to reach our Python. Standard library only: it starts in
10 ms with `python -I -S`.

Arguments: parent's pid, signal to get when the parent dies (0: none), user id and group id (-1: stay), program,
its arguments.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
# All that the program sees: no PG* and no locale of the user, who may have set anything.
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def main(arguments: list[str]) -> None:
    """Drop rights, tie our life to the parent's, become the program."""
    parent, death_signal, uid, gid = (int(text) for text in arguments[:4])
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(name, signal.SIG_DFL)  # a shell's `&` makes its children ignore SIGINT
    if death_signal and sys.platform == "linux":
        # After setuid, which clears it. The parent may have died before: then nobody will signal us.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("the process that wanted this server is gone")
    program = arguments[4]
    os.execve(program, arguments[4:], _ENVIRONMENT)


if __name__ == "__main__":
    main(sys.argv[1:])
