"""Answers on a terminal: one picture in detail, many as lines with the answer first."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from rich.text import Text

from striate.cli.answers import best
from striate.cli.output import Output, shown

if TYPE_CHECKING:
    from striate.verbs.model import Answer

__all__ = ["Lines", "bar"]

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_DETAIL = 5
_WIDE = 60


def bar(share: float, width: int) -> str:
    """`share` in [0, 1] as a bar of `width` columns, drawn in eighths.

    >>> bar(0.5, 4), bar(1.0, 4), bar(0.01, 4)
    ('██  ', '████', '▏   ')
    """
    eighths = max(round(share * width * 8), 1 if share > 0 else 0)
    full, rest = divmod(min(eighths, width * 8), 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


class Lines:
    """Writes to the terminal as answers come. A single one is shown in detail."""

    def __init__(self, output: Output, names: tuple[str, ...], top: int | None) -> None:
        self._output, self._top = output, top
        self._width = output.console().width
        self._label = min(max((len(name) for name in (*names, "unreadable")), default=10), 24)
        self._first: Answer | None = None
        self._count = 0
        self._unknown = self._unreadable = 0

    def add(self, answer: Answer) -> None:
        self._count += 1
        self._unreadable += answer.result is None
        if self._count == 1:
            self._first = answer  # it may stay the only one
            return
        if self._first is not None:
            first, self._first = self._first, None
            self._line(first)
        self._line(answer)

    def close(self) -> None:
        if self._first is not None:
            self._detail(self._first)
        elif self._count:
            parts = [f"{self._count} pictures"]
            parts += [f"{self._unknown} unknown"] if self._unknown else []
            parts += [f"{self._unreadable} unreadable"] if self._unreadable else []
            self._output.say(", ".join(parts), style="dim")

    # -- many ---------------------------------------------------------------------------------

    def _line(self, answer: Answer) -> None:
        path = shown(os.fsdecode(answer.path))
        if answer.error is not None:
            text = Text("unreadable".ljust(self._label) + "  ", style="red").append(path, style="")
            self._print(text.append(f"  {answer.error.reason}", style="dim"))
            return
        found = answer.to_dict()
        if "scores" in found and self._top is not None and self._top > 1:
            self._detail(answer)
        elif "scores" in found:
            self._print(self._scored(found).append(path))
        else:
            self._print(Text(_in_words(found), style="bold").append("  " + path, style=""))

    def _scored(self, found: dict[str, Any]) -> Text:
        """The answer and its score, always equally wide."""
        self._unknown += not found["known"]
        label = (found["label"] or "none") if found["known"] else "unknown"
        text = Text(
            _cut(shown(label), self._label).ljust(self._label),
            style="bold" if found["known"] else "yellow",
        )
        text.append("  ")
        if self._width >= _WIDE:
            text.append(bar(found["score"], 10) + " ", style="cyan" if found["known"] else "yellow")
        return text.append(f"{100 * found['score']:5.1f} %  ", style="")

    def _print(self, text: Text) -> None:
        text.no_wrap, text.overflow = True, "ellipsis"
        self._output.show(text)

    # -- one ----------------------------------------------------------------------------------

    def _detail(self, answer: Answer) -> None:
        path = shown(os.fsdecode(answer.path))
        if answer.error is not None:
            self._output.fail(answer.error)
            return
        found = answer.to_dict()
        self._output.show(Text(path, style="bold"))
        if "scores" not in found:
            for line in _in_lines(found):
                self._output.show(Text("  " + line))
            return
        if not found["known"]:
            self._unknown += 1
            self._output.show(
                Text("  unknown: too unsure to promise an answer; the nearest are", style="yellow")
            )
        width = max(10, min(40, self._width - self._label - 14))
        for name, score in best(found["scores"], self._top or _DETAIL).items():
            chosen = found["known"] and name in found.get("labels", [found["label"]])
            row = Text("  ").append(
                _cut(shown(name), self._label).ljust(self._label), style="bold" if chosen else ""
            )
            row.append("  ").append(bar(score, width), style="cyan" if chosen else "dim").append(
                f" {100 * score:5.1f} %"
            )
            self._output.show(row)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _in_words(found: dict[str, Any]) -> str:
    return ", ".join(_in_lines(found))


def _in_lines(found: dict[str, Any]) -> list[str]:
    """Values with their intervals; of a task that is not known here, its JSON."""
    if "values" not in found:
        return [json.dumps({key: value for key, value in found.items() if key != "path"})]
    lines = []
    for name, value in found["values"].items():
        interval = found.get("intervals", {}).get(name)
        ends = f" ({interval[0]:.4g} to {interval[1]:.4g})" if interval else ""
        lines.append(f"{shown(name)} {value:.4g}{ends}")
    return lines
