"""The pictures that a measure is taken on: read, fitted to the network's input, some of many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.data.dataset import Dataset, Record
from striate.data.guess import read_labels
from striate.data.origins import FileOrigin
from striate.errors import DataError, LabelError, LayoutError, PictureError, UsageError
from striate.randomness import checked_seed
from striate.types import Picture, PictureArray, Prepared, Problem, SizeHW
from striate.verbs.evaluate import SplitChoice
from striate.verbs.files import find_pictures
from striate.verbs.model import FilePath, Model

__all__ = ["PictureSet", "any_pictures", "fitted", "labelled", "some"]


@dataclass(frozen=True, slots=True)
class PictureSet:
    """Pictures as a network sees them, uint8 (N, h, w, 3), with their records, and what was left out."""

    pixels: PictureArray
    records: tuple[Record[Any], ...]
    root: str
    problems: tuple[Problem, ...]

    def __len__(self) -> int:
        return len(self.records)


def any_pictures(source: FilePath) -> Dataset[Any]:
    """The pictures at `source`, with or without labels: an embedded set, a table, any folder."""
    try:
        return read_labels(source if isinstance(source, str) else Path(source))
    except (LayoutError, LabelError):
        paths = list(find_pictures([source]))
        if not Path(source).is_dir() or not paths:
            raise
    records = tuple(Record(path, FileOrigin(path), None) for path in paths)
    return Dataset(records, (), str(source), "pictures without labels")


def labelled(model: Model, source: FilePath, split: SplitChoice) -> tuple[Dataset[Any], str]:
    """The pictures of `source` with truths in the model's terms, and the name of the split taken.

    "auto" takes the test split, or else the validation split, or else everything, as `evaluate` does.
    """
    given = model.task.read(source if isinstance(source, str) else Path(source))
    if split == "auto":
        held = [name for name in ("test", "validation") if name in given.splits]
        split = "all" if not held else "test" if held[0] == "test" else "validation"
    chosen = given if split == "all" else given.only(split)
    return model.task.align(chosen), split


def some(dataset: Dataset[Any], at_most: int, seed: int) -> Dataset[Any]:
    """`dataset`, or `at_most` of its records, drawn once by `seed`, in their order."""
    checked_seed(seed)  # also where nothing is drawn: whether a call works must not hang on the data
    if at_most < 1:
        raise UsageError(f"at most {at_most} pictures were asked for", expected="1 or more")
    if len(dataset) <= at_most:
        return dataset
    drawn = np.random.default_rng(seed).permutation(len(dataset))[:at_most]
    return dataset.take(np.sort(drawn).tolist())


def fitted(
    dataset: Dataset[Any], prepare: Callable[[Picture], Prepared], read_at_least_hw: SizeHW | None
) -> PictureSet:
    """All pictures of `dataset` that can be read, prepared; a `DataError` where none can be."""
    pixels: list[PictureArray] = []
    records: list[Record[Any]] = []
    problems: list[Problem] = list(dataset.problems)
    for record in dataset:
        try:
            pixels.append(prepare(record.origin.read(read_at_least_hw)).pixels)
        except PictureError as error:
            problems.append(Problem("unreadable", "error", record.key, error.reason, error.remedy))
            continue
        records.append(record)
    if not records:
        raise DataError(
            f"not one of the {len(dataset)} pictures in {dataset.shown_root()} could be read",
            remedy="see what is wrong with: striate data check",
        )
    return PictureSet(np.stack(pixels), tuple(records), dataset.shown_root(), tuple(problems))
