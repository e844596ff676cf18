"""How many processor cores this process may use, containers respected."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["granted_cores", "usable_cores"]

_CGROUP = Path("/sys/fs/cgroup")


def usable_cores(cgroup: Path = _CGROUP) -> int:
    """Cores this process may run on: its affinity, or its container's quota where that is less."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux: a process may run on all there are
        cores = os.cpu_count() or 1
    granted = granted_cores(cgroup)
    return min(cores, granted) if granted else cores


def granted_cores(cgroup: Path = _CGROUP) -> int:
    """The time that a container is granted, in whole cores, rounded up; 0 if there is no limit.

    Runtimes do not see it: they start a thread for each core of the host, which then wait in line.
    """
    words = _words(cgroup / "cpu.max")  # version 2: "200000 100000" or "max 100000"
    if len(words) != 2:
        words = _words(cgroup / "cpu/cpu.cfs_quota_us") + _words(cgroup / "cpu/cpu.cfs_period_us")
    if len(words) != 2 or not all(word.isdigit() for word in words) or int(words[1]) == 0:
        return 0
    return -(-int(words[0]) // int(words[1]))


def _words(path: Path) -> list[str]:
    """Of a file that the kernel writes; none where there is no such file."""
    try:
        return path.read_text("utf-8").split()
    except (OSError, ValueError):
        return []
