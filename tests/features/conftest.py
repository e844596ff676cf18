"""Photographs that come with scikit-image: nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import skimage

from striate.pictures import read
from striate.types import Picture

Photo = Callable[[str], Picture]


@cache
def _photo(name: str) -> Picture:
    picture = read(Path(skimage.__file__).parent / "data" / name)
    picture.setflags(write=False)
    return picture


@pytest.fixture(scope="session")
def photo() -> Photo:
    """`photo("astronaut.png")`: uint8 (H, W, 3), not to be written to."""
    return _photo
