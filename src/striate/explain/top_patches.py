"""The pictures that channels answer to most, found while any number of them pass by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from striate.explain.inside import Layer, Watch
from striate.explain.selectivity import Preference, Tally
from striate.types import Array, PictureArray

__all__ = ["Strongest", "strongest"]


@dataclass(frozen=True, slots=True, eq=False)
class Strongest:
    """The pictures in which the channels of `layer` are strongest, best first.

    `values` (C, T), `rows` (C, T): which picture, counted in the order given, −1 where there are fewer
    than T. `places` (C, T, 2): row and column of the channel's map where it is. A picture counts once.
    """

    layer: Layer
    values: Array
    rows: Array
    places: Array
    preference: Preference
    pictures: int


class _Best:
    """The best T of each channel so far."""

    def __init__(self, layer: Layer, top: int, classes: int) -> None:
        self.layer = layer
        shape = (layer.channels, top)
        self.values = np.full(shape, -np.inf, np.float32)
        self.rows = np.full(shape, -1, np.int64)
        self.flat = np.zeros(shape, np.int64)
        self.tally = Tally(layer.channels, classes)

    def add(self, found: Array, rows: Array, labels: Array | None) -> None:
        maps = found.reshape(*found.shape[:2], -1)  # (B, C, places)
        at = maps.argmax(axis=2)
        peaks = np.take_along_axis(maps, at[:, :, None], axis=2)[:, :, 0]
        self.tally.add(peaks, labels)
        values = np.concatenate([self.values, peaks.T.astype(np.float32)], axis=1)
        every = np.concatenate([self.rows, np.broadcast_to(rows, peaks.T.shape)], axis=1)
        flat = np.concatenate([self.flat, at.T], axis=1)
        # stable: of equal ones the first that came
        order = np.argsort(-values, axis=1, kind="stable")[:, : self.values.shape[1]]
        self.values, self.rows, self.flat = (
            np.take_along_axis(one, order, axis=1) for one in (values, every, flat)
        )

    def found(self) -> Strongest:
        width = self.layer.places_hw[1]
        places = np.stack([self.flat // width, self.flat % width], axis=2)
        return Strongest(
            self.layer,
            self.values,
            self.rows,
            places,
            self.tally.preference(self.values),
            self.tally.pictures,
        )


def strongest(
    watch: Watch,
    pictures: Iterable[tuple[PictureArray, Sequence[int], Sequence[int] | None]],
    *,
    top: int = 9,
    classes: int = 0,
) -> dict[str, Strongest]:
    """By layer of `watch`, the `top` pictures of each channel.

    `pictures`: a few at a time, uint8 (B, h, w, 3), with the numbers by which they are known, and their
    classes (−1 for none) or None; only one lot is held at a time. `classes`: how many there are.
    """
    best = {one.name: _Best(one, top, classes) for one in watch.layers}
    for pixels, rows, labels in pictures:
        known = None if labels is None else np.asarray(labels, np.int64)
        for name, values in watch(pixels).items():
            best[name].add(values, np.asarray(rows, np.int64), known)
    return {name: one.found() for name, one in best.items()}
