"""Boxes to files of any format: all or nothing, in a new folder; nothing of the user's is changed."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from striate.data.boxes.forms import FORMS, Form, Job, Placed
from striate.data.boxes.truth import Boxes
from striate.data.boxes.write_coco import write_coco
from striate.data.boxes.write_lines import write_dota, write_yolo, write_yolo_obb
from striate.data.boxes.write_markup import write_dlib, write_voc
from striate.data.boxes.write_table import write_table
from striate.data.dataset import Dataset, Record
from striate.data.naming import class_name
from striate.data.origins import FileOrigin
from striate.data.scenes.origin import SceneOrigin
from striate.errors import DiskError, LabelError, PictureError, UnknownNameError, UsageError
from striate.pictures.formats import is_picture_name
from striate.pictures.read import probe
from striate.pictures.sources import shown_name
from striate.pictures.write import to_bytes
from striate.types import Problem, SizeHW

__all__ = ["Pictures", "Written", "write_boxes"]

Pictures = Literal["copy", "link", "none"]

_WRITERS: Mapping[Form, Callable[[Job], None]] = {
    "coco": write_coco,
    "yolo": write_yolo,
    "voc": write_voc,
    "csv": write_table,
    "dlib": write_dlib,
    "yolo-obb": write_yolo_obb,
    "dota": write_dota,
}


@dataclass(frozen=True, slots=True)
class Written:
    """What `write_boxes` wrote. `left`: how often what the format cannot carry. `problems`: left out."""

    folder: Path
    pictures: int
    boxes: int
    left: Mapping[str, int]
    problems: tuple[Problem, ...]


def write_boxes(
    dataset: Dataset[Boxes],
    folder: Path | str,
    *,
    to: Form,
    pictures: Pictures = "copy",
    on_progress: Callable[[int], None] | None = None,
) -> Written:
    """Write `dataset` in the format `to` into `folder`, which must be new or empty.

    `pictures`: copied, linked (hard links: no second copy on the disk, and whoever changes one changes
    both), or not written. Numbers are written so that reading them gives the same to the last bit. The
    folder appears when it is complete. `on_progress` is told how many pictures are done.

    A `UsageError` for a folder that is not empty, a `LabelError` for turned boxes where the format has
    none and for class names that it cannot hold, a `DiskError` where the disk refuses.
    """
    if to not in FORMS:
        raise UnknownNameError("format of boxes", to, FORMS)
    target = Path(folder)
    _check(dataset, to, target)
    problems: list[Problem] = []
    placed = _place(dataset.records, problems)
    names = tuple(dict.fromkeys([*dataset.names, *(b.label for p in placed for b in p.boxes)]))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise _trouble(target, error) from error
    try:
        put = _Putter(work, pictures, on_progress)
        job = Job(work, placed, names, put)
        _WRITERS[to](job)
        work.chmod(0o755)
        if target.exists():
            target.rmdir()
        work.rename(target)
    except OSError as error:
        raise _trouble(target, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    left = _left(placed, to) | job.left
    return Written(target, len(placed), sum(len(one.boxes) for one in placed), left, tuple(problems))


def _check(dataset: Dataset[Boxes], to: Form, target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(
            f"{shown_name(target)} is not an empty folder",
            expected="a folder that does not exist yet, or an empty one",
            remedy="choose another; existing files are never changed",
        )
    shape = FORMS[to]
    if not shape.angles:
        _refuse_turned(dataset, to)
    for name in dict.fromkeys(
        [*dataset.names, *(box.label for record in dataset for box in record.target)]
    ):
        plain = name.isprintable() and name == name.strip() and not name.startswith(("#", "//"))
        if not name or (shape.plain_names and not plain) or not _encodes(name):
            raise LabelError(
                f"the class {name!r} cannot be written as {to}",
                expected="a name on one line that does not begin with a blank, # or //",
                remedy="rename the class, or write it as COCO (--to coco)",
            )


def _refuse_turned(dataset: Dataset[Boxes], to: Form) -> None:
    turned = [record.key for record in dataset if any(box.angle_deg for box in record.target)]
    if turned:
        raise LabelError(
            f"{len(turned)} pictures have turned boxes, such as {shown_name(turned[0])}; {to} has none",
            expected="upright boxes, or a format with angles",
            remedy="write four corners with --to yolo-obb or --to dota, or angles with --to csv",
        )


def _encodes(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


# -- pictures ------------------------------------------------------------------------------------------


def _place(records: Iterable[Record[Boxes]], problems: list[Problem]) -> list[Placed]:
    """Each picture with its size and a name that no other one has, not even without its ending."""
    found: list[Placed] = []
    taken: set[str] = set()
    for record in records:
        try:
            size_hw = _size(record)
        except PictureError as error:
            reason = f"the picture was left out, with its boxes: {error.reason}"
            problems.append(Problem("picture-unreadable", "error", record.key, reason, error.remedy))
            continue
        name = _free_name(record, taken)
        taken.add(name.rsplit(".", 1)[0].lower())
        found.append(Placed(record.origin, record.key, name, size_hw, record.split, record.target))
    return found


def _size(record: Record[Boxes]) -> SizeHW:
    if isinstance(record.origin, FileOrigin):
        return probe(record.origin.path).size_hw
    if isinstance(record.origin, SceneOrigin):
        return record.origin.settings.size_hw  # without drawing it
    height, width = record.origin.read().shape[:2]
    return int(height), int(width)


def _free_name(record: Record[Boxes], taken: set[str]) -> str:
    """A file name from the key that can be written in any format; with its folders where it must be."""
    path = PurePosixPath(class_name(record.key))
    ending = path.suffix if is_picture_name(path.name) else ".png"
    last = path.name.removesuffix(path.suffix) if is_picture_name(path.name) else path.name
    whole = str(path.parent / last).strip("/").replace("/", "-")
    stems = [_safe(last), _safe(whole)]
    for stem in stems:
        if stem.lower() not in taken:
            return stem + ending
    number = 2
    while f"{stems[1]}-{number}".lower() in taken:
        number += 1
    return f"{stems[1]}-{number}{ending}"


def _safe(stem: str) -> str:
    r"""`stem` without what a list, a table or a file system trips over.

    >>> _safe("# a\tb. "), _safe("cat, 1")
    ('_ a_b', 'cat, 1')
    """
    text = "".join(one if one.isprintable() and one not in '\\/:*?"<>|' else "_" for one in stem)
    text = re.sub(r"^[#\s.]|^//", "_", text).rstrip(" .")
    return text[:150] or "picture"


class _Putter:
    """Puts pictures into the folder that is being written."""

    def __init__(self, work: Path, how: Pictures, on_progress: Callable[[int], None] | None) -> None:
        self.work, self.how, self.on_progress = work, how, on_progress
        self.done = 0

    def __call__(self, picture: Placed, path: str) -> None:
        if self.how != "none":
            target = self.work / path
            target.parent.mkdir(parents=True, exist_ok=True)
            self._put(picture, target)
        self.done += 1
        if self.on_progress is not None:
            self.on_progress(self.done)

    def _put(self, picture: Placed, target: Path) -> None:
        if not isinstance(picture.origin, FileOrigin):
            target.write_bytes(to_bytes(picture.origin.read()))
            return
        source = os.path.realpath(picture.origin.path)
        if self.how == "link":
            try:
                os.link(source, target)
                return
            except OSError:
                pass  # another disk, or one that knows no links: a copy does the same
        shutil.copyfile(source, target)


def _left(placed: Iterable[Placed], to: Form) -> dict[str, int]:
    shape, found = FORMS[to], {"crowd": 0, "difficult": 0, "extras": 0}
    for picture in placed:
        for box in picture.boxes:
            found["crowd"] += box.crowd and not shape.crowd
            found["difficult"] += box.difficult and not shape.difficult
            extras: list[Any] = [name for name, _ in box.extras if name != "quad" or not shape.angles]
            found["extras"] += bool(extras) and not shape.extras
    return {name: count for name, count in found.items() if count}


def _trouble(folder: Path, error: OSError) -> DiskError:
    return DiskError(
        f"cannot write {shown_name(folder)}: {(error.strerror or str(error)).lower()}",
        remedy="free some space, or choose a folder that can be written",
    )
