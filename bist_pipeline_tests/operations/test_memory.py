"""Giving memory back, where the C library can and where it cannot."""

import ctypes
import threading

import psutil
import pytest

from bist_pipeline.operations import memory

BLOCK, BLOCKS = 64_000, 2_000  # below what glibc asks the system for one by one


@pytest.fixture(autouse=True)
def _looked_up_anew():
    memory._trim.cache_clear()
    yield
    memory._trim.cache_clear()


def _fill_and_free() -> None:
    kept = [bytearray(BLOCK) for _ in range(BLOCKS)]
    last = bytearray(BLOCK)  # lies behind all of them, so that nothing is given back by itself
    kept.clear()
    held.append(last)


held: list[bytearray] = []


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="no glibc")
def test_what_a_thread_freed_goes_back_to_the_system():
    thread = threading.Thread(target=_fill_and_free)
    thread.start()
    thread.join()
    before = psutil.Process().memory_info().rss
    assert memory.release()
    held.clear()
    assert before - psutil.Process().memory_info().rss > BLOCK * BLOCKS / 2


@pytest.mark.parametrize("error", [OSError, TypeError, AttributeError])
def test_without_glibc_nothing_happens(monkeypatch, error):
    def refuse(_: object) -> object:
        raise error

    monkeypatch.setattr(memory.ctypes, "CDLL", refuse)
    assert not memory.release()
