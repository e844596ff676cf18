"""How much memory this process may use, containers respected."""

from __future__ import annotations

from pathlib import Path

__all__ = ["available_bytes"]

_CGROUP = Path("/sys/fs/cgroup")


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
