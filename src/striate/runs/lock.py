"""One writer a run: a lock file held with flock, that says who holds it.

The operating system lets go of the lock when its process dies, however it dies, so a lock file left
by a killed process (or by a lost machine) stops nobody. The file names process, host and time, for
the message only. It vanishes when the lock is released.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from striate.errors import DiskError, LockedError
from striate.runs.atomic import disk_errors

__all__ = ["LOCK_NAME", "Holder", "RunLock", "holder_of"]

LOCK_NAME = ".lock"

_PATIENCE_S = 0.3
"""How long a refused caller keeps trying: others may only be looking (`holder_of`)."""
_NAMELESS_S = 3.0
"""How long, while the holder has not yet written who it is."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock: process id, host name, since when (ISO 8601, UTC)."""

    pid: int
    host: str
    since: str

    @classmethod
    def read(cls, path: Path) -> Holder | None:
        """What the lock file says; None while it says nothing, or nothing legible."""
        try:
            found = json.loads(path.read_text("utf-8"))
            return cls(int(found["pid"]), str(found["host"]), str(found["since"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def describe(self) -> str:
        """For a sentence: "process 123 on box since …", and whether that process is gone."""
        text = f"process {self.pid} on {self.host} since {self.since}"
        if self.host == socket.gethostname() and not _alive(self.pid):
            text += " (that process is gone; one it started still holds the lock)"
        return text


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _try_lock(handle: int, *, shared: bool = False) -> bool:
    """Take the lock of the operating system without waiting; False if another has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, 1 << 30, os.SEEK_SET)  # past the text, which others must be able to read
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK):
            return False
        if error.errno in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
            raise DiskError(
                "this file system cannot lock files, so two programs could write one run",
                remedy="choose an --out on a local disk, and copy the finished run",
            ) from error
        raise
    return True


def _is_at(handle: int, path: Path) -> bool:
    """Is `path` still the file behind `handle`? It is not after a release or a swap of folders."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


class RunLock:
    """The exclusive right to write in a folder. Made by `acquire`; a context manager.

    `now`: seconds since 1970, for the message to others.
    """

    def __init__(self, folder: Path, *, now: Callable[[], float] = time.time) -> None:
        self.folder = folder
        self._now = now
        self._handle: int | None = None

    @classmethod
    def acquire(cls, folder: Path, *, now: Callable[[], float] = time.time) -> Self:
        """Lock the existing `folder`, or a `LockedError` that names who writes there.

        `FileNotFoundError` if the folder is not there (it may just have been swapped).
        """
        lock = cls(folder, now=now)
        path = folder / LOCK_NAME
        began = time.monotonic()
        while not lock._attempt(path):
            waited, holder = time.monotonic() - began, Holder.read(path)
            if waited > (_NAMELESS_S if holder is None else _PATIENCE_S):
                who = holder.describe() if holder else "another process"
                raise LockedError(
                    f"run {folder.name} is being written by {who}",
                    remedy="wait until it ends, stop it, or choose another --out",
                )
            time.sleep(0.01)
        return lock

    def _attempt(self, path: Path) -> bool:
        with disk_errors(path):
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if _try_lock(handle) and _is_at(handle, path):
                since = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="seconds")
                text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since})
                with disk_errors(path):
                    os.ftruncate(handle, 0)
                    os.lseek(handle, 0, os.SEEK_SET)
                    os.write(handle, text.encode())
                self._handle, handle = handle, -1
        finally:
            if handle >= 0:
                os.close(handle)
        return self._handle is not None

    def release(self) -> None:
        """Let go, and remove the lock file if it is still where it was. Twice is once."""
        if self._handle is None:
            return
        path = self.folder / LOCK_NAME
        if os.name == "posix" and _is_at(self._handle, path):  # elsewhere an open file stays
            path.unlink(missing_ok=True)
        os.close(self._handle)
        self._handle = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def holder_of(folder: Path) -> Holder | None:
    """Who is writing in `folder` at this moment; None if nobody is."""
    path = folder / LOCK_NAME
    try:
        handle = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    except OSError:
        return None
    try:
        if _try_lock(handle, shared=True):
            return None
        return Holder.read(path) or Holder(0, "an unknown host", "an unknown time")
    except DiskError:
        return None
    finally:
        os.close(handle)
