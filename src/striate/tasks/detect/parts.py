"""Part models learnt from prepared pictures: one for each class, as much effort as there is time.

Felzenszwalb, Girshick, McAllester & Ramanan, "Object detection with discriminatively trained part-based
models", PAMI 32 (2010); what is done of it, and what not, is said in `striate.features.parts.train`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from striate.errors import DataError
from striate.features.parts import FEWEST, Component, Effort, PartsModel, PartsSettings, train_parts
from striate.features.parts.cells import CELL
from striate.features.parts.layout import bare, root_size, with_parts
from striate.features.parts.samples import Example, hard_windows, seen_best
from striate.features.vectors.resized import SMALLEST_SCALE
from striate.tasks.detect.config import DetectFacts
from striate.tasks.detect.parts_graph import ClassParts
from striate.types import Array, Picture, PictureArray

__all__ = ["ClassObjects", "Pace", "learn_class", "objects_by_class", "rehearsed"]

_LARGEST = 2.0
"""Scales are this over powers of 2^(1/interval): the same for all classes, so that cells are shared."""
_ROOM = 1.3
"""How much larger than the largest training object one may be."""
_SMALLEST_SIDE = 4.0
"""Objects of fewer input pixels a side show no parts, and are left out."""
_VARIED, _VERY_VARIED = 0.7, 1.2
"""Spread of the logarithm of width over height from which a class is seen as two views, or three."""
_MANY, _SEARCHED = 300, 60
"""Objects learnt from and pictures searched in a pass, where time allows: more hardly help."""
_FEW_OBJECTS, _FEW_SEARCHED = 24, 6
"""As few as still make a model."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassObjects:
    """All objects of a class: `boxes_xyxy` (N, 4) in input pixels, a list entry a picture."""

    label: int
    name: str
    boxes_xyxy: tuple[Array, ...]

    @property
    def every(self) -> Array:
        """The boxes of all pictures, (N, 4)."""
        return np.concatenate(self.boxes_xyxy)

    def settings(self, *, seed: int, enlarge: float, rounds: int) -> PartsSettings:
        """How a model of this class is learnt: views by how much its shapes vary."""
        sides = self.every[:, 2:] - self.every[:, :2]
        low, high = np.quantile(np.log(sides[:, 0] / sides[:, 1]), (0.1, 0.9))
        views = 1 + sum(
            bool(high - low > spread and len(sides) >= count)
            for spread, count in ((_VARIED, 80), (_VERY_VARIED, 200))
        )
        return PartsSettings(seed=seed, enlarge=enlarge, rounds=rounds, components=views, cells=50)


def objects_by_class(boxes_xyxy: Array, labels: Array, facts: DetectFacts) -> list[ClassObjects]:
    """The classes with enough objects to learn, from padded truths: boxes (N, M, 4), labels (N, M)."""
    edges = np.clip(boxes_xyxy, 0, np.tile(facts.size_hw[::-1], 2))
    large = (edges[..., 2:] - edges[..., :2]).min(axis=-1) >= _SMALLEST_SIDE
    found = []
    for label, name in enumerate(facts.names):
        boxes = tuple(
            row[mask].astype(np.float64)
            for row, mask in zip(edges, large & (labels == label), strict=True)
        )
        if sum(map(len, boxes)) >= FEWEST:
            found.append(ClassObjects(label, name, boxes))
    return found


def rehearsed(one: ClassObjects, facts: DetectFacts, *, enlarge: float, interval: int) -> ClassParts:
    """A model of the size that will be learnt, which knows nothing: to see how long it takes."""
    settings = one.settings(seed=0, enlarge=enlarge, rounds=1)
    component = with_parts(bare(root_size(one.every, settings.cells, enlarge)), settings.parts)
    sides = one.every[:, 2:] - one.every[:, :2]
    area = component.root.shape[0] * component.root.shape[1] * CELL**2
    first = min(float(np.sqrt(area / np.percentile(sides.prod(axis=1), 5))) * 1.1, enlarge)
    views = settings.components
    names = ("",) * settings.parts
    model = PartsModel(one.name, (component,) * views, (names,) * views, first)
    return ClassParts(one.label, model, _scales(model, one, interval))


def _scales(model: PartsModel, one: ClassObjects, interval: int) -> tuple[float, ...]:
    """From what shows the small objects to what shows ones a little larger than the largest."""
    largest = float((one.every[:, 2:] - one.every[:, :2]).prod(axis=1).max())
    area = min(part.size_cells[0] * part.size_cells[1] for part in model.components) * CELL**2
    last = max(SMALLEST_SCALE * 1.05, min(math.sqrt(area / largest) / _ROOM, model.first_scale))
    start = math.floor(interval * math.log2(_LARGEST / model.first_scale) + 1e-9)
    end = math.ceil(interval * math.log2(_LARGEST / last) - 1e-9)
    scales = [_LARGEST * 2.0 ** (-step / interval) for step in range(start, max(start, end) + 1)]
    return tuple(scale for scale in scales if scale >= SMALLEST_SCALE * 1.05)


@dataclass(frozen=True, slots=True)
class Pace:
    """How much of a class is learnt in its time."""

    objects: int
    pictures: int
    rounds: int

    @classmethod
    def of(
        cls,
        one: ClassObjects,
        pixels: PictureArray | Sequence[Picture],
        rehearsal: ClassParts,
        *,
        seconds: float | None,
        enlarge: float,
        threads: int,
    ) -> Pace:
        """What fits into `seconds`, by the time that an object and a picture take; None is no limit."""
        objects, pictures = min(len(one.every), _MANY), min(len(pixels), _SEARCHED)
        if seconds is None:
            return cls(objects, pictures, 3)
        an_object, a_picture = _probed(one, pixels, rehearsal, enlarge)
        for rounds in (3, 2, 1):
            views = len(rehearsal.model.components)
            # the root's share of a pass is about a fifth: it needs no fine cells
            of_objects = an_object * (rounds + 1 + 2 / 5) * objects
            of_pictures = a_picture * (1 + 2 * rounds + 4 / 5) * pictures * views
            share = seconds * threads / (of_objects + of_pictures)
            if share >= (1.0, 0.5, 0.0)[3 - rounds]:
                break
        share = min(1.0, share)
        return cls(
            min(objects, max(_FEW_OBJECTS * views, int(objects * share))),
            min(pictures, max(_FEW_SEARCHED, int(pictures * share))),
            rounds,
        )


def _probed(
    one: ClassObjects, pixels: PictureArray | Sequence[Picture], rehearsal: ClassParts, enlarge: float
) -> tuple[float, float]:
    """Seconds that looking for one object takes, and searching one picture for mistakes."""
    row = next(index for index, boxes in enumerate(one.boxes_xyxy) if len(boxes))
    example = Example(np.ascontiguousarray(pixels[row]), one.boxes_xyxy[row])
    component: Component = rehearsal.model.components[0]
    began = time.perf_counter()
    seen_best(example, example.boxes_xyxy[0], component, enlarge=enlarge)
    between = time.perf_counter()
    hard_windows(example, component, first=rehearsal.model.first_scale, each=20, least=-np.inf)
    return between - began, time.perf_counter() - between


def learn_class(
    one: ClassObjects,
    pixels: PictureArray | Sequence[Picture],
    pace: Pace,
    *,
    enlarge: float,
    interval: int,
    seed: int,
    threads: int,
    done: Callable[[], bool],
    listen: Callable[[str], None],
) -> ClassParts | DataError:
    """The model of a class, or why there can be none. `pixels`: uint8 (H, W, 3), one for each entry of
    `one.boxes_xyxy`; `done` as in `Effort`."""
    settings = one.settings(seed=seed, enlarge=enlarge, rounds=pace.rounds)
    try:
        model = train_parts(
            [np.ascontiguousarray(picture) for picture in pixels],
            one.boxes_xyxy,
            one.name,
            settings=settings,
            effort=Effort(pace.objects, pace.pictures, done),
            threads=threads,
            listen=listen,
        )
    except DataError as error:
        return error
    return ClassParts(one.label, model, _scales(model, one, interval))
