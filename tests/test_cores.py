from __future__ import annotations

import os
from pathlib import Path

import pytest

from striate.cores import granted_cores, usable_cores


@pytest.fixture(autouse=True)
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that may run on eight cores of sixteen, whatever the machine of the test is."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 16)


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
def test_a_container(tmp_path: Path, limit: str, cores: int) -> None:
    assert usable_cores(put(tmp_path, cpu_dot_max=limit)) == cores


def test_an_older_container(tmp_path: Path) -> None:
    old = put(tmp_path, **{"cpu__cpu.cfs_quota_us": "300000", "cpu__cpu.cfs_period_us": "100000"})
    assert usable_cores(old) == 3
    assert usable_cores(put(tmp_path, **{"cpu__cpu.cfs_quota_us": "-1"})) == 8


def test_no_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert granted_cores(tmp_path / "nowhere") == 0
    assert usable_cores(tmp_path / "nowhere") == 8
    monkeypatch.delattr(os, "sched_getaffinity")  # as on macOS and Windows
    assert usable_cores(tmp_path / "nowhere") == 16
