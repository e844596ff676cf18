"""What the losses ask of their arguments: real numbers, as many of one as of the other."""

from __future__ import annotations

import numpy as np

from striate.errors import UsageError
from striate.types import Array

__all__ = ["check_margin", "paired", "rows_of"]


def paired(**arrays: Array) -> list[Array]:
    """The arrays as float64; a `UsageError` that names them if their shapes differ or one is empty."""
    found = {name: np.asarray(values, dtype=np.float64) for name, values in arrays.items()}
    shapes = {values.shape for values in found.values()}
    if len(shapes) > 1:
        given = ", ".join(f"{name} {values.shape}" for name, values in found.items())
        raise UsageError(f"shapes differ: {given}", expected="arrays of one shape")
    for name, values in found.items():
        if values.size == 0 or values.ndim == 0:
            raise UsageError(f"{name} has shape {values.shape}", expected="at least one number a row")
    return list(found.values())


def rows_of(values: Array) -> int:
    """How many rows an array has that holds one thing along its last axis: its leading axes."""
    return int(np.prod(values.shape[:-1], dtype=np.int64))


def check_margin(margin: float, name: str) -> None:
    """A `UsageError` for a margin that is negative or not a number."""
    if not margin >= 0:
        raise UsageError(f"{name} was given {margin}", expected="a number from 0")
