"""Network dissection: which unit of a network answers to which concept (Bau et al., CVPR 2017).

Every unit is a map; where it exceeds its own top half per cent it is held against the masks of a
segmented data set. A unit whose intersection over union with its best concept is above 0.04 is a
detector of it. What masks of other pictures would give is measured beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from striate.explain.dissection_overlap import (
    AxisCells,
    active_pixels,
    count_labels,
    partners,
    resampled,
)
from striate.explain.dissection_thresholds import MOST_KEPT, TopValues
from striate.explain.fields import FieldGrid, grids_of_layers
from striate.explain.finite import check_finite
from striate.explain.inside import Inside, Layer
from striate.metrics.intervals import bootstrap_interval
from striate.types import Array, PictureArray, Prepared, SizeHW

__all__ = [
    "Concepts",
    "Dissected",
    "LayerUnits",
    "Listen",
    "SeenMask",
    "ThinMask",
    "active_in",
    "dissect_network",
    "intersection_over_union",
    "seen_mask",
    "thinned",
]

Listen: TypeAlias = Callable[[int, int], None]

_MOST_SIDE = 640
"""Of larger masks every second, third … pixel is looked at."""
_MOST_BYTES = 192 * 2**20
_FEWEST_BLOCKS = 16
_IGNORED = 255


@dataclass(frozen=True, slots=True)
class Concepts:
    """The classes that units are held against. `indices`: each one's number in the class maps."""

    names: tuple[str, ...]
    indices: tuple[int, ...]

    @property
    def table(self) -> Array:
        """From a class map's number to a label, uint8 (256,): a concept's place, then "none of them",
        then "not judged". With 255 concepts, which leave no room for these two, uint16."""
        found = np.full(256, len(self.names), np.uint8 if self.kinds <= 256 else np.uint16)
        found[_IGNORED] = len(self.names) + 1
        found[list(self.indices)] = np.arange(len(self.names))
        return found

    @property
    def kinds(self) -> int:
        """Labels that there are."""
        return len(self.names) + 2


@dataclass(frozen=True, slots=True)
class SeenMask:
    """What the network's input shows of a mask.

    `labels`: (h, w), see `Concepts.table`. `rows`, `columns`: which of the mask's they are.
    `y`, `x`: where their middles lie in the network's input, pixels.
    """

    labels: Array
    rows: Array
    columns: Array
    y: Array
    x: Array


@dataclass(frozen=True, slots=True)
class ThinMask:
    """What is looked at of a class map of `size_hw`: `classes` uint8 (h, w), every `every`-th pixel."""

    classes: Array
    size_hw: SizeHW
    every: int


def thinned(class_map: Array) -> ThinMask:
    """What is looked at of a class map uint8 (H, W); of one with a side over 640 pixels every second,
    third … pixel. A copy: the whole need not be kept."""
    every = -(-max(class_map.shape) // _MOST_SIDE)
    first = every // 2
    kept = class_map[first::every, first::every].copy()
    return ThinMask(kept, (class_map.shape[0], class_map.shape[1]), every)


def seen_mask(mask: ThinMask, prepared: Prepared, concepts: Concepts) -> SeenMask:
    """The part of `mask` that is inside the input made by `prepared`."""
    (down, rows, y), (across, columns, x) = (_seen(mask, prepared, axis) for axis in (0, 1))
    labels = concepts.table[mask.classes[np.ix_(down, across)]]
    return SeenMask(labels, rows, columns, y, x)


def _seen(mask: ThinMask, prepared: Prepared, axis: int) -> tuple[Array, Array, Array]:
    """Which lines of the thin mask are seen, which of the whole mask they are, and where they lie."""
    lines = mask.every // 2 + mask.every * np.arange(mask.classes.shape[axis])
    places = (lines + 0.5) * prepared.scale_yx[axis] + prepared.offset_yx[axis]
    (inside,) = np.nonzero((places > 0) & (places < prepared.pixels.shape[axis]))
    return inside, lines[inside], places[inside]


@dataclass(frozen=True, slots=True, eq=False)
class LayerUnits:
    """One layer against all concepts. C units, K concepts, B blocks of pictures, R rounds of chance.

    `thresholds` (C,): what activations must exceed; `exact`: of all values. `met` (B, C, K): pixels at
    which a unit is active and the concept is there; `active` (B, C): at which it is active; `shown`
    (B, K): at which the concept is there. `chance` (R, C, K): IoU with the masks of other pictures.
    `peaks` (N, C): the highest value in each picture.
    """

    layer: Layer
    grid: FieldGrid
    thresholds: Array
    exact: bool
    met: Array
    active: Array
    shown: Array
    chance: Array
    peaks: Array
    iou: Array

    @property
    def best(self) -> Array:
        """The concept that each unit overlaps most, int (C,)."""
        found: Array = self.iou.argmax(axis=1)
        return found

    @property
    def best_iou(self) -> Array:
        """float (C,)."""
        found: Array = self.iou.max(axis=1)
        return found

    def detectors(self, least: float) -> Array:
        """bool (C,): IoU with the best concept above `least`."""
        found: Array = self.best_iou > least
        return found

    def beyond_chance(self, least: float) -> Array:
        """bool (C,): detectors whose IoU no round of chance reaches with any concept."""
        found: Array = self.detectors(least)
        if len(self.chance):
            found = found & (self.best_iou > self.chance.max(axis=(0, 2)))
        return found

    def by_chance(self, least: float) -> float:
        """Detectors that masks of other pictures make, on average; NaN for a single picture."""
        return _mean((self.chance.max(axis=2) > least).sum(axis=1)) if len(self.chance) else np.nan

    def interval(self, unit: int, concept: int, *, seed: int = 0) -> tuple[float, float]:
        """95 % bootstrap interval of the IoU over pictures; the choice of the unit is not redrawn."""
        met = self.met[:, unit, concept].astype(np.float64)
        union = self.active[:, unit].astype(np.float64) + self.shown[:, concept] - met

        def iou(rows: Array) -> float:
            whole = float(union[rows].sum())
            return float(met[rows].sum()) / whole if whole else 0.0

        return bootstrap_interval(iou, len(met), seed=seed)


@dataclass(frozen=True, slots=True, eq=False)
class Dissected:
    """All layers of one network. `shares` (K,): of the judged pixels that each concept takes."""

    concepts: Concepts
    layers: tuple[LayerUnits, ...]
    pictures: int
    blocks: int
    rounds: int
    shares: Array

    def counts(self, one: LayerUnits, least: float, *, beyond: bool = False) -> Array:
        """Detectors of each concept in a layer, int (K,)."""
        taken = one.beyond_chance(least) if beyond else one.detectors(least)
        return np.bincount(one.best[taken], minlength=len(self.concepts.names))

    def found(self, least: float, *, beyond: bool = False) -> tuple[str, ...]:
        """Concepts with a detector in any layer."""
        totals = sum(self.counts(one, least, beyond=beyond) for one in self.layers)
        return tuple(
            name for name, n in zip(self.concepts.names, np.atleast_1d(totals), strict=True) if n
        )

    def best_unit(self, concept: int) -> tuple[LayerUnits, int]:
        """The layer and the unit with the highest IoU with a concept."""
        layer = max(self.layers, key=lambda one: float(one.iou[:, concept].max()))
        return layer, int(layer.iou[:, concept].argmax())

    def chance_of_best(self, concept: int) -> float:
        """The IoU that the best of all units has with masks of other pictures, on average."""
        rounds = [one.chance[:, :, concept].max(axis=1) for one in self.layers if len(one.chance)]
        return _mean(np.max(rounds, axis=0)) if rounds else np.nan


def _mean(values: Array) -> float:
    return float(np.mean(values))


def intersection_over_union(met: Array, active: Array, shown: Array) -> Array:
    """IoU float (…, C, K) of pixel counts: `met` (…, C, K), `active` (…, C), `shown` (…, K)."""
    union = active[..., :, None].astype(np.float64) + shown[..., None, :] - met
    return np.divide(met, union, out=np.zeros(union.shape), where=union > 0)


def dissect_network(
    inside: Inside,
    data: bytes,
    layers: Sequence[Layer],
    pixels: PictureArray,
    masks: Sequence[SeenMask],
    concepts: Concepts,
    *,
    top: float = 0.005,
    rounds: int = 10,
    seed: int = 0,
    listen: Listen | None = None,
) -> Dissected:
    """Hold the units of map `layers` against the `masks` of `pixels` uint8 (N, h, w, 3).

    `data`: the graph of `inside`, from which the places of its maps are known. `top`: share of all
    places at which a unit counts as active. `rounds`: of chance, each with every mask at another
    picture. Activations are computed twice, once for the thresholds; only the highest are kept.
    A `DataError` where values are not finite.
    """
    say = listen or (lambda done, of: None)
    grids = grids_of_layers(data, inside, layers)
    steps = 2 * len(pixels)
    watch = inside.watch(layers)
    count = len(pixels)
    most = MOST_KEPT // len(layers)
    tops = {
        one.name: TopValues(
            one.channels, count * one.places_hw[0] * one.places_hw[1], top, most_kept=most
        )
        for one in layers
    }
    peaks = {one.name: np.empty((count, one.channels), np.float32) for one in layers}
    for rows, values in watch.each(pixels):
        for name, array in values.items():
            check_finite(name, array)
            tops[name].add(array)
            peaks[name][rows] = array.max(axis=(2, 3))
        say(rows.stop, steps)
    thresholds = {name: one.thresholds() for name, one in tops.items()}
    tally = _Tally(layers, masks, concepts, rounds if count > 1 else 0, seed)
    for rows, values in watch.each(pixels):
        for at in range(rows.start, rows.stop):
            for one in layers:
                tally.add(at, one, values[one.name][at - rows.start], thresholds[one.name], grids)
        say(count + rows.stop, steps)
    made = [
        tally.result(one, grids[one.name], thresholds[one.name], tops[one.name], peaks[one.name])
        for one in layers
    ]
    return Dissected(concepts, tuple(made), count, tally.blocks, tally.rounds, tally.concept_shares())


def active_in(values: Array, thresholds: Array, grid: FieldGrid, mask: SeenMask, unit: int) -> Array:
    """bool (h, w) over the pixels of `mask`: where one unit of `values` (C, h, w) is active."""
    found = np.zeros(mask.labels.shape, bool)
    cells = _cells(grid, values.shape[1:], mask)
    alone = slice(unit, unit + 1)
    for _, row, column in active_pixels(values[alone], thresholds[alone], *cells):
        found[row, column] = True
    return found


def _cells(grid: FieldGrid, places_hw: Any, mask: SeenMask) -> tuple[AxisCells, AxisCells]:
    y = (mask.y - grid.start_yx[0]) / grid.step_yx[0]
    x = (mask.x - grid.start_yx[1]) / grid.step_yx[1]
    return AxisCells.of(y, int(places_hw[0])), AxisCells.of(x, int(places_hw[1]))


class _Tally:
    """Counts of pixels while pictures go by."""

    def __init__(
        self,
        layers: Sequence[Layer],
        masks: Sequence[SeenMask],
        concepts: Concepts,
        rounds: int,
        seed: int,
    ) -> None:
        self._masks, self._concepts, self.rounds = masks, concepts, rounds
        units, names = sum(one.channels for one in layers), len(concepts.names)
        most = max(_FEWEST_BLOCKS, _MOST_BYTES // (4 * units * names))
        self.blocks = min(len(masks), most)
        self._partners = partners(len(masks), rounds, seed)
        self._met, self._active, self._chance_met, self._chance_active = (
            {one.name: np.zeros(shape(one), kind) for one in layers}
            for shape, kind in (
                (lambda one: (self.blocks, one.channels, names), np.uint32),
                (lambda one: (self.blocks, one.channels), np.uint32),
                (lambda one: (rounds, one.channels, names), np.int64),
                (lambda one: (rounds, one.channels), np.int64),
            )
        )
        self._shown = np.zeros((self.blocks, names), np.int64)
        self._chance_shown = np.zeros((rounds, names), np.int64)
        self._judged = 0
        self._cells: dict[tuple[Any, ...], tuple[AxisCells, AxisCells]] = {}
        self._ready = -1
        self._labels: list[Array] = []

    def _prepare(self, at: int) -> None:
        """The labels of picture `at`, and those of its partners in each round, flat."""
        mask, kinds, names = self._masks[at], self._concepts.kinds, len(self._concepts.names)
        others = [resampled(self._masks[row[at]].labels, mask.labels.shape) for row in self._partners]
        self._labels = [one.ravel() for one in (mask.labels, *others)]
        counts = [np.bincount(one, minlength=kinds) for one in self._labels]
        self._shown[self._block(at)] += counts[0][:names]
        self._judged += int(counts[0][:-1].sum())
        for row, one in enumerate(counts[1:]):
            self._chance_shown[row] += one[:names]
        self._ready = at

    def _block(self, at: int) -> int:
        return at * self.blocks // len(self._masks)

    def add(
        self, at: int, layer: Layer, values: Array, thresholds: Array, grids: dict[str, FieldGrid]
    ) -> None:
        """The values (C, h, w) of a layer for picture `at`."""
        if self._ready != at:
            self._prepare(at)
        mask, block, kinds = self._masks[at], self._block(at), self._concepts.kinds
        rows, columns = self._placed(layer, grids[layer.name], mask)
        width, names = mask.labels.shape[1], len(self._concepts.names)
        for unit, row, column in active_pixels(values, thresholds, rows, columns):
            pixel, first = row * width + column, unit * kinds
            for number, labels in enumerate(self._labels):
                counts = count_labels(first, labels[pixel], layer.channels, kinds)
                judged = counts[:, :-1].sum(axis=1)
                if number:
                    self._chance_met[layer.name][number - 1] += counts[:, :names]
                    self._chance_active[layer.name][number - 1] += judged
                else:
                    self._met[layer.name][block] += counts[:, :names].astype(np.uint32)
                    self._active[layer.name][block] += judged.astype(np.uint32)

    def _placed(self, layer: Layer, grid: FieldGrid, mask: SeenMask) -> tuple[AxisCells, AxisCells]:
        """Most pictures have one size: their cells are found once."""
        key = (layer.name, mask.y.tobytes(), mask.x.tobytes())
        if key not in self._cells:
            self._cells = self._cells if len(self._cells) < 256 else {}
            self._cells[key] = _cells(grid, layer.places_hw, mask)
        return self._cells[key]

    def concept_shares(self) -> Array:
        """Of all judged pixels."""
        found: Array = self._shown.sum(axis=0) / max(1, self._judged)
        return found

    def result(
        self, layer: Layer, grid: FieldGrid, thresholds: Array, tops: TopValues, peaks: Array
    ) -> LayerUnits:
        met, active = self._met[layer.name], self._active[layer.name]
        shown = self._shown
        iou = intersection_over_union(
            met.sum(axis=0, dtype=np.int64), active.sum(axis=0, dtype=np.int64), shown.sum(axis=0)
        )
        chance = intersection_over_union(
            self._chance_met[layer.name], self._chance_active[layer.name], self._chance_shown
        )
        return LayerUnits(layer, grid, thresholds, tops.exact, met, active, shown, chance, peaks, iou)
