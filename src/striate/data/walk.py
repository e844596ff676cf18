"""The files below a folder, found without following what may lead elsewhere.

Regular files only: pipes, sockets and devices are reported and never opened. Links to files count when
they stay inside the folder. Links to folders are not followed at all: inside, their pictures are read
where they lie; outside, they are not part of what was named. So there are no loops, and a picture is
seen once.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from striate.errors import LayoutError
from striate.pictures.sources import shown_name
from striate.types import Problem

__all__ = ["Tree", "is_clutter", "kinds_seen", "walk"]

CLUTTER = frozenset({"__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin"})
"""What operating systems leave behind, in lower case."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Files and folders below `root`, by their names relative to it in POSIX form, sorted.

    Names are what the file system holds: bytes that are not UTF-8 are kept as surrogates, so
    `os.fsencode` gives them back. `problems`: what was not followed or could not be opened.
    """

    root: str
    files: tuple[str, ...]
    folders: tuple[str, ...]
    problems: tuple[Problem, ...]

    def path(self, key: str) -> str:
        """The path by which the operating system knows `key`."""
        return f"{self.root}/{key}"


def is_clutter(name: str) -> bool:
    """Whether a file or folder is hidden, or was left behind by an operating system.

    >>> is_clutter(".complete"), is_clutter("__MACOSX"), is_clutter("cat.jpg")
    (True, True, False)
    """
    return name.startswith(".") or name.lower() in CLUTTER


def walk(root: str | os.PathLike[str]) -> Tree:
    """Everything below `root`, which may itself be a link; a `LayoutError` if it is no folder."""
    real = os.path.realpath(root)
    if not os.path.isdir(real):  # noqa: PTH112 - paths are plain text here, for names that are not UTF-8
        raise LayoutError(
            f"{shown_name(root)} is not a folder",
            expected="a folder of pictures, a table, or the name of an embedded set",
            remedy="check the spelling",
        )
    search = _Search(real)
    search.run()
    return Tree(real, tuple(sorted(search.files)), tuple(sorted(search.folders)), tuple(search.problems))


def kinds_seen(files: Iterable[str], *, most: int = 6) -> str:
    """How many files of which kind, in words, most frequent first.

    >>> kinds_seen(["a.jpg", "b.JPG", "c.txt", "README"])
    '2 .jpg, 1 .txt, 1 without ending'
    """
    counts = Counter(os.path.splitext(name)[1].lower() or "without ending" for name in files)  # noqa: PTH122
    if not counts:
        return "no files"
    shown = ", ".join(f"{count} {shown_name(kind)}" for kind, count in counts.most_common(most))
    return shown + (", …" if len(counts) > most else "")


class _Search:
    """The walk while it goes on; folders wait on a stack, so depth is not limited by Python's."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.files: list[str] = []
        self.folders: list[str] = []
        self.problems: list[Problem] = []
        self._seen: set[tuple[int, int]] = set()

    def run(self) -> None:
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            path = f"{self.root}/{folder}" if folder else self.root
            try:
                status = os.stat(path)  # noqa: PTH116
                if (status.st_dev, status.st_ino) in self._seen:
                    self._note("folder-loop", folder, "the folder contains itself", "leave the loop out")
                    continue
                self._seen.add((status.st_dev, status.st_ino))
                with os.scandir(path) as entries:
                    waiting += [found for entry in entries if (found := self._place(entry, folder))]
            except OSError as error:
                reason = f"the folder cannot be opened ({(error.strerror or str(error)).lower()})"
                self._note(
                    "unreadable-folder", folder or ".", reason, "give yourself the right to read it"
                )

    def _place(self, entry: os.DirEntry[str], folder: str) -> str | None:
        """Put a file where it belongs; the name of a folder to be searched, or None."""
        if is_clutter(entry.name):
            return None
        key = f"{folder}/{entry.name}" if folder else entry.name
        if entry.is_symlink():
            self._place_link(entry.path, key)
        elif entry.is_dir(follow_symlinks=False):
            self.folders.append(key)
            return key
        elif entry.is_file(follow_symlinks=False):
            self.files.append(key)
        else:
            self._note_special(key)
        return None

    def _place_link(self, path: str, key: str) -> None:
        target = os.path.realpath(path)
        try:
            mode = os.stat(target).st_mode  # noqa: PTH116
        except OSError:
            self._note("broken-link", key, "the link leads nowhere", "restore its target, or remove it")
            return
        inside = target == self.root or target.startswith(self.root.rstrip(os.sep) + os.sep)
        if stat.S_ISDIR(mode):
            where = "read where it lies" if inside else "outside the data set"
            repair = "copy the folder here, or name its real place as the data set"
            self._note(
                "folder-link", key, f"links to folders are not followed; this one is {where}", repair
            )
        elif not inside:
            repair = "copy the file here, or list it in a table with its full path"
            self._note("link-outside", key, "the link leaves the data set and is not followed", repair)
        elif stat.S_ISREG(mode):
            self.files.append(key)
        else:
            self._note_special(key)

    def _note_special(self, key: str) -> None:
        self._note("not-a-file", key, "it is a pipe, socket or device and is not opened", "remove it")

    def _note(self, kind: str, key: str, reason: str, repair: str) -> None:
        self.problems.append(Problem(kind, "warning", key, reason, repair))
