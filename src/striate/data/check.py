"""What is wrong with a data set, before anybody trains on it: each finding with its file and repair."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.data.boxes.findings import about_boxes, about_objects, holds_boxes, object_counts
from striate.data.boxes.read import is_boxes, read_boxes
from striate.data.dataset import Dataset
from striate.data.duplicates import Duplicates, find_duplicates
from striate.data.findings import (
    about_classes,
    about_copies,
    about_looks,
    about_storage,
    about_unreadable,
    is_labels,
)
from striate.data.guess import read_labels
from striate.data.signatures import Signature, sign
from striate.errors import PictureError
from striate.pictures.sources import shown_name
from striate.types import Problem, SizeHW

__all__ = ["CheckReport", "check"]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `check` found.

    `problems`: those of reading, then those of looking. `counts`: pictures, or boxes where the truths
    are boxes, per split ("all" where there is none) and class; empty for numbers. `sizes_hw`: the
    smallest, the middle and the largest picture by area, pixels. `stored_as`: how many pictures of which
    format and mode. `unreadable`: numbers of the records that cannot be decoded. `duplicates`: copies,
    by numbers of records.
    """

    dataset: Dataset[Any]
    problems: tuple[Problem, ...]
    counts: Mapping[str, Mapping[str, int]]
    sizes_hw: tuple[SizeHW, ...]
    stored_as: Mapping[str, int]
    unreadable: frozenset[int]
    duplicates: Duplicates

    @property
    def ok(self) -> bool:
        """Whether nothing must be mended: no problem is an error."""
        return not any(problem.severity == "error" for problem in self.problems)

    @property
    def objects(self) -> tuple[int, ...] | None:
        """How many boxes each picture has; None where the truths are no boxes."""
        if not holds_boxes(self.dataset):
            return None
        return tuple(len(target) for target in self.dataset.targets)

    def kinds(self) -> dict[str, int]:
        """How many problems of which kind."""
        return dict(Counter(problem.kind for problem in self.problems))

    def to_dict(self) -> dict[str, Any]:
        """For `--json`. File names are printable: bytes that are not UTF-8 are written as \\\\x…."""
        return {
            "root": shown_name(self.dataset.root),
            "layout": self.dataset.layout,
            "ok": self.ok,
            "pictures": len(self.dataset),
            "unreadable": len(self.unreadable),
            "names": list(self.dataset.names),
            **({} if self.objects is None else {"objects": _per_picture(self.objects)}),
            "counts": {split: dict(classes) for split, classes in self.counts.items()},
            "sizes_hw": [list(size) for size in self.sizes_hw],
            "stored_as": dict(self.stored_as),
            "exact_duplicate_groups": len(self.duplicates.exact),
            "near_duplicate_groups": len(self.duplicates.near),
            "kinds": self.kinds(),
            "problems": [_shown(problem) for problem in self.problems],
        }


def check(
    source: Dataset[Any] | Path | str, *, on_progress: Callable[[int], None] | None = None
) -> CheckReport:
    """Look at every picture and label of `source`; nothing is changed.

    `source`: a data set, or what `read_boxes` or `read_labels` reads. Finds unreadable files, what
    reading found wrong, classes that are missing, rare or out of balance, exact and near duplicates,
    also across splits and with different truths, pictures that are tiny, oddly shaped or blank, and
    mixed kinds of storage; of boxes also those that are tiny, very long, or nearly there twice.
    `on_progress` is told how many pictures are done.
    """
    dataset = source if isinstance(source, Dataset) else _read(source)
    signatures = sign(dataset.records, on_progress=on_progress)
    duplicates = find_duplicates(dataset.records, signatures)
    problems = (
        *dataset.problems,
        *about_unreadable(dataset, signatures),
        *(about_objects(dataset) if holds_boxes(dataset) else about_classes(dataset)),
        *(about_boxes(dataset, signatures) if holds_boxes(dataset) else ()),
        *about_copies(dataset, duplicates),
        *about_looks(dataset, signatures),
        *about_storage(dataset, signatures),
    )
    seen = [one for one in signatures if isinstance(one, Signature)]
    return CheckReport(
        dataset=dataset,
        problems=problems,
        counts=_counts(dataset),
        sizes_hw=_three_sizes(seen),
        stored_as=dict(Counter(one.stored_as for one in seen).most_common()),
        unreadable=frozenset(i for i, one in enumerate(signatures) if isinstance(one, PictureError)),
        duplicates=duplicates,
    )


def _read(source: Path | str) -> Dataset[Any]:
    return read_boxes(source) if is_boxes(source) else read_labels(source)


def _shown(problem: Problem) -> dict[str, object]:
    found = problem.to_dict() | {"file": shown_name(problem.key)}
    return found | ({"others": [shown_name(key) for key in problem.others]} if problem.others else {})


def _counts(dataset: Dataset[Any]) -> dict[str, dict[str, int]]:
    if holds_boxes(dataset):
        return object_counts(dataset)
    if not is_labels(dataset):
        return {}
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for record in dataset:
        found[record.split or "all"].update(record.target)
    order = ("all", *dataset.splits)
    return {
        split: {name: found[split][name] for name in dataset.names} for split in order if split in found
    }


def _per_picture(objects: Sequence[int]) -> dict[str, float]:
    """The sum, the mean and the most boxes of a picture, and how many pictures have none."""
    total = sum(objects)
    return {
        "total": total,
        "mean": round(total / len(objects), 3),
        "most": max(objects),
        "pictures_without": objects.count(0),
    }


def _three_sizes(seen: Sequence[Signature]) -> tuple[SizeHW, ...]:
    sizes = sorted((one.size_hw for one in seen), key=lambda size: (size[0] * size[1], size))
    return (sizes[0], sizes[len(sizes) // 2], sizes[-1]) if sizes else ()
