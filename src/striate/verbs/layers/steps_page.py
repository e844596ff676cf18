"""A walk as a page: one HTML file with its own small script, which loads nothing and sends nothing.

Without the script the page shows everything at once: the boards filled, and every step in a list.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np

from striate.arithmetic.steps import Board, Cell, Equation, Step, Walk, shown
from striate.runs.atomic import write_text
from striate.runs.markup import escape
from striate.runs.page import masthead, scripted_document, tiles
from striate.verbs.layers.steps_drawing import draw_charts, draw_graph
from striate.verbs.outputs import writable

__all__ = ["render_steps_page", "write_steps_page"]

_ROOMY = 7
"""Columns up to which a cell has room for a second line, the weight."""
_STRONGEST = 0.45
"""How much colour the largest number of a board gets; more would make the numbers hard to read."""


def write_steps_page(walk: Walk, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write `render_steps_page` to the file `path`, whole or not at all; the path.

    A `UsageError` where it exists and `overwrite` is not set.
    """
    target = writable(path, overwrite=overwrite)
    write_text(target, render_steps_page(walk))
    return target


def render_steps_page(walk: Walk) -> str:
    """The page as text."""
    script = _own("steps_page.js")
    body = (
        masthead(walk.title, kind=f"striate layers step {walk.kind}")
        + f'<p class="intro lead">{escape(walk.intro)}</p>'
        + tiles(walk.facts, "tiles small")
        + _player(walk)
        + _list(walk)
    )
    data = json.dumps([_step_data(step) for step in walk.steps], ensure_ascii=False, allow_nan=False)
    return scripted_document(
        f"{walk.title} · striate",
        body,
        style=_own("steps_page.css"),
        script=script,
        told=("steps", data),
        pictures=False,
    )


def _own(name: str) -> str:
    return (files("striate.verbs.layers") / name).read_text("utf-8")


# -- the player -------------------------------------------------------------------------------


def _player(walk: Walk) -> str:
    count = len(walk.steps)
    keys = (
        "Keys: <kbd>←</kbd> <kbd>→</kbd> one step, <kbd>Home</kbd> <kbd>End</kbd> first and last, "
        "<kbd>space</kbd> plays."
    )
    return (
        f'<section class="card player" id="player" aria-label="Step by step">'
        '<div class="now" aria-live="polite"><p class="count">'
        f"All {count} steps at once</p><h2>The result</h2>"
        '<p class="sentence"></p><div class="equations"></div>'
        f"{_outcome(walk)}</div>"
        f'<div class="stage">{draw_graph(walk)}{draw_charts(walk.charts)}{_groups(walk.boards)}</div>'
        '<div class="controls">'
        '<button type="button" class="back" aria-label="Previous step">‹</button>'
        '<button type="button" class="play" aria-label="Play">▶</button>'
        '<button type="button" class="next" aria-label="Next step">›</button>'
        f'<input type="range" min="1" max="{count}" value="1" aria-label="Step">'
        '<label class="speed"><span>speed</span><select><option value="2600">slow</option>'
        '<option value="1300" selected>normal</option><option value="500">fast</option></select></label>'
        f'</div><p class="keys">{keys} Click a result to see how it came about. Rows and columns count '
        "from 0.</p></section>"
    )


def _outcome(walk: Walk) -> str:
    """What came of it, shown with the last step."""
    return f'<p class="outcome">{escape(walk.outcome)}</p>' if walk.outcome else ""


def _groups(boards: Sequence[Board]) -> str:
    names = dict.fromkeys(board.group for board in boards)
    return "".join(
        f'<div class="group">{"".join(_board(one) for one in boards if one.group == name)}</div>'
        for name in names
    )


def _board(board: Board) -> str:
    """A table with a cell for each number; cells that a step writes can be chosen."""
    columns = board.values.shape[1]
    texts = [[shown(value) for value in row] for row in board.values]
    longest = max(len(text) for row in texts for text in row)
    kind = "board roomy" if columns <= _ROOMY else "board"
    sizes = {
        "least": 5 + round(5.7 * longest),
        "phone": max(32, 2 + 8 * longest),
        "large": max(_large(columns), 6 + 8 * longest),
    }
    style = f"--columns:{columns};--letters:{longest};"
    style += ";".join(f"--{name}:{pixels}px" for name, pixels in sizes.items())
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in board.column_names)
    corner = "<td></td>" if board.row_names and head else ""
    rows = "".join(_row(board, row, texts[row]) for row in range(len(texts)))
    caption = f'<figcaption id="t-{board.name}">{escape(board.title)}</figcaption>'
    size = f"{len(texts)} × {columns}" if len(texts) > 1 else ""
    # a wide one may have to be scrolled, with the keyboard too
    reach = (
        "" if columns <= _ROOMY else f' tabindex="0" role="region" aria-label="{escape(board.title)}"'
    )
    return (
        f'<figure class="{kind}" style="{style}">{caption}'
        f'<div class="scroll"{reach}><table aria-labelledby="t-{board.name}">'
        + (f"<thead><tr>{corner}{head}</tr></thead>" if head else "")
        + f"<tbody>{rows}</tbody></table></div>"
        + (f'<p class="size">{size}</p>' if size else "")
        + "</figure>"
    )


def _large(columns: int) -> int:
    """Side of a cell where there is room, pixels: the more columns, the smaller."""
    return 44 if columns <= _ROOMY else 36 if columns <= 10 else 32


def _row(board: Board, row: int, texts: Sequence[str]) -> str:
    head = f'<th scope="row">{escape(board.row_names[row])}</th>' if board.row_names else ""
    cells = []
    for column, text in enumerate(texts):
        kinds = ["value"] if not board.given else []
        kinds += ["edge"] if board.is_edge(row, column) else []
        name = f' class="{" ".join(kinds)}"' if kinds else ""
        at = _key(Cell(board.name, row, column))
        cells.append(f'<td data-cell="{at}"{name}{_ground(board, row, column)}><span>{text}</span></td>')
    return f"<tr>{head}{''.join(cells)}</tr>"


def _ground(board: Board, row: int, column: int) -> str:
    """The colour of a cell: its grey level, or blue for positive and orange for negative numbers."""
    value = float(board.values[row, column])
    if board.picture:
        if board.is_edge(row, column):
            return ""
        level = round(min(max(value, 0), 255))
        return (
            f' style="background:rgb({level},{level},{level});color:{"#000" if level > 127 else "#fff"}"'
        )
    largest = float(np.abs(board.values).max())
    if value == 0 or largest == 0:
        return ""
    hue = 1 if value > 0 else 2
    return f' style="--tint:var(--hue{hue});--part:{100 * _STRONGEST * abs(value) / largest:.0f}%"'


def _key(cell: Cell) -> str:
    return f"{cell.board}:{cell.row}:{cell.column}"


# -- the steps --------------------------------------------------------------------------------


def _step_data(step: Step) -> dict[str, object]:
    """A step for the script, in few letters."""
    return {
        "t": step.title,
        "s": step.sentence,
        "e": [_equation_data(one) for one in step.equations],
        "w": [_key(cell) for cell in step.writes],
    }


def _equation_data(one: Equation) -> dict[str, object]:
    return {
        "n": one.name,
        "b": one.before,
        "t": [[term.text, *map(_key, term.cells)] for term in one.terms],
        "j": one.join,
        "a": one.after,
        "r": f"{one.sign} {shown(one.result)}",
    }


def _list(walk: Walk) -> str:
    """Every step in words: what remains where no script runs, and where a reader can look ahead."""
    rows = []
    for place, step in enumerate(walk.steps, start=1):
        sums = "".join(f"<code>{escape(one.text())}</code>" for one in step.equations)
        link = f'<a href="#step-{place}">{escape(step.title)}</a>'
        rows.append(f"<li>{link}<div>{sums}</div></li>")
    listed = f'<ol class="steps-list">{"".join(rows)}</ol>'
    return f'<section id="all-steps"><h2>All steps</h2>{listed}</section>'
