"""Is a port free, and does a server on it answer.

Belongs here: the check before a server is started and the probes that say it is ready. Does not belong here: which
ports and paths the servers use.
"""

import errno
import http.client
import ipaddress
import socket
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from bist_pipeline.core.errors import PortInUseError

_CONNECT_SECONDS = 0.5
_COMMAND_LENGTH = 80


def check_port(host: str, port: int) -> None:
    """Refuse a port on which no server can listen.

    The test socket sets SO_REUSEADDR, as servers do, so that connections of the last run still in TIME_WAIT do not
    count, and never SO_REUSEPORT, under which two code servers share a port and answer in turn.

    Args:
        host: Name or address the server is going to bind.
        port: 1 to 65535.

    Raises:
        PortInUseError: The port is taken (the message names the holder where this user may see it), or the system
            refuses it for another reason.
    """
    if not 0 < port < 65536:
        raise PortInUseError(f"port {port} is not a port: choose 1 to 65535 with --port N")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise PortInUseError(
                f"port {port} on {host} cannot be used ({error.strerror}): choose another with --port N"
            ) from error
        raise PortInUseError(_taken(host, port)) from error
    if _is_answered(family, address):
        raise PortInUseError(_taken(host, port))


def http_probe(url: str, timeout_seconds: float = 1.0) -> bool:
    """Say whether a server on this machine answers `url` with a 2xx status.

    Proxies of the environment are passed by and redirects are not followed: the answer is about this one process.

    Args:
        url: http address on loopback.
        timeout_seconds: How long to wait for the connection and for each read.

    Raises:
        ValueError: The address is not http on loopback.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not _is_loopback(parts.hostname or ""):
        raise ValueError(f"http_probe asks this machine only, got {url!r}")
    opener = urllib.request.OpenerDirector()  # bare: no proxies, no redirects, no exception for a status
    opener.add_handler(urllib.request.HTTPHandler())
    try:
        with opener.open(url, timeout=timeout_seconds) as answer:
            return 200 <= answer.status < 300
    except (OSError, http.client.HTTPException):
        return False


def socket_probe(path: Path) -> bool:
    """Say whether a server accepts connections on the Unix socket `path`.

    That the file exists says nothing: a server that was killed leaves it behind.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(_CONNECT_SECONDS)
        try:
            return caller.connect_ex(str(path)) == 0
        except OSError:  # a path too long for a socket, or no answer in time
            return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_answered(family: int, address: tuple) -> bool:
    # On macOS a bind to 127.0.0.1 succeeds while another server listens on all addresses.
    with socket.socket(family, socket.SOCK_STREAM) as caller:
        caller.settimeout(_CONNECT_SECONDS)
        if caller.connect_ex(address) != 0:
            return False
        # A caller that is given the very port as its own ends up connected to itself.
        return caller.getsockname() != caller.getpeername()


def _taken(host: str, port: int) -> str:
    return f"port {port} on {host} is in use (by {_holder(port)}): choose another with --port N"


def _holder(port: int) -> str:
    try:
        listening = [c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.pid]
        pid = next(c.pid for c in listening if c.laddr and c.laddr.port == port)
        command = " ".join(psutil.Process(pid).cmdline())
    except (psutil.Error, StopIteration):
        return "a process this user cannot see"
    return f"pid {pid} {command[:_COMMAND_LENGTH]}".rstrip()
