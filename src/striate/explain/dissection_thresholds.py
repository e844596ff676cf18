"""The level that a unit exceeds at a small share of all places: exact, without keeping all values."""

from __future__ import annotations

import math

import numpy as np

from striate.types import Array

__all__ = ["MOST_KEPT", "TopValues"]

MOST_KEPT = 64 * 2**20
"""Values kept of all layers together at most; beyond, only some places of each picture are looked at."""


class TopValues:
    """The highest values of each of `channels` units while `expected` values of each stream by.

    Only those above the quantile are kept: memory is `top` times all values. Where that would still be
    more than `most_kept`, a regular part of the values is looked at; `exact` tells.
    """

    def __init__(self, channels: int, expected: int, top: float, *, most_kept: int = MOST_KEPT) -> None:
        self._top = top
        self._every = max(1, math.ceil(channels * _kept(expected, top) / most_kept))
        self._phase = 0
        self._most = _kept(-(-expected // self._every), top)
        self._best: Array = np.empty((channels, 0), np.float32)
        self._waiting: list[Array] = []
        self._seen = 0
        self.lowest: Array = np.full(channels, np.inf, np.float32)
        self.highest: Array = np.full(channels, -np.inf, np.float32)

    @property
    def exact(self) -> bool:
        """Whether every value was looked at."""
        return self._every == 1

    def add(self, values: Array) -> None:
        """Values float32 (B, C, h, w) of further pictures."""
        flat = values.transpose(1, 0, 2, 3).reshape(values.shape[1], -1)  # (C, B h w)
        np.minimum(self.lowest, flat.min(axis=1), out=self.lowest)
        np.maximum(self.highest, flat.max(axis=1), out=self.highest)
        if self._every > 1:
            count = flat.shape[1]
            flat = flat[:, self._phase :: self._every].copy()  # not a view that keeps all values
            self._phase = (self._phase - count) % self._every
        self._seen += flat.shape[1]
        self._waiting.append(flat)
        if sum(one.shape[1] for one in self._waiting) > 2 * self._most:
            self._merge()

    def _merge(self) -> None:
        together = np.concatenate([self._best, *self._waiting], axis=1)
        over = together.shape[1] - self._most
        if over > 0:
            together = np.partition(together, over, axis=1)[:, over:].copy()
        self._best = together
        self._waiting = []

    def thresholds(self) -> Array:
        """The quantile 1 − top of each unit, float32 (C,), linear between values as `numpy.quantile`.

        Above means greater. A unit that rests at its highest value more often than that (one that
        saturates) has the next lower number, one whose value never changes infinity: never above.
        """
        self._merge()
        at = (self._seen - 1) * (1 - self._top)
        below = math.floor(at + 1e-9)
        ranked = np.sort(self._best, axis=1)
        first = max(0, ranked.shape[1] - (self._seen - below))
        low = ranked[:, first].astype(np.float64)
        high = ranked[:, min(first + 1, ranked.shape[1] - 1)].astype(np.float64)
        found: Array = (low + (high - low) * max(0.0, at - below)).astype(np.float32)
        full = found >= self.highest
        found[full] = np.nextafter(self.highest[full], np.float32(-np.inf))
        found[self.lowest == self.highest] = np.inf
        return found


def _kept(count: int, top: float) -> int:
    """How many of `count` values lie at or above the quantile 1 − top, and the one below it."""
    return count - math.floor((count - 1) * (1 - top) + 1e-9) + 1 if count else 1
