"""Selective search, second part: the two most similar neighbours become one, until one is left."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from striate.features.proposals.regions import Regions
from striate.types import Array

__all__ = ["Hierarchy", "Likeness", "group"]


@dataclass(frozen=True, slots=True)
class Likeness:
    """What makes two regions alike: the sum of those that are set, each from 0 to 1 (section 3.2).

    `colour`, `texture`: shares of their histograms in common. `size`: both are small. `fill`: they
    leave little of the box around both empty.
    """

    colour: bool = False
    texture: bool = False
    size: bool = False
    fill: bool = False


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """All regions that there ever were, 2N − 1 of N in the beginning.

    `boxes_xyxy`: float64 (2N − 1, 4), the first N as they were cut, then in the order they were made;
    the last is the whole picture. `merges`: int64 (N − 1, 2), what each of these was made of.
    """

    boxes_xyxy: Array
    merges: Array

    def labels_at(self, labels: Array, left: int) -> Array:
        """`labels` (H, W) of the first regions as they are when `left` regions are left."""
        first = len(self.merges) + 1
        owner = np.arange(len(self.boxes_xyxy))
        done = max(0, first - left)
        for number in reversed(range(done)):  # from the last one made back: owners are final
            owner[self.merges[number]] = owner[first + number]
        found: Array = owner[labels]
        return found


def group(regions: Regions, likeness: Likeness) -> Hierarchy:
    """The hierarchy of `regions` (algorithm 1 of Uijlings et al., IJCV 2013).

    Equally similar pairs are merged in the order of their numbers: the same regions always give the
    same hierarchy.
    """
    forest = _Forest.of(regions, likeness)
    merges = []
    heap = forest.first_pairs(regions.pairs)
    heapq.heapify(heap)
    while heap:
        _, one, other = heapq.heappop(heap)
        if forest.alive[one] and forest.alive[other]:
            merges.append((one, other))
            for pair in forest.merge(one, other):
                heapq.heappush(heap, pair)
    return Hierarchy(forest.boxes[: forest.count], np.array(merges, np.int64).reshape(-1, 2))


_Pair = tuple[float, int, int]
"""Likeness, negative so that the smallest is the most alike, and two regions."""


@dataclass(slots=True)
class _Forest:
    """Regions while they are merged; rows up to `count` are in use."""

    boxes: Array
    pixels: Array
    shares: Array
    alive: list[bool]
    neighbours: list[set[int]]
    likeness: Likeness
    area: float
    count: int

    @classmethod
    def of(cls, regions: Regions, likeness: Likeness) -> _Forest:
        count = len(regions)
        parts = [
            shares
            for shares, used in (
                (regions.colours, likeness.colour),
                (regions.textures, likeness.texture),
            )
            if used
        ]
        table = np.concatenate(parts, axis=1) if parts else np.zeros((count, 0), np.float32)
        neighbours: list[set[int]] = [set() for _ in range(count)]
        for one, other in regions.pairs.tolist():
            neighbours[one].add(other)
            neighbours[other].add(one)
        room = 2 * count - 1
        return cls(
            _grown(regions.boxes_xyxy, room),
            _grown(regions.pixels, room),
            _grown(table, room),
            [True] * count,
            neighbours,
            likeness,
            float(regions.labels.size),
            count,
        )

    def first_pairs(self, pairs: Array) -> list[_Pair]:
        alike = self._alike(pairs[:, 0], pairs[:, 1])
        return [
            (-value, *pair)
            for value, pair in zip(alike.tolist(), map(tuple, pairs.tolist()), strict=True)
        ]

    def merge(self, one: int, other: int) -> list[_Pair]:
        """Make one region of two; how alike it is to its neighbours."""
        new = self.count
        self.count += 1
        both = self.pixels[one] + self.pixels[other]
        self.shares[new] = self.shares[one] * (self.pixels[one] / both) + self.shares[other] * (
            self.pixels[other] / both
        )
        self.pixels[new] = both
        self.boxes[new, :2] = np.minimum(self.boxes[one, :2], self.boxes[other, :2])
        self.boxes[new, 2:] = np.maximum(self.boxes[one, 2:], self.boxes[other, 2:])
        around = (self.neighbours[one] | self.neighbours[other]) - {one, other}
        self.alive[one] = self.alive[other] = False
        self.alive.append(True)
        self.neighbours.append(around)
        for near in around:
            self.neighbours[near] -= {one, other}
            self.neighbours[near].add(new)
        near_ones = sorted(around)
        alike = self._alike(np.array(near_ones, np.int64), np.int64(new))
        return [(-value, near, new) for value, near in zip(alike.tolist(), near_ones, strict=True)]

    def _alike(self, ours: Array, theirs: Array | np.int64) -> Array:
        """Likeness of regions `ours` (K,) with `theirs`, (K,) or one of them: float64 (K,)."""
        alike: Array = np.minimum(self.shares[ours], self.shares[theirs]).sum(axis=1, dtype=np.float64)
        together = self.pixels[ours] + self.pixels[theirs]
        if self.likeness.size:
            alike += 1 - together / self.area
        if self.likeness.fill:
            low = np.minimum(self.boxes[ours, :2], self.boxes[theirs, :2])
            sides = np.maximum(self.boxes[ours, 2:], self.boxes[theirs, 2:]) - low
            alike += 1 - (sides[:, 0] * sides[:, 1] - together) / self.area
        return alike


def _grown(rows: Array, room: int) -> Array:
    found = np.zeros((room, *rows.shape[1:]), rows.dtype)
    found[: len(rows)] = rows
    return found
