"""A layer at work, number by number, as data: boards of numbers and the steps that fill them.

A walk shows some boards from the start (an input, a kernel); the cells of the others appear with the
step that writes them. Who draws it (a terminal, a page, a studio) needs nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from striate.arithmetic.sizes import Slide, exact_size, formula, plain
from striate.arithmetic.windows import Window
from striate.errors import UsageError
from striate.figures import Lines
from striate.types import Array

__all__ = [
    "Board",
    "Cell",
    "Chart",
    "Dot",
    "Edge",
    "Equation",
    "Graph",
    "Node",
    "Step",
    "Term",
    "Walk",
    "bare",
    "check_count",
    "equation",
    "factor",
    "is_exact",
    "number",
    "product",
    "row_of",
    "shown",
    "size_facts",
]

MOST_STEPS = 900
MOST_TERMS = 60_000
"""Beyond this nobody walks, and a page would take megabytes."""


class Cell(NamedTuple):
    """One number of a board, rows and columns from 0."""

    board: str
    row: int
    column: int


@dataclass(frozen=True, slots=True)
class Board:
    """A table of numbers, float64 (rows, columns).

    `name`: a word, unique in its walk. `given`: known from the start. `edge`: so many rows and columns
    on each side are padding. `group`: boards of one group belong side by side. `picture`: the numbers
    are grey levels, 0-255.
    """

    name: str
    title: str
    values: Array
    given: bool = True
    edge: tuple[int, int] = (0, 0)
    group: str = ""
    row_names: tuple[str, ...] = ()
    column_names: tuple[str, ...] = ()
    picture: bool = False

    def cells(self) -> list[Cell]:
        """All cells, row by row."""
        return [Cell(self.name, row, column) for row, column in np.ndindex(*self.values.shape)]

    def is_edge(self, row: int, column: int) -> bool:
        """Whether the cell is padding."""
        (down, along), (rows, columns) = self.edge, self.values.shape
        return not (down <= row < rows - down and along <= column < columns - along)


@dataclass(frozen=True, slots=True)
class Term:
    """A part of an equation, and the cells it comes from. `exact`: its text is not rounded."""

    text: str
    cells: tuple[Cell, ...] = ()
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Equation:
    """before · terms joined · after = result, as in "max(" 1, 4 ")" = 4. `name`: of what it gives, where
    a step has several."""

    terms: tuple[Term, ...]
    result: float
    join: str = " + "
    before: str = ""
    after: str = ""
    name: str = ""

    @property
    def sign(self) -> str:
        """ "=", or "≈" where a number is shown rounded."""
        return "=" if is_exact(self.result) and all(term.exact for term in self.terms) else "≈"

    def text(self, most: int | None = None) -> str:
        """In one line; of more than `most` terms the middle is left out."""
        parts = [term.text for term in self.terms]
        if most is not None and len(parts) > most:
            parts = [*parts[: most - 2], "…", parts[-1]]
        name = f"{self.name}: " if self.name else ""
        return f"{name}{self.before}{self.join.join(parts)}{self.after} {self.sign} {shown(self.result)}"


@dataclass(frozen=True, slots=True)
class Step:
    """What happens at once. `writes`: the cells that get their values; what is read is in the terms."""

    title: str
    sentence: str
    equations: tuple[Equation, ...]
    writes: tuple[Cell, ...]

    @property
    def reads(self) -> tuple[Cell, ...]:
        """All cells that the equations use, each once."""
        cells = (cell for one in self.equations for term in one.terms for cell in term.cells)
        return tuple(dict.fromkeys(cells))


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a drawn network at (column, row), with the cells of its value and of its gradient."""

    label: str
    column: float
    row: float
    value: Cell | None = None
    gradient: Cell | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """From node to node by their places; `cells`: it is in use while one of them is."""

    start: int
    end: int
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Graph:
    """A network as nodes and edges."""

    caption: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Dot:
    """A point of a chart, shown while its cell is written."""

    x: float
    y: float
    curve: int
    cell: Cell


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves with points that belong to steps."""

    figure: Lines
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class Walk:
    """A whole operation. `facts`: (name, value) to know before the first step. `outcome`: what came of
    it, in a sentence."""

    kind: str
    title: str
    intro: str
    boards: tuple[Board, ...]
    steps: tuple[Step, ...]
    facts: tuple[tuple[str, str], ...] = ()
    outcome: str = ""
    graph: Graph | None = None
    charts: tuple[Chart, ...] = ()

    def board(self, name: str) -> Board:
        """The board of that name."""
        return next(one for one in self.boards if one.name == name)

    def known(self, count: int) -> frozenset[Cell]:
        """The cells that have a value after `count` steps."""
        given = [cell for board in self.boards if board.given for cell in board.cells()]
        written = [cell for step in self.steps[:count] for cell in step.writes]
        return frozenset([*given, *written])

    def to_dict(self) -> dict[str, object]:
        """JSON-ready: everything but how it is drawn."""
        return {
            "kind": self.kind,
            "title": self.title,
            "intro": self.intro,
            "facts": dict(self.facts),
            "boards": {board.name: _board_dict(board) for board in self.boards},
            "steps": [_step_dict(step) for step in self.steps],
            "outcome": self.outcome,
        }


def _board_dict(board: Board) -> dict[str, object]:
    found: dict[str, object] = {
        "title": board.title,
        "given": board.given,
        "values": board.values.tolist(),
    }
    if any(board.edge):
        found["padding"] = list(board.edge)
    if board.row_names:
        found["row_names"] = list(board.row_names)
    if board.column_names:
        found["column_names"] = list(board.column_names)
    return found


def _step_dict(step: Step) -> dict[str, object]:
    return {
        "title": step.title,
        "sentence": step.sentence,
        "equations": [one.text() for one in step.equations],
        "results": [one.result for one in step.equations],
        "reads": [list(cell) for cell in step.reads],
        "writes": [list(cell) for cell in step.writes],
    }


# -- numbers and equations --------------------------------------------------------------------


def shown(value: float) -> str:
    """A number as it is written in an equation: four significant digits, a real minus sign.

    >>> shown(3.0), shown(-0.5), shown(1 / 3), shown(-2e-7), shown(123456.0)
    ('3', '−0.5', '0.3333', '−2e−7', '123456')
    """
    if value == int(value) and abs(value) < 1e7:
        text = str(int(value))
    else:
        mantissa, power, exponent = f"{value:.4g}".partition("e")
        text = f"{mantissa}e{int(exponent)}" if power else mantissa
    return text.replace("-", "−")


def is_exact(value: float) -> bool:
    """Whether `shown` loses nothing.

    >>> is_exact(0.25), is_exact(0.1 + 0.2), is_exact(1 / 3)
    (True, True, False)
    """
    text = shown(value).replace("−", "-")
    return bool(abs(float(text) - value) <= 1e-12 * max(1.0, abs(value)))


def factor(value: float) -> str:
    """A number within a product: in brackets where it is negative.

    >>> factor(2), factor(-1)
    ('2', '(−1)')
    """
    text = shown(value)
    return f"({text})" if text.startswith("−") else text


def product(one: float, other: float, *cells: Cell) -> Term:
    """The term one×other."""
    return Term(f"{factor(one)}×{factor(other)}", cells, is_exact(one) and is_exact(other))


def number(value: float, *cells: Cell) -> Term:
    """The number itself as a term, in brackets where it is negative."""
    return Term(factor(value), cells, is_exact(value))


def bare(value: float, *cells: Cell) -> Term:
    """The number itself without brackets: where it stands first or alone."""
    return Term(shown(value), cells, is_exact(value))


def equation(
    terms: Sequence[Term],
    result: float,
    *,
    join: str = " + ",
    before: str = "",
    after: str = "",
    name: str = "",
) -> Equation:
    """An `Equation` of any sequence."""
    return Equation(tuple(terms), float(result), join, before, after, name)


def row_of(name: str, title: str, values: Array, *, given: bool = True, group: str = "") -> Board:
    """A vector as a board of one row."""
    return Board(name, title, np.asarray(values, dtype=np.float64)[None], given, group=group)


# -- what the walks share ---------------------------------------------------------------------


def check_count(steps: int, terms: int) -> None:
    """A `UsageError` for a walk that is too long to be walked."""
    if steps > MOST_STEPS or terms > MOST_TERMS:
        raise UsageError(
            f"{steps} steps with {terms} terms are too many to walk through",
            expected=f"at most {MOST_STEPS} steps and {MOST_TERMS} terms",
            remedy="give a smaller input, or of a picture a part (--region) or fewer pixels (--size)",
        )


def size_facts(look: Window) -> tuple[tuple[str, str], ...]:
    """The output size and the sum that gives it, which is one where both directions are alike."""
    tall, wide = (
        Slide(f, s, p, p, d)
        for f, s, p, d in zip(look.size_hw, look.stride, look.padding, look.dilation, strict=True)
    )
    sums = [_size_sum(look.input_hw[0], tall), _size_sum(look.input_hw[1], wide)]
    return (
        ("output", f"{look.output_hw[0]} × {look.output_hw[1]}"),
        ("(N−F+2P)/S+1", sums[0] if sums[0] == sums[1] else f"{sums[0]}, {sums[1]}"),
    )


def _size_sum(size: int, slide: Slide) -> str:
    found = exact_size(size, slide)
    rounded = "" if found.denominator == 1 else f", rounded down {int(found)}"
    return f"{formula(size, slide)} = {plain(found)}{rounded}"
