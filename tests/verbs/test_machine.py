from __future__ import annotations

from pathlib import Path

from striate.verbs.machine import available_bytes

MEMINFO = "MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:    8000000 kB\n"


def put(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_memory(tmp_path: Path) -> None:
    proc = put(tmp_path / "proc", meminfo=MEMINFO)
    assert available_bytes(tmp_path, proc) == (8_192_000_000, 16_384_000_000)
    limited = put(tmp_path / "a", **{"memory.max": "4000000000", "memory.current": "1500000000"})
    assert available_bytes(limited, proc) == (2_500_000_000, 4_000_000_000)
    unlimited = put(tmp_path / "b", **{"memory.max": "max", "memory.current": "1500000000"})
    assert available_bytes(unlimited, proc) == (8_192_000_000, 16_384_000_000)
    assert available_bytes(tmp_path, tmp_path / "nowhere") is None
