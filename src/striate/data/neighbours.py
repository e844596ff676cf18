"""Which pictures may be copies of one another: the nearest in a space of low frequencies.

A picture becomes 8 × 8 coefficients of the discrete cosine transform of its thumb (as in the perceptual
hash "pHash", but as numbers, not bits). Mirroring a picture changes only the sign of the coefficients of
odd horizontal frequency; so one pass over pairs finds mirrored copies, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from striate.types import Array

__all__ = ["Candidates", "Descriptors", "candidates", "describe", "smoothed"]

FREQUENCIES = 8
MOST_NEIGHBOURS = 8
LEAST_SIMILAR = 0.80
SURVIVORS = 60
"""Pairs a picture, on average, among which its nearest are looked for."""

SAMPLE = 2000
ROWS, COLUMNS = 256, 2048  # of a block; its similarities stay in the processor's cache
ONE_CELL = 100_000
CELL = 4_000
CELLS_EACH = 3


@dataclass(frozen=True, slots=True, eq=False)
class Descriptors:
    """Unit vectors, float32: coefficients that mirroring keeps (N, E), and those it turns (N, O)."""

    even: Array
    odd: Array

    def __len__(self) -> int:
        return len(self.even)

    def take(self, rows: Array | slice) -> Descriptors:
        """The descriptors at `rows`."""
        return Descriptors(self.even[rows], self.odd[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Pairs `first` < `second`, int64 (P,), and whether they are nearer when one is mirrored, bool."""

    first: Array
    second: Array
    mirrored: Array

    def __len__(self) -> int:
        return len(self.first)


def describe(thumbs: Array) -> Descriptors:
    """Descriptors of thumbs (N, h, h), uint8; brightness and contrast do not count."""
    parts = [_coefficients(smoothed(thumbs[i : i + COLUMNS])) for i in range(0, len(thumbs), COLUMNS)]
    found = np.concatenate(parts) if parts else np.empty((0, FREQUENCIES, FREQUENCIES), np.float32)
    count, half = len(found), FREQUENCIES**2 // 2
    even, odd = found[:, :, 0::2].reshape(count, half), found[:, :, 1::2].reshape(count, half)
    return Descriptors(np.ascontiguousarray(even), np.ascontiguousarray(odd))


def _coefficients(smooth: Array) -> Array:
    """Cosine transform of (N, h, h), lowest 8 × 8 frequencies without the mean, unit length."""
    side = smooth.shape[1]
    steps, waves = np.arange(side) + 0.5, np.arange(FREQUENCIES)
    basis = np.cos(np.pi / side * waves[:, None] * steps).astype(np.float32)  # (8, h)
    basis[0] *= np.float32(np.sqrt(0.5))
    found: Array = basis @ smooth @ basis.T  # (N, 8, 8)
    found[:, 0, 0] = 0
    found /= np.maximum(np.linalg.norm(found, axis=(1, 2), keepdims=True), 1e-6)
    return found


def smoothed(thumbs: Array) -> Array:
    """Thumbs (N, h, w) as float32, filtered by [1 2 1] / 4 both ways: what is left survives a resize."""
    padded = np.pad(thumbs.astype(np.float32), ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    found: Array = (rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]) / 16
    return found


def candidates(descriptors: Descriptors, *, one_cell: int = ONE_CELL) -> Candidates:
    """The pairs worth a closer look: each picture with its eight nearest, if they are near at all.

    All pairs are compared up to `one_cell` pictures; beyond, those that share one of the three nearest
    of many randomly chosen landmarks.
    """
    least = _least_similar(descriptors)
    found = [np.empty((3, 0))]
    for cell in _cells(descriptors, one_cell):
        for rows, columns, similar in _similar_pairs(descriptors.take(cell), least):
            found.append(np.stack([cell[rows], cell[columns], similar]))
    first, second, similar = np.concatenate(found, axis=1)
    pairs, unique = np.unique(np.stack([first, second]).astype(np.int64), axis=1, return_index=True)
    kept = _nearest(pairs, similar[unique])
    first, second = pairs[:, kept]
    mirrored = np.einsum("pk,pk->p", descriptors.odd[first], descriptors.odd[second]) < 0
    return Candidates(first, second, mirrored)


def _similarity(one: Descriptors, other: Descriptors) -> Array:
    """Cosine of every pair (N, M), mirrored where that is larger."""
    turned: Array = one.odd @ other.odd.T
    np.abs(turned, out=turned)
    turned += one.even @ other.even.T
    return turned


def _least_similar(descriptors: Descriptors) -> float:
    """A threshold that about `SURVIVORS` pairs a picture pass, from a sample."""
    count = len(descriptors)
    if count <= SURVIVORS:
        return LEAST_SIMILAR
    chosen = np.random.default_rng(0).permutation(count)[:SAMPLE]
    sample = descriptors.take(chosen)
    pairs = _similarity(sample, sample)[np.triu_indices(len(chosen), 1)]
    return max(LEAST_SIMILAR, float(np.quantile(pairs, 1 - SURVIVORS / count)))


def _cells(descriptors: Descriptors, one_cell: int) -> Iterator[Array]:
    """Numbers of the pictures (ascending) that are compared with one another."""
    count = len(descriptors)
    if count <= one_cell:
        yield np.arange(count)
        return
    landmarks = descriptors.take(np.random.default_rng(0).permutation(count)[: -(-count // CELL)])
    nearest = np.concatenate(
        [
            np.argsort(-_similarity(descriptors.take(rows), landmarks), axis=1)[:, :CELLS_EACH]
            for rows in np.array_split(np.arange(count), -(-count // COLUMNS))
        ]
    )
    order = np.argsort(nearest.ravel(), kind="stable")
    bounds = np.searchsorted(nearest.ravel()[order], np.arange(len(landmarks) + 1))
    for start, end in pairwise(bounds.tolist()):
        yield order[start:end] // nearest.shape[1]


def _similar_pairs(descriptors: Descriptors, least: float) -> Iterator[tuple[Array, Array, Array]]:
    """Rows, columns (row < column) and similarities of the pairs above `least`, block by block."""
    count = len(descriptors)
    for top in range(0, count, ROWS):
        rows = descriptors.take(slice(top, top + ROWS))
        for left in range(top, count, COLUMNS):
            similar = _similarity(rows, descriptors.take(slice(left, left + COLUMNS)))
            above = similar > least
            if not above.any():
                continue
            row, column = np.nonzero(above)
            upper = row + top < column + left
            row, column = row[upper], column[upper]
            yield row + top, column + left, similar[row, column]


def _nearest(pairs: Array, similar: Array) -> Array:
    """Which of `pairs` (2, P) are among the `MOST_NEIGHBOURS` nearest of one of their two; ascending."""
    owner = np.concatenate([pairs[0], pairs[1]])
    which = np.tile(np.arange(pairs.shape[1]), 2)
    order = np.lexsort((which, -similar[which], owner))
    owner = owner[order]
    start = np.r_[0, np.flatnonzero(np.diff(owner)) + 1] if len(owner) else np.empty(0, np.int64)
    rank = np.arange(len(owner)) - np.repeat(start, np.diff(np.r_[start, len(owner)]))
    return np.unique(which[order][rank < MOST_NEIGHBOURS])
