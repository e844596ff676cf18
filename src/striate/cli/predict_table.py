"""What a detector found, on a terminal: a table for one picture, a line for each of many."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.padding import Padding
from rich.text import Text

from striate.cli.output import Output, shown
from striate.cli.people import bar, cut, cut_front
from striate.verbs.predict.choice import Choice, detections_of

if TYPE_CHECKING:
    from striate.tasks.detect.types import Detections
    from striate.verbs.model import Answer

__all__ = ["DetectionLines", "DetectionTable"]

_LABEL = 24
_BAR = 10
_WIDE = 70
_ROWS = 25
"""Rows of a table that are shown before the reader must ask for all."""
_PATH = 16


class DetectionTable:
    """Writes to the terminal as answers come. A single picture is shown in detail."""

    def __init__(self, output: Output, names: tuple[str, ...], choice: Choice) -> None:
        self._output, self._choice = output, choice
        self._width = output.console().width
        self._label = min(max(5, *(cell_len(shown(name)) for name in names)), _LABEL)
        self._first: Answer | None = None
        self._pictures = self._unreadable = self._empty = 0
        self._found: Counter[str] = Counter()

    def add(self, answer: Answer) -> None:
        self._pictures += 1
        if self._pictures == 1:
            self._first = answer  # it may stay the only one
            return
        if self._first is not None:
            first, self._first = self._first, None
            self._line(first)
        self._line(answer)

    def close(self) -> None:
        if self._first is not None:
            self._detail(self._first)
        elif self._pictures:
            parts = [f"{self._pictures} pictures", counted(self._found) or "nothing found"]
            parts += [f"{self._empty} with nothing"] if self._empty and self._found else []
            parts += [f"{self._unreadable} unreadable"] if self._unreadable else []
            self._output.say("; ".join(parts), style="dim")

    # -- many ---------------------------------------------------------------------------------

    def _line(self, answer: Answer) -> None:
        """How many of what, and where."""
        found = detections_of(answer)
        room = max(_PATH, self._width // 2)
        path = cut(cut_front(shown(os.fsdecode(answer.path)), room), room)
        if found is None:
            self._unreadable += 1
            assert answer.error is not None
            self._print(Text.assemble(path, "  ", ("unreadable", "red"), f"  {answer.error.reason}"))
            return
        likely = self._choice.shown(found)
        counts = Counter(likely.label_names())
        self._found.update(counts)
        self._empty += not len(likely)
        words = Text(counted(counts), style="bold") if counts else Text("nothing found", style="dim")
        self._print(Text.assemble(path, "  ", words))

    def _print(self, text: Text) -> None:
        self._output.console().print(text, no_wrap=True, overflow="ellipsis", crop=True)

    # -- one ----------------------------------------------------------------------------------

    def _detail(self, answer: Answer) -> None:
        found = detections_of(answer)
        if found is None:
            assert answer.error is not None
            self._output.fail(answer.error)
            return
        likely = self._choice.shown(found)
        counts = Counter(likely.label_names())
        path = cut_front(shown(os.fsdecode(answer.path)), self._width)
        self._print(Text(path, style="bold"))
        if not len(likely):
            words = Padding(Text(nothing(found, self._choice), style="yellow"), (0, 0, 0, 2))
            self._output.show(words)
            return
        self._table(likely)
        left_out = len(likely) - self._rows(likely)
        more = f"; {left_out} more than are shown here, --json lists all" if left_out else ""
        self._output.say(f"{counted(counts)}{more}", style="dim")

    def _rows(self, likely: Detections) -> int:
        return len(likely) if self._choice.top is not None else min(len(likely), _ROWS)

    def _table(self, likely: Detections) -> None:
        names = ["left", "top", "right", "bottom"]
        columns = likely.boxes_xyxy.T.tolist()
        if likely.angles_deg is not None:
            names, columns = [*names, "angle"], [*columns, likely.angles_deg.tolist()]
        cells = [[f"{value:.0f}" for value in column[: self._rows(likely)]] for column in columns]
        widths = [max(map(len, [name, *column])) for name, column in zip(names, cells, strict=True)]
        bars = self._width >= _WIDE
        head = "  " + cut("label", self._label) + "  score  " + (" " * (_BAR + 2) if bars else "")
        head += "  ".join(name.rjust(width) for name, width in zip(names, widths, strict=True))
        self._print(Text(head, style="dim"))
        for row in range(self._rows(likely)):
            score, label = float(likely.scores[row]), likely.names[int(likely.labels[row])]
            text = Text.assemble("  ", (cut(shown(label), self._label), "bold"), f"  {score:5.2f}  ")
            if bars:
                text.append(bar(min(score, 1.0), _BAR) + "  ", style="cyan")
            ends = (column[row].rjust(width) for column, width in zip(cells, widths, strict=True))
            self._print(text.append("  ".join(ends)))


class DetectionLines:
    """Tab-separated text for pipes, a row a detection: path, label, score, left, top, right, bottom,
    and the angle of turned boxes. A picture without any is a row of its path alone."""

    def __init__(self, output: Output, choice: Choice) -> None:
        self._output, self._choice = output, choice

    def add(self, answer: Answer) -> None:
        found, path = detections_of(answer), os.fsdecode(answer.path)
        if found is None:
            assert answer.error is not None
            self._output.fail(answer.error)
            return
        likely = self._choice.shown(found)
        for one in likely.to_dict()["detections"]:
            ends = [f"{edge:.1f}" for edge in one["box_xyxy"]]
            ends += [f"{one['angle_deg']:.1f}"] if "angle_deg" in one else []
            self._output.row([path, one["label"], f"{one['score']:.4f}", *ends])
        if not len(likely):
            self._output.row([path])

    def close(self) -> None:
        self._output.out.flush()


def counted(counts: Mapping[str, int]) -> str:
    """How many of what, most first.

    >>> counted({"cat": 1, "dog": 12})
    '12 dog, 1 cat'
    """
    order = sorted(counts.items(), key=lambda one: -one[1])
    return ", ".join(f"{number} {shown(name)}" for name, number in order)


def nothing(found: Detections, choice: Choice) -> str:
    """That nothing is likely, and how near the best answer comes."""
    if not len(found):
        return "nothing found"
    label, score, limit = found.label_names()[0], float(found.scores[0]), choice.shown_from
    nearly = max(0.0, int(score * 100) / 100)
    return (
        f"nothing found; the best answer, {shown(label)} {score:.2f}, is below {limit:.2f} "
        f"(--min-score {nearly:.2f} shows it)"
    )
