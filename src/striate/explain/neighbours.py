"""The nearest of many vectors to each, exactly, in bounded memory."""

from __future__ import annotations

import hashlib

import numpy as np

from striate.types import Array

__all__ = ["distinct_rows", "nearest"]

_ROWS = 256
_COLUMNS = 4096


def distinct_rows(vectors: Array) -> Array:
    """Indices (M,) of the first of every group of equal rows of `vectors` (N, D), in order.

    >>> distinct_rows(np.array([[1, 2], [0, 0], [1, 2]])).tolist()
    [0, 1]
    """
    seen: dict[bytes, int] = {}
    for row, vector in enumerate(vectors):
        # −0.0 is 0.0, and equal numbers have equal bytes then
        seen.setdefault(hashlib.sha256(np.ascontiguousarray(vector + 0).tobytes()).digest(), row)
    return np.array(sorted(seen.values()), dtype=np.int64)


def nearest(vectors: Array, count: int) -> tuple[Array, Array]:
    """Euclidean distances of each of `vectors` (N, D) to its `count` nearest others, and these.

    Float64 and int64 (N, count), ascending; `count` < N. Distances of whole numbers (pixels) are exact.
    Memory grows with N, not N².
    """
    n = len(vectors)
    assert 0 < count < n, (count, n)
    squares = _squares(vectors)
    found, indices = np.empty((n, count)), np.empty((n, count), np.int64)
    for start in range(0, n, _ROWS):
        rows = slice(start, min(start + _ROWS, n))
        products = np.zeros((rows.stop - rows.start, n))
        for column in range(0, vectors.shape[1], _COLUMNS):
            part = vectors[:, column : column + _COLUMNS].astype(np.float64)
            products += part[rows] @ part.T
        distances = np.maximum(squares[rows, None] + squares[None] - 2 * products, 0.0)
        distances[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = np.inf
        near = np.argpartition(distances, count - 1, axis=1)[:, :count]
        exact = _refined(vectors, rows, near, np.take_along_axis(distances, near, axis=1))
        order = np.argsort(exact, axis=1, kind="stable")
        found[rows] = np.take_along_axis(exact, order, axis=1)
        indices[rows] = np.take_along_axis(near, order, axis=1)
    return found, indices


def _squares(vectors: Array) -> Array:
    total = np.zeros(len(vectors))
    for column in range(0, vectors.shape[1], _COLUMNS):
        part = vectors[:, column : column + _COLUMNS].astype(np.float64)
        total += np.einsum("nd,nd->n", part, part)
    return total


def _refined(vectors: Array, rows: slice, near: Array, squares: Array) -> Array:
    """Distances from squares; floats whose difference of large squares cancelled are taken again."""
    if vectors.dtype.kind in "iu":
        return np.sqrt(squares)
    found = np.empty_like(squares)
    for at, row in enumerate(range(rows.start, rows.stop)):
        apart = vectors[near[at]].astype(np.float64) - vectors[row].astype(np.float64)
        found[at] = np.sqrt(np.einsum("kd,kd->k", apart, apart))
    return found
