"""Silence for the parts of Pillow that warn about damaged files: we raise, or it does not matter."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet"]

# Python keeps its warning filters per process; two threads that swap them at once could leave them
# swapped. One lock per process id: a child forked while another thread held it gets a new one.
_LOCKS: dict[int, threading.RLock] = {}


@contextmanager
def quiet() -> Iterator[None]:
    """No Python warning gets out of this block, nor turns into an error. Keep the block short."""
    lock = _LOCKS.setdefault(os.getpid(), threading.RLock())
    with lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
