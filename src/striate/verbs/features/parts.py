"""Train part detectors on marked pictures, and show which parts they go by."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.cores import usable_cores
from striate.errors import DataError, PictureError, UsageError
from striate.features.parts import (
    Detections,
    PartsExplanation,
    PartsModel,
    PartsSettings,
    detect_parts,
    draw_parts,
    explain_parts,
    name_parts,
    train_parts,
)
from striate.features.parts.measure import average_precision
from striate.pictures import WRITABLE_SUFFIXES, read, write
from striate.runs.atomic import write_bytes
from striate.types import Picture, Problem
from striate.verbs.features.marked import Marked, read_marked
from striate.verbs.files import find_pictures
from striate.verbs.model import FilePath
from striate.verbs.outputs import writable

__all__ = ["FoundParts", "TrainedParts", "find_parts", "train_parts_model"]

_HELD = 5
"""Every fifth picture is kept to measure on."""


@dataclass(frozen=True, slots=True)
class TrainedParts:
    """A part model, its file, and how good it is on pictures that it was not trained on.

    `ap`: average precision at an overlap of 0.5; `ap_root`: that of a root filter alone, trained on the
    same pictures. NaN where no object was held out. `objects`: marked ones, for training and held out.
    """

    model: PartsModel
    path: Path
    pictures: tuple[int, int]
    objects: tuple[int, int]
    ap: float
    ap_root: float

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate features train-parts --json`."""
        return {
            "model": str(self.path),
            "label": self.model.label,
            "pictures": {"train": self.pictures[0], "held_out": self.pictures[1]},
            "objects": {"train": self.objects[0], "held_out": self.objects[1]},
            "average_precision": self.ap,
            "average_precision_root_alone": self.ap_root,
            "root_cells": [list(one.size_cells) for one in self.model.components],
            "parts": [list(names) for names in self.model.part_names],
        }


def train_parts_model(
    source: FilePath,
    label: str,
    out: FilePath,
    *,
    settings: PartsSettings | None = None,
    pictures: int = 100,
    overwrite: bool = False,
    listen: Callable[[str], None] | None = None,
) -> TrainedParts:
    """Train on the objects `label` that are marked in `source` and write the model to `out` (.npz).

    `source`: see `features_marked.read_marked`; of "scenes", `pictures` are drawn. A fifth of the
    pictures is held out and measured on. Parts are named after what is marked on the objects, if so.
    """
    chosen = settings or PartsSettings()
    target = writable(out, overwrite=overwrite)
    if target.suffix != ".npz":
        raise UsageError(
            f"a part model cannot be written to {target.name}", expected="a name that ends in .npz"
        )
    marked = read_marked(os.fspath(source), label, count=pictures, seed=chosen.seed)
    held = [one for index, one in enumerate(marked) if index % _HELD == _HELD - 1]
    kept = [one for index, one in enumerate(marked) if index % _HELD != _HELD - 1]
    tell = listen or (lambda _: None)
    root = _trained(kept, label, chosen.model_copy(update={"parts": 0}), tell) if chosen.parts else None
    model = _trained(kept, label, chosen, tell)
    if chosen.parts and any(one.marks for one in kept):
        tell("naming parts")
        model = name_parts(model, *_columns([one for one in kept if len(one.boxes_xyxy)]))
    tell("measuring on pictures that were held out")
    ap = _measured(model, held)
    write_bytes(target, model.to_bytes())
    return TrainedParts(
        model,
        target,
        (len(kept), len(held)),
        (sum(len(one.boxes_xyxy) for one in kept), sum(len(one.boxes_xyxy) for one in held)),
        ap,
        ap if root is None else _measured(root, held),
    )


def _trained(
    marked: Sequence[Marked], label: str, settings: PartsSettings, tell: Callable[[str], None]
) -> PartsModel:
    tell("learning with parts" if settings.parts else "learning a root filter alone, to compare with")
    pictures, _, boxes = _columns(marked)
    return train_parts(pictures, boxes, label, settings=settings, threads=usable_cores(), listen=tell)


def _columns(marked: Sequence[Marked]) -> tuple[list[Picture], list[Any], list[Any]]:
    return (
        [one.picture for one in marked],
        [one.marks for one in marked],
        [one.boxes_xyxy for one in marked],
    )


def _measured(model: PartsModel, held: Sequence[Marked]) -> float:
    """Average precision with every window that scores above -1: the whole curve counts."""
    found = [detect_parts(model, one.picture, least=-1.0) for one in held]
    return average_precision(
        [(one.boxes_xyxy, one.scores) for one in found], [one.boxes_xyxy for one in held]
    )


# -- using it ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FoundParts:
    """What was found in a picture, why, and where it was drawn; or why it could not be read."""

    path: str
    found: Detections | None
    explanations: tuple[PartsExplanation, ...]
    drawn: Path | None
    problem: Problem | None

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate features find-parts --json`."""
        if self.problem is not None:
            return {"path": self.path, "error": self.problem.reason}
        line: dict[str, Any] = {
            "path": self.path,
            "objects": [one.to_dict() for one in self.explanations],
        }
        return line if self.drawn is None else line | {"drawn": str(self.drawn)}


def find_parts(
    model: FilePath | PartsModel,
    sources: Sequence[FilePath],
    *,
    out: FilePath | None = None,
    names: Sequence[str] = (),
    least: float = 0.0,
    overwrite: bool = False,
) -> Iterator[FoundParts]:
    """Objects in each picture of `sources` and the parts that they were told by, picture by picture.

    `out`: a picture file to draw to, or for several pictures a folder. `names`: other words for the
    parts. `least`: the score from which an object is reported. A picture that cannot be read is told and
    stops nothing; a `DataError` where there is none.
    """
    chosen = model if isinstance(model, PartsModel) else PartsModel.load(model)
    if names:
        chosen = chosen.renamed(names)
    paths = list(find_pictures(sources, skip=out))
    if not paths:
        raise DataError("no pictures were found", expected="picture files, or folders that hold some")
    targets = _targets(paths, None if out is None else Path(out), overwrite=overwrite)
    for path, target in zip(paths, targets, strict=True):
        yield _found(chosen, path, target, least, overwrite=overwrite)


def _targets(paths: Sequence[str], out: Path | None, *, overwrite: bool) -> list[Path | None]:
    """A file to draw each picture to."""
    if out is None:
        return [None] * len(paths)
    if out.suffix.lower() in WRITABLE_SUFFIXES and not out.is_dir():
        if len(paths) > 1:
            raise UsageError(
                f"{len(paths)} pictures cannot be drawn to {out}", expected="the name of a folder"
            )
        return [writable(out, overwrite=overwrite)]
    seen: dict[str, int] = {}
    found: list[Path | None] = []
    for path in paths:
        stem = Path(path).stem
        seen[stem] = seen.get(stem, 0) + 1
        name = f"{stem}.png" if seen[stem] == 1 else f"{stem}-{seen[stem]}.png"
        found.append(writable(out / name, overwrite=overwrite))
    return found


def _found(
    model: PartsModel, path: str, target: Path | None, least: float, *, overwrite: bool
) -> FoundParts:
    try:
        picture = read(path)
    except PictureError as error:
        problem = Problem("unreadable", "error", path, error.reason, error.remedy)
        return FoundParts(path, None, (), None, problem)
    found = detect_parts(model, picture, least=least)
    reasons = tuple(explain_parts(model, found, index) for index in range(len(found)))
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        write(draw_parts(picture, reasons), target, overwrite=overwrite)
    return FoundParts(path, found, reasons, target, None)
