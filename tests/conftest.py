"""Fixtures that every test shares."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# tests are many small things: threads would wait for one another, and results depend on their number
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np  # reads OMP_NUM_THREADS when imported
import pytest

from striate.data.dataset import Dataset, Record
from striate.types import Picture, SizeHW


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


@dataclass(frozen=True)
class ArrayOrigin:
    """A picture that is already there."""

    picture: Picture

    def read(self, at_least_hw: SizeHW | None = None) -> Picture:
        return self.picture.copy()

    def content_hash(self) -> str:
        return hashlib.sha256(self.picture.tobytes()).hexdigest()


MakeDataset = Callable[..., Dataset[Any]]


@pytest.fixture
def make_dataset() -> MakeDataset:
    """`make_dataset(targets, names, size_hw=(12, 9), grey=False)`: noise pictures with these truths.

    `paint(picture, target)` draws on the noise what the truth says.
    """

    def make(
        targets: Sequence[Any],
        names: Sequence[str],
        *,
        size_hw: SizeHW = (12, 9),
        grey: bool = False,
        paint: Callable[[Picture, Any], None] = lambda picture, target: None,
    ) -> Dataset[Any]:
        rng = np.random.default_rng(len(targets))
        records = []
        for row, target in enumerate(targets):
            pixels = rng.integers(0, 256, (*size_hw, 1 if grey else 3), dtype=np.uint8)
            picture = np.array(np.broadcast_to(pixels, (*size_hw, 3)))
            paint(picture, target)
            records.append(Record(f"set/{row:05}", ArrayOrigin(picture), target))
        return Dataset(tuple(records), tuple(names), "set", "made for a test")

    return make
