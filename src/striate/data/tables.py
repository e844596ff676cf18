"""Tables of pictures: a column of paths, one or more of truths, perhaps a split and a group.

Rows that cannot be used are left out and all reported, each with the table's line. Pictures may lie
anywhere (see `PictureFinder`); keys are relative to the table's folder where possible.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from striate.data.dataset import Dataset, Record
from striate.data.naming import SPLIT_WORDS, ordered, split_of
from striate.data.origins import FileOrigin
from striate.data.sheet import Cell, Row, Sheet, read_sheet
from striate.data.table_columns import Columns, choose_columns, label_reader, value_reader
from striate.data.table_pictures import PictureFinder
from striate.errors import LabelError
from striate.pictures.sources import shown_name
from striate.types import Problem, Split

__all__ = ["read_label_tables", "read_value_tables"]

Target = TypeVar("Target")
Labels = tuple[str, ...]
Values = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Table:
    """A sheet that is understood. `split`: what the table's own name says."""

    sheet: Sheet
    columns: Columns
    finder: PictureFinder
    split: Split | None


@dataclass(frozen=True, slots=True)
class _Gathered(Generic[Target]):
    """Records by key while tables are read, with the place each comes from."""

    records: dict[str, Record[Target]]
    places: dict[str, tuple[str, int]]
    problems: list[Problem]
    words: list[str]


def read_label_tables(
    paths: Sequence[Path],
    *,
    path_column: str | None = None,
    target_columns: Sequence[str] = (),
    multi_label: bool = False,
    label_separator: str | None = None,
) -> Dataset[Labels]:
    """The pictures and labels that `paths` list; tables called train, val or test give the split.

    With `multi_label`, rows of one picture add up. See `label_reader` for cells with several labels.
    """
    found: _Gathered[Labels] = _Gathered({}, {}, [], [])
    indicators: list[str] = []
    hinted = 0
    for path in paths:
        sheet = read_sheet(path)
        columns = choose_columns(sheet, path_column, target_columns, numbers=False)
        parse = label_reader(sheet, columns.targets, multi_label=multi_label, separator=label_separator)
        _gather(found, _understood(path, sheet, columns), parse, _union if multi_label else None)
        indicators += [sheet.columns[i] for i in columns.targets] if len(columns.targets) > 1 else []
        hinted += (
            0 if multi_label else sum(_has_bars(row.cells[columns.targets[0]]) for row in sheet.rows)
        )
    if hinted * 5 > len(found.records):
        reason = f"{hinted} labels hold ; or |, as if a picture had several"
        repair = "if so, set multi_label (--multi-label)"
        found.problems.append(Problem("looks-multi-label", "warning", paths[0].name, reason, repair))
    names = tuple(dict.fromkeys(indicators)) or ordered(
        name for record in found.records.values() for name in record.target
    )
    return _dataset(found, paths, names)


def read_value_tables(
    paths: Sequence[Path], *, path_column: str | None = None, target_columns: Sequence[str] = ()
) -> Dataset[Values]:
    """The pictures and numbers that `paths` list; tables called train, val or test give the split."""
    found: _Gathered[Values] = _Gathered({}, {}, [], [])
    names: tuple[str, ...] = ()
    for path in paths:
        sheet = read_sheet(path)
        columns = choose_columns(sheet, path_column, target_columns or names, numbers=True)
        names = tuple(sheet.columns[i] for i in columns.targets)
        _gather(found, _understood(path, sheet, columns), value_reader(sheet, columns.targets))
    return _dataset(found, paths, names)


def _has_bars(cell: Cell) -> bool:
    return isinstance(cell, str) and (";" in cell or "|" in cell)


def _union(first: Labels, second: Labels) -> Labels:
    return tuple(sorted({*first, *second}))


def _understood(path: Path, sheet: Sheet, columns: Columns) -> _Table:
    cells = [str(row.cells[columns.path]) for row in sheet.rows]
    finder = PictureFinder(os.path.realpath(path.parent), cells, sheet.encoding)
    return _Table(sheet, columns, finder, split_of(path.stem))


def _gather(
    found: _Gathered[Target],
    table: _Table,
    parse: Callable[[Sequence[Cell]], Target],
    join: Callable[[Target, Target], Target] | None = None,
) -> None:
    """Add the rows of one table; `join` unites the truths of two rows of one picture."""
    sheet, kept = table.sheet, len(found.records)
    found.problems.extend(sheet.problems)
    for row, record in _parsed(table, parse, found.problems):
        earlier = found.records.setdefault(record.key, record)
        place = found.places.setdefault(record.key, (sheet.name, row.line))
        if earlier is record:
            continue
        if join is not None and earlier.split == record.split:
            found.records[record.key] = replace(earlier, target=join(earlier.target, record.target))
        else:
            found.problems.append(_repeated(sheet.name, row.line, earlier, record, place))
    if len(found.records) == kept and sheet.rows:
        raise _nothing(sheet, found.problems)
    found.words.append(_words(table))


def _words(table: _Table) -> str:
    columns, names = table.columns, table.sheet.columns
    path, *used = (names[i] or f"column {i + 1}" for i in (columns.path, *columns.targets))
    shown = ", ".join(used[:3]) + (f" and {len(used) - 3} more" if len(used) > 3 else "")
    extra = "".join(f", {names[i]}" for i in (columns.split, columns.group) if i is not None)
    return f"{table.sheet.name} ({path} → {shown}{extra}{table.finder.words()})"


def _parsed(
    table: _Table, parse: Callable[[Sequence[Cell]], Target], problems: list[Problem]
) -> Iterator[tuple[Row, Record[Target]]]:
    """The rows that can be used; one problem for each thing that is wrong with another."""
    columns = table.columns
    for row in table.sheet.rows:
        wrong: list[tuple[str, str, str]] = []
        try:
            key, path = table.finder.find(str(row.cells[columns.path]))
        except ValueError as error:
            wrong.append(("missing-picture", str(error), "restore the picture, or remove the row"))
        try:
            target = parse(row.cells)
        except ValueError as error:
            wrong.append(("bad-label", str(error), "fill in the cell, or remove the row"))
        word = str(row.cells[columns.split]).strip() if columns.split is not None else ""
        split = split_of(word) if word else table.split
        if word and split is None:
            choices = ", ".join(SPLIT_WORDS)
            wrong.append(("bad-split", f"the split is {word!r}", f"write one of {choices}, or nothing"))
        for kind, reason, repair in wrong:
            problems.append(Problem(kind, "error", table.sheet.name, reason, repair, line=row.line))
        if not wrong:
            group = str(row.cells[columns.group]).strip() if columns.group is not None else ""
            yield row, Record(key, FileOrigin(path), target, split, group or None)


def _repeated(
    table: str, line: int, first: Record[Target], again: Record[Target], place: tuple[str, int]
) -> Problem:
    told = f"{shown_name(again.key)} was listed before ({place[0]}:{place[1]})"
    if first.target == again.target and first.split == again.split:
        return Problem("repeated-row", "warning", table, f"{told}, the same", "remove one", line=line)
    reason = f"{told} with another label or split; the first counts"
    return Problem("conflicting-rows", "error", table, reason, "find out which is right", line=line)


def _nothing(sheet: Sheet, problems: Sequence[Problem]) -> LabelError:
    kinds = Counter(problem.kind for problem in problems if problem.line is not None)
    counted = ", ".join(f"{count} × {kind}" for kind, count in kinds.most_common())
    first = next((problem for problem in problems if problem.line is not None), None)
    told = f"; first {sheet.name}:{first.line}: {first.reason}" if first else ""
    return LabelError(
        f"not one of the {len(sheet.rows)} rows of {sheet.name} can be used ({counted}{told})",
        expected="paths relative to the table's folder, and a label or number in every row",
        remedy="mend the table; path_column and target_columns say which columns are meant",
    )


def _dataset(found: _Gathered[Target], paths: Sequence[Path], names: tuple[str, ...]) -> Dataset[Target]:
    if not found.records:
        tables = ", ".join(shown_name(path.name) for path in paths)
        raise LabelError(f"{tables} lists no pictures", expected="a row a picture")
    root = os.path.realpath(paths[0].parent)
    layout = ("table " if len(paths) == 1 else "tables ") + " and ".join(found.words)
    return Dataset(tuple(found.records.values()), names, root, layout, tuple(found.problems))
