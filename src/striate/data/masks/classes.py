"""What the numbers and colours of masks mean: class files in the forms that are in use."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from striate.data.walk import Tree
from striate.errors import LabelError
from striate.pictures.sources import shown_name
from striate.types import Problem

__all__ = ["BACKGROUND", "CLASS_FILES", "MaskClasses", "class_file", "read_classes", "voc_classes"]

RGB = tuple[int, int, int]

BACKGROUND = "background"
MOST_CLASSES = 255
LARGEST_FILE = 2**20
_IGNORED = 255
_LARGEST_ID = 2**32 - 1
_UNJUDGED = frozenset({"void", "ignore", "ignored", "unlabeled", "unlabelled"})
"""Class names of colour maps that say: these pixels are not judged."""

VOC_NAMES = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
    "tvmonitor",
)  # fmt: skip
_VOC_IGNORED = 255


@dataclass(frozen=True, slots=True)
class MaskClasses:
    """`names`: the classes. `by_id`, `by_colour`: the index in `names` of each stored id or colour, 255
    where it is not judged. `file`: where this is told. `problems`: what was noticed in it."""

    names: tuple[str, ...]
    by_id: Mapping[int, int]
    by_colour: Mapping[RGB, int] = field(default_factory=dict)
    file: str = ""
    problems: tuple[Problem, ...] = ()


def voc_classes() -> MaskClasses:
    """The twenty classes and the background of PASCAL VOC; 255, the border of objects, is not judged.

    Colours are those of its palette, for masks that were saved as RGB.
    """
    ids = {**{index: index for index in range(len(VOC_NAMES))}, _VOC_IGNORED: _IGNORED}
    return MaskClasses(VOC_NAMES, ids, {_voc_colour(one): index for one, index in ids.items()})


def _voc_colour(index: int) -> RGB:
    """The colour of an index: its bits are dealt to red, green and blue in turn, high bits first."""
    found = [0, 0, 0]
    for turn in range(8):
        for channel in range(3):
            found[channel] |= ((index >> (3 * turn + channel)) & 1) << (7 - turn)
    return found[0], found[1], found[2]


def class_file(tree: Tree, below: str = "") -> str | None:
    """The key of the class file of a tree, the one nearest to its root; None if there is none."""
    named = [key for key in tree.files if PurePosixPath(key).name.lower() in CLASS_FILES]
    ranked = sorted(named, key=lambda key: (key.count("/"), not key.startswith(below), _rank(key), key))
    return ranked[0] if ranked else None


def read_classes(tree: Tree, key: str) -> MaskClasses:
    """What the class file `key` tells; a `LabelError` that names it where it cannot be understood."""
    try:
        with open(tree.path(key), "rb") as file:  # noqa: PTH123 - names need not be UTF-8
            data = file.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise ValueError("it is larger than a list of classes")
        return CLASS_FILES[PurePosixPath(key).name.lower()](data.decode("utf-8-sig"), shown_name(key))
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        ArithmeticError,
        RecursionError,
        csv.Error,
    ) as error:
        reason = f"{error!r}" if isinstance(error, (KeyError, TypeError)) else str(error)
        raise LabelError(
            f"class file {shown_name(key)} cannot be understood: {reason}",
            expected='for instance classes.json: {"classes": ["road", "sky"], "ignore": 255}',
            remedy="mend it",
        ) from error


def _made(
    pairs: Iterable[tuple[str, int | None, RGB | None]], file: str, ignored: Iterable[int] = ()
) -> MaskClasses:
    """From (name, id, colour); a name that says so is not judged, which is told."""
    names: list[str] = []
    ids: dict[int, int] = {}
    colours: dict[RGB, int] = {}
    problems = []
    for name, stored, colour in pairs:
        unjudged = name.lower() in _UNJUDGED
        if not name or (name in names and not unjudged):
            raise ValueError(f"class {name!r} is there twice" if name else "a class has no name")
        index = _IGNORED if unjudged else len(names)
        if unjudged:
            reason = f"pixels of the class {name} are not judged"
            problems.append(
                Problem("not-judged", "note", file, reason, "rename the class if they should be")
            )
        else:
            names.append(name)
        for table, one in ((ids, stored), (colours, colour)):
            if one is None:
                continue
            if one in table:
                raise ValueError(f"{one} stands for two classes")
            table[one] = index  # type: ignore[index]  # each table with its own kind of key
    for one in ignored:
        if one in ids:
            raise ValueError(f"id {one} is both a class and ignored")
        ids[one] = _IGNORED
    if max(ids, default=0) > _LARGEST_ID:
        raise ValueError(f"id {max(ids)} is larger than a mask can store")
    if not 1 <= len(names) <= MOST_CLASSES:
        raise ValueError(f"it names {len(names)} classes, not 1 to {MOST_CLASSES}")
    return MaskClasses(tuple(names), ids, colours, file, tuple(problems))


def _json(text: str, file: str) -> MaskClasses:
    told = json.loads(text)
    ignored: Any = ()
    if isinstance(told, dict) and "semantic_names" in told:  # striate.data.scenes.write
        told = told["semantic_names"]
    elif isinstance(told, dict) and isinstance(told.get("classes"), (list, dict)):
        ignored = told.get("ignore", ())
        told = told["classes"]
    ignored = [ignored] if isinstance(ignored, int) else list(ignored or ())
    if any(not isinstance(one, int) or isinstance(one, bool) or one < 0 for one in ignored):
        raise ValueError(f"ignore is {ignored!r}; ids are whole numbers from 0")
    if isinstance(told, dict):
        return _made([_entry(key, value) for key, value in told.items()], file, ignored)
    if not isinstance(told, list):
        raise ValueError("it is neither a list of names nor a mapping")
    return _made([_listed(index, one) for index, one in enumerate(told)], file, ignored)


def _entry(key: str, value: Any) -> tuple[str, int | None, RGB | None]:
    """{"7": "sky"}, {"sky": 7} or {"sky": [r, g, b]}."""
    if isinstance(value, str) and key.isdecimal():
        return value, int(key), None
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return key, value, None
    return key, None, _colour(value)


def _listed(index: int, one: Any) -> tuple[str, int | None, RGB | None]:
    """A name, whose id is its place, or {"name": …, "id": …, "color": [r, g, b]}."""
    if isinstance(one, str):
        return one, index, None
    if not isinstance(one, dict) or not isinstance(one.get("name"), str):
        raise ValueError(f"class {index} is {one!r}: it has no name")
    colour = one.get("color", one.get("colour"))
    stored = one.get("id", index)
    if not isinstance(stored, int) or isinstance(stored, bool) or stored < 0:
        raise ValueError(f"the id of class {one['name']} is {stored!r}, no whole number from 0")
    return one["name"], stored, None if colour is None else _colour(colour)


def _colour(value: Any) -> RGB:
    numbers = [int(one) for one in value] if isinstance(value, (list, tuple)) else []
    if len(numbers) != 3 or not all(0 <= one <= 255 for one in numbers):
        raise ValueError(f"{value!r} is no colour: three numbers from 0 to 255")
    return numbers[0], numbers[1], numbers[2]


def _names(text: str, file: str) -> MaskClasses:
    lines = [line.strip() for line in text.splitlines()]
    return _made(((name, index, None) for index, name in enumerate(filter(None, lines))), file)


def _csv(text: str, file: str) -> MaskClasses:
    """class_dict.csv: name, r, g, b."""
    rows = list(csv.DictReader(text.splitlines(), skipinitialspace=True))
    keyed = [{str(key).strip().lower(): value for key, value in row.items()} for row in rows]
    for row in keyed:
        if None in (values := [row[name] for name in ("name", "r", "g", "b")]):
            raise ValueError(f"a line has too few columns: {', '.join(filter(None, values))}")
    pairs = [(row["name"].strip(), None, _colour([row["r"], row["g"], row["b"]])) for row in keyed]
    return _made(pairs, file)


def _colour_lines(text: str, file: str) -> MaskClasses:
    """label_colors.txt of CamVid: r g b name."""
    pairs: list[tuple[str, int | None, RGB | None]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("#"):
            continue
        found = re.fullmatch(r"(\d+)\s+(\d+)\s+(\d+)\s+(.+)", line)
        if found is None:
            raise ValueError(f"line {line!r} is not: red green blue name")
        pairs.append((found[4].strip(), None, _colour(found.groups()[:3])))
    return _made(pairs, file)


def _labelmap(text: str, file: str) -> MaskClasses:
    """labelmap.txt of CVAT: label:r,g,b:parts:actions."""
    pairs: list[tuple[str, int | None, RGB | None]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("#"):
            continue
        parts = line.split(":")
        if len(parts) < 2:
            raise ValueError(f"line {line!r} is not: label:r,g,b:parts:actions")
        pairs.append((parts[0].strip(), None, _colour(parts[1].split(","))))
    return _made(pairs, file)


CLASS_FILES: Mapping[str, Callable[[str, str], MaskClasses]] = {
    "classes.json": _json,
    "labels.json": _json,
    "names.json": _json,
    "colormap.json": _json,
    "class_dict.csv": _csv,
    "classes.csv": _csv,
    "labelmap.txt": _labelmap,
    "label_colors.txt": _colour_lines,
    "classes.txt": _names,
    "labels.txt": _names,
}
"""Files that tell the classes, in lower case; earlier ones are preferred."""


def _rank(key: str) -> int:
    return list(CLASS_FILES).index(PurePosixPath(key).name.lower())
