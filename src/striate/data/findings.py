"""Findings of a check, each a `Problem` that names a file, the reason and the repair."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

import numpy as np

from striate.data.boxes.truth import Box
from striate.data.dataset import Dataset
from striate.data.duplicates import BLANK_CONTRAST, Duplicates
from striate.data.signatures import Signature
from striate.errors import PictureError
from striate.pictures.sources import shown_name
from striate.types import Problem

__all__ = [
    "about_classes",
    "about_copies",
    "about_looks",
    "about_storage",
    "about_unreadable",
    "is_labels",
]

Signatures = Sequence[Signature | PictureError]

IMBALANCE = 10
FEW = 10
NAMED = 5
TINY_SIDE, TINY_SHARE = 32, 1 / 6
LONG, LONGER_THAN_USUAL = 4.0, 2.5
BLANK_SHARE, BLANK_LEVELS = 0.985, 3
MODE_TELLS = 0.8


def is_labels(dataset: Dataset[Any]) -> bool:
    """Whether the truths are class names."""
    return all(isinstance(t, tuple) and all(isinstance(n, str) for n in t) for t in dataset.targets)


def about_unreadable(dataset: Dataset[Any], signatures: Signatures) -> Iterator[Problem]:
    """Files that cannot be decoded."""
    for record, one in zip(dataset.records, signatures, strict=True):
        if isinstance(one, PictureError):
            yield Problem("unreadable", "error", record.key, one.reason, one.remedy)


def about_classes(dataset: Dataset[Any]) -> Iterator[Problem]:
    """Classes that are too few, missing from train, rare, or far from balanced."""
    if not is_labels(dataset) or not len(dataset):
        return
    train = Counter(name for r in dataset if r.split in (None, "train") for name in r.target)
    held = {name for r in dataset if r.split in ("validation", "test") for name in r.target}
    where = dataset.shown_root()
    if len(set(dataset.targets)) == 1:
        name = ", ".join(dataset.targets[0]) or "no label"
        reason = f"all pictures have the same label: {name}"
        yield Problem("one-class", "error", where, reason, "add pictures of another class")
    if not train:
        return
    if missing := sorted(held - train.keys()):
        reason = f"{_named(missing)}: not in train, so it cannot be learnt"
        yield _of_classes(
            "not-in-train", "error", missing, reason, "add training pictures, or remove it"
        )
    rare = [name for name, count in sorted(train.items(), key=lambda item: item[1]) if count < FEW]
    if rare:
        counted = ", ".join(f"{name} ({train[name]})" for name in rare[:NAMED])
        more = f" and {len(rare) - NAMED} more" if len(rare) > NAMED else ""
        reason = f"fewer than {FEW} training pictures: {counted}{more}"
        yield _of_classes("few-pictures", "warning", rare, reason, "add pictures")
    (most, high), (least, low) = train.most_common(1)[0], train.most_common()[-1]
    if high >= IMBALANCE * low:
        small = [name for name, count in reversed(train.most_common()) if high >= IMBALANCE * count]
        reason = f"{least} has {low} training pictures, {most} {high}: {high / low:.0f} times as many"
        repair = "add pictures of the small classes, or weigh classes (--class-weights balanced)"
        yield _of_classes("imbalance", "warning", small[:NAMED], reason, repair)


def _of_classes(kind: str, severity: Any, names: Sequence[str], reason: str, repair: str) -> Problem:
    return Problem(kind, severity, names[0], reason, repair, others=tuple(names[1:]))


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def about_copies(dataset: Dataset[Any], duplicates: Duplicates) -> Iterator[Problem]:
    """Copies: with different truths, in different splits, or merely twice."""
    for exact, groups in ((True, duplicates.exact), (False, duplicates.near)):
        for group in groups:
            yield _copies(dataset, group, exact=exact)


def _copies(dataset: Dataset[Any], group: Sequence[int], *, exact: bool) -> Problem:
    """The gravest thing to be said about one group."""
    records = [dataset.records[i] for i in group]
    key, others = records[0].key, tuple(record.key for record in records[1:])
    which = "the same picture" if exact else "nearly the same picture"
    splits = list(dict.fromkeys(r.split for r in records if r.split is not None))
    differs = len({r.target for r in records}) > 1 and (exact or is_labels(dataset))
    across = " and ".join(splits) if len(splits) > 1 else ""
    if differs:
        truths = " and ".join(dict.fromkeys(_truth(record.target) for record in records))
        reason = f"{which} has different truths: {truths}" + (f" (in {across})" if across else "")
        repair = "find out which is right, and remove the others"
        return Problem(
            "label-conflict", "error" if exact else "warning", key, reason, repair, others=others
        )
    if across:
        reason = f"{which} is in {across}: scores are measured on what other splits hold, too"
        repair = "keep it in one split"
        repair += " (striate data check --fix keeps the measured one)" if is_labels(dataset) else ""
        return Problem("leakage", "error" if exact else "warning", key, reason, repair, others=others)
    kind = "exact-duplicate" if exact else "near-duplicate"
    reason = f"{which} is there {len(group)} times"
    repair = "keep one" if exact else "keep one, or keep them in one split"
    return Problem(kind, "warning" if exact else "note", key, reason, repair, others=others)


def _truth(target: object) -> str:
    if isinstance(target, tuple) and target and all(isinstance(one, Box) for one in target):
        counts = Counter(one.label for one in target)
        return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    return ", ".join(map(str, target)) or "no label" if isinstance(target, tuple) else str(target)


def about_looks(dataset: Dataset[Any], signatures: Signatures) -> Iterator[Problem]:
    """Pictures that are far smaller or longer than the others, or show nothing."""
    seen = [one for one in signatures if isinstance(one, Signature)]
    if not seen:
        return
    usual_side = median(min(one.size_hw) for one in seen)
    usual_length = median(max(one.size_hw) / min(one.size_hw) for one in seen)
    for record, one in zip(dataset.records, signatures, strict=True):
        if not isinstance(one, Signature):
            continue
        height, width = one.size_hw
        side, length = min(one.size_hw), max(one.size_hw) / min(one.size_hw)
        if side < min(TINY_SIDE, usual_side * TINY_SHARE):
            reason = (
                f"it has {width} × {height} pixels; the middle picture's shorter side has {usual_side:g}"
            )
            yield Problem("tiny", "warning", record.key, reason, "replace it by a larger one")
        if length > max(LONG, LONGER_THAN_USUAL * usual_length):
            reason = f"it is {length:.1f} times as long as wide ({width} × {height} pixels)"
            yield Problem("odd-shape", "warning", record.key, reason, "crop it, or leave it out")
        if _is_blank(one):
            reason = "it is blank, or nearly so"
            yield Problem("blank", "warning", record.key, reason, "look at it; perhaps leave it out")


def _is_blank(one: Signature) -> bool:
    levels = one.thumb.astype(np.int16)
    near_usual = np.abs(levels - np.median(levels)) <= BLANK_LEVELS
    return bool(levels.std() < BLANK_CONTRAST or near_usual.mean() >= BLANK_SHARE)


def about_storage(dataset: Dataset[Any], signatures: Signatures) -> Iterator[Problem]:
    """Mixed modes, colour that gives the class away, files of which only the first picture counts."""
    seen = [
        (r, one)
        for r, one in zip(dataset.records, signatures, strict=True)
        if isinstance(one, Signature)
    ]
    keys: dict[str, list[str]] = defaultdict(list)
    for record, one in seen:
        keys[one.stored_as.split()[-1]].append(record.key)
    if len(keys) > 1:
        by_count = sorted(keys, key=lambda mode: (len(keys[mode]), mode))
        counted = ", ".join(f"{mode} ({len(keys[mode])})" for mode in reversed(by_count))
        reason = f"pictures are stored in different modes: {counted}; all are read as RGB"
        rest = tuple(key for mode in by_count[:-1] for key in keys[mode])
        repair = "nothing, if what is photographed later is as mixed; else make them alike"
        yield Problem("mixed-modes", "note", rest[0], reason, repair, others=rest[1:])
    if is_labels(dataset):
        yield from _telling_modes(seen)
    for record, one in seen:
        if one.frames > 1:
            reason = f"it holds {one.frames} pictures; only the first is read"
            yield Problem("animated", "note", record.key, reason, "save the pictures one by one")


def _telling_modes(seen: Sequence[tuple[Any, Signature]]) -> Iterator[Problem]:
    """Classes that are nearly always grey files beside classes that nearly never are: a shortcut."""
    grey: dict[str, list[bool]] = defaultdict(list)
    for record, one in seen:
        for name in record.target:
            grey[name].append(one.stored_as.split()[-1] in ("L", "LA", "1", "I;16", "I", "F"))
    share = {name: sum(flags) / len(flags) for name, flags in grey.items() if len(flags) >= FEW}
    if share and max(share.values()) - min(share.values()) >= MODE_TELLS:
        most, least = max(share, key=share.__getitem__), min(share, key=share.__getitem__)
        reason = (
            f"{share[most]:.0%} of {most} but {share[least]:.0%} of {least} are stored as grey: "
            "a model may learn that instead of what they show"
        )
        repair = "store both in the same way"
        yield Problem("mode-tells-class", "warning", shown_name(most), reason, repair, others=(least,))
