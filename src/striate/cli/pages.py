"""How help pages look: headings and two columns, no boxes; one column where the terminal is narrow."""

from __future__ import annotations

import textwrap
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args

from rich.text import Text

if TYPE_CHECKING:
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions

__all__ = ["HelpPages"]

_LEFT = 28
"""Columns for flags, where there is room for two columns."""
_NARROW = 64
_WIDE = 100
_TITLES = {"Parameters": "Options"}


class HelpPages:
    """A cyclopts help formatter."""

    def render_usage(self, console: Console, options: ConsoleOptions, usage: Any) -> None:
        """The line that tells the order of things."""
        words = _words(usage).removeprefix("Usage:").strip()
        console.print(Text.assemble(("Usage", "bold"), "  ", words), end="\n\n")

    def render_description(self, console: Console, options: ConsoleOptions, description: Any) -> None:
        """What the command does."""
        for paragraph in _words(description).strip().split("\n\n"):
            console.print(
                Text(textwrap.fill(" ".join(paragraph.split()), _columns(console))), end="\n\n"
            )

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """One group of arguments or flags."""
        entries = [entry for entry in panel.entries if "--help" not in entry.positive_names]
        if not entries:
            return
        title = str(panel.title)
        console.print(Text(_TITLES.get(title, title), style="bold"))
        for entry in entries:
            console.print(_rows(entry, _columns(console)))
        console.print()


def _columns(console: Console) -> int:
    return min(console.width, _WIDE)


def _rows(entry: HelpEntry, width: int) -> Text:
    """Label and explanation, the latter beside the label where that is short enough."""
    label, left = _label(entry), _LEFT if width >= _NARROW else 6
    text = textwrap.wrap(" ".join(_words(entry.description).split()), max(20, width - left))
    if entry.choices:
        text += textwrap.wrap(" · ".join(entry.choices), max(20, width - left))
    beside = 2 + len(label) + 2 <= left
    row = Text("  ").append(label, style="cyan")
    if beside and text:
        row.append(" " * (left - 2 - len(label)) + text.pop(0))
    for line in text:
        row.append("\n" + " " * left + line)
    return row


def _label(entry: HelpEntry) -> str:
    if entry.positional_label:
        if entry.required:
            return entry.positional_label
        many = "" if NoneType in get_args(entry.type) else "…"
        return f"[{entry.positional_label}{many}]"
    value = f" {entry.metavar}" if entry.metavar else ""
    return " ".join(entry.positive_names + entry.positive_shorts) + value


def _words(renderable: Any) -> str:
    """The plain words of what cyclopts hands over: a str, a rich Text, or a wrapper of one."""
    if renderable is None:
        return ""
    inner = getattr(renderable, "primary_renderable", renderable)
    return inner.plain if isinstance(inner, Text) else str(inner)
