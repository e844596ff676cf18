"""Text tables as rows of cells: CSV, TSV, JSON lines, and lists of "path label"; no meaning yet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from striate.errors import LabelError
from striate.pictures.formats import is_picture_name
from striate.pictures.sources import shown_name
from striate.types import Problem

__all__ = ["TABLE_SUFFIXES", "Cell", "Row", "Sheet", "read_sheet"]

TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".jsonl", ".ndjson"})
"""Endings, in lower case, by which a table is found in a folder; named directly, ".txt" is one, too."""

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_ROWS = 20
LARGEST_TABLE = 2**30

Cell: TypeAlias = str | tuple[str, ...]
"""Text, as it stands in the table; a tuple where a JSON line holds a list."""


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row, one per column of the sheet, and the line it starts on (1 is the first)."""

    line: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its file name, column names and rows. `encoding` and `delimiter` as detected.

    `problems`: rows that were left out, each with its line, and doubts about the encoding.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    encoding: str
    delimiter: str
    problems: tuple[Problem, ...]


def read_sheet(path: Path) -> Sheet:
    """The table in `path`; a `LabelError` names the line where it stops being one.

    UTF-8 with or without a mark, UTF-16 with one, else Windows-1252, which is reported. The delimiter
    (comma, semicolon, tab, bar; white space in .txt) is the one that divides the first rows evenly. A
    first row with a picture in it is no header; the columns are then "path", "label" or "column 2" ….
    """
    name = shown_name(path.name)
    text, encoding = _decode(_bytes(path, name))
    problems = []
    if encoding == "cp1252":
        reason = "the table is not UTF-8; it was read as Windows-1252"
        problems.append(Problem("encoding", "warning", name, reason, "save it as UTF-8"))
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        columns, rows = _json_rows(text, name, problems)
        return Sheet(name, columns, tuple(rows), encoding, "", tuple(problems))
    delimiter = (
        "\t" if path.suffix.lower() == ".tsv" else _delimiter(text, path.suffix.lower() == ".txt")
    )
    found = _split_rows(text, delimiter, name)
    first = next(found, None)
    if first is None:
        raise LabelError(f"{name} is empty", expected="a header and a row a picture")
    columns, headless = _header(first, name)
    body = [first, *found] if headless else found
    rows = list(_even(body, len(columns), name, problems))
    return Sheet(name, columns, tuple(rows), encoding, delimiter, tuple(problems))


def _bytes(path: Path, name: str) -> bytes:
    try:
        if path.stat().st_size > LARGEST_TABLE:
            raise LabelError(f"{name} is larger than 1 GiB", remedy="split it into several tables")
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise LabelError(f"the table {name} cannot be read: {reason}") from error


def _decode(data: bytes) -> tuple[str, str]:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace"), "utf-16"
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("cp1252", "surrogateescape"), "cp1252"


def _delimiter(text: str, spaced: bool) -> str:
    """The delimiter that makes the most columns of the first rows, the same number in each."""
    sample = list(islice((line for line in text.splitlines() if line.strip()), SAMPLE_ROWS))
    best, most = ",", 1
    for delimiter in (*DELIMITERS, *(" " if spaced else "")):
        try:
            widths = {len(row) for row in _parse(sample, delimiter)}
        except csv.Error:
            continue
        if len(widths) == 1 and (width := widths.pop()) > most:
            best, most = delimiter, width
    if most == 1 and sample:  # uneven rows: by the header alone
        best = max(DELIMITERS, key=sample[0].count)
    return best


def _parse(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    if delimiter == " ":
        return (line.split() for line in lines)
    return csv.reader(lines, delimiter=delimiter, strict=True)


def _split_rows(text: str, delimiter: str, name: str) -> Iterator[Row]:
    """Rows that are not blank; cells may hold line ends inside quotation marks."""
    if delimiter == " ":
        lines = enumerate(text.splitlines(), 1)
        yield from (Row(line, tuple(words)) for line, row in lines if (words := row.split()))
        return
    reader, line = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield Row(line + 1, tuple(cells))
            line = reader.line_num
    except csv.Error as error:
        raise LabelError(
            f"{name}:{line + 1}: the row cannot be read ({error})",
            expected=f"cells divided by {delimiter!r}, quotation marks in pairs",
            remedy="mend the row; a quotation mark inside a cell is written twice",
        ) from error


def _header(first: Row, name: str) -> tuple[tuple[str, ...], bool]:
    cells = [str(cell).strip() for cell in first.cells]
    pictures = [is_picture_name(cell) for cell in cells]
    if any(pictures):
        names = ["label" if len(cells) == 2 else f"column {i + 1}" for i in range(len(cells))]
        names[pictures.index(True)] = "path"
        return tuple(names), True
    twice = {cell for cell in cells if cell and cells.count(cell) > 1}
    if twice:
        raise LabelError(
            f"{name}:{first.line}: two columns are called {sorted(twice)[0]!r}",
            remedy="give every column its own name",
        )
    return tuple(cells), False


def _even(rows: Iterable[Row], width: int, name: str, problems: list[Problem]) -> Iterator[Row]:
    for row in rows:
        if len(row.cells) == width:
            yield row
            continue
        extra = row.cells[width:]
        if len(row.cells) > width and not any(extra):  # trailing delimiters, as spreadsheets leave them
            yield Row(row.line, row.cells[:width])
            continue
        reason = f"the row has {len(row.cells)} cells, the header {width}"
        repair = "add the missing cells, or put a cell that holds the delimiter in quotation marks"
        problems.append(Problem("bad-row", "error", name, reason, repair, line=row.line))


def _json_rows(text: str, name: str, problems: list[Problem]) -> tuple[tuple[str, ...], list[Row]]:
    found: list[tuple[int, dict[str, Cell]]] = []
    columns: dict[str, None] = {}
    for line, content in enumerate(text.split("\n"), 1):
        if not content.strip():
            continue
        try:
            cells = _json_cells(content)
        except (ValueError, RecursionError) as error:
            repair = 'write one object a line, such as {"path": "a.jpg", "label": "cat"}'
            problems.append(Problem("bad-row", "error", name, str(error), repair, line=line))
            continue
        columns.update(dict.fromkeys(cells))
        found.append((line, cells))
    if not found:
        raise LabelError(f"{name} has no rows", expected="a JSON object a line")
    rows = [Row(line, tuple(cells.get(column, "") for column in columns)) for line, cells in found]
    return tuple(columns), rows


def _json_cells(content: str) -> dict[str, Cell]:
    """One JSON line as cells; values that are not used may be anything and become their JSON text."""
    value = json.loads(content)
    if not isinstance(value, dict):
        raise ValueError("the line is no JSON object")
    return {str(column): _json_cell(cell) for column, cell in value.items()}


def _json_cell(value: Any) -> Cell:
    if isinstance(value, str):
        return _whole(value)
    if value is None:
        return ""
    if isinstance(value, list) and not any(isinstance(one, (list, dict)) for one in value):
        return tuple(_whole(one) if isinstance(one, str) else json.dumps(one) for one in value)
    return json.dumps(value)


def _whole(text: str) -> str:
    """`text` itself, unless a \\ud… escape left half a character in it."""
    try:
        text.encode("utf-8", "surrogateescape")  # which stands for a byte of a file name
    except UnicodeEncodeError:
        raise ValueError("the line holds half a character (a lone \\ud800 … \\udfff)") from None
    return text
