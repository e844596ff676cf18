from __future__ import annotations

import os
from pathlib import Path

import pytest

from striate.verbs.machine import available_bytes, usable_cores

MEMINFO = "MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:    8000000 kB\n"


def put(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("limit", "cores"),
    [("max 100000\n", 8), ("200000 100000\n", 2), ("150000 100000\n", 2), ("50000 100000\n", 1),
     ("9900000 100000\n", 8), ("", 8), ("0 0\n", 8)],
)  # fmt: skip
def test_cores_of_a_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, cores: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    assert usable_cores(put(tmp_path, cpu_dot_max=limit)) == cores


def test_cores_of_an_older_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    old = put(tmp_path, **{"cpu__cpu.cfs_quota_us": "300000", "cpu__cpu.cfs_period_us": "100000"})
    assert usable_cores(old) == 3
    assert usable_cores(put(tmp_path, **{"cpu__cpu.cfs_quota_us": "-1"})) == 8


def test_memory(tmp_path: Path) -> None:
    proc = put(tmp_path / "proc", meminfo=MEMINFO)
    assert available_bytes(tmp_path, proc) == (8_192_000_000, 16_384_000_000)
    limited = put(tmp_path / "a", **{"memory.max": "4000000000", "memory.current": "1500000000"})
    assert available_bytes(limited, proc) == (2_500_000_000, 4_000_000_000)
    unlimited = put(tmp_path / "b", **{"memory.max": "max", "memory.current": "1500000000"})
    assert available_bytes(unlimited, proc) == (8_192_000_000, 16_384_000_000)
    assert available_bytes(tmp_path, tmp_path / "nowhere") is None
