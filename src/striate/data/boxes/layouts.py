"""Which layout a folder is in, told by the files that are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from striate.data.boxes.coco import coco_files
from striate.data.boxes.dlib import dlib_files
from striate.data.boxes.gallery import Gallery
from striate.data.boxes.markup import parse
from striate.data.boxes.oriented import dota_files
from striate.data.boxes.table import box_tables
from striate.data.boxes.text import content_lines, read_bytes
from striate.data.boxes.voc import voc_files
from striate.data.boxes.yolo import NOT_LABELS, label_key, yaml_key
from striate.data.walk import Tree, kinds_seen
from striate.errors import LabelError, LayoutError
from striate.pictures.sources import shown_name

__all__ = ["LAYOUTS", "Found", "Layout", "find_layouts", "not_boxes", "several"]

Layout = Literal["coco", "yolo", "voc", "csv", "dlib", "yolo-obb", "dota"]
LAYOUTS: Mapping[Layout, str] = {
    "coco": "COCO JSON (annotations/instances_train.json, train/_annotations.coco.json)",
    "yolo": "YOLO (data.yaml, images/train, labels/train)",
    "voc": "Pascal VOC (Annotations, JPEGImages, ImageSets/Main)",
    "csv": "a table with a row a box (path, xmin, ymin, xmax, ymax, label)",
    "dlib": "dlib's XML (training.xml with <image file=…><box top=…>)",
    "yolo-obb": "YOLO with four corners a line",
    "dota": "DOTA (labelTxt with x1 y1 … x4 y4 category difficult)",
}
SAMPLE = 50


@dataclass(frozen=True, slots=True)
class Found:
    """A layout that the folder is in, and the files that tell so, by key."""

    layout: Layout
    files: tuple[str, ...]


def find_layouts(tree: Tree, gallery: Gallery) -> list[Found]:
    """All layouts that `tree` could be read as."""
    found: list[Found] = []
    if files := coco_files(tree):
        found.append(Found("coco", tuple(files)))
    voc, dlib = _xml_kinds(tree)
    if voc:
        found.append(Found("voc", tuple(voc_files(tree))))
    if dlib:
        found.append(Found("dlib", tuple(dlib_files(tree))))
    if files := dota_files(tree):
        found.append(Found("dota", tuple(files)))
    elif layout := _yolo_kind(tree, gallery):
        found.append(Found(layout, ()))
    if tables := box_tables(tree, gallery):
        found.append(Found("csv", tuple(tables)))
    return found


def _xml_kinds(tree: Tree) -> tuple[bool, bool]:
    """Whether there are VOC files, and dlib files, among the first XML files."""
    kinds = set()
    files = [key for key in tree.files if key.lower().endswith(".xml")]
    for key in files[:SAMPLE]:
        try:
            data = read_bytes(tree.path(key))
            kinds.add("voc" if b"<annotation" in data[:4096] else parse(data).tag)
        except (ValueError, LabelError):
            continue
    return "voc" in kinds, "dataset" in kinds


def _yolo_kind(tree: Tree, gallery: Gallery) -> Layout | None:
    """YOLO, with upright or with turned boxes, if there is a data.yaml or label files to pictures."""
    files = set(tree.files)
    labels = [label for key in gallery.keys if (label := label_key(key)) in files]
    labels = [label for label in labels if PurePosixPath(label).name not in NOT_LABELS]
    counts: set[int] = set()
    for label in labels[:SAMPLE]:
        try:
            text = read_bytes(tree.path(label)).decode("utf-8", "replace")
        except LabelError:
            continue
        for _, content in content_lines(text):
            counts.add(_numbers_in(content))
    if not labels or not counts - {0, 5, 9}.difference({5, 9}):
        return "yolo" if yaml_key(tree) else None
    if counts <= {0}:
        return "yolo" if yaml_key(tree) else None
    return "yolo-obb" if counts - {0} == {9} else "yolo"


def _numbers_in(line: str) -> int:
    """How many numbers a line consists of; 0 if it holds a word."""
    words = line.replace(",", " ").split()
    try:
        return len([float(word) for word in words])
    except ValueError:
        return 0


def not_boxes(tree: Tree) -> LayoutError:
    """The error for a folder in no layout."""
    return LayoutError(
        f"{shown_name(tree.root)} has no boxes that are understood; it holds {kinds_seen(tree.files)}",
        expected="; ".join(LAYOUTS.values()),
        remedy="name the folder that holds both pictures and labels",
    )


def several(tree: Tree, found: list[Found]) -> LayoutError:
    """The error for a folder in more than one layout."""
    told = "; ".join(
        f"{one.layout} ({shown_name(one.files[0])})" if one.files else one.layout for one in found
    )
    return LayoutError(
        f"{shown_name(tree.root)} can be read in {len(found)} ways: {told}",
        expected="labels in one layout",
        remedy="name the file or the folder that is meant, or say the layout (--layout)",
    )
