"""Which mask belongs to which picture: two folders beside each other, found by their names."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from striate.data.naming import ordered, split_of
from striate.data.walk import Tree
from striate.errors import LayoutError
from striate.pictures.formats import is_picture_name
from striate.pictures.sources import shown_name
from striate.types import Problem, Split

__all__ = ["Lists", "Pairs", "find_pairs", "listed", "not_masks"]

PICTURE_WORDS = frozenset(
    {"images", "image", "imgs", "img", "pictures", "jpegimages", "photos", "leftimg8bit"}
)
MASK_WORDS = frozenset(
    {"masks", "mask", "labels", "label", "annotations", "semantic", "segmentation", "segmentationclass",
     "groundtruth", "gt", "gtfine"}
)  # fmt: skip
ENDINGS = ("_L", "_mask", "_masks", "_label", "_labels", "_gt", "_seg", "_segmentation")
"""What a mask's name may carry beyond that of its picture."""
_LIST_FOLDERS = ("segmentation", "imagesets")
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Pairs:
    """`masks`: for each picture's key its mask, or several by class folder. `folders`: the class
    folders, none where a mask holds all classes. `problems`: what has no partner."""

    masks: Mapping[str, Mapping[str, str]]
    folders: tuple[str, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Lists:
    """`splits`: the split of each listed stem. `problems`: what is listed, and not there."""

    splits: Mapping[str, Split]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A file: its place with the telling folder taken out, its name without ending."""

    key: str
    place: str
    stem: str


def find_pairs(tree: Tree, wanted: frozenset[str] | None = None) -> Pairs | None:
    """Pictures and masks of a tree by equal stems; None where no two folders are named so.

    `wanted`: stems of pictures that count; without, all of them.
    """
    pictures = [one for key in tree.files if (one := _placed(key, PICTURE_WORDS)) is not None]
    masks = [one for key in tree.files if (one := _placed(key, MASK_WORDS)) is not None]
    if wanted is not None:
        pictures = [one for one in pictures if one.stem in wanted]
    if not pictures or not masks:
        return None
    places = {one.place for one in pictures}
    # class folders lie one level below where the masks of the pictures would be
    folders = {
        PurePosixPath(one.place).name
        for one in masks
        if one.place not in places and _above(one.place) in places
    }
    direct = any(one.place in places for one in masks)
    if direct:
        folders = set()
    return _paired(pictures, masks, ordered(folders), all_masks=wanted is None)


def _paired(
    pictures: Sequence[_Placed], masks: Sequence[_Placed], folders: tuple[str, ...], *, all_masks: bool
) -> Pairs:
    there: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    twice: list[Problem] = []
    for one in masks:
        place = _above(one.place) if folders else one.place
        folder = PurePosixPath(one.place).name if folders else ""
        if folder in there[place, one.stem]:
            first = there[place, one.stem][folder]
            reason = f"there is another mask of this name, {shown_name(first)}, which is taken"
            twice.append(Problem("two-masks", "error", one.key, reason, "keep one of the two"))
            continue
        there[place, one.stem][folder] = one.key
    found, problems, used = {}, twice, set()
    for one in pictures:
        names = [one.stem, *(one.stem + ending for ending in ENDINGS)]
        name = next((name for name in names if (one.place, name) in there), None)
        if name is None:
            reason = "there is no mask of this name"
            repair = "add it to the folder of masks, or leave the picture out"
            problems.append(Problem("missing-mask", "error", one.key, reason, repair))
            continue
        used.add((one.place, name))
        found[one.key] = there[one.place, name]
    for place_stem, parts in there.items() if all_masks else ():
        if place_stem not in used:
            for key in parts.values():
                reason = "there is no picture of this name"
                repair = "add the picture, or remove the mask"
                problems.append(Problem("mask-without-picture", "warning", key, reason, repair))
    return Pairs(found, folders, tuple(problems))


def listed(tree: Tree) -> Lists:
    """What ImageSets/Segmentation/train.txt and its like tell: a stem a line, or its first word."""
    there = {one.stem for key in tree.files if (one := _placed(key, PICTURE_WORDS)) is not None}
    splits: dict[str, Split] = {}
    problems: list[Problem] = []
    for key in tree.files:
        path = PurePosixPath(key)
        split = split_of(path.stem)
        if path.suffix != ".txt" or path.parent.name.lower() not in _LIST_FOLDERS or split is None:
            continue
        with open(tree.path(key), "rb") as file:  # noqa: PTH123 - names need not be UTF-8
            lines = os.fsdecode(file.read()).removeprefix("\ufeff").splitlines()
        stems = [line if line in there else line.split()[0] for line in map(str.strip, lines) if line]
        splits.update(dict.fromkeys(stems, split))
        if absent := [one for one in dict.fromkeys(stems) if one not in there]:
            problems.append(_absent(key, absent))
    return Lists(splits, tuple(problems))


def _absent(key: str, stems: Sequence[str]) -> Problem:
    named = ", ".join(map(shown_name, stems[:_NAMED]))
    more = f" and {len(stems) - _NAMED} more" if len(stems) > _NAMED else ""
    reason = f"{len(stems)} of the pictures that it lists are not there: {named}{more}"
    repair = "add them, or take them out of the list; names stand there without folder and ending"
    return Problem("listed-without-picture", "warning", key, reason, repair, others=tuple(stems))


def not_masks(tree: Tree) -> LayoutError:
    """Why `tree` is no segmented data set, and what one looks like."""
    return LayoutError(
        f"{shown_name(tree.root)} is not a segmented data set",
        expected="images/ and masks/ (perhaps in train/, val/ and test/) with files of equal names, and "
        "classes.json; VOC's JPEGImages/ and SegmentationClass/; or masks/CLASS/ of binary masks",
        remedy="see docs/data-masks.md",
    )


def _placed(key: str, words: frozenset[str]) -> _Placed | None:
    """Where a file lies with the last folder that is one of `words` taken out; None without one."""
    path = PurePosixPath(key)
    parts = list(path.parent.parts)
    telling = [index for index, part in enumerate(parts) if part.lower() in words]
    if not telling or not is_picture_name(key):
        return None
    parts[telling[-1]] = "*"
    return _Placed(key, "/".join(parts), path.stem)


def _above(place: str) -> str:
    return str(PurePosixPath(place).parent)
