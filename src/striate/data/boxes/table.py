"""Tables: a row a box, with the picture, four numbers and the class.

    path,xmin,ymin,xmax,ymax,label[,split]     or     path,x,y,width,height,label

Without a header: path, left, top, right, bottom, class. A row with no numbers is a picture without
objects. Edges are pixels from the upper left edge; if no number of the table is above 1, shares of the
picture.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePosixPath

from striate.data.boxes.gallery import Gallery
from striate.data.boxes.numbers import EXACT, Box4, float_sum, read_number, turn_of
from striate.data.boxes.said import Said, SaidBox, SaidPicture, broken
from striate.data.boxes.sources import UNSPLIT, file_split
from striate.data.boxes.text import COMMENTS, decode, read_bytes
from striate.data.naming import split_of
from striate.data.walk import Tree
from striate.errors import LabelError, LayoutError, PictureError
from striate.pictures.formats import is_picture_name
from striate.pictures.sources import shown_name
from striate.types import Problem, SizeHW

__all__ = ["CLASSES", "EXTRAS", "box_tables", "read_table"]

CLASSES = "classes.csv"
"""Beside the table: class name and number in each row, in the order of the classes."""
EXTRAS = "extras"
"""The column with everything else that is known of a box, as a JSON object."""

PATHS = (
    *("path", "filename", "file_name", "image", "image_path", "file", "filepath", "img", "img_path"),
    *("image_name", "image_id", "imageid", "picture", "photo"),
)
LABELS = ("label", "class", "class_name", "labels", "category", "name", "labelname", "label_name")
EDGES = (
    ("xmin", "ymin", "xmax", "ymax"),
    ("x1", "y1", "x2", "y2"),
    ("x0", "y0", "x1", "y1"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("left", "top", "right", "bottom"),
    ("bbox_xmin", "bbox_ymin", "bbox_xmax", "bbox_ymax"),
)
EXTENTS = (
    ("x", "y", "width", "height"),
    ("x", "y", "w", "h"),
    ("left", "top", "width", "height"),
    ("xmin", "ymin", "width", "height"),
    ("bbox_x", "bbox_y", "bbox_width", "bbox_height"),
)
SAMPLE = 50


@dataclass(frozen=True, slots=True)
class _Columns:
    """Positions of the columns; -1 where there is none. `extents`: places are x, y, width, height."""

    path: int
    places: tuple[int, int, int, int]
    extents: bool
    label: int
    by_name: Mapping[str, int]
    headless: bool = False


@dataclass(frozen=True, slots=True)
class _Sheet:
    key: str
    columns: _Columns
    rows: tuple[tuple[int, list[str]], ...]


def box_tables(tree: Tree, gallery: Gallery) -> list[str]:
    """The tables of `tree` with boxes of pictures that are there; those named after splits, if any."""
    found = []
    for key in tree.files:
        if not key.lower().endswith((".csv", ".tsv")) or PurePosixPath(key).name == CLASSES:
            continue
        try:
            sheet = _sheet(tree, key, [])
        except (LabelError, ValueError):
            continue
        finder = _finder(gallery, key)
        sample = [cells[sheet.columns.path] for _, cells in sheet.rows[:SAMPLE]]
        if any(finder(cell) for cell in sample):
            found.append(key)
    return [key for key in found if file_split(key)] or found


def read_table(tree: Tree, gallery: Gallery, files: list[str]) -> Said:
    """What the tables `files` say."""
    if len(files) > 1 and not all(file_split(key) for key in files):
        shown = ", ".join(map(shown_name, files))
        raise LayoutError(
            f"{shown_name(tree.root)} has several tables with boxes: {shown}",
            expected="one table, or train.csv, val.csv and test.csv",
            remedy=f"name the one that is meant, for example {shown_name(files[0])}",
        )
    said = Said(tree.root, "", problems=list(tree.problems))
    words = []
    for key in files:
        words.append(_read_one(tree, gallery, key, said))
    said.names = _names(tree, files, said.problems)
    said.layout = f"table of boxes ({', '.join(words)})"
    return said


def _read_one(tree: Tree, gallery: Gallery, key: str, said: Said) -> str:
    try:
        sheet = _sheet(tree, key, said.problems)
    except ValueError as error:
        said.problems.append(broken(key, None, str(error), "write a header and a row a box"))
        return key
    except LabelError as error:
        said.problems.append(broken(key, None, error.what, error.remedy or "restore it"))
        return key
    reader = _Rows(gallery, key, sheet.columns, said, _in_shares(sheet))
    for line, cells in sheet.rows:
        reader.read(line, cells)
    said.pictures += reader.pictures.values()
    kind = "x, y, width, height" if sheet.columns.extents else "edges"
    return f"{key}: {kind}{' as shares' if reader.shares else ''}"


class _Rows:
    """The rows of one table, gathered by picture."""

    def __init__(self, gallery: Gallery, key: str, columns: _Columns, said: Said, shares: bool) -> None:
        self.key, self.columns, self.said, self.shares = key, columns, said, shares
        self.gallery, self.split = gallery, file_split(key)
        self.pictures: dict[str, SaidPicture] = {}
        self._find = _finder(gallery, key)

    def read(self, line: int, cells: list[str]) -> None:
        name = cells[self.columns.path]
        key = self._find(name)
        if key is None:
            reason = f"there is no picture {name[:200] or 'in this row'} in the data set"
            repair = "mend the path, which is relative to the table, or remove the row"
            self._tell("picture-missing", line, reason, repair)
            return
        picture = self._picture(key, line, cells)
        places = [cells[i].strip() for i in self.columns.places]
        if not any(places):
            return  # no object
        try:
            picture.boxes.append(self._box(places, line, cells, key))
        except ValueError as error:
            self.said.problems.append(broken(self.key, line, str(error)))

    def _picture(self, key: str, line: int, cells: list[str]) -> SaidPicture:
        word = self._cell(cells, "split")
        split = split_of(word) if word else self.split
        if word and split is None and word != UNSPLIT:
            reason = f"{word[:40]!r} is no split; the picture is in none"
            self._tell("split-unknown", line, reason, "write train, validation or test")
        if key not in self.pictures:
            stated = None if self.columns.extents else self._stated(cells)
            path = self.gallery.path(key)
            self.pictures[key] = SaidPicture(key, path, split, self.key, line, stated)
        elif self.pictures[key].split != split:
            first = self.pictures[key]
            reason = f"{key} is in {first.split} in line {first.line}, and here in {split}"
            self._tell("picture-twice", line, reason, "give all its rows one split")
        return self.pictures[key]

    def _stated(self, cells: list[str]) -> SizeHW | None:
        try:
            height, width = (int(read_number(self._cell(cells, one))) for one in ("height", "width"))
        except ValueError:
            return None
        return (height, width) if height > 0 and width > 0 else None

    def _box(self, places: Sequence[str], line: int, cells: list[str], key: str) -> SaidBox:
        label = cells[self.columns.label].strip() if self.columns.label >= 0 else "object"
        if not label:
            raise ValueError("the class is blank")
        numbers = [read_number(place) for place in places]
        if self.shares:
            numbers = _pixels(numbers, self.gallery, key)
        angle = self._cell(cells, "angle")
        return SaidBox(
            label,
            _edges(numbers, extents=self.columns.extents),
            self.key,
            line,
            "the box",
            angle_deg=turn_of(read_number(angle)) if angle else 0.0,
            crowd=_yes(self._cell(cells, "crowd")),
            difficult=_yes(self._cell(cells, "difficult")),
            extras=_extras(self._cell(cells, EXTRAS)),
        )

    def _cell(self, cells: list[str], name: str) -> str:
        at = self.columns.by_name.get(name, -1)
        return cells[at].strip() if at >= 0 else ""

    def _tell(self, kind: str, line: int, reason: str, repair: str) -> None:
        self.said.problems.append(Problem(kind, "error", self.key, reason, repair, line=line))


def _finder(gallery: Gallery, table: str) -> Callable[[str], str | None]:
    here = str(PurePosixPath(table).parent).removeprefix(".")
    folders = [here, "", *(f"{here}/{one}" if here else one for one in ("images", "JPEGImages"))]

    def find(cell: str) -> str | None:
        found = gallery.named(cell, folders)
        if found is None and cell.strip() and not is_picture_name(cell):
            found = gallery.with_stem(PurePosixPath(cell.strip()).name, folders)
        return found

    return find


def _edges(numbers: Sequence[Decimal], *, extents: bool) -> Box4:
    a, b, c, d = numbers
    if extents:
        return float(a), float(b), float_sum(a, c), float_sum(b, d)
    return float(a), float(b), float(c), float(d)


def _pixels(numbers: Sequence[Decimal], gallery: Gallery, key: str) -> list[Decimal]:
    info = gallery.info(key)
    if isinstance(info, PictureError):
        raise ValueError(f"the picture cannot be measured: {info.reason}")
    height, width = info.size_hw
    scales = (width, height, width, height)
    return [
        EXACT.multiply(number, Decimal(scale)) for number, scale in zip(numbers, scales, strict=True)
    ]


def _in_shares(sheet: _Sheet) -> bool:
    """Whether no number is above 1, and one is no whole number."""
    fractions = False
    for _, cells in sheet.rows:
        for at in sheet.columns.places:
            text = cells[at].strip()
            if not text:
                continue
            try:
                value = read_number(text)
            except ValueError:
                continue
            if not 0 <= value <= 1:
                return False
            fractions = fractions or value not in (0, 1)
    return fractions


def _yes(text: str) -> bool:
    return text.lower() in ("1", "true", "yes", "1.0")


def _extras(text: str) -> tuple[tuple[str, str], ...]:
    if not text:
        return ()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return ((EXTRAS, text),)
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        return ((EXTRAS, text),)
    return tuple(found.items())


# -- rows and columns ----------------------------------------------------------------------------------


def _sheet(tree: Tree, key: str, problems: list[Problem]) -> _Sheet:
    """The rows of a table of boxes; a `ValueError` if it is none."""
    text = decode(read_bytes(tree.path(key)), key, problems)
    rows = _rows(text, "\t" if key.lower().endswith(".tsv") else _delimiter(text))
    if not rows:
        raise ValueError("it is empty")
    columns = _headless(rows[0][1]) or _columns([cell.strip() for cell in rows[0][1]])
    body = rows if columns.headless else rows[1:]
    width = len(rows[0][1])
    kept = []
    for line, cells in body:
        if len(cells) == width or (len(cells) > width and not any(cells[width:])):
            kept.append((line, cells[:width]))
            continue
        reason = f"the row has {len(cells)} cells, the first {width}"
        problems.append(broken(key, line, reason, "add the missing cells, or mend quotation marks"))
    return _Sheet(key, columns, tuple(kept))


def _rows(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """(line, cells) of rows that say something; comments are left out, and still count as lines."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd").split("\n")
    quiet = "\n".join("" if line.lstrip().startswith(COMMENTS) else line for line in lines)
    reader, found, last = csv.reader(io.StringIO(quiet, newline=""), delimiter=delimiter), [], 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found.append((last + 1, cells))
            last = reader.line_num
    except csv.Error as error:
        raise ValueError(f"line {last + 1} cannot be read ({error})") from error
    return found


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t|", key=first.count)


def _headless(cells: Sequence[str]) -> _Columns | None:
    """Columns of a table that begins with a picture: path, four numbers, class."""
    if len(cells) < 5 or not is_picture_name(cells[0].strip() or "x"):
        return None
    try:
        for cell in cells[1:5]:
            if cell.strip():
                read_number(cell)
    except ValueError:
        return None
    return _Columns(0, (1, 2, 3, 4), False, 5 if len(cells) > 5 else -1, {}, headless=True)


def _columns(header: Sequence[str]) -> _Columns:
    at = {name.lower(): i for i, name in reversed(list(enumerate(header)))}
    path = next((at[name] for name in PATHS if name in at), -1)
    label = next((at[name] for name in LABELS if name in at and at[name] != path), -1)
    if path < 0:
        raise ValueError("it has no column of paths, such as path or filename")
    for names in (*EDGES, *EXTENTS):
        if all(name in at for name in names):
            a, b, c, d = (at[name] for name in names)
            return _Columns(path, (a, b, c, d), names in EXTENTS, label, at)
    raise ValueError("it has no columns of edges, such as xmin, ymin, xmax, ymax")


def _names(tree: Tree, files: Sequence[str], problems: list[Problem]) -> tuple[str, ...]:
    """The classes of classes.csv, in its order; none without it."""
    for folder in dict.fromkeys(str(PurePosixPath(key).parent) for key in files):
        key = CLASSES if folder == "." else f"{folder}/{CLASSES}"
        if key not in tree.files:
            continue
        try:
            rows = _rows(decode(read_bytes(tree.path(key)), key, problems), ",")
        except (LabelError, ValueError):
            return ()
        numbered = [(cells[1].strip() if len(cells) > 1 else "", cells[0].strip()) for _, cells in rows]
        if all(number.isascii() and number.isdigit() for number, _ in numbered):
            numbered.sort(key=lambda one: int(one[0]))
        return tuple(dict.fromkeys(name for number, name in numbered if name and number != "id"))
    return ()
