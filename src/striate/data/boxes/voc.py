"""Pascal VOC: an XML file a picture, lists of names for the splits.

    Annotations/a.xml  JPEGImages/a.jpg  ImageSets/Main/{train,val,test}.txt

also each XML file beside its picture, in train/, valid/ and test/ or without splits. Pixels are counted
from 1 and the last one belongs to the box: (xmin, ymin, xmax, ymax) has the edges (xmin - 1,
ymin - 1, xmax, ymax). Programs that count from 0 write the same files; nothing tells them apart, and one
pixel is all the difference.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import PurePosixPath
from typing import Literal

from striate.data.boxes.gallery import Gallery, clean_key
from striate.data.boxes.markup import Node, parse
from striate.data.boxes.numbers import EXACT, Box4, read_number
from striate.data.boxes.said import Said, SaidBox, SaidPicture, broken
from striate.data.boxes.sources import UNSPLIT, folder_split, names_file
from striate.data.boxes.text import content_lines, decode, read_bytes
from striate.data.walk import Tree
from striate.errors import LabelError
from striate.types import Problem, SizeHW, Split

__all__ = ["INCLUSIVE", "read_voc", "size_of_node", "voc_files"]

LISTS: tuple[tuple[str, Split | None], ...] = (
    ("train", "train"),
    ("trainval", "train"),
    ("val", "validation"),
    ("valid", "validation"),
    ("validation", "validation"),
    ("test", "test"),
)
INCLUSIVE = "inclusive"
"""Inside a bndbox: its one pixel wide or high box is meant, and is no slip of the hand."""

PICTURE_FOLDERS = ("JPEGImages", "images", "Images", "imgs", "pictures")
TOLD_APART = frozenset({"name", "bndbox", "difficult", "crowd"})
USUAL = (("pose", "Unspecified"), ("truncated", "0"))
"""What says nothing, and is written where nothing is known."""


def voc_files(tree: Tree) -> list[str]:
    """The XML files of `tree`, by key."""
    return [key for key in tree.files if key.lower().endswith(".xml")]


def read_voc(tree: Tree, gallery: Gallery) -> Said:
    """What the XML files in `tree` say."""
    said = Said(tree.root, "Pascal VOC", problems=list(tree.problems), counts_from_one=True)
    lists = _lists(tree, said)
    files = voc_files(tree)
    by_stem = {PurePosixPath(key).stem: key for key in reversed(files)}
    said.names = names_file(tree, said.problems)
    if lists:
        used = ", ".join(f"{name}.txt" for name in lists.names)
        said.layout = f"Pascal VOC with ImageSets/Main ({used})"
        for stem, (split, file, line) in lists.entries.items():
            if stem in by_stem:
                _read_file(said, gallery, by_stem[stem], split)
            else:
                _unlabelled(said, gallery, stem, split, file, line)
        _unlisted(said, [stem for stem in by_stem if stem not in lists.entries], by_stem)
        return said
    for key in files:
        _read_file(said, gallery, key, folder_split(key))
    if any(picture.split for picture in said.pictures):
        said.layout = "Pascal VOC in split folders"
    return said


class _Lists:
    """The pictures by stem, with their split and where that is said."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.entries: dict[str, tuple[Split | None, str, int]] = {}

    def __bool__(self) -> bool:
        return bool(self.names)


def _lists(tree: Tree, said: Said) -> _Lists:
    lists = _Lists()
    there = {
        key for key in tree.files if key.lower().endswith(".txt") and "ImageSets/Main/" in f"/{key}"
    }
    by_name = {PurePosixPath(key).stem.lower(): key for key in sorted(there)}
    for name, split in (*LISTS, (UNSPLIT, None)):
        if name not in by_name or (name == "trainval" and "train" in lists.names):
            continue
        lists.names.append(name)
        _read_list(tree, by_name[name], split, lists, said.problems)
    return lists


def _read_list(
    tree: Tree, key: str, split: Split | None, lists: _Lists, problems: list[Problem]
) -> None:
    try:
        text = decode(read_bytes(tree.path(key)), key, problems)
    except LabelError as error:
        problems.append(broken(key, None, error.what, error.remedy or "restore it"))
        return
    for line, content in content_lines(text):
        stem = content.removesuffix(".jpg").removesuffix(".xml")
        if stem not in lists.entries:
            lists.entries[stem] = (split, key, line)
            continue
        earlier = lists.entries[stem]
        grave = earlier[0] != split
        if grave and "trainval" in lists.names and "train" in (split, earlier[0]):
            lists.entries[stem] = earlier if earlier[0] != "train" else (split, key, line)
            continue
        reason = f"{stem} is listed in {earlier[1]} line {earlier[2]} already"
        severity: Literal["error", "warning"] = "error" if grave else "warning"
        problems.append(
            Problem("picture-twice", severity, key, reason, "remove one of the two", line=line)
        )


def _unlabelled(
    said: Said, gallery: Gallery, stem: str, split: Split | None, file: str, line: int
) -> None:
    key = gallery.with_stem(PurePosixPath(stem).name, PICTURE_FOLDERS)
    what = f"{stem} is listed and has no XML file"
    if key is None:
        reason = f"{what} and no picture"
        problem = Problem("picture-missing", "error", file, reason, "restore both", line=line)
    else:
        repair = "label it; for a picture without objects, write an XML file without objects"
        problem = Problem("picture-unlabelled", "error", file, what, repair, line=line)
    said.problems.append(problem)


def _unlisted(said: Said, stems: list[str], by_stem: dict[str, str]) -> None:
    if stems:
        reason = f"{len(stems)} labelled pictures are in none of the lists, and are left out"
        keys = [by_stem[stem] for stem in stems]
        repair = "add them to a list in ImageSets/Main, if they are to be used"
        said.problems.append(
            Problem("picture-unlisted", "note", keys[0], reason, repair, others=tuple(keys[1:]))
        )


def _read_file(said: Said, gallery: Gallery, key: str, split: Split | None) -> None:
    try:
        root = parse(read_bytes(gallery.path(key)))
        if root.tag != "annotation":
            raise ValueError(f"its root is <{root.tag[:40]}>, not <annotation>")
    except (ValueError, LabelError) as error:
        reason = error.what if isinstance(error, LabelError) else str(error)
        said.problems.append(broken(key, None, reason, "restore it, or label the picture again"))
        return
    picture = _picture_of(gallery, key, root)
    if picture is None:
        name = root.said("filename") or PurePosixPath(key).stem
        node = root.first("filename") or root
        reason = f"there is no picture {name}, nor one called {PurePosixPath(key).stem}"
        repair = "restore the picture, or remove the XML file"
        said.problems.append(Problem("picture-missing", "error", key, reason, repair, line=node.line))
        return
    found = SaidPicture(picture, gallery.path(picture), split, key, None)
    size = root.first("size")
    if size is not None:
        found.line, found.stated_hw = size.line, size_of_node(size)
    for number, node in enumerate(root.all("object"), 1):
        try:
            found.boxes.append(_box(node, key, f"object {number}"))
        except ValueError as error:
            said.problems.append(broken(key, node.line, f"object {number}: {error}"))
    said.pictures.append(found)


def _picture_of(gallery: Gallery, key: str, root: Node) -> str | None:
    """The picture with the name of the XML file, else the one that it names."""
    folder = str(PurePosixPath(key).parent).removeprefix(".")
    above = str(PurePosixPath(folder).parent).removeprefix(".") if folder else ""
    beside = [f"{above}/{name}" if above else name for name in PICTURE_FOLDERS]
    deeper = [
        folder.replace("Annotations", name, 1) for name in PICTURE_FOLDERS if "Annotations" in folder
    ]
    folders = [folder, *deeper, *beside, *PICTURE_FOLDERS]
    named = root.said("filename")
    by_stem = gallery.with_stem(PurePosixPath(key).stem, folders)
    return by_stem or (gallery.named(named, folders) if clean_key(named) else None)


def size_of_node(size: Node) -> SizeHW | None:
    """Height and width told by a <size> element; None if it tells none (0 is none, too)."""
    try:
        height, width = (int(read_number(size.said(tag))) for tag in ("height", "width"))
    except ValueError:
        return None
    return (height, width) if height > 0 and width > 0 else None


def _box(node: Node, file: str, what: str) -> SaidBox:
    label = node.said("name")
    if not label:
        raise ValueError("it has no name")
    place = node.first("bndbox")
    if place is None:
        raise ValueError("it has no bndbox")
    extras = tuple(
        (child.tag, child.text)
        for child in node.children
        if child.tag not in TOLD_APART and not child.children and child.text
        if (child.tag, child.text) not in USUAL
    )
    return SaidBox(
        label,
        _edges(place),
        file,
        place.line,
        what,
        crowd=_flag(node.said("crowd")),
        difficult=_flag(node.said("difficult")),
        extras=extras,
    )


def _edges(place: Node) -> Box4:
    xmin, ymin, xmax, ymax = (_side(place, tag) for tag in ("xmin", "ymin", "xmax", "ymax"))
    one = Decimal(1)
    left, top = float(EXACT.subtract(xmin, one)), float(EXACT.subtract(ymin, one))
    right, bottom = float(xmax), float(ymax)
    if not _flag(place.said(INCLUSIVE)):
        # A box from a pixel to itself was clicked, not drawn: programs that label mean no area.
        right = left if xmin == xmax else right
        bottom = top if ymin == ymax else bottom
    return left, top, right, bottom


def _side(place: Node, tag: str) -> Decimal:
    try:
        return read_number(place.said(tag))
    except ValueError as error:
        raise ValueError(f"{tag}: {error}") from None


def _flag(text: str) -> bool:
    return text.lower() in ("1", "true", "yes")
