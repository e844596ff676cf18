"""Tiny data sets in memory, non-square, the same on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from striate.data.dataset import Dataset, Record
from striate.types import Picture, SizeHW


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
    """`make_dataset(targets, names, size_hw=(12, 9), grey=False)`: noise pictures with these truths."""

    def make(
        targets: Sequence[Any],
        names: Sequence[str],
        *,
        size_hw: SizeHW = (12, 9),
        grey: bool = False,
    ) -> Dataset[Any]:
        rng = np.random.default_rng(len(targets))
        records = []
        for row, target in enumerate(targets):
            pixels = rng.integers(0, 256, (*size_hw, 1 if grey else 3), dtype=np.uint8)
            picture = np.ascontiguousarray(np.broadcast_to(pixels, (*size_hw, 3)))
            records.append(Record(f"set/{row:05}", ArrayOrigin(picture), target))
        return Dataset(tuple(records), tuple(names), "set", "made for a test")

    return make
