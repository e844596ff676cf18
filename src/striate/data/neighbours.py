"""Which pictures may be copies of one another: the nearest in a space of low frequencies.

A picture becomes 8 × 8 coefficients of the discrete cosine transform of its thumb (as in the perceptual
hash "pHash", but as numbers, not bits). Mirroring a picture changes only the sign of the coefficients of
odd horizontal frequency; so one pass over pairs finds mirrored copies, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from striate.cores import usable_cores
from striate.types import Array

__all__ = ["Candidates", "Descriptors", "candidates", "describe", "smoothed"]

FREQUENCIES = 8
MOST_NEIGHBOURS = 8
LEAST_SIMILAR = 0.80
SURVIVORS = 60
"""Pairs a picture, on average, among which its nearest are looked for."""

SAMPLE = 2000
TILE = 64
ROW_TILES, COLUMN_TILES = 4, 32
"""Tiles of 64 × 64 pairs are multiplied in stacks: small products run on the thread that asks for
them; one large product would wake the threads of the BLAS, ten times slower on a busy machine."""

CHUNK = 2048
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
    parts = [_coefficients(smoothed(thumbs[i : i + CHUNK])) for i in range(0, len(thumbs), CHUNK)]
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
    parts = []
    for cell in _cells(descriptors, one_cell):
        first, second, similar = _similar_pairs(descriptors.take(cell), least)
        parts.append((cell[first], cell[second], similar))
    first, second, similar = (np.concatenate([np.empty(0), *one]) for one in zip(*parts, strict=True))
    number = first * len(descriptors) + second  # one number a pair, exact in float64 up to 90 million
    _, unique = np.unique(number, return_index=True)
    pairs, similar = np.stack([first, second]).astype(np.int64)[:, unique], similar[unique]
    kept = _nearest(pairs, similar)
    first, second = pairs[:, kept]
    mirrored = np.einsum("pk,pk->p", descriptors.odd[first], descriptors.odd[second]) < 0
    return Candidates(first, second, mirrored)


def _similarity(one: Descriptors, other: Descriptors) -> Array:
    """Cosine of every pair, float32 (N, M), mirrored where that is larger."""
    found: Array = np.abs(one.odd @ other.odd.T) + one.even @ other.even.T
    return found


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
            for rows in np.array_split(np.arange(count), -(-count // CHUNK))
        ]
    )
    order = np.argsort(nearest.ravel(), kind="stable")
    bounds = np.searchsorted(nearest.ravel()[order], np.arange(len(landmarks) + 1))
    for start, end in pairwise(bounds.tolist()):
        yield order[start:end] // nearest.shape[1]


def _similar_pairs(descriptors: Descriptors, least: float) -> tuple[Array, Array, Array]:
    """First and second (first < second) and similarity of all pairs above `least`."""
    rows = [_tiles(values, ROW_TILES) for values in (descriptors.even, descriptors.odd)]
    columns = [
        np.ascontiguousarray(_tiles(values, COLUMN_TILES).transpose(0, 2, 1))
        for values in (descriptors.even, descriptors.odd)
    ]
    workers = usable_cores()

    def work(worker: int) -> list[tuple[Array, Array, Array]]:
        found = np.empty((ROW_TILES, COLUMN_TILES, TILE, TILE), np.float32)
        turned = np.empty_like(found)
        pairs = []
        for top in range(worker * ROW_TILES, len(rows[0]), workers * ROW_TILES):
            even, odd = (kind[top : top + ROW_TILES, None] for kind in rows)
            for left in range(top // COLUMN_TILES * COLUMN_TILES, len(columns[0]), COLUMN_TILES):
                across = slice(left, left + COLUMN_TILES)
                np.abs(np.matmul(odd, columns[1][None, across], out=turned), out=turned)
                np.matmul(even, columns[0][None, across], out=found)
                near = np.flatnonzero(np.add(found, turned, out=found) > least)
                if len(near):
                    pairs.append(_numbered(near, found, top, left))
        return pairs

    with ThreadPoolExecutor(workers, "striate-pairs") as pool:
        parts = [pair for part in pool.map(work, range(workers)) for pair in part]
    first, second, similar = (np.concatenate([np.empty(0), *one]) for one in zip(*parts, strict=True))
    return first.astype(np.int64), second.astype(np.int64), similar


def _tiles(values: Array, multiple: int) -> Array:
    """`values` (N, K) as (T, 64, K), T a multiple of `multiple`, filled up with zeros, like nothing."""
    count = -(-len(values) // (TILE * multiple)) * multiple
    padded = np.zeros((count * TILE, values.shape[1]), np.float32)
    padded[: len(values)] = values
    return padded.reshape(count, TILE, -1)


def _numbered(near: Array, found: Array, top: int, left: int) -> tuple[Array, Array, Array]:
    """Positions in a stack of tiles as numbers of pictures, the upper triangle only."""
    row_tile, column_tile, row, column = np.unravel_index(near, found.shape)
    first, second = (top + row_tile) * TILE + row, (left + column_tile) * TILE + column
    upper = first < second
    return first[upper], second[upper], found.ravel()[near[upper]]


def _nearest(pairs: Array, similar: Array) -> Array:
    """Which of `pairs` (2, P) are among the `MOST_NEIGHBOURS` nearest of one of their two; ascending."""
    owner = np.concatenate([pairs[0], pairs[1]])
    which = np.tile(np.arange(pairs.shape[1]), 2)
    order = np.lexsort((which, -similar[which], owner))
    owner = owner[order]
    start = np.r_[0, np.flatnonzero(np.diff(owner)) + 1] if len(owner) else np.empty(0, np.int64)
    rank = np.arange(len(owner)) - np.repeat(start, np.diff(np.r_[start, len(owner)]))
    return np.unique(which[order][rank < MOST_NEIGHBOURS])
