"""The pictures that a run is stressed with: as the network sees them, once, with their truths."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from striate.data.dataset import Dataset, Record
from striate.errors import DataError, PictureError
from striate.randomness import hash64
from striate.stress.axes.redrawn import Redrawable, changes, redrawn
from striate.stress.changes import Axis, Changed, Material
from striate.stress.objects import Known, MaskFolder, known_objects, object_mask
from striate.task import Task
from striate.types import Array, Picture, PictureArray, Prepared, Problem

__all__ = ["Stock", "read_stock"]

_IN_MEMORY = 2**29
"""Bytes of pictures that are kept in memory; more are kept in a file that vanishes by itself."""
_OTHERS = 64
"""Other pictures that an axis may use, for backgrounds."""
_READ_AHEAD = 64


@dataclass(frozen=True, slots=True, eq=False)
class Stock:
    """N pictures: `pixels` uint8 (N, h, w, 3), how each was fitted, its record and its seed.

    `fit`: makes a picture what the network sees. `names`: classes or numbers of the truths.
    `known`: what the data says of where objects are; `masks` bool (N, h, w) if it says anything. `heat`
    float32 (N, k, l), 0 … 1, coarse: what the clean answers rest on; None until it is asked for.
    `others`: pictures of the set for backgrounds, `of_others` their records.
    """

    pixels: PictureArray
    prepared: tuple[Prepared, ...]
    records: tuple[Record[Any], ...]
    seeds: Array
    others: PictureArray
    fit: Callable[[Picture], Prepared]
    names: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    known: Known = "nothing"
    masks: Array | None = None
    heat: Array | None = None
    of_others: tuple[Record[Any], ...] = ()

    def __len__(self) -> int:
        return len(self.records)

    @property
    def truths(self) -> list[Any]:
        """Of each picture."""
        return [record.target for record in self.records]

    def take(self, rows: Sequence[int]) -> Stock:
        """Those at `rows`; the others, for backgrounds, stay."""
        return replace(
            self,
            pixels=_taken(self.pixels, rows),
            prepared=tuple(self.prepared[row] for row in rows),
            records=tuple(self.records[row] for row in rows),
            seeds=self.seeds[list(rows)],
            masks=None if self.masks is None else _taken(self.masks, rows),
            heat=None if self.heat is None else self.heat[list(rows)],
        )

    def material(self, rows: slice, *, with_heat: bool = False) -> Material:
        """What an axis may use for the pictures at `rows`."""
        size_hw = self.pixels.shape[1:3]
        heat = None if self.heat is None or not with_heat else _enlarged(self.heat[rows], size_hw)
        masks = None if self.masks is None else self.masks[rows]
        return Material(self.seeds[rows], self.others, masks, heat, partial(self._redraw, rows))

    @property
    def can_be_redrawn(self) -> bool:
        """Whether any of the pictures is drawn from a seed."""
        return any(isinstance(record.origin, Redrawable) for record in self.records)

    def rows_of(self, axis: Axis) -> Sequence[int]:
        """The pictures that can be changed along it: all, unless it draws them again."""
        if not axis.needs_redraw:
            return range(len(self))
        return [row for row, record in enumerate(self.records) if changes(record.origin, axis)]

    def _redraw(self, rows: slice, change: str, level: float) -> Changed:
        """The pictures at `rows` drawn again, those that cannot be as they are."""
        records, pictures = self.records[rows], np.array(self.pixels[rows])
        truths = [record.target for record in records]
        for place, record in enumerate(records):
            again = redrawn(record, self.names, change, level)
            if again is not None:
                pictures[place] = self.fit(again.origin.read()).pixels
                truths[place] = again.target
        return Changed(pictures, truths=tuple(truths))


def read_stock(
    task: Task[Any, Any],
    dataset: Dataset[Any],
    *,
    seed: int,
    workers: int,
    folder: MaskFolder | None = None,
    with_masks: bool = True,
    listen: Callable[[int, int], None] | None = None,
) -> Stock:
    """All pictures of `dataset` that can be read, prepared once; a `DataError` where none can be.

    `folder`: masks that the user gives. `with_masks`: some axis uses them (`registry.uses_masks`).
    Errors of `objects.MaskFolder` for one that is missing.
    """
    records, at_least_hw = dataset.records, task.read_at_least_hw

    known = known_objects(records, folder)
    masked = with_masks and known != "nothing"

    def one(record: Record[Any]) -> tuple[Prepared, Array | None] | PictureError:
        try:
            prepared = task.prepare(record.origin.read(at_least_hw))
        except PictureError as error:
            return error
        return prepared, object_mask(record, prepared, folder) if masked else None

    pixels = _room((len(records), *task.input_hw, 3))
    masks = _room(pixels.shape[:3]).view(bool) if masked else None
    prepared: list[Prepared] = []
    kept: list[int] = []
    problems = list(dataset.problems)
    with ThreadPoolExecutor(workers, "striate-read") as pool:
        waiting = iter(records)
        number = 0
        while chunk := list(islice(waiting, _READ_AHEAD)):  # never more than these at once
            for record, found in zip(chunk, pool.map(one, chunk), strict=True):
                if isinstance(found, PictureError):
                    reason, remedy = found.reason, found.remedy
                    problems.append(Problem("unreadable", "error", record.key, reason, remedy))
                else:
                    row = pixels[len(kept)]
                    row[:] = found[0].pixels
                    prepared.append(replace(found[0], pixels=row))
                    if masks is not None:
                        masks[len(kept)] = False if found[1] is None else found[1]
                    kept.append(number)
                number += 1
            if listen is not None:
                listen(number, len(records))
    if not kept:
        raise DataError(
            f"not one of the {len(records)} pictures in {dataset.shown_root()} could be read",
            remedy="see what is wrong with: striate data check",
        )
    pixels = pixels[: len(kept)]
    rng = np.random.default_rng(hash64(seed, "others"))
    chosen = np.sort(rng.permutation(len(kept))[:_OTHERS])
    return Stock(
        pixels,
        tuple(prepared),
        tuple(records[row] for row in kept),
        np.array([hash64(seed, records[row].key) >> 1 for row in kept], np.int64),
        pixels[chosen] if len(kept) > 1 else pixels[:0],
        task.prepare,
        dataset.names,
        tuple(problems),
        known,
        None if masks is None else masks[: len(kept)],
        of_others=tuple(records[kept[row]] for row in chosen) if len(kept) > 1 else (),
    )


def _room(shape: tuple[int, ...]) -> PictureArray:
    """Space for pictures: memory, or beyond `_IN_MEMORY` a file without a name."""
    if int(np.prod(shape)) <= _IN_MEMORY:
        return np.empty(shape, np.uint8)
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, np.uint8, "w+", shape=shape)


def _taken(values: Array, rows: Sequence[int]) -> Array:
    """`values` at `rows`: a view of neighbours, else a copy, which lies in a file if it is large."""
    if len(rows) and list(rows) == list(range(rows[0], rows[0] + len(rows))):
        return values[rows[0] : rows[0] + len(rows)]
    found = _room((len(rows), *values.shape[1:])).view(values.dtype)
    for place, row in enumerate(rows):
        found[place] = values[row]
    return found


def _enlarged(heat: Array, size_hw: tuple[int, ...]) -> Array:
    """Coarse maps float32 (B, k, l) as (B, h, w), bilinear between the middles of their cells."""
    parts = []
    for side, cells in zip(size_hw, heat.shape[1:], strict=True):
        at = np.clip((np.arange(side) + 0.5) * cells / side - 0.5, 0, cells - 1)
        low = np.minimum(np.floor(at).astype(np.int64), max(cells - 2, 0))
        weights = np.zeros((side, cells), np.float32)
        weights[np.arange(side), low] = 1 - (at - low)
        weights[np.arange(side), np.minimum(low + 1, cells - 1)] += at - low
        parts.append(weights)
    found: Array = np.einsum("hk,bkl,wl->bhw", parts[0], heat, parts[1], optimize=True)
    return found
