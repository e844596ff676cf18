"""dlib's XML, as imglab writes it: images with boxes in one file a split.

    <dataset><images><image file="a.jpg"><box top="74" left="112" width="77" height="77"/></image>

The right edge is left + width. `ignore` marks what is neither right nor wrong to find; a label is an
element inside the box, without it the class is "object".
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import PurePosixPath

from striate.data.boxes.gallery import Gallery
from striate.data.boxes.markup import Node, parse
from striate.data.boxes.numbers import float_sum, read_number
from striate.data.boxes.said import Said, SaidBox, SaidPicture, broken
from striate.data.boxes.sources import file_split, names_file
from striate.data.boxes.text import read_bytes
from striate.data.walk import Tree
from striate.errors import LabelError
from striate.types import Problem, Split

__all__ = ["NO_LABEL", "dlib_files", "read_dlib"]

NO_LABEL = "object"
"""The class of boxes without a label."""

PLACE = ("left", "top", "width", "height")
TOLD_APART = frozenset({*PLACE, "ignore", "difficult", "angle"})


def dlib_files(tree: Tree) -> list[str]:
    """The XML files of `tree` with dlib's images."""
    return [key for key in tree.files if key.lower().endswith(".xml") and _root(tree, key) == "dataset"]


def _root(tree: Tree, key: str) -> str:
    try:
        return parse(read_bytes(tree.path(key))).tag
    except (ValueError, LabelError):
        return ""


def read_dlib(tree: Tree, gallery: Gallery, files: list[str]) -> Said:
    """What dlib's XML `files` say; of several about the same split, the one with the shortest name."""
    said = Said(tree.root, "dlib XML", problems=list(tree.problems))
    said.names = names_file(tree, said.problems)
    used: dict[tuple[str, Split | None], str] = {}
    order = {"train": 0, "validation": 1, "test": 2, None: 3}
    by_name = sorted(files or dlib_files(tree), key=lambda one: (len(one), one))
    for key in sorted(by_name, key=lambda one: order[file_split(one)]):
        place = (str(PurePosixPath(key).parent), file_split(key))
        if place in used and place[1] is not None:
            reason = f"{key} tells of the same pictures as {used[place]}, and was not read"
            repair = "name the file that is meant"
            said.problems.append(Problem("file-not-read", "note", key, reason, repair))
            continue
        used[place] = key
        _read_file(said, gallery, key, place[1])
    said.layout = f"dlib XML ({', '.join(used.values())})"
    return said


def _read_file(said: Said, gallery: Gallery, key: str, split: Split | None) -> None:
    try:
        root = parse(read_bytes(gallery.path(key)))
    except (ValueError, LabelError) as error:
        reason = error.what if isinstance(error, LabelError) else str(error)
        said.problems.append(broken(key, None, reason))
        return
    here = str(PurePosixPath(key).parent).removeprefix(".")
    for images in root.all("images"):
        for node in images.all("image"):
            _image(said, gallery, key, here, split, node)


def _image(said: Said, gallery: Gallery, file: str, here: str, split: Split | None, node: Node) -> None:
    name = node.attributes.get("file", "")
    key = gallery.named(name, (here, ""))
    if key is None:
        reason = f"there is no picture {name or 'without a name'} in the data set"
        repair = "restore it, or remove its element"
        said.problems.append(Problem("picture-missing", "error", file, reason, repair, line=node.line))
        return
    picture = SaidPicture(key, gallery.path(key), split, file, node.line)
    for number, box in enumerate(node.all("box"), 1):
        try:
            picture.boxes.append(_box(box, file, f"box {number} of {key}"))
        except ValueError as error:
            said.problems.append(broken(file, box.line, f"box {number} of {key}: {error}"))
    said.pictures.append(picture)


def _box(node: Node, file: str, what: str) -> SaidBox:
    left, top, width, height = (_number(node, name) for name in PLACE)
    extras = [(name, text) for name, text in node.attributes.items() if name not in TOLD_APART]
    for child in node.children:
        if child.tag == "part":
            name, x, y = (child.attributes.get(one, "") for one in ("name", "x", "y"))
            extras.append((f"part {name}", f"{x} {y}"))
        elif child.tag != "label" and child.text:
            extras.append((child.tag, child.text))
    return SaidBox(
        node.said("label") or NO_LABEL,
        (float(left), float(top), float_sum(left, width), float_sum(top, height)),
        file,
        node.line,
        what,
        crowd=node.attributes.get("ignore", "0") not in ("0", ""),
        difficult=node.attributes.get("difficult", "0") not in ("0", ""),
        extras=tuple(extras),
    )


def _number(node: Node, name: str) -> Decimal:
    try:
        return read_number(node.attributes.get(name, ""))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
