"""Where a data set keeps what its annotations leave out: splits in folder names, classes in a list."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from striate.data.boxes.text import content_lines, decode, read_bytes
from striate.data.naming import split_of
from striate.data.walk import Tree
from striate.errors import LabelError
from striate.types import Problem, Split

__all__ = ["NAMES_FILES", "UNSPLIT", "file_split", "folder_split", "names_file"]

UNSPLIT = "unsplit"
"""The list, file or folder of pictures in no split, where others are in one."""

NAMES_FILES = ("classes.txt", "obj.names", "labels.txt", "predefined_classes.txt", "classes.names")
"""A class a line, in the order of the classes; in the folder of the data set or of its labels."""

WORDS = re.compile(r"[A-Za-z]+")


def folder_split(key: str) -> Split | None:
    """The split named by a folder of `key`, the outermost first.

    >>> folder_split("images/val/a.jpg"), folder_split("a/b.jpg")
    ('validation', None)
    """
    return next((found for part in PurePosixPath(key).parts[:-1] if (found := _split(part))), None)


def file_split(key: str) -> Split | None:
    """The split named in the file's own name, else by a folder.

    >>> file_split("annotations/instances_val2017.json"), file_split("train/_annotations.coco.json")
    ('validation', 'train')
    """
    words = WORDS.findall(PurePosixPath(key).stem)
    return next((found for word in words if (found := split_of(word))), None) or folder_split(key)


def _split(folder: str) -> Split | None:
    return split_of(folder) or split_of(folder.rstrip("0123456789"))


def names_file(tree: Tree, problems: list[Problem]) -> tuple[str, ...]:
    """The classes in the list of `NAMES_FILES` that lies highest; none without one."""
    found = [key for key in tree.files if PurePosixPath(key).name in NAMES_FILES]
    found += [key for key in tree.files if key.endswith(".names") and key not in found]
    for key in sorted(found, key=lambda one: (one.count("/"), one))[:1]:
        try:
            text = decode(read_bytes(tree.path(key)), key, problems)
        except LabelError:
            continue
        return tuple(dict.fromkeys(line for _, line in content_lines(text)))
    return ()
