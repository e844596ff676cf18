"""The pictures of a preview, with whatever labels are there: classes, boxes, numbers, masks, or none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from striate.data.boxes.read import is_boxes
from striate.data.boxes.truth import Box
from striate.data.dataset import Dataset, Record
from striate.data.masks.read import is_masks, read_masks
from striate.data.named import embedded_name
from striate.data.origins import ArrayOrigin, FileOrigin
from striate.errors import LabelError, LayoutError
from striate.pictures.formats import is_picture_name
from striate.pictures.sources import shown_name
from striate.task import Task, task_type
from striate.verbs.data.augment_labels import Kind
from striate.verbs.files import find_pictures
from striate.verbs.training.request import Request

__all__ = ["Labelled", "learnt_from", "read_labelled", "stand_in", "to_train"]

_KINDS: Mapping[str, Kind] = MappingProxyType(
    {"classify": "classes", "detect": "boxes", "regress": "numbers"}
)
_CARRIER = "classify"
"""Whose input and presets pictures get that belong to no task."""


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Pictures as they were found. A target is None where the picture has no label. `note`: why there
    are no labels, where some were asked for or some are missing."""

    kind: Kind
    request: Request
    dataset: Dataset[Any]
    note: str = ""


def read_labelled(source: str, task: str | None, values: Mapping[str, Any]) -> Labelled:
    """The pictures at `source`: a data set, any folder, one picture, or a pattern.

    `task`: which labels to look for; by default those that are found first, of those tasks that know
    all the settings in `values`. Errors: `LayoutError` where there is no picture.
    """
    if task is None and not embedded_name(source) and is_masks(source):
        return Labelled("masks", Request.of(source, _CARRIER, values), to_train(_masks(source)))
    failed: LayoutError | LabelError | None = None
    rather: Labelled | None = None
    for name in (task,) if task is not None else _likely(source, values):
        request = Request.of(source, name, values)
        try:
            found = request.new_task().read(source)
        except (LayoutError, LabelError) as error:
            failed = failed or error
            continue
        whole = _joined(_KINDS[name], request, found, source)
        if task is not None or name != "classify" or not _are_numbers(found.names):
            return whole
        rather = whole  # if they are no numbers to learn either
    if rather is not None:
        return rather
    assert failed is not None
    return _without(source, Request.of(source, task or _CARRIER, values), failed, named=task is not None)


def _masks(source: str) -> Dataset[Any]:
    """Not one is decoded here: only those that are shown need be right."""
    return read_masks(source, check=False)


def _are_numbers(names: Sequence[str]) -> bool:
    """Whether what a table has for classes is rather measured: fractions, one at least."""
    try:
        return any(float(name) % 1 != 0 for name in names)
    except ValueError:
        return False


def _likely(source: str, values: Mapping[str, Any]) -> Iterator[str]:
    """Tasks whose labels may be there; boxes first, since their table would do as one of classes."""
    order = ["classify", "detect", "regress"]
    if is_boxes(source):
        order = ["detect", "classify", "regress"]
    own = {name: set(task_type(name).config_type.model_fields) for name in _KINDS}
    every = set().union(*own.values())
    fitting = [name for name in order if every.isdisjoint(set(values) - own[name])]
    yield from fitting or order[:1]


def _joined(kind: Kind, request: Request, found: Dataset[Any], source: str) -> Labelled:
    """With the pictures beside them that have no label."""
    if found.splits or not Path(source).is_dir():
        return Labelled(kind, request, to_train(found))
    known = {os.path.realpath(path) for record in found for path in _paths(record)}
    loose = [path for path in find_pictures([source]) if os.path.realpath(path) not in known]
    if not known or not loose:
        return Labelled(kind, request, found)
    whole = replace(found, records=(*found.records, *_records(loose)))
    return Labelled(kind, request, whole, f"{len(loose)} of {len(whole)} pictures have no label.")


def _paths(record: Record[Any]) -> Iterator[str]:
    if isinstance(record.origin, FileOrigin):
        yield record.origin.path


def to_train(found: Dataset[Any]) -> Dataset[Any]:
    """What is learnt from, where that is set apart."""
    return found.only("train") if "train" in found.splits else found


def _without(source: str, request: Request, failed: Exception, *, named: bool) -> Labelled:
    """Pictures alone; `named`: labels were asked for."""
    paths = [path for path in find_pictures([source]) if is_picture_name(path) and Path(path).is_file()]
    if not paths:
        if Path(source).is_dir():
            raise LayoutError(
                f"{shown_name(source)} has no pictures",
                expected="a picture, a folder of pictures, a data set or the name of an embedded one",
            ) from failed
        raise failed
    found = Dataset(_records(paths), (), source, "pictures without labels")
    assert isinstance(failed, LayoutError | LabelError)
    why = f" for the task {request.task}: {failed.what}" if named else ""
    return Labelled("none", request, found, f"No labels were found{why}; the pictures are shown alone.")


def _records(paths: list[str]) -> tuple[Record[Any], ...]:
    return tuple(Record(path, FileOrigin(path), None) for path in paths)


# -- what a task learns -----------------------------------------------------------------------


def learnt_from(kind: Kind, request: Request, some: Dataset[Any]) -> tuple[Task[Any, Any], Dataset[Any]]:
    """The task with its input size, and `some` in its terms.

    Labels that a training could not do with (one class only, none at all) are no hindrance.
    """
    new = request.new_task()
    if kind not in _KINDS.values():
        return new.learn(stand_in(request, some)), some
    rows = [row for row, record in enumerate(some) if record.target is not None]
    told = some.take(rows)
    try:
        task = new.learn(told)
        aligned = task.align(told)
    except LabelError:
        return new.learn(stand_in(request, some)), some
    records = list(some.records)
    for row, record in zip(rows, aligned.records, strict=True):
        records[row] = record
    return task, replace(aligned, records=tuple(records))


def stand_in(request: Request, some: Dataset[Any] | None = None) -> Dataset[Any]:
    """The pictures `some`, or two blank ones, with truths that differ: nothing is learnt of those."""
    names, truths = _STAND_INS[request.task](request)
    blank = np.zeros((2, 64, 64, 3), np.uint8)
    records = some.records if some is not None else ()
    origins = [record.origin for record in records] * (2 if len(records) == 1 else 1)
    places = origins or [ArrayOrigin(blank, row, "blank") for row in range(2)]
    made = (Record(str(row), one, truths[row % 2]) for row, one in enumerate(places))
    return Dataset(tuple(made), names, request.source, "stand-ins")


_Truths: TypeAlias = tuple[tuple[str, ...], tuple[Any, Any]]


def _two_classes(request: Request) -> _Truths:
    return ("a", "b"), (("a",), ("b",))


def _two_boxes(request: Request) -> _Truths:
    box = Box("a", (0.0, 0.0, 8.0, 8.0))
    return ("a",), ((box,), (replace(box, box_xyxy=(0.0, 0.0, 6.0, 4.0)),))


def _two_rows(request: Request) -> _Truths:
    names = tuple(request.config.model_dump()["angles"]) or ("value",)
    return names, ((0.0,) * len(names), (1.0,) * len(names))


_STAND_INS: Mapping[str, Callable[[Request], _Truths]] = MappingProxyType(
    {"classify": _two_classes, "detect": _two_boxes, "regress": _two_rows}
)
"""Names, and two truths in turn, by task."""
