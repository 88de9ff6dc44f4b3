import os
import signal
import sys
import threading

import psutil
import pytest

from bist_pipeline.operations.errors import SupervisionError
from bist_pipeline.operations.leftovers import RECORD_FILE
from bist_pipeline.operations.processes import processes_of, wait_until
from bist_pipeline.operations.supervisor.child import Child, RestartPolicy
from bist_pipeline.operations.supervisor.events import Died, GaveUp, Ready, Restarted, Started, Stopped
from bist_pipeline.operations.supervisor.stop_request import StopRequest
from bist_pipeline.operations.supervisor.supervisor import RUN_WORKERS, Supervisor
from bist_pipeline_tests.operations.children import (
    FOREVER,
    PATIENCE_SECONDS,
    STUBBORN,
    announced,
    child,
    ends,
    is_running,
    read_pid,
)

QUICK = RestartPolicy(first_delay_seconds=0.02, longest_delay_seconds=0.05)


class Recorder:
    """Collects events and asks to stop after the one it waits for."""

    def __init__(self, until=lambda event, events: False, then=lambda event: None):
        self.events, self.request = [], StopRequest()
        self._until, self._then = until, then

    def __call__(self, event):
        self.events.append(event)
        self._then(event)
        if self._until(event, self.events):
            self.request.ask()

    def of(self, kind, name=None):
        return [event for event in self.events if isinstance(event, kind) and name in {None, event.name}]


def last_ready(name):
    return lambda event, _: isinstance(event, Ready) and event.name == name


def run(home, children, recorder, **options):
    options.setdefault("policy", QUICK)
    return Supervisor(children, home, recorder, **options).run(recorder.request)


def test_a_child_starts_when_the_one_before_is_ready_and_stops_in_reverse_order(tmp_path):
    ready = tmp_path / "ready0"
    slow = child(tmp_path, "slow", announced(tmp_path, 0, before="time.sleep(0.3)"), ready=ready.exists)
    seen = f"write({str(tmp_path / 'seen')!r}, os.path.exists({str(ready)!r})); forever()"
    after = child(tmp_path, "after", seen, ready=(tmp_path / "seen").exists)
    recorder = Recorder(last_ready("after"))

    assert run(tmp_path, [slow, after], recorder) == ()

    assert [(type(event), event.name) for event in recorder.events] == [
        (Started, "slow"),
        (Ready, "slow"),
        (Started, "after"),
        (Ready, "after"),
        (Stopped, "after"),
        (Stopped, "slow"),
    ]
    assert (tmp_path / "seen").read_text() == "True"
    assert recorder.of(Ready, "slow")[0].seconds >= 0.3
    assert not (tmp_path / RECORD_FILE).exists()


def test_a_child_that_ends_before_it_is_ready_is_an_error_with_its_last_line_and_the_others_are_stopped(tmp_path):
    first = child(tmp_path, "server", FOREVER)
    bad = child(tmp_path, "webserver", "print('one'); sys.exit('no such option')", ready=lambda: False)
    recorder = Recorder()

    with pytest.raises(
        SupervisionError, match=r"webserver ended with code 1 before it was ready: one \| no such option"
    ):
        run(tmp_path, [first, bad], recorder)

    assert [event.name for event in recorder.of(Stopped)] == ["server"]
    assert not is_running(recorder.of(Started, "server")[0].pid)


def test_a_child_that_is_not_ready_in_time_is_an_error_and_ended(tmp_path):
    never_ready = child(tmp_path, "daemon", FOREVER, ready=lambda: False, ready_timeout_seconds=0.2)
    recorder = Recorder()

    with pytest.raises(SupervisionError, match=r"daemon not ready after 0\.2 s"):
        run(tmp_path, [never_ready], recorder)

    assert not is_running(recorder.of(Started)[0].pid)


@pytest.mark.parametrize("fault", [{"argv": ("/no/such/program",)}, {"cwd": "/no/such/folder"}])
def test_a_child_that_cannot_be_started_is_an_error_that_names_what_is_missing(tmp_path, fault):
    broken = Child(**{"name": "web", "argv": (sys.executable,), "log": tmp_path / "web.log", **fault})

    with pytest.raises(SupervisionError, match=r"web cannot be started: .*/no/such"):
        run(tmp_path, [broken], Recorder())


def test_a_stop_that_comes_while_a_child_is_awaited_is_followed(tmp_path):
    slow = child(tmp_path, "slow", FOREVER, ready=lambda: False)
    later = child(tmp_path, "later", FOREVER)
    recorder = Recorder(lambda event, _: isinstance(event, Started))

    run(tmp_path, [slow, later], recorder)

    assert [(type(event), event.name) for event in recorder.events] == [(Started, "slow"), (Stopped, "slow")]


def test_a_dead_child_is_started_again_and_announced_when_it_is_ready(tmp_path):
    def end_the_first(event):
        if isinstance(event, Ready) and event.name == "web" and not recorder.of(Died):
            os.kill(event.pid, signal.SIGKILL)

    recorder = Recorder(lambda event, events: isinstance(event, Ready) and len(events) > 4, end_the_first)
    run(tmp_path, [child(tmp_path, "server", FOREVER), child(tmp_path, "web", FOREVER)], recorder)

    died, restarted = recorder.of(Died)[0], recorder.of(Restarted)[0]
    assert (died.name, died.code, died.restart_in_seconds) == ("web", -signal.SIGKILL, 0.02)
    assert (restarted.name, restarted.attempt) == ("web", 1)
    assert restarted.pid != died.pid
    assert [event.name for event in recorder.of(Ready)] == ["server", "web", "web"]


def test_a_restarted_child_that_hangs_counts_as_dead(tmp_path):
    answers = iter([True])  # ready once, never after the restart
    web = child(
        tmp_path, "web", FOREVER, ready=lambda: next(answers, False), ready_timeout_seconds=0.1, stop_timeout_seconds=1
    )
    recorder = Recorder(then=lambda event: isinstance(event, Ready) and os.kill(event.pid, signal.SIGKILL))

    with pytest.raises(SupervisionError, match=r"web died 3 times within 120 s, last it not ready after 0\.1 s"):
        run(tmp_path, [web], recorder, policy=RestartPolicy(first_delay_seconds=0.02, deaths=3))

    assert [died.reason for died in recorder.of(Died)][1:] == ["not ready after 0.1 s"] * 2


def test_the_supervisor_gives_up_after_five_deaths_with_the_last_lines_and_stops_everything(tmp_path):
    server = child(tmp_path, "server", FOREVER)
    broken = child(tmp_path, "daemon", "print('loading'); print('no database', flush=True); sys.exit(3)")
    recorder = Recorder()

    with pytest.raises(
        SupervisionError, match=r"daemon died 5 times within 120 s, last it ended with code 3: loading \| no database"
    ):
        run(tmp_path, [server, broken], recorder)

    assert [died.reason for died in recorder.of(Died)] == ["no database"] * 5
    assert [died.restart_in_seconds for died in recorder.of(Died)] == [0.02, 0.04, 0.05, 0.05, None]
    assert [str(event) for event in recorder.of(GaveUp)] == ["daemon: died 5 times within 120 s, giving up"]
    assert not is_running(recorder.of(Started, "server")[0].pid)
    assert processes_of(tmp_path) == []


def test_deaths_outside_the_window_do_not_add_up(tmp_path):
    recorder = Recorder(lambda _, events: sum(isinstance(event, Died) for event in events) == 4)
    policy = RestartPolicy(first_delay_seconds=0.02, deaths=2, window_seconds=0.001)

    run(tmp_path, [child(tmp_path, "daemon", "sys.exit(1)")], recorder, policy=policy)

    assert [died.restart_in_seconds for died in recorder.of(Died)] == [0.02] * 4


def test_a_child_that_ignores_the_request_is_killed_and_named(tmp_path):
    ready = tmp_path / "ready"
    body = STUBBORN.format(ready=str(ready))
    recorder = Recorder(last_ready("mule"))

    killed = run(tmp_path, [child(tmp_path, "mule", body, ready=ready.exists, stop_timeout_seconds=0.2)], recorder)

    assert [(one.pid, one.killed) for one in killed] == [(read_pid(ready), True)]
    assert [(event.code, event.killed) for event in recorder.of(Stopped)] == [(-signal.SIGKILL, True)]


def test_the_stop_signal_of_the_child_is_what_it_gets(tmp_path):
    got = tmp_path / "got"
    body = f"""
def note(*_):
    write({str(got)!r}, "SIGINT")
    sys.exit(0)
signal.signal(signal.SIGINT, note)
write({str(tmp_path / "ready")!r}, 1)
forever()"""
    recorder = Recorder(last_ready("web"))

    run(
        tmp_path,
        [child(tmp_path, "web", body, ready=(tmp_path / "ready").exists, stop_signal=signal.SIGINT)],
        recorder,
    )

    assert got.read_text() == "SIGINT"
    assert recorder.of(Stopped)[0].code == 0


@pytest.mark.parametrize("options", ["", ", env={}"], ids=["marked", "with an empty environment"])
def test_a_grandchild_in_a_session_of_its_own_does_not_outlive_the_stop(tmp_path, options):
    worker = f"write({str(tmp_path / 'worker')!r}, os.getpid()); forever()"
    body = f"in_new_session({worker!r}{options})\nforever()"
    recorder = Recorder(last_ready("server"))

    run(
        tmp_path,
        [child(tmp_path, "server", body, ready=(tmp_path / "worker").exists)],
        recorder,
        stop_order=[RUN_WORKERS, "server"],
    )

    assert not is_running(read_pid(tmp_path / "worker"))


def test_a_grandchild_in_the_childs_group_does_not_outlive_its_death(tmp_path):
    helper = (
        f"signal.signal(signal.SIGTERM, signal.SIG_IGN); write({str(tmp_path / 'helper')!r}, os.getpid()); forever()"
    )
    body = f"subprocess.Popen([sys.executable, '-S', '-c', PRELUDE + {helper!r}]); forever()"

    def end_the_first(event):
        if isinstance(event, Ready) and not recorder.of(Died):
            helpers.append(read_pid(tmp_path / "helper"))
            os.kill(event.pid, signal.SIGKILL)

    helpers = []
    recorder = Recorder(lambda event, _: isinstance(event, Restarted), end_the_first)
    web = child(tmp_path, "web", body, ready=(tmp_path / "helper").exists, stop_timeout_seconds=0.2)
    run(tmp_path, [web], recorder)

    assert not is_running(helpers[0])


def test_what_a_dead_child_leaves_in_its_group_is_asked_to_end_before_it_is_killed(tmp_path):
    helper = (
        f"on_term({str(tmp_path / 'asked')!r}, 'asked'); write({str(tmp_path / 'helper')!r}, os.getpid()); forever()"
    )
    body = f"subprocess.Popen([sys.executable, '-S', '-c', PRELUDE + {helper!r}]); forever()"
    recorder = Recorder(
        lambda event, _: isinstance(event, Died),
        lambda event: isinstance(event, Ready) and os.kill(event.pid, signal.SIGKILL),
    )

    run(tmp_path, [child(tmp_path, "server", body, ready=(tmp_path / "helper").exists)], recorder)

    assert (tmp_path / "asked").read_text() == "asked\n"


def test_the_stop_follows_the_given_order_with_run_workers_between_children(tmp_path):
    order = tmp_path / "order"

    def body(name, before=""):
        return f"on_term({str(order)!r}, {name!r}); {before}\nwrite({str(tmp_path / name)!r}, 1); forever()"

    workers = f"in_new_session({body('worker')!r})"
    names = ["server", "web", "daemon"]
    bodies = [body("server", workers), body("web"), body("daemon")]
    children = [
        child(tmp_path, name, text, ready=(tmp_path / name).exists) for name, text in zip(names, bodies, strict=True)
    ]
    worker = tmp_path / "worker"
    recorder = Recorder(last_ready("daemon"), lambda _: wait_until(worker.exists, PATIENCE_SECONDS))

    run(tmp_path, children, recorder, stop_order=["daemon", "web", RUN_WORKERS, "server"])

    assert order.read_text().split() == ["daemon", "web", "worker", "server"]


def test_a_helper_that_ends_with_its_server_is_not_waited_for_before_the_server_is_stopped(tmp_path):
    body = f"""
import multiprocessing.resource_tracker
multiprocessing.resource_tracker.ensure_running()
write({str(tmp_path / "ready")!r}, multiprocessing.resource_tracker._resource_tracker._pid)
forever()"""
    server = child(tmp_path, "server", body, ready=(tmp_path / "ready").exists)
    recorder = Recorder(last_ready("server"))

    killed = run(tmp_path, [server], recorder, stop_order=[RUN_WORKERS, "server"], others_timeout_seconds=1)

    assert killed == ()
    assert not is_running(read_pid(tmp_path / "ready"))


def test_no_zombie_is_left_by_deaths_and_stops(tmp_path):
    recorder = Recorder(lambda _, events: sum(isinstance(event, Died) for event in events) == 3)

    run(tmp_path, [child(tmp_path, "server", FOREVER), child(tmp_path, "daemon", "sys.exit(1)")], recorder)

    started = {event.pid for event in recorder.of((Started, Restarted))}
    assert len(started) >= 4
    assert not started & {process.pid for process in psutil.Process().children()}


def test_a_child_has_its_own_session_default_signals_no_input_and_the_given_environment(tmp_path):
    body = """
print(os.getsid(0) == os.getpid(), signal.getsignal(signal.SIGINT) is signal.default_int_handler,
      signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set(),
      repr(sys.stdin.read()), os.environ["COLOUR"], os.environ["BIST_SUPERVISED_HOME"], os.getcwd(), flush=True)
forever()"""
    log = tmp_path / "logs" / "web.log"
    web = child(
        tmp_path,
        "web",
        body,
        environment={"COLOUR": "red", "BIST_SUPERVISED_HOME": "elsewhere"},
        cwd=tmp_path,
        ready=lambda: log.stat().st_size > 0,
    )
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        recorder = Recorder(last_ready("web"))
        run(tmp_path, [web], recorder)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
        signal.signal(signal.SIGINT, before)

    assert log.read_text().split() == ["True"] * 4 + ["''", "red", str(tmp_path), str(tmp_path)]


def test_a_second_insistence_kills_what_is_being_waited_for(tmp_path):
    ready = tmp_path / "ready"
    mule = child(tmp_path, "mule", STUBBORN.format(ready=str(ready)), ready=ready.exists, stop_timeout_seconds=600)
    recorder = Recorder(last_ready("mule"))
    hasten = threading.Timer(0.3, recorder.request.insist)

    hasten.start()
    killed = run(tmp_path, [mule], recorder)

    assert [one.pid for one in killed] == [read_pid(ready)]


def test_a_listener_that_fails_does_not_keep_the_others_from_being_stopped(tmp_path):
    def lose_the_terminal(event):
        if isinstance(event, Stopped):
            raise BrokenPipeError

    children = [child(tmp_path, name, FOREVER) for name in ("server", "web", "daemon")]
    recorder = Recorder(last_ready("daemon"), lose_the_terminal)

    with pytest.raises(BrokenPipeError):
        run(tmp_path, children, recorder)

    assert [event.name for event in recorder.of(Stopped)] == ["daemon", "web", "server"]
    assert not any(is_running(event.pid) for event in recorder.of(Started))


def test_stopping_twice_is_harmless(tmp_path):
    recorder = Recorder()
    supervisor = Supervisor([child(tmp_path, "web", FOREVER)], tmp_path, recorder)
    assert supervisor.start(recorder.request)
    pid = supervisor.pids["web"]

    assert supervisor.stop() == ()
    assert supervisor.stop() == ()

    assert ends(pid)
    assert len(recorder.of(Stopped)) == 1


def test_a_supervisor_refuses_to_start_outside_the_main_thread(tmp_path):
    faults = []

    def start():
        try:
            Supervisor([], tmp_path, Recorder()).start(StopRequest())
        except RuntimeError as error:
            faults.append(str(error))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()

    assert "main thread" in faults[0]


@pytest.mark.parametrize(
    ("names", "order", "message"),
    [
        (["web", "web"], None, "different names"),
        (["web", RUN_WORKERS], None, "different names"),
        (["web", "daemon"], ["web"], "does not name each"),
        (["web"], ["web", "web"], "does not name each"),
        (["web"], ["web", "typo"], "does not name each"),
    ],
)
def test_names_and_stop_orders_that_are_ambiguous_are_refused(tmp_path, names, order, message):
    with pytest.raises(ValueError, match=message):
        Supervisor([child(tmp_path, name, FOREVER) for name in names], tmp_path, Recorder(), stop_order=order)
