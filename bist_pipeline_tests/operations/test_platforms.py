"""What cannot be run here is simulated by hiding what the other systems lack."""

import subprocess
import sys

import pytest

from bist_pipeline_tests.operations.children import PATIENCE_SECONDS, REPOSITORY

# psutil chooses its implementation at import, and pydantic its time zones: they are loaded as what this machine is.
AS_WINDOWS = """
import ctypes, http.client, os, psutil, signal, socket, subprocess, sys, tempfile, urllib.request
import bist_pipeline.settings
from pathlib import Path
sys.platform = "win32"
sys.modules["fcntl"] = None
del signal.SIGHUP, os.killpg, os.getpgid, os.getuid
import bist_pipeline.operations.disk, bist_pipeline.operations.kill_switch, bist_pipeline.operations.ports
import bist_pipeline.operations.supervisor.supervisor
from bist_pipeline.operations.errors import UnsupportedPlatformError
from bist_pipeline.operations.home_lock import HomeLock, running_instance
home = Path(tempfile.mkdtemp())
assert running_instance(home) is None
try:
    HomeLock(home).acquire("http://127.0.0.1:3000")
except UnsupportedPlatformError as error:
    sys.stdout.write(str(error))
"""

AS_MACOS = """
import ctypes, os, psutil, signal, subprocess, sys, tempfile
import bist_pipeline.settings
from pathlib import Path
sys.platform = "darwin"
del os.waitid
from bist_pipeline.operations.home_lock import HomeLock
from bist_pipeline.operations.leftovers import end_leftovers
from bist_pipeline.operations.supervisor.events import Ready
from bist_pipeline.operations.supervisor.stop_request import StopRequest
from bist_pipeline.operations.supervisor.supervisor import Supervisor
from bist_pipeline_tests.operations.children import child
ctypes.CDLL = None  # nothing may ask for prctl
home, request = Path(tempfile.mkdtemp()), StopRequest()
def on_event(event):
    sys.stdout.write(type(event).__name__ + " ")
    if isinstance(event, Ready):
        request.ask()
with HomeLock(home).held("a"):
    end_leftovers(home)
    assert Supervisor([child(home, "web", "forever()")], home, on_event).run(request) == ()
"""


@pytest.mark.parametrize(
    ("program", "says"),
    [
        (AS_WINDOWS, "bist-pipeline up runs on Linux and macOS; on Windows use it inside WSL 2"),
        (AS_MACOS, "Started Ready Stopped "),
    ],
    ids=["Windows is refused in words", "macOS does without the parent's death signal"],
)
def test_other_systems(program, says):
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (done.stdout, done.stderr) == (says, "")
