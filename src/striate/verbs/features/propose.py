"""Propose boxes that may hold an object, and measure how many objects of a data set they hold."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from striate.cores import usable_cores
from striate.data.boxes.read import read_boxes
from striate.data.boxes.truth import Boxes
from striate.data.dataset import Dataset, Record
from striate.errors import DataError, PictureError, UnknownNameError, UsageError
from striate.features.proposals import (
    COUNTS,
    IOUS,
    METHODS,
    Method,
    Proposals,
    RecallCurve,
    best_overlaps,
    propose,
    propose_many,
    window_count,
)
from striate.features.proposals.recall import curve_of
from striate.ops.boxes import area_of_xyxy
from striate.ops.rotated import upright_xyxy
from striate.pictures import is_picture_name, read
from striate.types import Array, Picture, Problem, SizeHW, Split
from striate.verbs.model import FilePath

__all__ = [
    "MethodRecall",
    "ProposalReport",
    "ProposedPicture",
    "is_one_picture",
    "methods_from",
    "propose_picture",
    "propose_set",
]

_EXAMPLES = 5
"""Pictures shown on the page."""


@dataclass(frozen=True, slots=True)
class ProposedPicture:
    """The proposals of one picture. `seconds`: how long they took, without reading the file."""

    path: str
    method: Method
    size_hw: SizeHW
    seconds: float
    proposals: Proposals
    picture: Picture = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate features propose PICTURE --json`."""
        return {
            "path": self.path,
            "method": self.method,
            "size_hw": list(self.size_hw),
            "seconds": round(self.seconds, 4),
            **self.proposals.to_dict(),
        }

    def plot(self) -> Picture:
        """The best on the picture."""
        from striate.features.proposals.drawing import draw_proposals

        return draw_proposals(self.picture, self.proposals, name=self.method)

    def stages(self) -> Picture:
        """How selective search cuts this picture and merges the pieces."""
        from striate.features.proposals.drawing import draw_stages

        return draw_stages(self.picture)


@dataclass(frozen=True, slots=True)
class MethodRecall:
    """What one method finds. `seconds`: of the clock, a picture, all threads at work. `boxes`: how many
    a picture, on average. `overlaps`: (objects, counts), the best IoU of the first so many."""

    method: Method
    seconds: float
    boxes: float
    curve: RecallCurve
    by_label: dict[str, RecallCurve]
    overlaps: Array = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """One of `methods` in the line of the command."""
        return {
            "seconds_a_picture": round(self.seconds, 4),
            "boxes_a_picture": round(self.boxes, 1),
            **self.curve.to_dict(),
            "by_label": {
                label: {"objects": one.objects, "recall": one.to_dict()["recall"]}
                for label, one in self.by_label.items()
            },
        }


@dataclass(frozen=True, slots=True)
class ProposalReport:
    """How many objects of a data set the methods find.

    `examples`: some pictures with their truths and whether the first method finds each. `windows`: how
    many a plain sliding window would look at, a picture, on average. `problems`: what was left out.
    """

    source: str
    split: Split | None
    pictures: int
    objects: int
    threads: int
    windows: float
    methods: tuple[MethodRecall, ...]
    problems: tuple[Problem, ...]
    examples: tuple[Example, ...] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate features propose DATASET --json`."""
        return {
            "path": self.source,
            "split": self.split,
            "pictures": self.pictures,
            "objects": self.objects,
            "threads": self.threads,
            "sliding_windows": round(self.windows),
            "methods": {one.method: one.to_dict() for one in self.methods},
            "problems": [one.to_dict() for one in self.problems],
        }


@dataclass(frozen=True, slots=True)
class Example:
    """A picture, its true boxes (M, 4), and whether each is found, bool (M,)."""

    key: str
    picture: Picture = field(repr=False)
    truths_xyxy: Array = field(repr=False)
    found: Array = field(repr=False)


def is_one_picture(source: FilePath) -> bool:
    """Whether `source` is a picture file, and not a data set."""
    path = os.fspath(source)
    return is_picture_name(path) and not Path(path).is_dir()


def methods_from(text: str) -> tuple[Method, ...]:
    """Methods named in `text`, with commas between; "all" for all but the slow one, in their order.

    `UnknownNameError` for one there is not.
    """
    if text.strip() == "all":
        return tuple(one for one in METHODS if one != "selective-search-quality")
    names = dict.fromkeys(part.strip() for part in text.split(",") if part.strip())
    known = {str(one): one for one in METHODS}
    for name in names:
        if name not in known:
            raise UnknownNameError("proposal method", name, [*known, "all"])
    if not names:
        raise UsageError("no proposal method was named", expected=f"one of {', '.join(known)}, or all")
    return tuple(known[name] for name in names)


def propose_picture(
    path: FilePath, *, method: Method = "selective-search", most: int = 2000, seed: int = 0
) -> ProposedPicture:
    """The proposals of the picture in the file `path`, in its original pixels; see `propose`."""
    picture = read(Path(path))
    started = time.perf_counter()
    found = propose(picture, method=method, most=most, seed=seed)
    seconds = time.perf_counter() - started
    size = picture.shape[0], picture.shape[1]
    return ProposedPicture(os.fspath(path), method, size, seconds, found, picture)


def propose_set(
    source: FilePath,
    *,
    methods: Sequence[Method] = ("selective-search",),
    most: int = 2000,
    split: Split | None = None,
    at_most: int = 100,
    seed: int = 0,
    threads: int | None = None,
    listen: Callable[[str, int, int], None] | None = None,
) -> ProposalReport:
    """Measure the recall of `methods` on a data set of boxes.

    `source`: see `read_boxes`. `split`: only its pictures. Of more than `at_most` pictures, so many are
    taken, spread evenly. Crowds and boxes without area are no objects here; turned boxes count as the
    upright boxes around them. `listen` hears (method, pictures done, pictures in all). Errors:
    `LayoutError` for a split there is not; `DataError` where there is no object to find.
    """
    if at_most < 1:
        raise UsageError(f"at most {at_most} pictures were asked for", expected="1 or more")
    if most < 1:
        raise UsageError(f"at most {most} proposals were asked for", expected="1 or more")
    data = read_boxes(Path(source) if isinstance(source, os.PathLike) else source)
    chosen = _spread(data if split is None else data.only(split), at_most)
    records, sizes, problems = _readable(chosen)
    truths, labels = zip(*(_truths(record.target) for record in records), strict=True)
    if not any(map(len, labels)):
        raise DataError(
            f"{data.shown_root()} has no objects in {len(records)} pictures",
            expected="boxes with an area, crowds aside",
            remedy="name another split or data set",
        )
    workers = threads or usable_cores()
    counts = _counts(most)
    found = [
        _measured(records, truths, labels, method, counts, seed, workers, listen) for method in methods
    ]
    return ProposalReport(
        os.fspath(source),
        split,
        len(records),
        sum(map(len, labels)),
        workers,
        float(np.mean([window_count(size) for size in sizes])),
        tuple(found),
        problems,
        _examples(records, truths, found[0].overlaps[:, -1]),
    )


def _spread(data: Dataset[Boxes], at_most: int) -> Dataset[Boxes]:
    count = len(data)
    if count <= at_most:
        return data
    return data.take([index * count // at_most for index in range(at_most)])


def _readable(
    data: Dataset[Boxes],
) -> tuple[list[Record[Boxes]], list[SizeHW], tuple[Problem, ...]]:
    """Records whose picture can be read, with its size, and what is wrong with the others."""
    records: list[Record[Boxes]] = []
    sizes: list[SizeHW] = []
    problems = []
    for record in data:
        try:
            height, width = record.origin.read().shape[:2]
        except PictureError as error:
            problems.append(Problem("unreadable", "error", record.key, error.reason, error.remedy))
        else:
            records.append(record)
            sizes.append((height, width))
    if not records:
        reason = f": {problems[0].reason}" if problems else ""
        raise DataError(f"not one picture of {data.shown_root()} could be read{reason}")
    return records, sizes, tuple(problems)


def _truths(boxes: Boxes) -> tuple[Array, tuple[str, ...]]:
    """The upright boxes (M, 4) and labels of what is to be found."""
    wanted = [one for one in boxes if not (one.crowd or one.difficult)]
    table = np.array([one.box_xyxy for one in wanted], np.float64).reshape(-1, 4)
    angles = np.array([one.angle_deg for one in wanted], np.float64)
    upright = np.where(angles[:, None] == 0, table, upright_xyxy(table, angles))
    real = area_of_xyxy(upright) > 0
    return upright[real], tuple(one.label for one, kept in zip(wanted, real, strict=True) if kept)


def _counts(most: int) -> tuple[int, ...]:
    return (*(count for count in COUNTS if count < most), most)


def _measured(
    records: Sequence[Record[Boxes]],
    truths: Sequence[Array],
    labels: Sequence[tuple[str, ...]],
    method: Method,
    counts: Sequence[int],
    seed: int,
    threads: int,
    listen: Callable[[str, int, int], None] | None,
) -> MethodRecall:
    def hear(done: int, of: int) -> None:
        if listen is not None:
            listen(method, done, of)

    started = time.perf_counter()
    proposals = propose_many(
        [record.origin.read for record in records],
        method=method,
        most=counts[-1],
        seed=seed,
        threads=threads,
        listen=hear,
    )
    seconds = (time.perf_counter() - started) / len(records)
    overlaps = best_overlaps([one.boxes_xyxy for one in proposals], truths, counts)
    names = np.array([label for some in labels for label in some])
    curves = {
        str(label): curve_of(overlaps[names == label], ious=IOUS, counts=counts)
        for label in np.unique(names)
    }
    boxes = float(np.mean([len(one) for one in proposals]))
    curve = curve_of(overlaps, ious=IOUS, counts=counts)
    return MethodRecall(method, seconds, boxes, curve, curves, overlaps)


def _examples(
    records: Sequence[Record[Boxes]], truths: Sequence[Array], overlaps: Array
) -> tuple[Example, ...]:
    """The pictures with the smallest share of objects found, worst first."""
    ends = np.cumsum([len(one) for one in truths])
    found = [
        overlaps[end - len(one) : end] >= 0.5 for end, one in zip(ends.tolist(), truths, strict=True)
    ]
    filled = [index for index, one in enumerate(found) if len(one)]
    worst = sorted(filled, key=lambda index: float(found[index].mean()))[:_EXAMPLES]
    return tuple(
        Example(records[index].key, records[index].origin.read(), truths[index], found[index])
        for index in worst
    )
