"""From what a user names to a data set: the layout is recognised, or the error tells what was sought.

In this order: an embedded set by its name; a table; and for a folder IDX files, CIFAR batches, a table
that names the pictures beside it, class folders.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from striate.data.cifar import find_cifar, read_cifar
from striate.data.dataset import Dataset
from striate.data.embedded import EMBEDDED, EMBEDDED_PREFIX
from striate.data.folders import class_folders, read_folders
from striate.data.idx import find_idx, read_idx
from striate.data.masks.layouts import MASK_WORDS, PICTURE_WORDS
from striate.data.named import find_embedded, noted
from striate.data.naming import split_of
from striate.data.sheet import TABLE_SUFFIXES, read_sheet
from striate.data.table_columns import choose_columns
from striate.data.table_pictures import PictureFinder
from striate.data.tables import read_label_tables, read_value_tables
from striate.data.walk import is_clutter, walk
from striate.errors import LabelError, LayoutError, StriateError
from striate.pictures.formats import is_picture_name
from striate.pictures.sources import shown_name

__all__ = ["EMBEDDED_PREFIX", "read_labels", "read_values", "require_trainable"]

Target = TypeVar("Target")
Labels = tuple[str, ...]
Values = tuple[float, ...]


_OF_COCO = re.compile(r"(train|val|test)\d{4}")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the caller said about columns, and whether truths are numbers."""

    path_column: str | None
    target_columns: tuple[str, ...]
    numbers: bool

    @property
    def about_columns(self) -> bool:
        return self.path_column is not None or bool(self.target_columns)


def read_labels(
    source: Path | str,
    *,
    path_column: str | None = None,
    target_columns: Sequence[str] | None = None,
    multi_label: bool = False,
    label_separator: str | None = None,
) -> Dataset[Labels]:
    """The pictures at `source`, each with its class in a tuple of one, or with any number of labels.

    `source`: a folder, a table, or the name of an embedded set. A folder of that name wins if it holds
    pictures, and a note says so; "embedded:digits" always means the set, "./digits" what is here (see
    `striate.data.named`). `path_column`,
    `target_columns`: columns of a table, found by usual names if not given. `multi_label`: cells hold
    several labels, divided by `label_separator` (default ; or |), or each of `target_columns` is a
    label, 1 or 0.

    A `LayoutError` if there is no data set there, a `LabelError` if its labels make no sense.
    Everything that is left out is in `Dataset.problems`.
    """
    if found := find_embedded(source):
        return _truths(found.labels, source, "labels")
    asked = _Asked(path_column, tuple(target_columns or ()), numbers=False)
    path = _existing(source)
    dataset = _arrays_in(path) if path.is_dir() and not asked.about_columns else None
    if dataset is None and (tables := _tables(path, asked)):
        dataset = read_label_tables(
            tables,
            path_column=path_column,
            target_columns=asked.target_columns,
            multi_label=multi_label,
            label_separator=label_separator,
        )
    return noted(dataset or _in_folders(path), source, embedded=False)


def read_values(
    source: Path | str, *, path_column: str | None = None, target_columns: Sequence[str] = ()
) -> Dataset[Values]:
    """The pictures at `source`, each with one number per target column; `names` are the columns.

    `source`: a table, a folder with a table in it, or the name of an embedded set (see
    `read_labels`). Without `target_columns`, all columns of numbers are targets.
    """
    if found := find_embedded(source):
        return _truths(found.values, source, "numbers")
    asked = _Asked(path_column, tuple(target_columns), numbers=True)
    tables = _tables(_existing(source), asked)
    if not tables:
        raise LayoutError(
            f"{shown_name(source)} has no table with numbers",
            expected="a CSV, TSV or JSON lines file with a column of paths and columns of numbers",
            remedy="write one, with a row a picture",
        )
    dataset = read_value_tables(tables, path_column=path_column, target_columns=asked.target_columns)
    return noted(dataset, source, embedded=False)


def require_trainable(dataset: Dataset[Any]) -> None:
    """Raise a `LabelError` unless there is something to learn: two pictures that differ in truth."""
    where, count = shown_name(dataset.shown_root()), len(dataset)
    if count >= 2 and len(set(dataset.targets)) >= 2:
        return
    if count < 2:
        raise LabelError(
            f"{where} has {count or 'no'} picture{'' if count == 1 else 's'} to train on",
            expected="at least two, of two classes or with two different numbers",
            remedy="add pictures",
        )
    raise LabelError(
        f"all {count} training pictures in {where} have the same truth: "
        + (", ".join(map(str, dataset.targets[0])) or "no label"),
        expected="at least two classes, or numbers that differ",
        remedy="add pictures of something else",
    )


# -- what the source is -------------------------------------------------------------------------------


def _truths(
    read: Callable[[], Dataset[Target]] | None, source: Path | str, kind: str
) -> Dataset[Target]:
    if read is None:
        raise LayoutError(
            f"the embedded set {source} has no {kind}",
            expected=f"an embedded set with {kind}, a folder or a table",
            remedy="use it for another task",
        )
    return noted(read(), source, embedded=True)


def _existing(source: Path | str) -> Path:
    name = os.fspath(source)
    path = Path(os.path.realpath(name))
    if path.is_dir() or path.is_file():
        return path
    near = difflib.get_close_matches(name, EMBEDDED, n=1)
    there = "is a pipe, socket or device" if path.exists() else "does not exist"
    raise LayoutError(
        f"{shown_name(name)} {there}",
        expected=f"a folder, a table, or an embedded set ({', '.join(EMBEDDED)})",
        remedy=f"did you mean {near[0]!r}" if near else "check the spelling",
    )


def _in_folders(path: Path) -> Dataset[Labels]:
    """Class folders; the "images" and "masks" of a data set of another kind are none."""
    tree = walk(path)
    folders = {folder.casefold() for folder in class_folders(tree)}
    if folders.isdisjoint(PICTURE_WORDS | MASK_WORDS) and not any(map(_OF_COCO.fullmatch, folders)):
        return read_folders(tree)
    from striate.data.boxes.read import is_boxes
    from striate.data.masks.read import is_masks

    if is_masks(path):
        raise LayoutError(
            f"{shown_name(path.name)} holds pictures with masks, not classes",
            expected="class folders (CLASS/picture.jpg or train/CLASS/picture.jpg)",
            remedy="look at it with striate data augment, or hold a run's units against it: --dissect",
        )
    if is_boxes(path):
        raise LayoutError(
            f"{shown_name(path.name)} holds pictures with boxes, not classes",
            expected="class folders (CLASS/picture.jpg or train/CLASS/picture.jpg)",
            remedy="add --task detect",
        )
    return read_folders(tree)


# -- what a folder holds ------------------------------------------------------------------------------


def _arrays_in(folder: Path) -> Dataset[Labels] | None:
    files = [path.name for path in folder.iterdir() if path.is_file()]
    if find_idx(files):
        return read_idx(folder)
    if {"batches.meta", "data_batch_1"} <= set(files):
        raise LayoutError(
            f"{shown_name(folder.name)} is the Python version of CIFAR, which is pickle and is not read",
            expected="the binary version (data_batch_1.bin, batches.meta.txt) or class folders",
            remedy="download cifar-10-binary.tar.gz instead",
        )
    classes = find_cifar(files)
    return read_cifar(folder, classes) if classes else None


def _tables(path: Path, asked: _Asked) -> list[Path]:
    """The tables to read: the one that was named, or those in a folder that can be used; perhaps none.

    Of several, those called train, val or test make up one data set. A table that names no pictures,
    or does not tell the truth about them, is used only if nothing else can be meant.
    """
    if path.is_file():
        return [_named_table(path)]
    there = sorted(one for one in path.iterdir() if _is_table(one))
    fitting = [one for one in there if _fits(one, asked)]
    chosen = [one for one in fitting if split_of(one.stem)] or fitting
    if len(chosen) > 1 and not split_of(chosen[0].stem):
        names = ", ".join(shown_name(one.name) for one in chosen)
        raise LayoutError(
            f"{shown_name(path.name)} has several tables: {names}",
            expected="one table, or train.csv, val.csv and test.csv",
            remedy=f"name the one that is meant, for example {shown_name(chosen[0])}",
        )
    if chosen or not there:
        return chosen
    needed = asked.about_columns or asked.numbers or len(class_folders(walk(path))) < 2
    return there[:1] if needed else []  # read for the sake of its error


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in TABLE_SUFFIXES and not is_clutter(path.name) and path.is_file()


def _named_table(path: Path) -> Path:
    if path.suffix.lower() in (*TABLE_SUFFIXES, ".txt"):
        return path
    kind = "one picture" if is_picture_name(path) else f"a {path.suffix or 'file without ending'}"
    raise LayoutError(
        f"{shown_name(path.name)} is {kind}, not a data set",
        expected=f"a folder, or a table ({', '.join(sorted(TABLE_SUFFIXES))}, .txt)",
        remedy="name the folder it is in; unpack archives first",
    )


def _fits(table: Path, asked: _Asked) -> bool:
    """Whether `table` names pictures that exist, and has columns that can be the truth."""
    try:
        sheet = read_sheet(table)
        columns = choose_columns(sheet, asked.path_column, asked.target_columns, numbers=asked.numbers)
    except StriateError:
        return False
    cells = [str(row.cells[columns.path]) for row in sheet.rows]
    return PictureFinder(str(table.parent), cells, sheet.encoding).finds_any
