"""Builders of small data sets on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from striate.pictures.write import to_bytes
from striate.types import Picture

Save = Callable[..., str]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """`save("train/cat/1.png")` writes a small picture below `tmp_path`, unlike all others."""
    drawn = np.random.default_rng(7)

    def write(name: str | bytes, picture: Picture | None = None) -> str:
        path = os.path.join(os.fsencode(tmp_path), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if picture is None:
            picture = drawn.integers(0, 256, (9, 12, 3), dtype=np.uint8)
        with open(path, "wb") as stream:
            stream.write(to_bytes(picture, "png"))
        return os.fsdecode(path)

    return write


@pytest.fixture
def photo() -> Callable[[int, tuple[int, int]], Picture]:
    """Something with the large shapes and small details of a photograph, a different one a seed."""

    def draw(seed: int, size_hw: tuple[int, int] = (120, 160)) -> Picture:
        rng = np.random.default_rng(seed)
        height, width = size_hw
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        found = np.zeros((height, width, 3), np.float32)
        for wave in range(1, 40):
            angle, phase = rng.uniform(0, 2 * np.pi, 2)
            frequency = 2 * np.pi * wave / 2 / width
            shape = np.sin(frequency * (np.cos(angle) * x + np.sin(angle) * y) + phase)
            found += rng.uniform(0.3, 1, 3) * shape[..., None] / wave**0.8
        found -= found.min()
        return np.asarray(found / found.max() * 255, np.uint8)

    return draw
