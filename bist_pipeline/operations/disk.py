"""Room on the disk, for `doctor` and for what is about to write much.

Belongs here: measuring free space and refusing too little. Does not belong here: how much a job needs.
"""

import shutil
from pathlib import Path

from bist_pipeline.operations.errors import DiskSpaceError

_MEGABYTE = 1_000_000


def free_bytes(path: Path) -> int:
    """Return the bytes free for this user on the file system of `path`, which need not exist yet."""
    absolute = path.absolute()
    existing = next(place for place in (absolute, *absolute.parents) if place.exists())
    return shutil.disk_usage(existing).free


def check_disk(path: Path, need: int) -> None:
    """Refuse a disk that has less room than `need`.

    Args:
        path: A file or folder that is going to be written.
        need: Bytes.

    Raises:
        DiskSpaceError: Names the path, what is free and what is needed.
    """
    free = free_bytes(path)
    if free < need:
        raise DiskSpaceError(
            f"{path}: {free / _MEGABYTE:,.0f} MB free on this disk, {need / _MEGABYTE:,.0f} MB needed: "
            "make room or choose another BIST_HOME"
        )
