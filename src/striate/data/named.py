"""What the name of a data set means: an embedded set, or a folder that is called the same."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from striate.data.cifar import find_cifar
from striate.data.dataset import Dataset
from striate.data.embedded import EMBEDDED, EMBEDDED_PREFIX, EmbeddedSet
from striate.data.idx import find_idx
from striate.data.sheet import TABLE_SUFFIXES, read_sheet
from striate.data.table_columns import path_position
from striate.data.table_pictures import PictureFinder
from striate.data.walk import walk
from striate.errors import StriateError, UnknownNameError
from striate.pictures.formats import is_picture_name
from striate.types import Problem

__all__ = ["SAME_NAME", "embedded_name", "find_embedded", "noted"]

SAME_NAME = "same-name-as-embedded"
"""The kind of the note that tells which of two was taken."""

_RUN_FILES = frozenset({"run.toml", "unfinished.json"})
"""A folder with one of these is a run: pictures that were put beside it are none to learn from."""

Target = TypeVar("Target")


def embedded_name(source: Path | str) -> str | None:
    """The embedded set that `source` means; None if it means a path.

    The name of a set, as it is, means the set, unless a folder of that name here holds a data set:
    pictures, a table that names some, IDX or CIFAR files. A run is none, so `train scenes --out scenes`
    works. "embedded:digits" always means the set (an `UnknownNameError` if there is none), "./digits"
    never.
    """
    name = os.fspath(source)
    if name.startswith(EMBEDDED_PREFIX):
        name = name.removeprefix(EMBEDDED_PREFIX)
        if name not in EMBEDDED:
            raise UnknownNameError("embedded set", name, EMBEDDED)
        return name
    return name if name in EMBEDDED and not _holds_data(name) else None


def find_embedded(source: Path | str) -> EmbeddedSet | None:
    """The embedded set that `source` means, see `embedded_name`."""
    name = embedded_name(source)
    return None if name is None else EMBEDDED[name]


def noted(dataset: Dataset[Target], source: Path | str, *, embedded: bool) -> Dataset[Target]:
    """`dataset`, read from `source`, with a note on which was taken if the name could mean two.

    `embedded`: it is the embedded set.
    """
    name = os.fspath(source)
    if name not in EMBEDDED or not os.path.lexists(name):
        return dataset
    if embedded:
        reason = f"the embedded set {name} was read: what is called {name} here is no data set"
        repair = f"for what is here write ./{name}"
    else:
        reason = f"the folder {name} was read, not the embedded set of that name"
        repair = f"for the other write {EMBEDDED_PREFIX}{name}"
    note = Problem(SAME_NAME, "note", name, reason, repair)
    return replace(dataset, problems=(*dataset.problems, note))


def _holds_data(name: str) -> bool:
    if not os.path.isdir(name):  # noqa: PTH112 - paths are plain text here, for names that are not UTF-8
        return False
    tree = walk(name)
    here = [key for key in tree.files if "/" not in key]
    if _RUN_FILES & set(here):
        return False
    return (
        any(map(is_picture_name, tree.files))
        or bool(find_idx(here))
        or find_cifar(here) is not None
        or _names_pictures([Path(tree.path(key)) for key in here])
    )


def _names_pictures(files: Sequence[Path]) -> bool:
    """Whether one of them is a table of pictures, wherever these lie."""
    for path in files:
        if path.suffix.lower() not in TABLE_SUFFIXES:
            continue
        try:
            sheet = read_sheet(path)
        except StriateError:
            continue
        column = path_position(sheet)
        cells = [str(row.cells[column]) for row in sheet.rows]
        if PictureFinder(str(path.parent), cells, sheet.encoding).finds_any:
            return True
    return False
