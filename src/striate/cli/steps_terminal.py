"""A walk on a terminal or in a pipe: boards of numbers side by side, what is read in brackets."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence

from striate.arithmetic.steps import Board, Cell, Equation, Step, Walk, shown
from striate.cli.output import Output
from striate.errors import UsageError

__all__ = ["StepsTerminal"]

Piece = tuple[str, str]
"""Text and its style."""
Line = list[Piece]

_LISTED = 16
"""Lines of steps that are listed to a person before they ask for more."""
_TOGETHER = 6
"""Boards that may stand in one row although they belong to different groups."""
_READ, _WRITTEN, _FAINT = "bold yellow", "bold reverse", "dim"


class StepsTerminal:
    """Shows a walk: all of it in short, one step in full, or step after step."""

    def __init__(self, output: Output, walk: Walk, *, read: Callable[[], str] | None = None) -> None:
        self._output, self._walk = output, walk
        self._read = read or sys.stdin.readline
        columns = shutil.get_terminal_size((100, 24)).columns
        self._width = min(columns, 110) if output.live else 110

    def overview(self) -> None:
        """What it is, the first step in full, and all steps in a line each."""
        walk, count = self._walk, len(self._walk.steps)
        self._heading()
        if walk.charts:  # formulae and tables say everything at once
            self._tables()
            return
        self._print(self._frame(1))
        listed: list[Line] = []
        for place in range(count):
            own = self._short(place)
            if self._output.live and len(listed) + len(own) > _LISTED:
                more = f"… and {count - place} more: --at N shows one, --walk goes through them"
                listed.append([(f"  {more}", _FAINT)])
                break
            listed += own
        self._print([[], [("All steps", "bold")], *listed])
        if walk.outcome:
            self._print([[], *self._wrapped(walk.outcome)])

    def step(self, number: int) -> None:
        """One step, from 1, with everything known by then."""
        self._print(self._frame(number))

    def walk(self) -> None:
        """Step after step; a person says when. A `UsageError` where nobody can."""
        if not self._output.live:
            raise UsageError(
                "--walk needs a terminal", remedy="leave it out, or write a page with --html"
            )
        self._heading()
        number, count = 1, len(self._walk.steps)
        while True:
            self._print(self._frame(number))
            keys = "Enter: next, b: back, a number: that step, q: quit"
            self._print([[(keys, _FAINT)], []])
            answer = self._read()
            word = answer.strip().lower()
            if not answer or word in ("q", "quit") or (not word and number == count):
                break
            number = _next(word, number, count)
        if self._walk.outcome:
            self._print(self._wrapped(self._walk.outcome))

    # -- parts --------------------------------------------------------------------------------

    def _heading(self) -> None:
        walk = self._walk
        self._print([[(walk.title, "bold")], *self._wrapped(walk.intro), []])
        left = max((len(name) for name, _ in walk.facts), default=0)
        lines: list[Line] = [
            [(f"  {name:<{left}}  ", _FAINT), (value, "")] for name, value in walk.facts
        ]
        self._print([*lines, *([[]] if lines else [])])

    def _wrapped(self, text: str) -> list[Line]:
        return [[(line, "")] for line in textwrap.wrap(text, min(self._width, 100))]

    def _short(self, place: int) -> list[Line]:
        """A step in a line, or in one for each of its sums."""
        step = self._walk.steps[place]
        left = max(len(one.title) for one in self._walk.steps)
        head = f"  {place + 1:>{len(str(len(self._walk.steps)))}}  {step.title:<{left}}  "
        room = self._width - len(head)
        lines: list[Line] = []
        for number, one in enumerate(step.equations):
            lines.append([(head if number == 0 else " " * len(head), ""), *self._sum(one, room)])
        return lines

    def _sum(self, one: Equation, room: int) -> Line:
        """An equation; on a terminal its middle is left out where it is too long."""
        text = one.text()
        for most in range(len(one.terms) - 1, 2, -1):
            if not self._output.live or len(text) <= room:
                break
            text = one.text(most)
        sums, sign, result = text.rpartition(f" {one.sign} ")
        return [(sums, ""), (sign + result, "bold")]

    def _frame(self, number: int) -> list[Line]:
        """A step in full: its words, its sums, and the boards as they are then."""
        step, count = self._walk.steps[number - 1], len(self._walk.steps)
        lines: list[Line] = [[(f"Step {number} of {count}: ", _FAINT), (step.title, "bold")]]
        lines += self._wrapped(step.sentence)
        for one in step.equations:
            text = textwrap.wrap(one.text(), self._width - 4, break_on_hyphens=False)
            lines += [[("  " + part, "")] for part in text]
        return [*lines, [], *self._boards(step, self._walk.known(number))]

    def _boards(self, step: Step | None, known: frozenset[Cell]) -> list[Line]:
        """All boards with what is known, those of a group in a row."""
        groups = dict.fromkeys(board.group for board in self._walk.boards)
        blocks = [
            [
                _block(board, step, known, self._width - 6)
                for board in self._walk.boards
                if board.group == group
            ]
            for group in groups
        ]
        together = [block for row in blocks for block in row]
        if _length_of_row(together) <= self._width and len(together) <= _TOGETHER:
            blocks = [together]
        return [line for row in blocks for line in self._beside(row)][:-1]

    def _tables(self) -> None:
        """What each chart shows in words, and all boards filled."""
        walk = self._walk
        left = max(len(chart.figure.title) for chart in walk.charts)
        for chart in walk.charts:
            words = textwrap.wrap(chart.figure.caption, self._width - left - 4)
            for place, line in enumerate(words):
                self._print(
                    [[(f"  {'' if place else chart.figure.title:<{left}}  ", _FAINT), (line, "")]]
                )
        self._print([[], *self._boards(None, walk.known(len(walk.steps)))])

    def _beside(self, blocks: Sequence[list[Line]]) -> list[Line]:
        """Blocks next to each other, as many in a row as there is room for, an empty line beneath."""
        rows: list[list[list[Line]]] = [[]]
        for block in blocks:
            if rows[-1] and _length_of_row([*rows[-1], block]) > self._width:
                rows.append([])
            rows[-1].append(block)
        return [line for row in rows for line in [*_joined(row), []]]

    def _print(self, lines: Sequence[Line]) -> None:
        if not self._output.live:
            self._output.text(
                "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)
            )
            return
        from rich.text import Text

        for line in lines:
            self._output.console().print(Text.assemble(*line), no_wrap=True, overflow="crop", crop=False)


def _next(word: str, number: int, count: int) -> int:
    """The step that an answer asks for."""
    if word.isdecimal():
        return min(max(int(word), 1), count)
    return max(1, number - 1) if word in ("b", "back") else min(count, number + 1)


def _block(board: Board, step: Step | None, known: frozenset[Cell], room: int) -> list[Line]:
    """A board as lines of equal length: its title, the names of its columns, its rows.

    One that is wider than `room` goes on beneath itself.
    """
    texts = [
        [
            shown(float(value)) if Cell(board.name, row, column) in known else "·"
            for column, value in enumerate(values)
        ]
        for row, values in enumerate(board.values)
    ]
    names = board.column_names or ("",) * board.values.shape[1]
    widths = [max(map(len, column)) + 2 for column in zip(names, *texts, strict=True)]
    if not board.column_names:  # numbers of one kind: equal columns
        widths = [max(widths)] * len(widths)
    left = max((len(name) for name in board.row_names), default=-1) + 1
    lines: list[Line] = []
    for columns in _parts(widths, room - left):
        title = board.title if columns.start == 0 else f"{board.title}, from column {columns.start}"
        lines += [[], [(title, "")]] if lines else [[(title, "")]]
        if board.column_names:
            head = "".join(f"{names[column]} ".rjust(widths[column]) for column in columns)
            lines.append([(" " * left + head, _FAINT)])
        for row, line in enumerate(texts):
            name = f"{board.row_names[row]:<{left}}" if board.row_names else ""
            lines.append([(name, _FAINT)])
            for column in columns:
                cell = Cell(board.name, row, column)
                lines[-1] += _number(line[column], widths[column], cell, step, board)
    wide = max(_length(line) for line in lines)
    return [[*line, (" " * (wide - _length(line)), "")] for line in lines]


def _parts(widths: Sequence[int], room: int) -> list[range]:
    """The columns in runs that fit into `room`."""
    starts = [0]
    for column in range(1, len(widths)):
        if sum(widths[starts[-1] : column + 1]) > room:
            starts.append(column)
    ends = [*starts[1:], len(widths)]
    return [range(start, end) for start, end in zip(starts, ends, strict=True)]


def _number(text: str, width: int, cell: Cell, step: Step | None, board: Board) -> Line:
    """A number in its column: in brackets where it is read or written now."""
    written = step is not None and cell in step.writes
    if written or (step is not None and cell in step.reads):
        return [(" " * (width - len(text) - 2), ""), (f"[{text}]", _WRITTEN if written else _READ)]
    faint = text == "·" or board.is_edge(cell.row, cell.column)
    return [(f"{text} ".rjust(width), _FAINT if faint else "")]


def _length(line: Line) -> int:
    return sum(len(text) for text, _ in line)


def _wide(block: Sequence[Line]) -> int:
    return _length(block[0])


def _length_of_row(blocks: Sequence[Sequence[Line]]) -> int:
    return 2 + sum(_wide(block) + 4 for block in blocks)


def _joined(blocks: Sequence[list[Line]]) -> list[Line]:
    """Blocks of different heights, side by side."""
    lines: list[Line] = []
    for row in range(max(len(block) for block in blocks)):
        line: Line = [("  ", "")]
        for block in blocks:
            line += block[row] if row < len(block) else [(" " * _wide(block), "")]
            line.append(("    ", ""))
        lines.append(line)
    return lines
