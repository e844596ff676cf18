"""Answers on a terminal: one picture in detail, many as lines with the answer first."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.text import Text

from striate.cli.answers import best
from striate.cli.output import Output, shown

if TYPE_CHECKING:
    from striate.verbs.model import Answer

__all__ = ["Lines", "bar", "cut", "cut_front"]

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_BAR = 10
_DETAIL = 5
_WIDE = 60
_LABEL = 24
_VALUE = 24
_PATH = 16
"""Columns: where bars fit, the widest label, a value with its interval, the least left for a path."""


def bar(share: float, width: int) -> str:
    """`share` in [0, 1] as a bar of `width` columns, drawn in eighths.

    >>> bar(0.5, 4), bar(1.0, 4), bar(0.01, 4)
    ('██  ', '████', '▏   ')
    """
    eighths = max(round(share * width * 8), 1 if share > 0 else 0)
    full, rest = divmod(min(eighths, width * 8), 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def cut(text: str, width: int) -> str:
    """`text` in exactly `width` columns, its end left out where it is too long."""
    if cell_len(text) > width:
        while cell_len(text) > width - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (width - cell_len(text))


def cut_front(text: str, width: int) -> str:
    """`text` in at most `width` columns: of a path, the end tells most."""
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) > width - 1:
        text = text[1:]
    return "…" + text


class Lines:
    """Writes to the terminal as answers come. A single one is shown in detail."""

    def __init__(self, output: Output, names: tuple[str, ...], top: int | None) -> None:
        self._output, self._top = output, top
        self._names = names
        self._width = output.console().width
        self._label = min(max(cell_len(shown(name)) for name in (*names, "unreadable")), _LABEL)
        self._first: Answer | None = None
        self._headed = False
        self._count = self._unknown = self._unreadable = 0

    def add(self, answer: Answer) -> None:
        self._count += 1
        self._unreadable += answer.result is None
        if self._count == 1:
            self._first = answer  # it may stay the only one
            return
        if self._first is not None:
            first, self._first = self._first, None
            self._one_of_many(first)
        self._one_of_many(answer)

    def close(self) -> None:
        if self._first is not None:
            self._detail(self._first)
        elif self._count:
            parts = [f"{self._count} pictures"]
            parts += [f"{self._unknown} unknown"] if self._unknown else []
            parts += [f"{self._unreadable} unreadable"] if self._unreadable else []
            self._output.say(", ".join(parts), style="dim")

    # -- many ---------------------------------------------------------------------------------

    def _one_of_many(self, answer: Answer) -> None:
        if answer.error is not None:
            text = Text.assemble((cut("unreadable", self._label), "red"), "  ")
            path = self._path(answer, self._label + 2)
            self._print(text.append(path).append(f"  {answer.error.reason}", style="dim"))
            return
        found = answer.to_dict()
        if "scores" in found and (self._top or 1) == 1:
            text = self._scored(found)
        elif "values" in found and self._columns_fit():
            self._heading()
            text = Text("".join(cut(value, _VALUE) for _, value in _values(found)))
        else:
            self._detail(answer)
            return
        self._print(text.append(self._path(answer, text.cell_len)))

    def _heading(self) -> None:
        """Names above columns of numbers, once."""
        if not self._headed:
            self._headed = True
            self._print(Text("".join(cut(shown(name), _VALUE) for name in self._names), style="bold"))

    def _columns_fit(self) -> bool:
        return len(self._names) * _VALUE + _PATH <= self._width

    def _scored(self, found: dict[str, Any]) -> Text:
        """The answer and its score, always equally wide."""
        known = found["known"]
        self._unknown += not known
        label = (found["label"] or "none") if known else "unknown"
        text = Text.assemble((cut(shown(label), self._label), "bold" if known else "yellow"), "  ")
        if self._width >= _WIDE:
            text.append(bar(found["score"], _BAR) + " ", style="cyan" if known else "yellow")
        return text.append(f"{100 * found['score']:5.1f} %  ")

    def _path(self, answer: Answer, used: int) -> str:
        return cut_front(shown(os.fsdecode(answer.path)), max(_PATH, self._width - used))

    def _print(self, text: Text) -> None:
        self._output.console().print(text, no_wrap=True, overflow="ellipsis", crop=True)

    # -- one ----------------------------------------------------------------------------------

    def _detail(self, answer: Answer) -> None:
        if answer.error is not None:
            self._output.fail(answer.error)
            return
        found = answer.to_dict()
        self._print(Text(self._path(answer, 0), style="bold"))
        if "scores" in found:
            self._scores(found)
            return
        for name, value in _values(found):
            self._print(Text.assemble("  ", (cut(name, self._label), "dim"), "  ", value))

    def _scores(self, found: dict[str, Any]) -> None:
        """The best classes, one a line."""
        if not found["known"]:
            self._unknown += 1
            self._print(Text("  unknown; the nearest are", style="yellow"))
        answers = found.get("labels", [found["label"]]) if found["known"] else []
        width = max(_BAR, min(40, self._width - self._label - 15))
        for name, score in best(found["scores"], self._top or _DETAIL).items():
            chosen = name in answers
            row = Text.assemble("  ", (cut(shown(name), self._label), "bold" if chosen else ""))
            row.append(f"  {100 * score:5.1f} %  ")
            self._print(row.append(bar(score, width).rstrip(), style="cyan" if chosen else "dim"))


def _values(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Names, and values with their intervals; of a task that is not known here, its JSON."""
    if "values" not in found:
        rest = {key: value for key, value in found.items() if key != "path"}
        return [("answer", json.dumps(rest))]
    rows = []
    for name, value in found["values"].items():
        interval = found.get("intervals", {}).get(name)
        ends = f" ({interval[0]:.4g} to {interval[1]:.4g})" if interval else ""
        rows.append((shown(name), f"{value:.4g}{ends}"))
    return rows
