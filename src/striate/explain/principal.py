"""The two directions in which vectors differ most."""

from __future__ import annotations

import numpy as np

from striate.types import Array

__all__ = ["first_two"]


def first_two(vectors: Array) -> tuple[Array, float]:
    """`vectors` (N, D) along their first two principal components, (N, 2), and the variance's share.

    Signs are such that each component's largest weight is positive. One column is zero where vectors
    differ along one direction only; the share is 1 where they do not differ.
    """
    centred = np.asarray(vectors, np.float64) - np.mean(vectors, axis=0, dtype=np.float64)
    left, sizes, right = np.linalg.svd(centred, full_matrices=False)
    found = np.zeros((len(centred), 2))
    for at in range(min(2, len(sizes))):
        sign = np.sign(right[at, np.argmax(np.abs(right[at]))]) or 1.0
        found[:, at] = sign * left[:, at] * sizes[at]
    total = float((sizes**2).sum())
    return found, float((sizes[:2] ** 2).sum() / total) if total > 0 else 1.0
