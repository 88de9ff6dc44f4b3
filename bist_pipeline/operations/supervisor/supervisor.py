"""Keeping the processes of `up` running.

Belongs here: the order of start and stop and what a death leads to. Does not belong here: which processes there are,
signals (`stop_request.py`), a single child's state (`life.py`).

1. `start` starts the children one after the other, each when the one before is ready (`life.py`, `spawn.py`).
2. `watch` looks at all of them ten times a second: one that died is started again after a pause (`child.py`,
   `RestartPolicy`); one that keeps dying ends everything.
3. `stop` ends them in the given order, then searches for whatever else carries the home's mark (`processes.py`).
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from bist_pipeline.operations.errors import SupervisionError
from bist_pipeline.operations.leftovers import ChildRecord, forget_children, record_children
from bist_pipeline.operations.processes import Ended, end_home, resource_trackers
from bist_pipeline.operations.supervisor.child import Child, RestartPolicy
from bist_pipeline.operations.supervisor.events import (
    Died,
    Event,
    GaveUp,
    Ready,
    Restarted,
    Started,
    Stopped,
    describe_exit,
)
from bist_pipeline.operations.supervisor.life import Life
from bist_pipeline.operations.supervisor.stop_request import StopRequest

RUN_WORKERS = "run workers"
"""In a stop order: everything that carries the home's mark and is no child itself."""

_STEP_SECONDS = 0.1
_START_STEP_SECONDS = 0.02
_LINES = 5


class Supervisor:
    """Starts children, keeps them running, and leaves nothing behind when it stops.

    Use it in the main thread, with the home's lock held.
    """

    def __init__(
        self,
        children: Sequence[Child],
        home: Path,
        on_event: Callable[[Event], None],
        *,
        stop_order: Sequence[str] | None = None,
        policy: RestartPolicy | None = None,
        others_timeout_seconds: float = 15.0,
    ) -> None:
        """Check the children and remember them; nothing is started.

        Args:
            children: In the order of their start.
            home: An existing folder; holds the record of what is running.
            on_event: Called with each event, in the main thread.
            stop_order: The children's names, and `RUN_WORKERS` where those are to end; the reverse of the start by
                default, run workers last.
            policy: When to restart and when to give up.
            others_timeout_seconds: How long processes that are no children may take to end.

        Raises:
            ValueError: Two children share a name, or the stop order does not name each child once.
        """
        names = [child.name for child in children]
        self._stop_order = [*reversed(names), RUN_WORKERS] if stop_order is None else list(stop_order)
        if len({*names, RUN_WORKERS}) != len(names) + 1:
            raise ValueError(f"children need different names, got {names}")
        if sorted(name for name in self._stop_order if name != RUN_WORKERS) != sorted(names):
            raise ValueError(f"the stop order {self._stop_order} does not name each of {names} once")
        self._lives = {child.name: Life(child, home) for child in children}
        self._home = home
        self._on_event = on_event
        self._policy = policy or RestartPolicy()
        self._others_timeout_seconds = others_timeout_seconds

    @property
    def pids(self) -> Mapping[str, int]:
        """The running children's process numbers."""
        return {name: life.process.pid for name, life in self._lives.items() if life.process is not None}

    def run(self, request: StopRequest) -> tuple[Ended, ...]:
        """Start, watch until a stop is asked for, and stop, whatever happens.

        Returns:
            The processes that had to be killed.

        Raises:
            SupervisionError: See `start`, `watch` and `stop`; everything has been stopped.
        """
        killed: tuple[Ended, ...] = ()
        try:
            if self.start(request):
                self.watch(request)
        finally:
            killed = self.stop(request)
        return killed

    def start(self, request: StopRequest) -> bool:
        """Start the children, each when the one before is ready.

        Returns:
            False when a stop was asked for meanwhile.

        Raises:
            SupervisionError: A child cannot be started, ended early or did not become ready in time; the message names
                it and the last line of its log. Those started before it still run: call `stop`.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("start the supervisor in the main thread: its children end with the thread that forked")
        for life in self._lives.values():
            if request.is_asked():
                return False
            self._on_event(Started(life.child.name, self._start(life)))
            self._announce_if_ready(life)
            while not (life.was_ready or request.is_asked()):
                self._step(request)
                time.sleep(_START_STEP_SECONDS)
        return not request.is_asked()

    def watch(self, request: StopRequest) -> None:
        """Restart what dies, until a stop is asked for.

        Raises:
            SupervisionError: A child died too often; the message holds the last lines of its log. Call `stop`.
        """
        while not request.is_asked():
            self._step(request)
            time.sleep(_STEP_SECONDS)

    def stop(self, request: StopRequest | None = None) -> tuple[Ended, ...]:
        """End the children in the stop order, then everything else that belongs to the home. May be called twice.

        Args:
            request: When it becomes urgent, what is left is killed at once.

        Returns:
            The processes that had to be killed.

        Raises:
            SupervisionError: A process could not be ended; all others have been.
        """
        hurry = (request or StopRequest()).is_urgent
        killed: list[Ended] = []
        with ExitStack() as steps:  # takes every step even where one fails, be it that `on_event` lost its terminal
            for name in reversed([*self._stop_order, RUN_WORKERS]):
                steps.callback(self._stop_one, name, hurry, killed)
        forget_children(self._home)
        return tuple(killed)

    def _start(self, life: Life) -> int:
        pid = life.start()
        running = [other for other in self._lives.values() if other.process is not None]
        record_children(
            self._home,
            [ChildRecord(other.child.name, other.process.pid, other.created) for other in running if other.process],
        )
        return pid

    def _step(self, request: StopRequest) -> None:
        for life in self._lives.values():
            if life.process is None:
                self._restart_if_due(life)
            elif life.has_exited():
                self._bury(life, None, request)
            elif not self._announce_if_ready(life) and life.age_seconds > life.child.ready_timeout_seconds:
                self._bury(life, f"not ready after {life.child.ready_timeout_seconds:g} s", request)

    def _restart_if_due(self, life: Life) -> None:
        if life.restart_at is not None and time.monotonic() >= life.restart_at:
            life.restarts += 1
            self._on_event(Restarted(life.child.name, self._start(life), life.restarts))
            self._announce_if_ready(life)

    def _announce_if_ready(self, life: Life) -> bool:
        if life.is_ready or life.process is None:
            return life.is_ready
        if life.check_ready():
            self._on_event(Ready(life.child.name, life.process.pid, life.age_seconds))
        return life.is_ready

    def _bury(self, life: Life, fault: str | None, request: StopRequest) -> None:
        """Reap a dead child (or end one with a fault) and decide what comes next."""
        name, policy = life.child.name, self._policy
        pid, lines = self.pids[name], life.last_lines(_LINES)  # before its group adds its own last words
        code, _ = life.stop(request.is_urgent)
        now = time.monotonic()
        reason = fault or "".join(lines[-1:])
        life.deaths_at = [*policy.recent(life.deaths_at, now), now]
        is_final = not life.was_ready or len(life.deaths_at) >= policy.deaths
        pause = None if is_final else policy.delay_seconds(len(life.deaths_at))
        self._on_event(Died(name, pid, code, reason, pause))
        if pause is not None:
            life.restart_at = now + pause
            return
        log = f"{' | '.join(lines) or 'it logged nothing'} (log: {life.child.log})"
        if not life.was_ready:
            raise SupervisionError(f"{name} {fault or describe_exit(code) + ' before it was ready'}: {log}")
        self._on_event(GaveUp(name, len(life.deaths_at), policy.window_seconds))
        raise SupervisionError(
            f"{name} died {len(life.deaths_at)} times within {policy.window_seconds:g} s, last it "
            f"{fault or describe_exit(code)}: {log}"
        )

    def _stop_one(self, name: str, hurry: Callable[[], bool], killed: list[Ended]) -> None:
        if name == RUN_WORKERS:
            spare = [*self.pids.values(), *resource_trackers(self._home)] if self.pids else []
            ended = end_home(self._home, self._others_timeout_seconds, spare=spare, hurry=hurry)
            killed += [one for one in ended if one.killed]
        elif name in self.pids:
            pid = self.pids[name]
            code, by_force = self._lives[name].stop(hurry)
            killed += by_force
            self._on_event(Stopped(name, pid, code, bool(by_force)))
        else:
            self._lives[name].restart_at = None
