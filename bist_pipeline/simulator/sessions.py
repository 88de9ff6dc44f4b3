"""Cookies and crumbs: what quote and screener ask for.

Belongs here: handing them out and recognising them. A cookie is good on the exchange that set it, and a crumb belongs
to its cookie. Yahoo's attributes `Domain` and `Secure` are left out: on loopback no client would send it back.
"""

import hashlib
import re
from threading import Lock

_COOKIE = re.compile(r"(?:^|;\s*)A3=([^;]*)")
_YEAR_SECONDS = 31_536_000
_CRUMB_LENGTH = 11


class Sessions:
    """The cookies of one exchange.

    Args:
        seed: Makes its cookies and crumbs the same on every run.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lock = Lock()
        self._issued: set[str] = set()

    def set_cookie(self) -> str:
        """Return a new `Set-Cookie` header."""
        with self._lock:
            value = f"d={self._digest(f'cookie {len(self._issued)}')}"
            self._issued.add(value)
        return f"A3={value}; Max-Age={_YEAR_SECONDS}; Path=/; SameSite=Lax; HttpOnly"

    def crumb_for(self, cookies: str) -> str | None:
        """Return the crumb that belongs to a request's cookies; None where none of them is ours."""
        found = _COOKIE.search(cookies)
        with self._lock:
            known = bool(found) and found.group(1) in self._issued
        return self._digest(f"crumb {found.group(1)}")[:_CRUMB_LENGTH] if found and known else None

    def _digest(self, text: str) -> str:
        return hashlib.sha256(f"SIMULATED {self._seed} {text}".encode()).hexdigest()[:32]
