"""Boxes from files: the layout is recognised, every statement judged, nothing dropped silently."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from striate.data.boxes.coco import read_coco
from striate.data.boxes.dlib import read_dlib
from striate.data.boxes.gallery import Gallery
from striate.data.boxes.layouts import LAYOUTS, Found, Layout, find_layouts, not_boxes, several
from striate.data.boxes.oriented import read_dota
from striate.data.boxes.said import Said
from striate.data.boxes.settle import settle
from striate.data.boxes.table import read_table
from striate.data.boxes.truth import Boxes
from striate.data.boxes.voc import read_voc
from striate.data.boxes.yolo import read_yolo, yaml_key
from striate.data.dataset import Dataset
from striate.data.named import find_embedded, noted
from striate.data.walk import Tree, walk
from striate.errors import LayoutError, UnknownNameError
from striate.pictures.sources import shown_name

__all__ = ["is_boxes", "read_boxes"]


def read_boxes(source: Path | str, *, layout: str | None = None, repair: bool = True) -> Dataset[Boxes]:
    """The pictures at `source`, each with its boxes; pictures without objects have none.

    `source`: a folder, an annotation file, or the name of an embedded set. `layout`: one of `LAYOUTS`;
    recognised if not given. `names` are the classes in the order of the format, else sorted. Splits are
    those of the format; None where it has none.

    With `repair`, flipped boxes are put right, boxes that reach outside are clipped, empty ones and
    copies left out; without, they stay as the file tells them, with everything else that it tells of
    them in `Box.extras`: for writing them again. All of it is told in `Dataset.problems`, with file and
    line.

    A `LayoutError` if there are no boxes, or if they could be read in several ways.
    """
    if layout is not None and layout not in LAYOUTS:
        raise UnknownNameError("layout of boxes", layout, LAYOUTS)
    if layout is None and (found := find_embedded(source)):
        if found.boxes is None:
            raise LayoutError(
                f"the embedded set {os.fspath(source)} has no boxes",
                expected="an embedded set with boxes (scenes), or a folder",
                remedy="use it for another task",
            )
        return noted(found.boxes(), source, embedded=True)
    path = Path(os.path.realpath(source))
    tree, named = _tree(path, source)
    gallery = Gallery(tree)
    chosen = _choose(tree, gallery, layout, named)
    said = _READERS[chosen.layout](tree, gallery, chosen)
    if not said.pictures and not said.problems:
        raise not_boxes(tree)
    return noted(settle(said, gallery, repair=repair), source, embedded=False)


def is_boxes(source: Path | str) -> bool:
    """Whether `source` is a folder or file of boxes, or an embedded set with nothing else."""
    if found := find_embedded(source):
        return found.boxes is not None and found.labels is None
    path = Path(os.path.realpath(source))
    if not path.is_dir() and path.suffix.lower() not in (".json", ".xml", ".yaml", ".yml"):
        return False
    try:
        tree, _ = _tree(path, source)
    except LayoutError:
        return False
    return bool(find_layouts(tree, Gallery(tree)))


def _tree(path: Path, source: Path | str) -> tuple[Tree, str | None]:
    """The folder to look in, and the key of the file that was named, if one was."""
    if path.is_dir():
        return walk(path), None
    if not path.is_file():
        there = "is a pipe, socket or device" if path.exists() else "does not exist"
        raise LayoutError(
            f"{shown_name(source)} {there}",
            expected="a folder with pictures and boxes, an annotation file, or an embedded set (scenes)",
            remedy="check the spelling",
        )
    above = path.parent
    if above.name.lower() in ("annotations", "labels", "annotation"):
        above = above.parent
    return walk(above), path.relative_to(above).as_posix()


def _choose(tree: Tree, gallery: Gallery, layout: str | None, named: str | None) -> Found:
    found = find_layouts(tree, gallery)
    if named is not None:
        suffix = os.path.splitext(named)[1].lower()  # noqa: PTH122
        if suffix in (".yaml", ".yml"):
            fitting = [Found(one.layout, (named,)) for one in found if one.layout.startswith("yolo")]
        else:
            fitting = [Found(one.layout, (named,)) for one in found if named in one.files]
        found = fitting
    for known in LAYOUTS:
        if known == layout:
            return next((one for one in found if one.layout == known), Found(known, _files(named)))
    if len(found) > 1:
        raise several(tree, found)
    if not found:
        raise not_boxes(tree)
    return found[0]


def _files(named: str | None) -> tuple[str, ...]:
    return (named,) if named is not None else ()


def _coco(tree: Tree, gallery: Gallery, found: Found) -> Said:
    return read_coco(tree, gallery, list(found.files))


def _voc(tree: Tree, gallery: Gallery, found: Found) -> Said:
    return read_voc(tree, gallery)


def _yolo(tree: Tree, gallery: Gallery, found: Found) -> Said:
    yaml = found.files[0] if found.files else yaml_key(tree)
    return read_yolo(tree, gallery, yaml=yaml, oriented=found.layout == "yolo-obb")


def _csv(tree: Tree, gallery: Gallery, found: Found) -> Said:
    return read_table(tree, gallery, list(found.files))


def _dlib(tree: Tree, gallery: Gallery, found: Found) -> Said:
    return read_dlib(tree, gallery, list(found.files))


def _dota(tree: Tree, gallery: Gallery, found: Found) -> Said:
    return read_dota(tree, gallery, list(found.files))


_READERS: dict[Layout, Callable[[Tree, Gallery, Found], Said]] = {
    "coco": _coco,
    "voc": _voc,
    "yolo": _yolo,
    "yolo-obb": _yolo,
    "csv": _csv,
    "dlib": _dlib,
    "dota": _dota,
}
