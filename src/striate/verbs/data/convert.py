"""Boxes from one format to another: what was written, what could not be carried, what is wrong."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.data.boxes.forms import FORMS, Form
from striate.data.boxes.read import read_boxes
from striate.data.boxes.write import Pictures, write_boxes
from striate.errors import LayoutError, UnknownNameError, UsageError
from striate.pictures.sources import shown_name
from striate.types import Problem

__all__ = ["Converted", "convert"]


@dataclass(frozen=True, slots=True)
class Converted:
    """What `convert` did.

    `layout`: how the source was understood. `splits`: pictures in each split ("all" for none). `counts`:
    objects of each class. `left`: how many boxes had something that the format cannot carry: "crowd" and
    "difficult" marks, "extras" such as poses and outlines. `problems`: all that is wrong in the source.
    """

    folder: Path
    to: Form
    layout: str
    pictures: int
    boxes: int
    splits: Mapping[str, int]
    counts: Mapping[str, int]
    left: Mapping[str, int]
    problems: tuple[Problem, ...]

    def kinds(self) -> dict[str, int]:
        """How many problems of which kind."""
        return dict(Counter(problem.kind for problem in self.problems))

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "folder": shown_name(self.folder),
            "to": self.to,
            "layout": self.layout,
            "pictures": self.pictures,
            "boxes": self.boxes,
            "splits": dict(self.splits),
            "counts": dict(self.counts),
            "not_carried": dict(self.left),
            "kinds": self.kinds(),
            "problems": [
                problem.to_dict() | {"file": shown_name(problem.key)} for problem in self.problems
            ],
        }


def convert(
    source: Path | str,
    out: Path | str,
    *,
    to: str,
    layout: str | None = None,
    pictures: Pictures = "copy",
    repair: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> Converted:
    """Read the boxes at `source` and write them in the format `to` into `out`, new or empty.

    Everything is written as the source tells it, also what is wrong with it, so that converting back
    gives the same; with `repair` as it is used for training: without empty boxes and copies, clipped to
    the picture. `pictures`: "copy", "link" (hard links) or "none". `layout`: that of the source, where
    it cannot be told.

    Errors: those of `read_boxes` and `write_boxes`; a `UsageError` where `out` is inside `source`.
    """
    form = next((known for known in FORMS if known == to), None)
    if form is None:
        raise UnknownNameError("format of boxes", to, FORMS)
    _outside(source, out)
    dataset = read_boxes(source, layout=layout, repair=repair)
    if not len(dataset):
        first = dataset.problems[0]
        raise LayoutError(
            f"{shown_name(dataset.root)} has no picture that can be used; {first.key}: {first.reason}",
            expected="pictures beside their annotations",
            remedy=first.repair,
        )
    written = write_boxes(dataset, out, to=form, pictures=pictures, on_progress=on_progress)
    found = Counter(box.label for record in dataset for box in record.target)
    splits: Counter[str] = Counter(record.split or "all" for record in dataset)
    order = ("all", *dataset.splits)
    return Converted(
        folder=written.folder,
        to=form,
        layout=dataset.layout,
        pictures=written.pictures,
        boxes=written.boxes,
        splits={split: splits[split] for split in order if splits[split]},
        counts={name: found[name] for name in dataset.names},
        left=written.left,
        problems=(*dataset.problems, *written.problems),
    )


def _outside(source: Path | str, out: Path | str) -> None:
    inner, outer = os.path.realpath(out), os.path.realpath(source)
    if os.path.isdir(outer) and (inner == outer or inner.startswith(outer.rstrip(os.sep) + os.sep)):  # noqa: PTH112
        raise UsageError(
            f"{shown_name(out)} lies inside {shown_name(source)}",
            expected="a folder outside the data set, which would be read with it from then on",
            remedy="choose a folder beside it",
        )
