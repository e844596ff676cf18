"""YOLO: a text file a picture, a line an object: class, middle and size as shares of the picture.

    data.yaml  images/train/a.jpg  labels/train/a.txt        or    train/images/a.jpg  train/labels/a.txt

also text files beside their pictures (Darknet). A picture whose file is empty or missing has no objects.
Numbers with few digits are read as the roundest pixels that they can stand for: 0.512500 of 640 is 328.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import PurePosixPath
from typing import TypeAlias

from striate.data.boxes.gallery import Gallery, clean_key
from striate.data.boxes.numbers import EXACT, Box4, places_of, plain, read_number, snap
from striate.data.boxes.said import Said, SaidBox, SaidPicture, broken
from striate.data.boxes.sources import UNSPLIT, folder_split, names_file
from striate.data.boxes.text import content_lines, decode, read_bytes
from striate.data.boxes.yaml_subset import Value, parse_yaml
from striate.data.naming import split_of
from striate.data.walk import Tree
from striate.errors import LabelError, PictureError
from striate.types import Problem, SizeHW, Split

__all__ = ["LEAST_PLACES", "NOT_LABELS", "label_key", "read_yolo", "shares_to_xyxy", "yaml_key"]

NOT_LABELS = frozenset(
    {
        "classes.txt",
        "labels.txt",
        "predefined_classes.txt",
        "train.txt",
        "val.txt",
        "valid.txt",
        "test.txt",
    }
)
LEAST_PLACES = 6
"""Shares are trusted to this many decimal places, however few are written: 0.5 is 0.500000."""

Place: TypeAlias = tuple[Box4, float, tuple[tuple[str, str], ...]]
"""Edges, angle, extras."""
ReadPlace: TypeAlias = Callable[[Sequence[Decimal], SizeHW], Place]


def yaml_key(tree: Tree) -> str | None:
    """The file that describes a YOLO data set: data.yaml, else the only YAML file with `names`."""
    files = [key for key in tree.files if key.lower().endswith((".yaml", ".yml")) and "/" not in key]
    usual = [key for key in files if PurePosixPath(key).stem in ("data", "dataset")]
    for key in usual or files:
        try:
            text = read_bytes(tree.path(key)).decode("utf-8", "replace")
        except LabelError:
            continue
        if "names" in text and any(word in text for word in ("train", "val", "test", UNSPLIT)):
            return key
    return None


def label_key(picture: str) -> str:
    """Where the labels of a picture lie: images/ becomes labels/, the ending .txt.

    >>> label_key("train/images/a.jpg"), label_key("a.jpg")
    ('train/labels/a.txt', 'a.txt')
    """
    path = PurePosixPath(picture)
    parts = list(path.parts[:-1])
    for at in range(len(parts) - 1, -1, -1):
        if parts[at].lower() == "images":
            parts[at] = {"images": "labels", "Images": "Labels", "IMAGES": "LABELS"}.get(
                parts[at], "labels"
            )
            break
    return str(PurePosixPath(*parts, path.stem + ".txt"))


def read_yolo(tree: Tree, gallery: Gallery, *, yaml: str | None, oriented: bool = False) -> Said:
    """What the label files in `tree` say, with `yaml` (a key) for classes and splits."""
    said = Said(tree.root, "YOLO", problems=list(tree.problems))
    described = _described(tree, yaml, said.problems) if yaml else {}
    places = _places(tree, gallery, described, yaml, said.problems)
    names = _names(described) or names_file(tree, said.problems)
    reader = _Reader(tree, said, gallery, names, oriented, frozenset(tree.files))
    for key, split in places:
        reader.read(key, split)
    reader.unused()
    reader.finish()
    kind = "YOLO with turned boxes (four corners)" if oriented else "YOLO"
    how = f" with {yaml}" if yaml else ""
    said.layout = kind + how + (" and split folders" if any(split for _, split in places) else "")
    return said


@dataclass(slots=True)
class _Reader:
    tree: Tree
    said: Said
    gallery: Gallery
    names: tuple[str, ...]
    oriented: bool
    files: frozenset[str]
    without: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    unnamed: set[int] = field(default_factory=set)

    def read(self, key: str, split: Split | None) -> None:
        picture = SaidPicture(key, self.gallery.path(key), split, key)
        label = label_key(key)
        if label not in self.files:
            self.without.append(key)
            self.said.pictures.append(picture)
            return
        self.used.add(label)
        picture.file = label
        info = self.gallery.info(key)
        if isinstance(info, PictureError):
            reason = f"its picture cannot be measured, so its shares mean nothing: {info.reason}"
            problem = Problem("picture-unreadable", "error", label, reason, info.remedy)
            self.said.problems.append(problem)
            return
        self.said.pictures.append(picture)
        try:
            text = decode(read_bytes(self.tree.path(label)), label, self.said.problems)
        except LabelError as error:
            self.said.problems.append(broken(label, None, error.what))
            return
        for line, content in content_lines(text):
            self._line(picture, label, line, content, info.size_hw)

    def _line(self, picture: SaidPicture, file: str, line: int, content: str, size_hw: SizeHW) -> None:
        words = content.replace(",", " ").split()
        try:
            (edges, angle, extras) = self._place(words, size_hw)
        except ValueError as error:
            self.said.problems.append(broken(file, line, str(error)))
            return
        label = self._label(words[0], file, line)
        if label is not None:
            picture.boxes.append(
                SaidBox(label, edges, file, line, "the box", angle_deg=angle, extras=extras)
            )

    def _place(self, words: Sequence[str], size_hw: SizeHW) -> Place:
        numbers = [read_number(word) for word in words[1:]]
        if self.oriented:
            from striate.data.boxes.corners import shares_to_turned

            if len(numbers) != 8:
                raise ValueError(
                    f"{len(words)} numbers in a line, where 9 are expected (class, corners)"
                )
            return shares_to_turned(numbers, size_hw)
        if len(numbers) == 4:
            return shares_to_xyxy(numbers, size_hw), 0.0, ()
        if len(numbers) >= 6 and len(numbers) % 2 == 0:
            return _around(numbers, size_hw)
        expected = "5 are expected (class, middle x, middle y, width, height)"
        raise ValueError(f"{len(words)} numbers in a line, where {expected}")

    def _label(self, word: str, file: str, line: int) -> str | None:
        if not word.isascii() or not word.isdigit() or len(word) > 6:
            if word in self.names:
                return word
            try:
                number = read_number(word)
                if number != int(number) or number < 0:
                    raise ValueError
            except ValueError:
                reason = f"the class is {word[:40]!r}, not a whole number"
                self.said.problems.append(broken(file, line, reason))
                return None
            word = str(int(number))
        index = int(word)
        if not self.names:
            self.unnamed.add(index)
            return str(index)
        if index < len(self.names):
            return self.names[index]
        reason = f"class {index} has no name: there are {len(self.names)}, from 0; it is left out"
        repair = "mend the number, or add the name to the list of classes"
        self.said.problems.append(Problem("class-unknown", "error", file, reason, repair, line=line))
        return None

    def unused(self) -> None:
        """Label files whose picture is not there."""
        stems = {PurePosixPath(label).stem for label in self.used}
        for key in self.tree.files:
            path = PurePosixPath(key)
            beside_labels = any(part.lower() == "labels" for part in path.parts[:-1])
            if not key.endswith(".txt") or key in self.used or path.name in NOT_LABELS:
                continue
            if beside_labels and not (path.stem in stems and key in self.used):
                reason = "there is no picture to these labels"
                repair = "restore the picture, or remove the file"
                self.said.problems.append(Problem("picture-missing", "error", key, reason, repair))

    def finish(self) -> None:
        """Names, and a word about pictures without a file."""
        self.said.names = self.names
        if self.unnamed:
            highest = max(self.unnamed)
            self.said.names = tuple(str(index) for index in range(highest + 1))
            reason = "no list of classes: they are called by their numbers"
            repair = "write the names into data.yaml or classes.txt, a class a line"
            where = os.path.basename(self.said.root)  # noqa: PTH119
            self.said.problems.append(Problem("class-unnamed", "warning", where, reason, repair))
        if self.without:
            count = len(self.without)
            reason = f"{count} pictures have no label file, and count as pictures without objects"
            first, *rest = self.without
            repair = "nothing, if they show no object; else label them"
            problem = Problem("picture-unlabelled", "note", first, reason, repair, others=tuple(rest))
            self.said.problems.append(problem)


# -- places in the picture -----------------------------------------------------------------------------


def shares_to_xyxy(numbers: Sequence[Decimal], size_hw: SizeHW) -> Box4:
    """Edges in pixels from middle x, middle y, width and height as shares of the picture."""
    height, width = size_hw
    x, y, w, h = numbers
    unit = Decimal(1).scaleb(-max(LEAST_PLACES, places_of(numbers)))
    x0, x1 = _edges(x, w, width, unit)
    y0, y1 = _edges(y, h, height, unit)
    return x0, y0, x1, y1


def _edges(middle: Decimal, extent: Decimal, pixels: int, unit: Decimal) -> tuple[float, float]:
    """The two edges; half a unit of the middle and half of half the extent may have been rounded off."""
    half = EXACT.divide(extent, Decimal(2))
    within = EXACT.multiply(unit * Decimal("0.7500001"), Decimal(pixels))
    low = EXACT.multiply(EXACT.subtract(middle, half), Decimal(pixels))
    high = EXACT.multiply(EXACT.add(middle, half), Decimal(pixels))
    return snap(low, within), snap(high, within)


def _around(numbers: Sequence[Decimal], size_hw: SizeHW) -> Place:
    """The box around a polygon, which is kept."""
    height, width = size_hw
    unit = Decimal(1).scaleb(-max(LEAST_PLACES, places_of(numbers)))
    xs = [snap(EXACT.multiply(x, Decimal(width)), unit * width) for x in numbers[0::2]]
    ys = [snap(EXACT.multiply(y, Decimal(height)), unit * height) for y in numbers[1::2]]
    polygon = " ".join(f"{plain(x)} {plain(y)}" for x, y in zip(xs, ys, strict=True))
    return (min(xs), min(ys), max(xs), max(ys)), 0.0, (("polygon", polygon),)


# -- what is where -------------------------------------------------------------------------------------


def _described(tree: Tree, key: str, problems: list[Problem]) -> dict[str, Value]:
    try:
        return parse_yaml(decode(read_bytes(tree.path(key)), key, problems))
    except (ValueError, LabelError) as error:
        reason = error.what if isinstance(error, LabelError) else str(error)
        raise LabelError(
            f"{key} cannot be read: {reason}",
            expected="entries such as train: images/train and names: [cat, dog]",
            remedy="write it in plain YAML, without anchors and tags",
        ) from error


def _names(described: dict[str, Value]) -> tuple[str, ...]:
    names = described.get("names", "")
    if isinstance(names, list):
        return tuple(names)
    if isinstance(names, dict):
        numbered = {int(key): name for key, name in names.items() if key.isascii() and key.isdigit()}
        if numbered and max(numbered) < 100_000:
            return tuple(numbered.get(i, str(i)) for i in range(max(numbered) + 1))
    return ()


def _places(
    tree: Tree,
    gallery: Gallery,
    described: dict[str, Value],
    yaml: str | None,
    problems: list[Problem],
) -> list[tuple[str, Split | None]]:
    """The pictures with their split: those that data.yaml names, else all, by the names of folders."""
    found: dict[str, Split | None] = {}
    base = clean_key(str(described.get("path") or ".")) or ""
    for word, value in described.items():
        split = split_of(word)
        if (split is None and word != UNSPLIT) or not value:
            continue
        for place in value if isinstance(value, list) else [str(value)]:
            keys = _listed(tree, gallery, base, place, problems)
            if not keys:
                reason = f"{word}: {place} holds no pictures, or lies outside the data set"
                repair = "mend the path; it is relative to the file, or to its path:"
                problems.append(Problem("folder-missing", "warning", yaml or "", reason, repair))
            for key in keys:
                earlier = found.setdefault(key, split)
                if earlier != split:
                    reason = f"{key} is in {earlier} and in {split}; it was kept in {earlier}"
                    repair = "remove it from one of the two"
                    problems.append(Problem("picture-twice", "error", yaml or key, reason, repair))
    if found:
        return list(found.items())
    return [(key, folder_split(key)) for key in gallery.keys]


def _listed(tree: Tree, gallery: Gallery, base: str, place: str, problems: list[Problem]) -> list[str]:
    """Keys of the pictures in a folder or on a list, tried as told, then without leading `../`."""
    bare = place.replace("\\", "/")
    while bare.startswith(("../", "./")):
        bare = bare.split("/", 1)[1]
    folders = {base, ""}
    for form in dict.fromkeys(
        f"{folder}/{one}" if folder else one for one in (place, bare) for folder in folders
    ):
        key = clean_key(form)
        if key is None and form.strip() in (".", "./"):
            return gallery.below("")
        if key is None:
            continue
        if key.lower().endswith(".txt") and key in tree.files:
            return _from_list(tree, gallery, key, base, problems)
        if keys := gallery.below(key):
            return keys
        if keys := gallery.below(f"{key}/images"):
            return keys
    return []


def _from_list(
    tree: Tree, gallery: Gallery, list_key: str, base: str, problems: list[Problem]
) -> list[str]:
    found = []
    here = str(PurePosixPath(list_key).parent).removeprefix(".")
    try:
        text = decode(read_bytes(tree.path(list_key)), list_key, problems)
    except LabelError as error:
        problems.append(broken(list_key, None, error.what))
        return []
    for line, content in content_lines(text):
        key = gallery.named(content, (here, base, ""))
        if key is None:
            reason = f"there is no picture {content[:200]} in the data set"
            repair = "restore it, or remove the line"
            problems.append(Problem("picture-missing", "error", list_key, reason, repair, line=line))
        else:
            found.append(key)
    return found
