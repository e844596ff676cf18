"""The pictures of a data set: found by what annotations call them, measured by their headers."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from striate.data.walk import Tree
from striate.errors import PictureError
from striate.pictures.formats import is_picture_name
from striate.pictures.read import PictureInfo, probe

__all__ = ["Gallery", "clean_key"]

HEAD_BYTES = 2**17


class Gallery:
    """The picture files of a tree.

    Only files inside the tree are ever found: a name that leads outside (`..`, an absolute path, a link)
    finds nothing.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.keys = tuple(key for key in tree.files if is_picture_name(key))
        self._there = frozenset(self.keys)
        self._lower = {key.lower(): key for key in reversed(self.keys)}
        self._stems: dict[str, list[str]] = defaultdict(list)
        self._names: dict[str, list[str]] = defaultdict(list)
        for key in self.keys:
            path = PurePosixPath(key)
            self._stems[path.stem].append(key)
            self._names[path.name].append(key)
        self._infos: dict[str, PictureInfo | PictureError] = {}

    def path(self, key: str) -> str:
        """The path by which the operating system knows `key`."""
        return self.tree.path(key)

    def named(self, name: str, folders: Sequence[str] = ("",)) -> str | None:
        """The key of the picture called `name`, sought in `folders`, then by its last part alone.

        Upper and lower case of the whole path are told apart only if there are both. By its last part a
        picture is taken only if no other one has that name.
        """
        cleaned = clean_key(name)
        for folder in folders if cleaned is not None else ():
            key = f"{folder}/{cleaned}" if folder else str(cleaned)
            if key in self._there:
                return key
            if found := self._lower.get(key.lower()):
                return found
        alone = self._names.get(name.strip().replace("\\", "/").rsplit("/", 1)[-1], [])
        return alone[0] if len(alone) == 1 else None

    def with_stem(self, stem: str, folders: Sequence[str]) -> str | None:
        """The key of the picture of this name without ending, in the first of `folders` that has one."""
        found = self._stems.get(stem, [])
        parents = {str(PurePosixPath(key).parent).removeprefix("."): key for key in reversed(found)}
        for folder in folders:
            if folder in parents:
                return parents[folder]
        return found[0] if len(found) == 1 else None

    def below(self, folder: str) -> list[str]:
        """Keys of the pictures in `folder` and below; "" is everything."""
        inside = f"{folder}/" if folder else ""
        return [key for key in self.keys if key.startswith(inside)]

    def info(self, key: str) -> PictureInfo | PictureError:
        """What the header of the picture tells, or why it cannot be read; looked at once."""
        if key not in self._infos:
            self._infos[key] = _info(self.path(key))
        return self._infos[key]


def clean_key(name: str) -> str | None:
    """`name` as a relative POSIX path; None if it is absolute or leads upwards out of the data set.

    >>> clean_key(r".\\img\\a.jpg"), clean_key("a/../b.jpg"), clean_key("../../etc/passwd")
    ('img/a.jpg', 'b.jpg', None)
    """
    text = name.strip().replace("\\", "/")
    if not text or "\0" in text or text.startswith("/") or (len(text) > 1 and text[1] == ":"):
        return None
    key = os.path.normpath(text)
    return None if key == ".." or key.startswith("../") or key == "." else key


def _info(path: str) -> PictureInfo | PictureError:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            head = file.read(HEAD_BYTES)
        if head[:2] == b"\xff\xd8" or head[:4] == b"\x89PNG":
            return probe(head, name=path)
    except (PictureError, OSError):
        pass  # the header is longer, or the file cannot be read: the whole file tells
    try:
        return probe(path)
    except PictureError as error:
        return error
