"""Which column of a table is what, and what its cells mean."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from striate.data.naming import class_name
from striate.data.sheet import Cell, Sheet
from striate.errors import LabelError, UnknownNameError

__all__ = [
    "Columns",
    "LabelReader",
    "ValueReader",
    "choose_columns",
    "label_reader",
    "path_position",
    "value_reader",
]

PATH_NAMES = (
    *("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path"),
    *("image_name", "image_id", "img", "img_path", "picture", "photo", "id_code"),
)
LABEL_NAMES = ("label", "labels", "class", "class_name", "category", "target", "tag", "tags", "species")
YES = frozenset({"1", "1.0", "true", "yes", "t", "y"})
NO = frozenset({"0", "0.0", "false", "no", "f", "n"})
SAMPLE_ROWS = 50

Cells: TypeAlias = Sequence[Cell]
LabelReader: TypeAlias = Callable[[Cells], tuple[str, ...]]
ValueReader: TypeAlias = Callable[[Cells], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions of the columns in use; None where the table has none."""

    path: int
    targets: tuple[int, ...]
    split: int | None
    group: int | None


def choose_columns(
    sheet: Sheet, path_column: str | None, target_columns: Sequence[str], *, numbers: bool
) -> Columns:
    """Find the columns: what was named, else by usual names, else the one that is left.

    The path is the first column unless one bears a usual name ("file", "image" …). Without
    `target_columns`, with `numbers` all columns of numbers are targets, otherwise the only column
    left, or the only one left with a usual name. An `UnknownNameError` or `LabelError` lists the
    columns.
    """
    lower = [name.lower() for name in sheet.columns]
    path = path_position(sheet) if path_column is None else _position(sheet, path_column)
    named = tuple(_position(sheet, name) for name in target_columns)
    split = lower.index("split") if "split" in lower else None
    group = lower.index("group") if "group" in lower else None
    used = {path, *named}
    split, group = (None if one in used else one for one in (split, group))
    if named:
        return Columns(path, named, split, group)
    left = [i for i, name in enumerate(lower) if name and i not in (path, split, group)]
    targets = _number_columns(sheet, left) if numbers else _label_column(sheet, left, lower)
    return Columns(path, targets, split, group)


def path_position(sheet: Sheet) -> int:
    """The column of paths: the first one unless another bears a usual name."""
    lower = [name.lower() for name in sheet.columns]
    return next((lower.index(name) for name in PATH_NAMES if name in lower), 0)


def _position(sheet: Sheet, column: str) -> int:
    if column not in sheet.columns:
        raise UnknownNameError(f"column of {sheet.name}", column, sheet.columns)
    return sheet.columns.index(column)


def _label_column(sheet: Sheet, left: Sequence[int], lower: Sequence[str]) -> tuple[int, ...]:
    usual = [i for i in left if lower[i] in LABEL_NAMES]
    if len(left) == 1 or len(usual) == 1:
        return (left[0] if len(left) == 1 else usual[0],)
    raise _which(sheet, left, "the label")


def _number_columns(sheet: Sheet, left: Sequence[int]) -> tuple[int, ...]:
    comma = sheet.delimiter == ";"
    sample = [row.cells for row in sheet.rows[:SAMPLE_ROWS]]
    found = []
    for i in left:
        cells = [cells[i] for cells in sample if cells[i]]
        if cells and sum(_is_number(cell, comma) for cell in cells) * 2 > len(cells):
            found.append(i)
    if not found:
        raise _which(sheet, left, "the numbers to learn")
    return tuple(found)


def _which(sheet: Sheet, left: Sequence[int], what: str) -> LabelError:
    names = ", ".join(repr(sheet.columns[i]) for i in left) or "none"
    return LabelError(
        f"{sheet.name} does not tell which column is {what}; beside the path it has {names}",
        expected="one column of labels, or columns of numbers",
        remedy="name it (target_columns in Python, --target on the command line)",
    )


def label_reader(
    sheet: Sheet, targets: Sequence[int], *, multi_label: bool, separator: str | None
) -> LabelReader:
    """The function from a row's cells to its labels; it raises `ValueError` with the reason.

    One column with `multi_label`: cells divided by `separator`, by default by ; or |, and blank means no
    label. Several columns: one per label, cells yes or no (1/0, true/false, and 1/-1 where no 0 occurs).
    """
    if not multi_label and len(targets) > 1:
        raise LabelError(
            f"{len(targets)} label columns were named for pictures with one label each",
            expected="one column",
            remedy="name one, or set multi_label if a picture may have several labels",
        )
    if not multi_label:
        return lambda cells: (_one_label(cells[targets[0]]),)
    if len(targets) == 1:
        return lambda cells: _several_labels(cells[targets[0]], separator)
    names = [sheet.columns[i] for i in targets]
    signed = not any(row.cells[i] in NO for row in sheet.rows for i in targets)
    no = NO | {"-1", "-1.0"} if signed else NO
    return lambda cells: tuple(
        name for name, i in zip(names, targets, strict=True) if _yes(cells[i], name, no)
    )


def _one_label(cell: Cell) -> str:
    values = [cell] if isinstance(cell, str) else list(cell)
    labels = [value.strip() for value in values if value.strip()]
    if not labels:
        raise ValueError("the label is blank")
    if len(labels) > 1:
        raise ValueError(f"the row has {len(labels)} labels; one is expected unless multi_label is set")
    return class_name(labels[0])


def _several_labels(cell: Cell, separator: str | None) -> tuple[str, ...]:
    if isinstance(cell, tuple):
        parts = list(cell)
    elif separator is None:
        parts = re.split(r"[;|]", cell)
    else:
        parts = cell.split(separator if separator.strip() else None)
    return tuple(sorted({class_name(part.strip()) for part in parts if part.strip()}))


def _yes(cell: Cell, name: str, no: frozenset[str]) -> bool:
    word = cell.strip().lower() if isinstance(cell, str) else ""
    if word in YES or word in no:
        return word in YES
    raise ValueError(f"{name} is {cell!r}; expected 1 or 0" if word else f"{name} is blank")


def value_reader(sheet: Sheet, targets: Sequence[int]) -> ValueReader:
    """The function from a row's cells to its numbers; it raises `ValueError` with the reason.

    Numbers are finite; in tables divided by semicolons the decimal point may be a comma.
    """
    comma = sheet.delimiter == ";"
    names = [sheet.columns[i] for i in targets]

    def read(cells: Cells) -> tuple[float, ...]:
        return tuple(_number(cells[i], name, comma) for i, name in zip(targets, names, strict=True))

    return read


def _number(cell: Cell, name: str, comma: bool) -> float:
    text = cell.strip() if isinstance(cell, str) else ""
    if not text:
        raise ValueError(f"{name} is blank" if isinstance(cell, str) else f"{name} is a list")
    try:
        value = float(text.replace(",", ".") if comma else text)
    except ValueError:
        raise ValueError(f"{name} is {text!r}, which is no number") from None
    if not math.isfinite(value):
        raise ValueError(f"{name} is {text}, which is not finite")
    return value


def _is_number(cell: Cell, comma: bool) -> bool:
    try:
        _number(cell, "", comma)
    except ValueError:
        return False
    return True
