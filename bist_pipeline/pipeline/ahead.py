"""Computing and writing at the same time.

Belongs here: the one helper that lets the next block be computed while the last one is on its way to the database: the
driver gives the interpreter up while it encodes and sends. Does not belong here: what is computed or written.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Block = TypeVar("Block")


def ahead(blocks: Iterator[Block]) -> Iterator[Block]:
    """Yield the same blocks, each computed while the one before it is being used.

    An error of the source is raised where its block would have come; the source is never more than one block ahead.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:
        coming = pool.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = pool.submit(next, blocks, None)
            yield block
