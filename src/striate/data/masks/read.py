"""Segmented data sets from files: the layout is recognised, every mask judged, none dropped silently."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from striate.data.dataset import Dataset, Record
from striate.data.masks.classes import (
    BACKGROUND,
    MOST_CLASSES,
    MaskClasses,
    class_file,
    read_classes,
    voc_classes,
)
from striate.data.masks.layouts import Pairs, find_pairs, listed, not_masks
from striate.data.masks.truth import (
    IGNORED,
    BinaryMasks,
    MaskFile,
    SceneMask,
    SegmentationTarget,
)
from striate.data.named import embedded_name, noted
from striate.data.naming import class_name, split_of
from striate.data.origins import FileOrigin
from striate.data.scenes.names import SEMANTIC_NAMES
from striate.data.scenes.origin import SceneOrigin
from striate.data.scenes.records import scenes_dataset
from striate.data.walk import Tree, walk
from striate.errors import LabelError, LayoutError, PictureError
from striate.pictures.read import probe
from striate.pictures.sources import shown_name
from striate.types import Array, Problem, SizeHW, Split

__all__ = ["is_masks", "read_masks", "read_target"]

_SCENES = "scenes"
"""The embedded set that has masks."""
_WORKERS = 4
_VOC = "segmentationclass"


def read_masks(source: Path | str, *, check: bool = True) -> Dataset[SegmentationTarget]:
    """The pictures at `source`, each with where its class map comes from.

    `source`: a folder in one of the layouts of docs/data-masks.md, or "scenes", the embedded streets.
    `names`: the classes in the order of their indices. Sizes are compared by the headers. With `check`
    every mask is decoded: one that holds what names no class, or cannot be read, is left out; without,
    `read_target` tells it later. All of it is told in `Dataset.problems`.

    A `LayoutError` if this is no segmented data set, a `LabelError` if its class file is wrong.
    """
    if _embedded(source):
        return noted(_scenes(), source, embedded=True)
    tree = walk(source)
    lists = listed(tree)
    pairs = find_pairs(tree, frozenset(lists.splits) if lists.splits else None)
    if pairs is None:
        raise not_masks(tree)
    classes = _classes(tree, pairs)
    records, problems = _records(tree, pairs, classes, lists.splits)
    layout = _layout(pairs, classes)
    found = Dataset(
        tuple(records),
        classes.names,
        tree.root,
        layout,
        (*tree.problems, *classes.problems, *lists.problems, *pairs.problems, *problems),
    )
    return noted(_checked(found) if check else found, source, embedded=False)


def is_masks(source: Path | str) -> bool:
    """Whether `source` has the layout of a segmented data set; nothing is decoded."""
    if _embedded(source):
        return True
    if not Path(source).is_dir():
        return False
    tree = walk(source)
    pairs = find_pairs(tree)
    return bool(pairs and pairs.masks and (pairs.folders or _voc(pairs) or class_file(tree)))


def read_target(record: Record[SegmentationTarget], size_hw: SizeHW | None = None) -> Array | Problem:
    """The class map of a record, uint8 (H, W), or the problem why there is none.

    `size_hw`: height and width that it must have, those of the decoded picture.
    """
    try:
        found = record.target.read()
    except PictureError as error:
        return Problem("unreadable-mask", "error", record.key, error.what, error.remedy)
    except LabelError as error:
        reason = error.what + (f"; expected {error.expected}" if error.expected else "")
        return Problem("wrong-mask", "error", record.key, reason, error.remedy)
    if size_hw is not None and found.shape != size_hw:
        return _other_size(record.key, record.key, (found.shape[0], found.shape[1]), size_hw)
    return found


# -- embedded ---------------------------------------------------------------------------------


def _embedded(source: Path | str) -> bool:
    return embedded_name(source) == _SCENES


def _scenes() -> Dataset[SegmentationTarget]:
    """600 drawn streets under all lights, with what each pixel shows."""
    given = scenes_dataset("values")
    records = []
    for one in given.records:
        assert isinstance(one.origin, SceneOrigin)
        target: SegmentationTarget = SceneMask(one.origin)
        records.append(Record(one.key, one.origin, target, one.split))
    return Dataset(tuple(records), SEMANTIC_NAMES, given.root, "generated street scenes: masks")


# -- files ------------------------------------------------------------------------------------


def _voc(pairs: Pairs) -> bool:
    first = next(iter(pairs.masks.values()), {})
    return any(_VOC in (part.lower() for part in PurePosixPath(key).parts) for key in first.values())


def _classes(tree: Tree, pairs: Pairs) -> MaskClasses:
    """The class folders, the class file, or VOC's own."""
    if pairs.folders:
        names = [name for name in map(class_name, pairs.folders) if name != BACKGROUND]
        if len(names) + 1 > MOST_CLASSES:
            raise LayoutError(
                f"{shown_name(tree.root)} has masks in {len(names)} class folders",
                expected=f"{MOST_CLASSES - 1} at most, beside the background",
                remedy="take away or join classes",
            )
        return MaskClasses((BACKGROUND, *names), {})
    key = class_file(tree)
    if key is not None:
        return read_classes(tree, key)
    if _voc(pairs):
        return voc_classes()
    raise LayoutError(
        f"{shown_name(tree.root)} has masks, but no file tells what their numbers mean",
        expected='classes.json: {"classes": ["road", "sky"], "ignore": 255}, or class_dict.csv',
        remedy="write one beside the folders; see docs/data-masks.md",
    )


def _layout(pairs: Pairs, classes: MaskClasses) -> str:
    if pairs.folders:
        return "pictures with binary masks in class folders"
    kind = "colours" if classes.by_colour and not classes.by_id else "ids"
    told = f"told by {classes.file}" if classes.file else "of PASCAL VOC"
    return f"pictures with masks of {kind} {told}"


def _records(
    tree: Tree, pairs: Pairs, classes: MaskClasses, lists: Mapping[str, Split]
) -> tuple[list[Record[SegmentationTarget]], list[Problem]]:
    records: list[Record[SegmentationTarget]] = []
    problems: list[Problem] = []
    absent: list[str] = []
    for key, masks in sorted(pairs.masks.items()):
        try:
            size_hw = probe(tree.path(key)).size_hw
            sizes = {one: probe(tree.path(one)).size_hw for one in masks.values()}
        except PictureError as error:
            problems.append(Problem("unreadable", "error", key, error.what, error.remedy))
            continue
        other = [(one, size) for one, size in sizes.items() if size != size_hw]
        if other:
            problems.append(_other_size(key, other[0][0], other[0][1], size_hw))
            continue
        if pairs.folders and len(masks) < len(pairs.folders):
            absent.append(key)
        target = _target(tree, pairs, classes, masks, size_hw)
        split = lists.get(PurePosixPath(key).stem) or _split(key)
        records.append(Record(key, FileOrigin(tree.path(key)), target, split))
    if absent:
        reason = (
            f"{len(absent)} pictures have no mask in some class folders: taken as without that class"
        )
        repair = "nothing, if they show none of it; else add the masks"
        problems.append(
            Problem("class-mask-absent", "note", absent[0], reason, repair, others=tuple(absent[1:]))
        )
    return records, problems


def _target(
    tree: Tree, pairs: Pairs, classes: MaskClasses, masks: dict[str, str] | object, size_hw: SizeHW
) -> SegmentationTarget:
    assert isinstance(masks, dict)
    if not pairs.folders:
        key = masks[""]
        return MaskFile(tree.path(key), key, classes)
    index = {name: at for at, name in enumerate(classes.names)}
    parts = [
        (index[class_name(folder)], tree.path(key), key)
        for folder, key in sorted(masks.items())
        if class_name(folder) != BACKGROUND
    ]
    return BinaryMasks(tuple(parts), size_hw)


def _split(key: str) -> Split | None:
    found = [split for part in PurePosixPath(key).parts[:-1] if (split := split_of(part)) is not None]
    return found[0] if found else None


def _other_size(key: str, mask: str, found: SizeHW, size_hw: SizeHW) -> Problem:
    reason = (
        f"its mask has {found[1]} × {found[0]} pixels, the picture {size_hw[1]} × {size_hw[0]} "
        "(width × height)"
    )
    others = (mask,) if mask != key else ()
    return Problem(
        "size-differs", "error", key, reason, "save the mask in the size of its picture", others=others
    )


def _checked(dataset: Dataset[SegmentationTarget]) -> Dataset[SegmentationTarget]:
    """Without the records whose masks cannot be used, and with what the others show."""
    seen = np.zeros(IGNORED + 1, np.int64)
    good: list[Record[SegmentationTarget]] = []
    problems = list(dataset.problems)
    for record, found in _read_all(dataset.records):
        if isinstance(found, Problem):
            problems.append(found)
            continue
        counts = np.bincount(found.ravel(), minlength=IGNORED + 1)
        seen += counts
        if counts[IGNORED] == found.size:
            reason = "no pixel of its mask is judged"
            problems.append(Problem("empty-mask", "warning", record.key, reason, "label something"))
        good.append(record)
    unused = [name for at, name in enumerate(dataset.names) if not seen[at]]
    if unused and good:
        reason = f"no pixel of {', '.join(unused)}"
        repair = "label some, or remove the class"
        problems.append(
            Problem("class-unused", "note", unused[0], reason, repair, others=tuple(unused[1:]))
        )
    return replace(dataset, records=tuple(good), problems=tuple(problems))


def _read_all(
    records: tuple[Record[SegmentationTarget], ...],
) -> Iterable[tuple[Record[SegmentationTarget], Array | Problem]]:
    """In order, a few at a time: decoding lets other threads run."""
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="striate-masks") as pool:
        for start in range(0, len(records), 16 * _WORKERS):
            part = records[start : start + 16 * _WORKERS]
            yield from zip(part, pool.map(read_target, part), strict=True)
