"""What chance decides for each picture: the same at every level, so that levels compare."""

from __future__ import annotations

import numpy as np

from striate.randomness import uniforms
from striate.stress.changes import Material
from striate.types import Array

__all__ = ["draw", "signs"]


def draw(material: Material, stream: str) -> Array:
    """One number a picture, [0, 1), float64 (B,)."""
    return uniforms(0, 0, material.seeds, stream=stream)[:, 0]


def signs(material: Material, stream: str) -> Array:
    """−1 or 1 a picture, float64 (B,)."""
    return np.where(draw(material, stream) < 0.5, -1.0, 1.0)
