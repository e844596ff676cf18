"""Fixtures that every test shares."""

from __future__ import annotations

import os
from pathlib import Path

# tests are many small things: threads would wait for one another, and results depend on their number
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np  # reads OMP_NUM_THREADS when imported
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20261120)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real pictures; tests that use it carry the mark `realdata`."""
    root = Path(os.environ.get("STRIATE_DATA", Path.home() / ".cache/striate/benchmarks"))
    if not root.is_dir():
        pytest.skip(f"no real pictures at {root}: run ../shared/data/unpack")
    return root


@pytest.fixture(autouse=True)
def striate_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has its own cache, and no network."""
    home = tmp_path / "striate-home"
    monkeypatch.setenv("STRIATE_HOME", str(home))
    monkeypatch.setenv("STRIATE_OFFLINE", "1")
    return home
