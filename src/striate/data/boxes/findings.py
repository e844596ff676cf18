"""Findings about boxes, each a `Problem` that names a picture or class, the reason and the repair."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import numpy as np

from striate.data.boxes.truth import Box, Boxes
from striate.data.dataset import Dataset
from striate.data.signatures import Signature
from striate.errors import PictureError
from striate.ops.boxes import iou_xyxy
from striate.types import Problem

__all__ = ["about_boxes", "about_objects", "holds_boxes", "object_counts"]

FEW = 10
NAMED = 5
IMBALANCE = 50
TINY_SIDE, TINY_SHARE = 8.0, 1e-4
LONG = 10.0
CROWDED = 300
SAME_IOU = 0.9
FULL_SHARE = 0.5


def holds_boxes(dataset: Dataset[Any]) -> bool:
    """Whether the truths are boxes: one at least, and nothing else."""
    some = False
    for target in dataset.targets:
        if not isinstance(target, tuple) or not all(isinstance(one, Box) for one in target):
            return False
        some = some or bool(target)
    return some


def object_counts(dataset: Dataset[Boxes]) -> dict[str, dict[str, int]]:
    """How many objects of each class in each split ("all" where there is none)."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for record in dataset:
        found[record.split or "all"].update(box.label for box in record.target)
    order = ("all", *dataset.splits)
    return {
        split: {name: found[split][name] for name in dataset.names} for split in order if split in found
    }


def about_objects(dataset: Dataset[Boxes]) -> Iterator[Problem]:
    """Classes that are never seen, missing from train, rare, or far from balanced; empty pictures."""
    train: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for record in dataset:
        counts = train if record.split in (None, "train") else held
        counts.update(box.label for box in record.target)
    if unused := [name for name in dataset.names if name not in train and name not in held]:
        reason = f"no object of {_named(unused)}"
        yield _of(unused, "class-unused", "note", reason, "label some, or remove the class")
    if not train:
        return
    if missing := [name for name in dataset.names if name in held and name not in train]:
        reason = f"{_named(missing)}: not in train, so it cannot be learnt"
        yield _of(missing, "not-in-train", "error", reason, "add training pictures, or remove it")
    rare = sorted((name for name in train if train[name] < FEW), key=lambda name: (train[name], name))
    if rare:
        counted = _named([f"{name} ({train[name]})" for name in rare])
        reason = f"fewer than {FEW} training objects: {counted}"
        yield _of(rare, "few-objects", "warning", reason, "label more of them")
    (most, high), (least, low) = train.most_common(1)[0], train.most_common()[-1]
    if high >= IMBALANCE * low:
        reason = f"{least} has {low} training objects, {most} {high}: {high / low:.0f} times as many"
        yield _of([least], "imbalance", "warning", reason, "add pictures with the rare classes")
    if (empty := [r.key for r in dataset if not r.target]) and len(empty) > FULL_SHARE * len(dataset):
        reason = f"{len(empty)} of {len(dataset)} pictures have no boxes"
        repair = "nothing, if they show no object; else label them"
        yield _of(empty, "mostly-empty", "warning", reason, repair)


def about_boxes(
    dataset: Dataset[Boxes], signatures: Sequence[Signature | PictureError]
) -> Iterator[Problem]:
    """Boxes that are tiny, very long, or nearly there twice; pictures with more than can be answered."""
    tiny, tiny_all = _where(dataset, signatures, _is_tiny)
    if tiny:
        reason = (
            f"{tiny_all} boxes in {len(tiny)} pictures are less than {TINY_SIDE:g} pixels wide or high, "
            f"or than {TINY_SHARE:.2%} of the picture"
        )
        repair = "look whether they are slips; small objects need a large input (--size) or --tile"
        yield _of(tiny, "box-tiny", "warning", reason, repair)
    long, long_all = _where(dataset, signatures, _is_long)
    if long:
        reason = f"{long_all} boxes in {len(long)} pictures are over {LONG:g} times as long as wide"
        yield _of(long, "box-long", "note", reason, "look whether they are slips")
    for record in dataset:
        if (count := len(record.target)) > CROWDED:
            reason = f"it has {count} boxes; a detector gives {CROWDED} answers unless told otherwise"
            repair = f"train with --max-detections {count}, or cut it into tiles"
            yield Problem("many-boxes", "warning", record.key, reason, repair)
    for record in dataset:
        yield from _twins(record.key, record.target)


def _where(
    dataset: Dataset[Boxes],
    signatures: Sequence[Signature | PictureError],
    odd: Callable[[Box, float], bool],
) -> tuple[list[str], int]:
    """Pictures with `odd` boxes, those with the most first, and how many boxes those are."""
    found: Counter[str] = Counter()
    for record, seen in zip(dataset.records, signatures, strict=True):
        if isinstance(seen, Signature):
            pixels = float(seen.size_hw[0] * seen.size_hw[1])
            if count := sum(odd(box, pixels) for box in record.target):
                found[record.key] = count
    return [key for key, _ in found.most_common()], found.total()


def _is_tiny(box: Box, pixels: float) -> bool:
    width, height = _sides(box)
    return min(width, height) < TINY_SIDE or width * height < TINY_SHARE * pixels


def _is_long(box: Box, _: float) -> bool:
    width, height = _sides(box)
    return max(width, height) > LONG * min(width, height)


def _sides(box: Box) -> tuple[float, float]:
    x0, y0, x1, y1 = box.box_xyxy
    return x1 - x0, y1 - y0


def _twins(key: str, boxes: Boxes) -> Iterator[Problem]:
    """Upright boxes of one class over one another: an object that was labelled twice."""
    by_label: dict[str, list[Box]] = defaultdict(list)
    for box in boxes:
        if not box.angle_deg and not box.crowd:
            by_label[box.label].append(box)
    for label, group in by_label.items():
        edges = np.array([box.box_xyxy for box in group], np.float64)  # (N, 4)
        count = int(np.count_nonzero(np.triu(iou_xyxy(edges, edges), 1) >= SAME_IOU))
        if count:
            pairs = "a pair" if count == 1 else f"{count} pairs"
            reason = f"{pairs} of {label} boxes overlap by more than {SAME_IOU:g} (IoU)"
            repair = "look whether one object was labelled twice"
            yield Problem("box-near-duplicate", "warning", key, reason, repair)


def _of(
    keys: Sequence[str],
    kind: str,
    severity: Literal["error", "warning", "note"],
    reason: str,
    repair: str,
) -> Problem:
    return Problem(kind, severity, keys[0], reason, repair, others=tuple(keys[1:]))


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
