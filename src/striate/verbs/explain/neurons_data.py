"""The pictures that units are shown: read a few at a time, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from striate.data.dataset import Dataset
from striate.errors import DataError, LabelError, LayoutError, PictureError
from striate.explain.inside import call_size
from striate.types import PictureArray, Problem
from striate.verbs.evaluate import SplitChoice
from striate.verbs.explain.pictures import any_pictures, labelled, some
from striate.verbs.model import FilePath, Model

__all__ = ["Shown", "shown_pictures"]

Lot = tuple[PictureArray, list[int], list[int]]


@dataclass(slots=True)
class Shown:
    """Pictures of `dataset`, prepared as the run's graph takes them, and what could not be read.

    `classes`: for each record the row of its class in the run's names, −1 where it has none.
    `available`: pictures in the split, of which these were taken.
    """

    model: Model
    dataset: Dataset[Any]
    split: str
    available: int
    classes: tuple[int, ...]
    problems: list[Problem] = field(default_factory=list)
    _bad: set[int] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.dataset)

    def key(self, row: int) -> str:
        """The name of a record."""
        return self.dataset.records[row].key

    def lots(self, listen: Callable[[int, int], None] | None = None) -> Iterator[Lot]:
        """Pixels uint8 (B, h, w, 3), their rows and classes; a `DataError` where none can be read."""
        step = call_size(self.model.task.input_hw)
        read = 0
        for start in range(0, len(self), step):
            rows = range(start, min(len(self), start + step))
            found = {row: pixels for row in rows if (pixels := self._pixels(row)) is not None}
            if found:
                read += len(found)
                yield np.stack(list(found.values())), list(found), [self.classes[row] for row in found]
            if listen is not None:
                listen(rows[-1] + 1, len(self))
        if not read:
            raise DataError(
                f"not one of the {len(self)} pictures in {self.dataset.shown_root()} could be read",
                remedy="see what is wrong with: striate data check",
            )

    def some(self, rows: Sequence[int]) -> PictureArray:
        """The same pictures again, by their rows: uint8 (B, h, w, 3)."""
        found = [pixels for row in rows if (pixels := self._pixels(row)) is not None]
        if len(found) < len(rows):
            raise DataError(
                "pictures that were there are gone", remedy="leave the data alone while it is read"
            )
        return np.stack(found)

    def _pixels(self, row: int) -> PictureArray | None:
        record, task = self.dataset.records[row], self.model.task
        try:
            pixels: PictureArray = task.prepare(record.origin.read(task.read_at_least_hw)).pixels
        except PictureError as error:
            if row not in self._bad:
                self._bad.add(row)
                self.problems.append(
                    Problem("unreadable", "error", record.key, error.reason, error.remedy)
                )
            return None
        return pixels


def shown_pictures(
    model: Model, source: FilePath, *, split: SplitChoice, at_most: int, seed: int
) -> Shown:
    """The pictures of `source`, with the run's classes where it has them; labels are not needed.

    `at_most`: of more pictures, so many are drawn by `seed`.
    """
    try:
        whole, name = labelled(model, source, split)
    except (LayoutError, LabelError):
        if split not in ("auto", "all"):
            raise
        whole, name = any_pictures(source), "all"
    taken = some(whole, at_most, seed)
    rows = {one: at for at, one in enumerate(model.names)} if model.header.task == "classify" else {}
    classes = tuple(_class_of(one.target, rows) for one in taken)
    return Shown(model, taken, name, len(whole), classes, list(taken.problems))


def _class_of(target: Any, rows: Mapping[str, int]) -> int:
    """The row of the one class that a picture has; −1 for several, none, or another kind of truth."""
    one = len(target) == 1 if isinstance(target, tuple) and rows else False
    return rows.get(target[0], -1) if one else -1
