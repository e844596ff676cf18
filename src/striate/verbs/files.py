"""Find the picture files behind what a user names: files, folders, patterns. In a stable order."""

# Strings throughout: names come back as they were given, bytes that are not UTF-8 included.
# ruff: noqa: PTH112, PTH118, PTH207

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator

from striate.data.walk import walk
from striate.pictures.formats import is_picture_name

__all__ = ["find_pictures"]


def find_pictures(
    sources: Iterable[str | os.PathLike[str]], *, skip: str | os.PathLike[str] | None = None
) -> Iterator[str]:
    """Paths of the pictures that `sources` stand for, in the order given, folders sorted by name.

    A folder stands for all pictures within (see `striate.data.walk` for links), a pattern such as
    `shots/*.png` for what it matches, with `**` for any depth. What does not exist, and folders that
    cannot be opened, are passed on as they are: reading them tells why it fails. `skip` names a folder
    that is not looked into, where results are being written.
    """
    for source in sources:
        path = os.fspath(source)
        if os.path.isdir(path):
            yield from _within(path, skip)
        elif not os.path.lexists(path) and glob.has_magic(path):
            yield from _matches(path, skip)
        else:
            yield path


def _matches(pattern: str, skip: str | os.PathLike[str] | None) -> Iterator[str]:
    """Files that match, and all in folders that match; the pattern itself if nothing does."""
    found = sorted(glob.glob(pattern, recursive=True))
    if not found:
        yield pattern
    for path in found:
        if not os.path.isdir(path):
            yield from [path] if is_picture_name(path) else []
        elif "**" not in pattern:  # which lists what is in its folders by itself
            yield from _within(path, skip)


def _within(folder: str, skip: str | os.PathLike[str] | None) -> Iterator[str]:
    tree = walk(folder)
    keys = [key for key in tree.files if is_picture_name(key)]
    for problem in tree.problems:  # links that lead elsewhere are left alone
        broken = problem.kind == "broken-link" and is_picture_name(problem.key)
        if broken or problem.kind == "unreadable-folder":
            keys.append(problem.key)
    left_out = _key_within(tree.root, skip)
    for key in sorted(keys):
        if left_out is None or not f"{key}/".startswith(left_out):
            yield os.path.join(folder, key) if key != "." else folder


def _key_within(root: str, folder: str | os.PathLike[str] | None) -> str | None:
    """The name of `folder` relative to `root`, with a / at its end; None if it lies elsewhere."""
    if folder is None:
        return None
    real = os.path.realpath(folder)
    inside = real.startswith(root.rstrip(os.sep) + os.sep)
    return os.path.relpath(real, root).replace(os.sep, "/") + "/" if inside else None
