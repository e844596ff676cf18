"""What this process may use of the machine: cores and memory, containers respected."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["available_bytes", "granted_cores", "usable_cores"]

_CGROUP = Path("/sys/fs/cgroup")


def usable_cores(cgroup: Path = _CGROUP) -> int:
    """Cores this process may run on: its affinity, or its container's quota where that is less."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        cores = os.cpu_count() or 1
    granted = granted_cores(cgroup)
    return max(1, min(cores, granted)) if granted else cores


def granted_cores(cgroup: Path = _CGROUP) -> int:
    """The time that a container is granted, in whole cores, rounded up; 0 if there is no limit.

    Runtimes do not see it: they start a thread for each core of the host, which then wait in line.
    """
    words = _first_line(cgroup / "cpu.max").split()  # version 2: "200000 100000" or "max 100000"
    if len(words) != 2:
        words = [
            _first_line(cgroup / "cpu/cpu.cfs_quota_us"),
            _first_line(cgroup / "cpu/cpu.cfs_period_us"),
        ]
    if not all(word.isdigit() for word in words) or int(words[1]) == 0:
        return 0
    return -(-int(words[0]) // int(words[1]))


def available_bytes(cgroup: Path = _CGROUP, proc: Path = Path("/proc")) -> tuple[int, int] | None:
    """Memory that can still be taken, and the total, in bytes; None where the system does not say."""
    fields = dict(
        line.split(":", 1) for line in _lines(proc / "meminfo") if line.startswith("Mem") and ":" in line
    )
    if "MemTotal" not in fields or "MemAvailable" not in fields:
        return None
    total = int(fields["MemTotal"].split()[0]) * 1024
    free = int(fields["MemAvailable"].split()[0]) * 1024
    for limit_name, used_name in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        limit, used = _first_line(cgroup / limit_name), _first_line(cgroup / used_name)
        if limit.isdigit() and used.isdigit() and int(limit) < total:
            total = int(limit)
            free = min(free, max(0, total - int(used)))
    return free, total


def _first_line(path: Path) -> str:
    return next(iter(_lines(path)), "").strip()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return []
