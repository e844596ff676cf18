"""COCO JSON: pictures, annotations and categories in one file a split.

`bbox` is left, top, width, height in pixels from the upper left edge: x + w is the right edge. Pictures
without annotations are pictures without objects.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from striate.data.boxes.gallery import Gallery
from striate.data.boxes.numbers import Box4, decimal_of, float_sum
from striate.data.boxes.said import Said, SaidBox, SaidPicture, broken
from striate.data.boxes.sources import file_split
from striate.data.boxes.text import decode, read_bytes
from striate.data.walk import Tree
from striate.errors import LabelError
from striate.types import Problem, SizeHW, Split

__all__ = ["EXACT_BOX", "coco_files", "read_coco"]

EXACT_BOX = "box_xyxy"
"""Beside `bbox` where its sums, rounded, would miss the last bit of an edge."""

NEEDED = ("images", "annotations")
TOLD_APART = frozenset({"id", "image_id", "category_id", "bbox", "iscrowd", "difficult", EXACT_BOX})
SNIFF_BYTES = 2**16
PICTURE_FOLDERS = ("images", "JPEGImages", "pictures", "imgs", "data")


def coco_files(tree: Tree) -> list[str]:
    """The JSON files of `tree` that hold COCO boxes; of several kinds those called instances."""
    keys = [key for key in tree.files if key.lower().endswith(".json")]
    instances = [key for key in keys if PurePosixPath(key).name.startswith("instances_")]
    return instances or [key for key in keys if _looks_like(tree.path(key))]


def _looks_like(path: str) -> bool:
    try:
        data = read_bytes(path)
    except LabelError:
        return False
    words = (b'"images"', b'"annotations"', b'"bbox"')
    return all(word in data for word in words) or _empty_coco(data)


def _empty_coco(data: bytes) -> bool:
    """Whether a small file holds pictures and categories, and no boxes at all."""
    words = (b'"images"', b'"annotations"', b'"categories"', b'"file_name"')
    return len(data) < SNIFF_BYTES * 16 and all(word in data for word in words)


def read_coco(tree: Tree, gallery: Gallery, files: list[str]) -> Said:
    """What the COCO `files` of `tree` say."""
    said = Said(tree.root, "COCO JSON", problems=list(tree.problems))
    names: dict[str, None] = {}
    for key in files:
        split = file_split(key)
        reader = _File(tree, gallery, said, key, split)
        reader.read()
        names.update(dict.fromkeys(reader.names))
    said.names = tuple(names)
    shown = ", ".join(files[:4]) + (", …" if len(files) > 4 else "")
    said.layout = f"COCO JSON ({shown})"
    return said


@dataclass(slots=True)
class _Element:
    """An element of one of the lists, and where in the text it begins."""

    value: Any
    offset: int


@dataclass(slots=True)
class _File:
    tree: Tree
    gallery: Gallery
    said: Said
    key: str
    split: Split | None
    names: list[str] = field(default_factory=list)
    _breaks: list[int] = field(default_factory=list)

    def read(self) -> None:
        try:
            text = decode(read_bytes(self.tree.path(self.key)), self.key, self.said.problems)
            lists = dict(_top_lists(text))
        except LabelError as error:
            self._broken(None, error.what)
            return
        except (ValueError, RecursionError) as error:
            self._broken(getattr(error, "lineno", None), f"it is no COCO JSON ({_words(error)})")
            return
        missing = [name for name in NEEDED if name not in lists]
        if missing:
            self._broken(None, f"it has no list called {' or '.join(missing)}")
            return
        self._breaks = _line_breaks(text)
        categories = self._categories(lists.get("categories", []))
        pictures = self._pictures(lists["images"])
        self._annotations(lists["annotations"], categories, pictures)

    def line(self, element: _Element) -> int:
        """The line on which the element begins."""
        return bisect_right(self._breaks, element.offset) + 1

    def _broken(self, line: int | None, reason: str) -> None:
        self.said.problems.append(broken(self.key, line, reason, "mend it, or write it again"))

    def _categories(self, elements: list[_Element]) -> dict[int | str, str]:
        found: dict[int | str, str] = {}
        for element in elements:
            try:
                number = _id(_field(element, "id"))
                name = _whole_text(str(_field(element, "name"))).strip()
                if not name:
                    raise ValueError("its name is blank")
            except ValueError as error:
                self._broken(self.line(element), f"a category is wrong: {error}")
                continue
            if number in found:
                reason = f"category id {number} is there twice: {found[number]} and {name}"
                self._tell("class-duplicate", "error", element, reason, "give each its own id")
                continue
            found[number] = name
        self.names = list(dict.fromkeys(found[number] for number in found))
        return found

    def _pictures(self, elements: list[_Element]) -> dict[int | str, SaidPicture | None]:
        """Pictures by id; None for one that is missing, which has been told."""
        found: dict[int | str, SaidPicture | None] = {}
        for element in elements:
            try:
                number, name = _id(_field(element, "id")), str(_field(element, "file_name"))
            except ValueError as error:
                self._broken(self.line(element), f"a picture is wrong: {error}")
                continue
            if number in found:
                reason = f"picture id {number} is there twice ({name}); the second is left out"
                self._tell("picture-twice", "error", element, reason, "give each picture its own id")
                continue
            key = self.gallery.named(name, self._folders())
            found[number] = None
            if key is None:
                reason = f"there is no picture {name} in the data set"
                repair = "restore it, or remove it and its annotations"
                self._tell("picture-missing", "error", element, reason, repair)
                continue
            size = _stated(element.value)
            picture = SaidPicture(
                key, self.tree.path(key), self.split, self.key, self.line(element), size
            )
            found[number] = picture
            self.said.pictures.append(picture)
        return found

    def _folders(self) -> list[str]:
        """Where the pictures of this file may lie, the likeliest first."""
        here = str(PurePosixPath(self.key).parent).removeprefix(".")
        above = str(PurePosixPath(here).parent).removeprefix(".") if here else ""
        stem = PurePosixPath(self.key).stem
        words = [stem, stem.split("_")[-1]]
        if self.split:
            words += [self.split, {"validation": "val"}.get(self.split, self.split)]
        bases = list(dict.fromkeys((here, above, "")))
        inner = [*words, *PICTURE_FOLDERS]
        inner += [f"{folder}/{word}" for folder in PICTURE_FOLDERS for word in words]
        own = [*words, *(f"{folder}/{word}" for folder in PICTURE_FOLDERS for word in words)]
        if self.split and here and file_split(f"{here}/x") is not None:
            own = []  # the folder of the file is that of the split
        joined = [f"{base}/{one}" if base else one for base in bases for one in own]
        return list(
            dict.fromkeys(
                [*joined, *bases, *(f"{base}/{one}" if base else one for base in bases for one in inner)]
            )
        )

    def _annotations(
        self,
        elements: list[_Element],
        categories: Mapping[int | str, str],
        pictures: Mapping[int | str, SaidPicture | None],
    ) -> None:
        seen: set[int | str] = set()
        for number, element in enumerate(elements, 1):
            try:
                what = f"annotation {_named(element.value, number)}"
                picture_id = _id(_field(element, "image_id"))
                if picture_id not in pictures:
                    raise ValueError(f"{what}: there is no picture with id {picture_id}")
                picture = pictures[picture_id]
                category = _id(_field(element, "category_id"))
                if category not in categories:
                    reason = f"{what}: there is no category with id {category}; it is left out"
                    self._tell("class-unknown", "error", element, reason, "add the category, or mend it")
                    continue
                box = _box(element.value, categories[category], self.key, self.line(element), what)
            except ValueError as error:
                self._broken(self.line(element), str(error))
                continue
            own = element.value.get("id")
            if isinstance(own, int | str):
                if own in seen:
                    reason = f"{what}: the id is there already; both are read"
                    self._tell("id-duplicate", "warning", element, reason, "give each its own id")
                seen.add(own)
            if picture is not None:
                picture.boxes.append(box)

    def _tell(self, kind: str, severity: Any, element: _Element, reason: str, repair: str) -> None:
        line = self.line(element)
        self.said.problems.append(Problem(kind, severity, self.key, reason, repair, line=line))


def _box(value: Mapping[str, Any], label: str, file: str, line: int, what: str) -> SaidBox:
    try:
        edges = _edges(value)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None
    extras = tuple(
        (str(name), _as_text(value[name]))
        for name in value
        if name not in TOLD_APART and not _usual(name, value)
    )
    return SaidBox(
        label,
        edges,
        file,
        line,
        what,
        crowd=bool(value.get("iscrowd")),
        difficult=bool(value.get("difficult")),
        extras=extras,
    )


def _usual(name: str, value: Mapping[str, Any]) -> bool:
    """Whether a field only repeats what the box tells, or is empty."""
    if name == "segmentation":
        return not value[name]
    if name != "area":
        return False
    try:
        *_, width, height = _four(value["bbox"], "bbox")
        return float(width) * float(height) == float(decimal_of(value[name]))
    except (KeyError, ValueError):
        return False


def _as_text(value: object) -> str:
    """JSON; a word that is no JSON stays as it is, so that what was JSON can be told from it."""
    if isinstance(value, str):
        try:
            json.loads(value)
        except (ValueError, RecursionError):
            return value
    return json.dumps(value, ensure_ascii=False)


def _edges(value: Mapping[str, Any]) -> Box4:
    if (exact := value.get(EXACT_BOX)) is not None:
        x0, y0, x1, y1 = (float(number) for number in _four(exact, EXACT_BOX))
        return x0, y0, x1, y1
    if "bbox" not in value:
        raise ValueError("it has no bbox")
    x, y, width, height = _four(value["bbox"], "bbox")
    return float(x), float(y), float_sum(x, width), float_sum(y, height)


def _four(value: object, name: str) -> list[Any]:
    if not isinstance(value, list) or len(value) != 4:
        raise ValueError(f"its {name} is not a list of four numbers")
    return [decimal_of(one) for one in value]


def _field(element: _Element, name: str) -> Any:
    if not isinstance(element.value, dict):
        raise ValueError("it is no JSON object")
    if element.value.get(name) is None:
        raise ValueError(f"it has no {name}")
    return element.value[name]


def _id(value: object) -> int | str:
    """A number or word by which something is named; whole floats are numbers."""
    if isinstance(value, float) and value == value // 1:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"{str(value)[:40]!r} is no id")
    return value


def _whole_text(text: str) -> str:
    """`text` with half characters, which JSON can hold and nothing else can, escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _named(value: Any, number: int) -> str:
    own = value.get("id") if isinstance(value, dict) else None
    return f"id {own}" if isinstance(own, int | str) else f"number {number}"


def _stated(value: Mapping[str, Any]) -> SizeHW | None:
    try:
        height, width = (int(decimal_of(value.get(name))) for name in ("height", "width"))
    except ValueError:
        return None
    return (height, width) if height > 0 and width > 0 else None


# -- JSON with places ----------------------------------------------------------------------------------


def _top_lists(text: str) -> Iterator[tuple[str, list[_Element]]]:
    """The lists of the outermost object by name, elements with their place; other values are skipped."""
    decoder = json.JSONDecoder()
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        raise ValueError("it does not begin with {")
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        name, at = decoder.raw_decode(text, at)
        at = _skip(text, at)
        if not isinstance(name, str) or text[at : at + 1] != ":":
            raise json.JSONDecodeError("a name and a colon were expected", text, at)
        at = _skip(text, at + 1)
        if text[at : at + 1] == "[":
            elements, at = _elements(decoder, text, at)
            yield name, elements
        else:
            _, at = decoder.raw_decode(text, at)
        at = _after(text, at, "}")


def _elements(decoder: json.JSONDecoder, text: str, at: int) -> tuple[list[_Element], int]:
    found: list[_Element] = []
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        value, end = decoder.raw_decode(text, at)
        found.append(_Element(value, at))
        at = _after(text, end, "]")
    return found, at + 1


def _after(text: str, at: int, end: str) -> int:
    """Where the next value begins, or the `end` sign stands."""
    at = _skip(text, at)
    if text[at : at + 1] == ",":
        return _skip(text, at + 1)
    if text[at : at + 1] != end:
        raise json.JSONDecodeError(f"a comma or {end} was expected", text, at)
    return at


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\n", "\r", "\t", "\ufeff") and at < len(text):
        at += 1
    return at


def _line_breaks(text: str) -> list[int]:
    found, at = [], text.find("\n")
    while at >= 0:
        found.append(at)
        at = text.find("\n", at + 1)
    return found


def _words(error: Exception) -> str:
    return "nested too deep" if isinstance(error, RecursionError) else str(error)[:120]
