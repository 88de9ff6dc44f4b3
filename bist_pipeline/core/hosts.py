"""Base URLs: whether one is legal, and whether it leads to this machine.

Belongs here: reading the address. Does not belong here: which hosts are asked (`settings.py`), and asking them.
"""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

_EXAMPLE = "https://query2.finance.yahoo.com"
_LEGAL = f"legal: scheme, host and port alone, like {_EXAMPLE}"


def is_loopback(url: str) -> bool:
    """Tell whether a base URL leads to this machine."""
    name = urlsplit(url).hostname or ""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def check_base_url(url: str) -> None:
    """Refuse what is no base URL: https anywhere, http on this machine alone; and one that holds a password.

    Raises:
        ValueError: It is none; the message says how one looks, and never shows a password.
    """
    if "@" in url:
        # Looked for before anything reads the address: a reader's own error would quote it.
        raise ValueError(f"a base URL with a user or a password would be stored with every request; {_LEGAL}")
    parts = _split(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError(f"{url.partition('?')[0]!r} is no base URL like {_EXAMPLE}")
    if "#" in url:
        raise ValueError(f"what follows the # in a base URL is never sent; {_LEGAL}")
    if parts.scheme == "http" and not is_loopback(url):
        raise ValueError(f"{url!r}: http is legal on loopback alone, use https")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # read here alone, and may be a word: `https://user:password` without its host
    except ValueError:
        raise ValueError(f"a base URL whose host or port cannot be read; {_LEGAL}") from None
    return parts
