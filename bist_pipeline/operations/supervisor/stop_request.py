"""The wish to stop, and the signals that express it.

Belongs here: `StopRequest` and turning signals into it. Does not belong here: stopping (`supervisor.py`).
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class StopRequest:
    """Says whether to stop and whether to hurry.

    A plain flag rather than `threading.Event`: a handler that interrupts the main thread inside `Event.wait` would
    wait for a lock which that same thread holds.
    """

    def __init__(self) -> None:
        self._asked = False
        self._urgent = False

    def ask(self) -> None:
        """Ask to stop; without effect when it is asked already."""
        self._asked = True

    def insist(self) -> None:
        """Ask to stop; the second time, to stop at once."""
        self._urgent = self._asked
        self._asked = True

    def is_asked(self) -> bool:
        """Say whether to stop."""
        return self._asked

    def is_urgent(self) -> bool:
        """Say whether to stop at once, killing what is left."""
        return self._urgent


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turn SIGINT, SIGTERM and SIGHUP into a stop request for the duration of a block.

    Works where SIGINT was ignored on entry, as a non-interactive shell leaves it for what it starts with `&`. A SIGHUP
    that was ignored on entry stays ignored: that is what `nohup` asks for. A second SIGINT or SIGTERM hastens; a second
    SIGHUP does not, because a closing terminal may send several. Call it in the main thread.
    """
    request = StopRequest()
    actions = {signal.SIGINT: request.insist, signal.SIGTERM: request.insist, signal.SIGHUP: request.ask}
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        del actions[signal.SIGHUP]
    before = {number: signal.signal(number, lambda got, _: actions[signal.Signals(got)]()) for number in actions}
    try:
        yield request
    finally:
        for number, handler in before.items():
            # None stands for a handler that was not set from Python and cannot be set again from here.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
