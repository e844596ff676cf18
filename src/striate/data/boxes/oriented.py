"""DOTA: a text file a picture, a line an object: four corners in pixels, category, difficult.

    images/P0001.png  labelTxt/P0001.txt      also below train/, val/ and test/

Lines `imagesource:…` and `gsd:…` at the top are skipped.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from striate.data.boxes.corners import corners_to_turned
from striate.data.boxes.gallery import Gallery
from striate.data.boxes.numbers import read_number
from striate.data.boxes.said import Said, SaidBox, SaidPicture, broken
from striate.data.boxes.sources import NAMES_FILES, folder_split, names_file
from striate.data.boxes.text import content_lines, decode, read_bytes
from striate.data.walk import Tree
from striate.errors import LabelError
from striate.types import Problem

__all__ = ["dota_files", "read_dota"]

HEAD = re.compile(r"(imagesource|gsd|acquisition dates)\s*:", re.IGNORECASE)
LINE = re.compile(r"((?:\S+\s+){8})(.*?)(?:\s+([0-2]))?$")
SAMPLE = 50


def dota_files(tree: Tree) -> list[str]:
    """The label files in folders called labelTxt…, or those with lines as DOTA writes them."""
    texts = [key for key in tree.files if key.endswith(".txt")]
    texts = [key for key in texts if PurePosixPath(key).name not in NAMES_FILES]
    named = [key for key in texts if any(part.startswith("labelTxt") for part in key.split("/")[:-1])]
    if named:
        return named
    folders = {str(PurePosixPath(key).parent) for key in texts[:SAMPLE] if _is_dota(tree, key)}
    return [key for key in texts if str(PurePosixPath(key).parent) in folders]


def _is_dota(tree: Tree, key: str) -> bool:
    try:
        text = read_bytes(tree.path(key)).decode("utf-8", "replace")
    except LabelError:
        return False
    lines = [line for _, line in content_lines(text) if not HEAD.match(line)]
    return bool(lines) and all(_fits(line) for line in lines)


def _fits(line: str) -> bool:
    match = LINE.match(line)
    if not match or not match[2]:
        return False
    try:
        return len([read_number(word) for word in match[1].split()]) == 8 and not _number(match[2])
    except ValueError:
        return False


def _number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def read_dota(tree: Tree, gallery: Gallery, files: list[str]) -> Said:
    """What DOTA's label `files` say. A picture without a file is not labelled, and left out."""
    said = Said(tree.root, "DOTA", problems=list(tree.problems))
    said.names = names_file(tree, said.problems)
    labelled = set()
    for key in files:
        picture = _picture_of(gallery, key)
        if picture is None:
            reason = "there is no picture to these labels"
            repair = "restore the picture, or remove the file"
            said.problems.append(Problem("picture-missing", "error", key, reason, repair))
            continue
        labelled.add(picture)
        found = SaidPicture(picture, gallery.path(picture), folder_split(picture), key)
        said.pictures.append(found)
        _read_file(said, found, key, tree)
    if left := [key for key in gallery.keys if key not in labelled]:
        reason = f"{len(left)} pictures have no label file, and are left out"
        repair = "label them; for pictures without objects, write empty files"
        said.problems.append(
            Problem("picture-unlabelled", "note", left[0], reason, repair, others=tuple(left[1:]))
        )
    splits = any(picture.split for picture in said.pictures)
    said.layout = "DOTA (four corners in pixels)" + (" with split folders" if splits else "")
    return said


def _picture_of(gallery: Gallery, key: str) -> str | None:
    folder = PurePosixPath(key).parent
    above = folder.parent
    folders = [str(place).removeprefix(".") for place in (above / "images", above, folder)]
    parts = [part if not part.startswith("labelTxt") else "images" for part in folder.parts]
    return gallery.with_stem(PurePosixPath(key).stem, ["/".join(parts), *folders])


def _read_file(said: Said, picture: SaidPicture, key: str, tree: Tree) -> None:
    try:
        text = decode(read_bytes(tree.path(key)), key, said.problems)
    except LabelError as error:
        said.problems.append(broken(key, None, error.what))
        return
    for line, content in content_lines(text):
        if HEAD.match(content):
            continue
        try:
            picture.boxes.append(_box(content, key, line))
        except ValueError as error:
            said.problems.append(broken(key, line, str(error)))


def _box(content: str, file: str, line: int) -> SaidBox:
    match = LINE.match(content)
    if not match or not match[2]:
        raise ValueError("eight numbers, a category and 0 or 1 are expected")
    edges, angle, extras = corners_to_turned([read_number(word) for word in match[1].split()])
    difficult = match[3] or "0"
    return SaidBox(
        match[2],
        edges,
        file,
        line,
        "the box",
        angle_deg=angle,
        difficult=difficult != "0",
        extras=extras,
    )
