"""Computing and writing at the same time.

Belongs here: letting the next block be computed while the last one is on its way to the database (the driver gives the
interpreter up while it encodes and sends), and blocks be computed on several cores (compiled loops give it up, too).
Does not belong here: what is computed or written.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Block = TypeVar("Block")
Made = TypeVar("Made")

_MOST_CORES = 8  # each holds a block in memory


def ahead(blocks: Iterator[Block]) -> Iterator[Block]:
    """Yield the same blocks, each computed while the one before it is being used.

    An error of the source is raised where its block would have come; the source is never more than one block ahead.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:
        coming = pool.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = pool.submit(next, blocks, None)
            yield block


def spread(make: Callable[[Block], Made], blocks: Iterable[Block]) -> Iterator[Made]:
    """Compute something of each block on as many cores as there are, and yield it in the order of the blocks.

    An error is raised where its block would have come. No more than one block a core is computed ahead.
    """
    cores = min(os.cpu_count() or 1, _MOST_CORES)
    with ThreadPoolExecutor(cores, thread_name_prefix="spread") as pool:
        coming: deque[Future[Made]] = deque()
        for block in blocks:
            coming.append(pool.submit(make, block))
            if len(coming) > cores:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
