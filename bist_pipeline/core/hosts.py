"""Base URLs: whether one is legal, and whether it leads to this machine.

Belongs here: reading the address. Does not belong here: which hosts are asked (`settings.py`), and asking them.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(url: str) -> bool:
    """Tell whether a base URL leads to this machine."""
    name = urlsplit(url).hostname or ""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def check_base_url(url: str) -> None:
    """Refuse what is no base URL: https anywhere, http on this machine alone.

    Raises:
        ValueError: It is none; the message says how one looks.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError(f"{url!r} is no base URL like https://query2.finance.yahoo.com")
    if parts.scheme == "http" and not is_loopback(url):
        raise ValueError(f"{url!r}: http is legal on loopback alone, use https")
