"""Builders of small data sets on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from striate.pictures.resize import resize
from striate.pictures.write import to_bytes
from striate.types import Picture

Save = Callable[..., str]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """`save("train/cat/1.png")` writes a small picture below `tmp_path`, unlike all others."""
    drawn = np.random.default_rng(7)

    def write(name: str | bytes, picture: Picture | None = None) -> str:
        path = tmp_path / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if picture is None:
            picture = drawn.integers(0, 256, (9, 12, 3), dtype=np.uint8)
        path.write_bytes(to_bytes(picture, "png"))
        return str(path)

    return write


@pytest.fixture
def photo() -> Callable[[int, tuple[int, int]], Picture]:
    """Something with the large shapes and small details of a photograph, a different one a seed."""

    def draw(seed: int, size_hw: tuple[int, int] = (120, 160)) -> Picture:
        rng = np.random.default_rng(seed)
        found = np.zeros((*size_hw, 3), np.float32)
        for cells, strength in ((3, 1.0), (6, 0.7), (12, 0.5), (24, 0.35), (48, 0.25)):
            noise = rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
            found += strength * resize(noise, size_hw, how="bicubic")
        found -= found.min()
        return np.asarray(found / found.max() * 255, np.uint8)

    return draw
