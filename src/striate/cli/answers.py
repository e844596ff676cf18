"""How answers are written: JSON lines, tab-separated rows, lines for people, CSV, annotated pictures.

Nothing here knows a task: everything is drawn from `Result.to_dict()` and `Task.render`.
"""

from __future__ import annotations

import csv
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from striate.cli.output import Output
from striate.verbs.predict.outputs import FreeNames

if TYPE_CHECKING:
    from striate.task import Task
    from striate.verbs.model import Answer

__all__ = [
    "AnnotatedPictures",
    "AnswerWriter",
    "CsvTable",
    "JsonFile",
    "JsonLines",
    "Rows",
    "best",
    "flat",
]


class AnswerWriter(Protocol):
    """Takes answers one by one; `close` comes last, also after an interruption."""

    def add(self, answer: Answer) -> None: ...

    def close(self) -> None: ...


def best(scores: Mapping[str, float], top: int | None) -> dict[str, float]:
    """The `top` highest scores, best first; all as they are without `top`."""
    if top is None:
        return dict(scores)
    order = sorted(scores, key=lambda name: -scores[name])
    return {name: scores[name] for name in order[:top]}


def flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Nested mappings as (dotted name, value); an interval becomes `.low` and `.high`.

    >>> dict(flat({"values": {"age": 3.0}, "intervals": {"age": [2.0, 4.0]}}))
    {'values.age': 3.0, 'intervals.age.low': 2.0, 'intervals.age.high': 4.0}
    """
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from flat(one, f"{name}.{key}" if name else str(key))
    elif name.startswith("intervals."):
        low, high = value if value is not None else (None, None)
        yield f"{name}.low", low
        yield f"{name}.high", high
    elif isinstance(value, list | tuple):
        yield name, ";".join(map(str, value))
    else:
        yield name, value


class JsonLines:
    """One object a line."""

    def __init__(self, output: Output, top: int | None) -> None:
        self._output, self._top = output, top

    def add(self, answer: Answer) -> None:
        found = answer.to_dict()
        if "scores" in found:
            found["scores"] = best(found["scores"], self._top)
        self._output.line(found)

    def close(self) -> None:
        """Every line was written at once."""


class Rows:
    """Tab-separated text for pipes: path, then the answer. What is unreadable goes to stderr."""

    def __init__(self, output: Output, top: int | None) -> None:
        self._output, self._top = output, top

    def add(self, answer: Answer) -> None:
        found = answer.to_dict()
        path = os.fsdecode(answer.path)
        if answer.error is not None:
            self._output.fail(answer.error)
        elif "scores" in found:
            label = found["label"] if found["known"] else "unknown"
            cells = [label or "", f"{found['score']:.4f}"]
            if self._top is not None:
                for name, score in best(found["scores"], self._top).items():
                    cells += [name, f"{score:.4f}"]
            self._output.row([path, *cells])
        else:
            cells = [str(cell) for _, cell in flat(found) if cell is not None]
            self._output.row([path, *cells[1:]])

    def close(self) -> None:
        self._output.out.flush()


class CsvTable:
    """A CSV file with a column for each value. It appears under its name when it is closed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        self._columns: list[str] = []
        self._waiting: list[dict[str, Any]] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = self._beside.open("x", newline="", encoding="utf-8")

    def add(self, answer: Answer) -> None:
        row = dict(flat(answer.to_dict()))
        self._waiting.append(row)
        if answer.result is not None and not self._columns:  # the first answer tells the columns
            self._columns = [*row, "error"]
            self._write(header=True)
        elif self._columns:
            self._write(header=False)

    def _write(self, *, header: bool) -> None:
        writer = csv.DictWriter(self._file, self._columns, restval="", extrasaction="ignore")
        if header:
            writer.writeheader()
        writer.writerows(self._waiting)
        self._waiting.clear()

    def close(self) -> None:
        if not self._columns:
            self._columns = ["path", "error"]
            self._write(header=True)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._beside.replace(self._path)


class JsonFile:
    """A file with one JSON object a line. It appears under its name when it is closed."""

    def __init__(self, path: Path, top: int | None) -> None:
        self._path = path
        self._beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = self._beside.open("x", encoding="utf-8")
        self._lines = JsonLines(Output(json=True, out=self._file), top)

    def add(self, answer: Answer) -> None:
        self._lines.add(answer)

    def close(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._beside.replace(self._path)


class AnnotatedPictures:
    """Copies of the pictures with their answers drawn on, as JPEG or PNG, in a folder of their own."""

    def __init__(self, folder: Path, task: Task[Any, Any], *, overwrite: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._task, self._overwrite = folder, task, overwrite
        self._free = FreeNames()

    def add(self, answer: Answer) -> None:
        if answer.result is None:
            return
        from striate.pictures.read import read
        from striate.pictures.write import write

        drawn = self._task.render(read(answer.path), answer.result)
        jpeg = os.fsdecode(answer.path).lower().endswith((".jpg", ".jpeg"))
        name = self._free.free(answer.path, ".jpg" if jpeg else ".png")
        write(drawn, self._folder / name, overwrite=self._overwrite)

    def close(self) -> None:
        """Every picture was written at once."""
