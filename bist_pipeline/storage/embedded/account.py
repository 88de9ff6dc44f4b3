"""The account the server runs as, and what that account may reach.

Belongs here: choosing the account, giving it its directories, opening the way to them. PostgreSQL refuses to run as
root, so root lends it an existing account; everybody else runs it as themselves. No account is ever created.
"""

import os
import pwd
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bist_pipeline.core.errors import EmbeddedServerError
from bist_pipeline.storage.embedded.layout import Layout

_PREFERRED = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """Who the server runs as.

    Attributes:
        name: For messages.
        uid: User id, never 0.
        gid: Primary group id; the account is used without further groups.
        is_lent: Whether we are root and change to it, rather than being it.
    """

    name: str
    uid: int
    gid: int
    is_lent: bool


def choose_account(layout: Layout) -> Account:
    """Return the account for a home's server.

    As root: the owner of what is there already (data, then home), so that a user whose home root once touched is not
    locked out; else `postgres`, `nobody`, or the first account that can be used.

    Raises:
        EmbeddedServerError: Root may not change to any account.
    """
    uid = os.geteuid()
    if uid != 0:
        return Account(_name_of(uid), uid, os.getegid(), is_lent=False)
    for path in (layout.data, layout.root, layout.home):
        if path.exists() and path.stat().st_uid != 0:
            owner = path.stat()
            return Account(_name_of(owner.st_uid), owner.st_uid, owner.st_gid, is_lent=True)
    for entry in _candidates():
        if _may_become(entry):
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, is_lent=True)
    raise EmbeddedServerError(
        "PostgreSQL does not run as root and root may not change to another account here: start as a normal user "
        "or set BIST_DATABASE_URL"
    )


def own_directory(path: Path, account: Account) -> None:
    """Make `path` (0700, the account's own) if it is missing, and see to it that the account can reach it.

    Raises:
        EmbeddedServerError: It is a link, not a directory, or somebody else's: an attacker's trap in a shared
            temporary folder, or another user's home.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(path):
        path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise EmbeddedServerError(f"{path} is not a directory of its own: remove it")
    # Root's own: root was killed between making it and giving it away.
    if found.st_uid != account.uid and not (account.is_lent and found.st_uid == 0):
        raise EmbeddedServerError(
            f"{path} belongs to {_name_of(found.st_uid)}, not to {account.name}: remove it or work as its owner"
        )
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)  # what was looked at, not a link since
    try:
        os.fchmod(descriptor, 0o700)
        if account.is_lent:
            os.fchown(descriptor, account.uid, account.gid)
    finally:
        os.close(descriptor)
    open_the_way(path.parent, account)


def remove_own_directory(path: Path, account: Account) -> None:
    """Remove an empty directory of the account; leave one that is not its own or not empty."""
    if os.path.lexists(path) and _is_own_directory(path.lstat(), account) and not any(path.iterdir()):
        path.rmdir()


def open_the_way(directory: Path, account: Account) -> None:
    """Let a lent account pass through `directory` and its parents: add `o+x` where it lacks it, nothing else.

    Raises:
        EmbeddedServerError: A directory shuts the account out by its owner's or group's bits, which we do not touch.
    """
    if not account.is_lent:
        return
    for step in (*reversed(directory.parents), directory):
        found = step.stat()
        if _may(found, account, stat.S_IXOTH):
            continue
        if account.uid == found.st_uid or account.gid == found.st_gid:
            raise EmbeddedServerError(f"account {account.name} may not pass through {step}: allow it (chmod ug+x)")
        step.chmod(stat.S_IMODE(found.st_mode) | stat.S_IXOTH)


def can_use_files(directory: Path, account: Account) -> bool:
    """Return whether the account may read all below `directory`, search its folders and run its programs.

    A link counts as unusable: some installers link into root's own cache, and what lies there may be barred.
    """
    if not account.is_lent:
        return True
    return not any(path.is_symlink() or not _is_usable(path.stat(), account) for path in _walk(directory))


def _is_own_directory(found: os.stat_result, account: Account) -> bool:
    return stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid


def _walk(directory: Path) -> Iterator[Path]:
    yield directory
    yield from directory.rglob("*")


def _is_usable(found: os.stat_result, account: Account) -> bool:
    needs_x = stat.S_ISDIR(found.st_mode) or bool(found.st_mode & stat.S_IXUSR)
    return _may(found, account, stat.S_IROTH | (stat.S_IXOTH if needs_x else 0))


def _may(found: os.stat_result, account: Account, other_bits: int) -> bool:
    """Whether the account has the rights, given as bits of the class "other"; access lists are not looked at."""
    shift = 6 if account.uid == found.st_uid else 3 if account.gid == found.st_gid else 0
    return (found.st_mode >> shift) & other_bits == other_bits


def _candidates() -> list[pwd.struct_passwd]:
    entries = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid != 0}
    preferred = [entries[name] for name in _PREFERRED if name in entries]
    return preferred + [entry for name, entry in entries.items() if name not in _PREFERRED]


def _may_become(entry: pwd.struct_passwd) -> bool:
    """Try it: in a container root may lack the right, or the account may lie outside its range of ids."""
    try:
        subprocess.run(
            ["/bin/sh", "-c", ":"], check=True, cwd="/", user=entry.pw_uid, group=entry.pw_gid, extra_groups=[]
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container may run under an id that has no entry
        return str(uid)
