"""Where words go: results to stdout, talk to stderr; JSON lines for machines; rich only for people.

rich is imported when something is first shown on a terminal: `--json` and pipes never pay for it.
"""

from __future__ import annotations

import json as json_format
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from striate.errors import StriateError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["Output", "shown"]


def shown(text: str) -> str:
    r"""`text` as a terminal may safely show it: control characters and broken UTF-8 are escaped.

    >>> shown("caf\udce9\x1b[31m.jpg")
    'caf\\xe9\\x1b[31m.jpg'
    """
    return text if text.isprintable() else "".join(map(_shown_character, text))


def _shown_character(one: str) -> str:
    if one.isprintable():
        return one
    if "\udc80" <= one <= "\udcff":  # how Python keeps a byte of a file name that is not UTF-8
        return f"\\x{ord(one) - 0xDC00:02x}"
    return one.encode("unicode_escape").decode("ascii")


class Output:
    """The two streams of a command, and in which form things are written to them."""

    def __init__(
        self, *, json: bool = False, out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self.json = json
        self.out = sys.stdout if out is None else out
        self.err = sys.stderr if err is None else err
        self._consoles: dict[bool, Console] = {}
        self._spoken: set[bool] = set()

    @property
    def live(self) -> bool:
        """Whether a person watches the results appear."""
        return not self.json and self.out.isatty()

    @property
    def watched(self) -> bool:
        """Whether a person watches the talk."""
        return self.err.isatty()

    def line(self, value: Mapping[str, Any]) -> None:
        """One JSON object on a line of stdout, at once."""
        utf8 = (self.out.encoding or "utf-8").lower().replace("-", "") == "utf8"
        self.out.write(json_format.dumps(_strict(value), ensure_ascii=not utf8, allow_nan=False) + "\n")
        self.out.flush()

    def row(self, cells: Sequence[str]) -> None:
        """One line of tab-separated text on stdout."""
        self.out.write("\t".join(shown(cell) for cell in cells) + "\n")

    def text(self, text: str) -> None:
        """Lines for people, on stdout; control characters are escaped."""
        self.out.write("\n".join(map(shown, text.split("\n"))))

    def console(self, *, talk: bool = False) -> Console:
        """The rich console of stdout, or of stderr for talk."""
        self._spoken.add(talk)
        if talk not in self._consoles:
            from rich.console import Console

            self._consoles[talk] = Console(
                file=self.err if talk else self.out, highlight=False, markup=False, emoji=False
            )
        return self._consoles[talk]

    def show(self, *parts: RenderableType) -> None:
        """Something for people, on stdout."""
        for part in parts:
            self.console().print(part)

    def say(self, text: str, *, style: str = "") -> None:
        """A sentence on stderr; it is no result, and says nothing with `--json`."""
        if self.json:
            return
        self._line(shown(text), style, talk=True)

    def facts(self, title: str, rows: Sequence[tuple[str, str]], *, talk: bool = False) -> None:
        """A title, and names with their values beneath it, aligned."""
        left = max((len(name) for name, _ in rows), default=0)
        room = max(20, self._width(talk=talk) - left - 4)
        self._title(title, "bold", talk=talk)
        for name, value in rows:
            first, *rest = textwrap.wrap(shown(value), room, break_on_hyphens=False) or [""]
            self._line(f"  {shown(name):<{left}}  {first}", "", talk=talk)
            for line in rest:
                self._line(" " * (left + 4) + line, "", talk=talk)

    def listing(
        self, title: str, lines: Sequence[tuple[str, str]], *, style: str, commands: Sequence[str] = ()
    ) -> None:
        """A title, and (sentence, style) beneath it, wrapped, on stdout.

        `commands`: one beneath each sentence ("" for none), whole on a line of its own, to be copied.
        """
        self._title(title, style, talk=False)
        room = max(20, self._width(talk=False) - 2)
        for (text, one), command in zip(lines, commands or [""] * len(lines), strict=True):
            wrapped = textwrap.wrap(shown(text), room, subsequent_indent="  ", break_on_hyphens=False)
            for line in wrapped:
                self._line(f"  {line}", one, talk=False)
            if command:
                self._line(f"    {shown(command)}", one, talk=False)

    def _title(self, title: str, style: str, *, talk: bool) -> None:
        """Apart from what stands above it on the same stream."""
        if talk in self._spoken or (self._spoken and self.live and self.watched):
            self._line("", "", talk=talk)
        self._line(shown(title), style, talk=talk)

    def _width(self, *, talk: bool) -> int:
        watched = self.watched if talk else self.live
        return min(100, self.console(talk=talk).width) if watched else 100

    def _line(self, text: str, style: str, *, talk: bool) -> None:
        """One line, styled where a person watches."""
        self._spoken.add(talk)
        if self.watched if talk else self.live:
            self.console(talk=talk).print(text, style=style, soft_wrap=True)
        else:
            (self.err if talk else self.out).write(text + "\n")

    def fail(self, error: StriateError) -> None:
        """Tell an error: as a JSON line on stdout with `--json`, else in sentences on stderr."""
        if self.json:
            self.line({"error": error.to_dict()})
            return
        for word, sentence, style in (
            ("error", error.what, "bold red"),
            ("expected", error.expected, "yellow"),
            ("hint", error.remedy, "green"),
        ):
            if sentence:
                self._labelled(word, sentence, style)

    def _labelled(self, word: str, sentence: str, style: str) -> None:
        if not self.watched:
            self.err.write(f"{word}: {shown(sentence)}\n")
            return
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=9)
        grid.add_column(overflow="fold")
        grid.add_row(Text(f"{word}:", style=style), Text(shown(sentence)))
        self.console(talk=True).print(grid)


def _whole_character(one: str) -> str:
    return _shown_character(one) if "\ud800" <= one <= "\udfff" else one


def _strict(value: Any) -> Any:
    """`value` with None for numbers that JSON cannot hold, and bytes that are not UTF-8 escaped."""
    if isinstance(value, str):
        broken = not value.isascii() and any("\ud800" <= one <= "\udfff" for one in value)
        return "".join(map(_whole_character, value)) if broken else value
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, Mapping):
        return {_strict(str(key)): _strict(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(one) for one in value]
    return value
