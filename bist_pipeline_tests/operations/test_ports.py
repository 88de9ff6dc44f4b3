import http.server
import os
import socket
import tempfile
import threading
from contextlib import closing
from pathlib import Path

import pytest

from bist_pipeline.core.errors import PortInUseError
from bist_pipeline.operations.ports import check_port, http_probe, socket_probe

LOOPBACK = "127.0.0.1"


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers /<status> with that status; every 3xx points at /200."""

    def do_GET(self):
        status = int(self.path.strip("/"))
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", "/200")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format, *args):  # noqa: A002 - the name is the base class's
        """Say nothing."""


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer((LOOPBACK, 0), Answers) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://{LOOPBACK}:{running.server_port}"
        running.shutdown()
        thread.join()


def listener(host=LOOPBACK, port=0, *options):
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    for option in options:
        listening.setsockopt(socket.SOL_SOCKET, option, 1)
    listening.bind((host, port))
    listening.listen()
    return closing(listening)


def free_port():
    with listener() as held:
        return held.getsockname()[1]


def test_a_free_port_passes():
    check_port(LOOPBACK, free_port())


@pytest.mark.parametrize("host", [LOOPBACK, "0.0.0.0"], ids=["same address", "all addresses"])
def test_a_taken_port_is_refused_with_its_holder(host):
    with listener(host) as held:
        port = held.getsockname()[1]
        message = rf"port {port} on 127\.0\.0\.1 is in use \(by pid {os.getpid()} .+\): choose another with --port N"
        with pytest.raises(PortInUseError, match=message):
            check_port(LOOPBACK, port)


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="this system cannot share ports")
def test_a_port_that_its_holder_would_share_is_refused_too():
    with listener(LOOPBACK, 0, socket.SO_REUSEPORT) as held, pytest.raises(PortInUseError):
        check_port(LOOPBACK, held.getsockname()[1])


def test_connections_of_the_last_run_do_not_count():
    with listener(LOOPBACK, 0, socket.SO_REUSEADDR) as held:
        port = held.getsockname()[1]
        caller = socket.create_connection((LOOPBACK, port))
        served, _ = held.accept()
        served.close()  # the server closes first, so its port is the one that waits
        caller.close()

    check_port(LOOPBACK, port)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_number_that_is_no_port_is_refused(port):
    with pytest.raises(PortInUseError, match="1 to 65535"):
        check_port(LOOPBACK, port)


def test_an_address_of_another_machine_is_refused_with_the_reason():
    with pytest.raises(PortInUseError, match="cannot be used"):
        check_port("192.0.2.1", free_port())


@pytest.mark.parametrize(("status", "is_ready"), [(200, True), (204, True), (302, False), (404, False), (503, False)])
def test_a_server_is_ready_when_it_answers_with_success(server, status, is_ready):
    assert http_probe(f"{server}/{status}") is is_ready


def test_a_proxy_in_the_environment_is_passed_by(server, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://{LOOPBACK}:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert http_probe(f"{server}/200")


def test_nobody_listening_is_not_ready():
    assert not http_probe(f"http://{LOOPBACK}:{free_port()}/")


def test_a_server_that_accepts_and_stays_silent_is_not_ready():
    with listener() as held:
        assert not http_probe(f"http://{LOOPBACK}:{held.getsockname()[1]}/", timeout_seconds=0.1)


def test_something_that_does_not_speak_http_is_not_ready():
    def babble(listening):
        with listening.accept()[0] as served:
            served.recv(1000)
            served.sendall(b"SSH-2.0-OpenSSH\r\n")

    with listener() as held:
        thread = threading.Thread(target=babble, args=(held,))
        thread.start()
        assert not http_probe(f"http://{LOOPBACK}:{held.getsockname()[1]}/")
        thread.join()


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1/", "http://example.com/", "https://127.0.0.1/", "file:///etc/passwd", "127.0.0.1:3000"]
)
def test_only_this_machine_is_asked(url):
    with pytest.raises(ValueError, match="this machine only"):
        http_probe(url)


def test_a_unix_socket_is_ready_while_a_server_listens_and_not_when_only_its_file_is_left():
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are too long for a socket's path
        path = Path(folder) / "code.sock"
        assert not socket_probe(path)
        with closing(socket.socket(socket.AF_UNIX)) as server:
            server.bind(str(path))
            assert not socket_probe(path)
            server.listen()
            assert socket_probe(path)
        assert path.exists()
        assert not socket_probe(path)


def test_a_path_that_is_too_long_for_a_socket_is_not_ready(tmp_path):
    assert not socket_probe(tmp_path / ("x" * 200))
