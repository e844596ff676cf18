from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from striate.errors import DiskError, LockedError
from striate.runs.lock import LOCK_NAME, RunLock, holder_of

HOLDER = """
import sys
from pathlib import Path
from striate.runs.lock import RunLock
lock = RunLock.acquire(Path(sys.argv[1]), now=lambda: 0.0)
print("held", flush=True)
sys.stdin.readline()
"""


def hold(folder: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def end(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.communicate()


def test_the_refusal_names_who_writes(tmp_path: Path) -> None:
    child = hold(tmp_path)
    try:
        with pytest.raises(LockedError) as caught:
            RunLock.acquire(tmp_path)
        text = str(caught.value)
        assert f"process {child.pid} on {socket.gethostname()} since 1970-01-01T00:00:00+00:00" in text
        holder = holder_of(tmp_path)
        assert holder is not None
        assert holder.pid == child.pid
    finally:
        end(child)


def test_a_killed_holder_stops_nobody(tmp_path: Path) -> None:
    child = hold(tmp_path)
    end(child)
    assert json.loads((tmp_path / LOCK_NAME).read_text())["pid"] == child.pid
    assert holder_of(tmp_path) is None
    with RunLock.acquire(tmp_path):
        holder = holder_of(tmp_path)
        assert holder is not None
        assert holder.pid == os.getpid()
    assert not (tmp_path / LOCK_NAME).exists()
    assert holder_of(tmp_path) is None


def test_a_child_that_outlives_the_holder_is_told_of(tmp_path: Path) -> None:
    lock = RunLock.acquire(tmp_path)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    text = {"pid": gone.pid, "host": socket.gethostname(), "since": "then"}
    (tmp_path / LOCK_NAME).write_text(json.dumps(text))
    with pytest.raises(LockedError, match="that process is gone"):
        RunLock.acquire(tmp_path)
    lock.release()


def test_an_illegible_lock_file_still_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("striate.runs.lock._NAMELESS_S", 0.05)
    lock = RunLock.acquire(tmp_path)
    (tmp_path / LOCK_NAME).write_text("?")
    with pytest.raises(LockedError, match="another process"):
        RunLock.acquire(tmp_path)
    holder = holder_of(tmp_path)
    assert holder is not None
    assert holder.host == "an unknown host"
    lock.release()
    lock.release()


def test_a_lock_on_a_removed_file_is_worthless(tmp_path: Path) -> None:
    first = RunLock.acquire(tmp_path)
    (tmp_path / LOCK_NAME).unlink()
    with RunLock.acquire(tmp_path):
        first.release()  # must not remove the second one's file
        assert (tmp_path / LOCK_NAME).exists()


def test_a_missing_folder_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        RunLock.acquire(tmp_path / "none")
    assert holder_of(tmp_path / "none") is None


def test_a_file_system_without_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    def flock(handle: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr("fcntl.flock", flock)
    with pytest.raises(DiskError, match="cannot lock files"):
        RunLock.acquire(tmp_path)
    assert holder_of(tmp_path) is None
