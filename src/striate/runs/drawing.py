"""Each figure of `striate.figures` as accessible HTML: a table where that says it, else SVG."""

from __future__ import annotations

import base64
import io
import math
import re
from collections.abc import Sequence

import numpy as np

from striate.figures import Bars, Figure, Gallery, GalleryItem, Lines, Matrix, Scatter, Table
from striate.runs.markup import escape, number
from striate.runs.svg import draw_heat_map, draw_lines, draw_scatter, heat_levels, hue, round_ends
from striate.types import Picture

__all__ = ["draw_figure", "draw_figures"]

_NUMBERED = 30
"""Rows and columns up to which a matrix shows its numbers."""
_UNBROKEN = 10
"""Length up to which a number with its unit stays on one line."""
_SMALL = 6
"""Rows and columns up to which a matrix fits half the page."""
_ROWS = 24
"""Bars and table rows that are shown before the reader asks for all."""
_BOX = 144
"""Side of the box that a gallery picture is fitted into, pixels of the page; twice that if large."""
_WRITTEN = re.compile(r"[<+−-]?\d[\d.\u202f]*(e[−-]?\d+)?([ \xa0]?%)?|[−-]?[\d.]+–[\d.]+|–|n/a")
_LONG = 60
"""Letters in a cell from which on it is a sentence."""
_CUT = 24
"""Length from which on a name beside a bar may not fit its two lines."""
_NONE = '<p class="none">No values to draw.</p>'


def draw_figures(figures: Sequence[Figure]) -> str:
    """`figures` in two columns; one that would leave a hole beside it takes both."""
    parts: list[str] = []
    left: Figure | None = None
    for figure in figures:
        if _is_wide(figure):
            parts += [draw_figure(left, alone=True)] if left is not None else []
            parts.append(draw_figure(figure))
            left = None
        elif left is not None:
            parts += [draw_figure(left), draw_figure(figure)]
            left = None
        else:
            left = figure
    parts += [draw_figure(left, alone=True)] if left is not None else []
    return "".join(parts)


def _is_wide(figure: Figure) -> bool:
    match figure:
        case Gallery():
            return True
        case Matrix():
            return max(len(figure.row_names), len(figure.column_names)) > _SMALL
        case Table():
            return len(figure.columns) > 3
    return False


def _is_wordy(figure: Figure) -> bool:
    """Whether it is a table of sentences, which want the whole width."""
    return isinstance(figure, Table) and any(
        isinstance(cell, str) and len(cell) > _LONG for row in figure.rows for cell in row
    )


def draw_figure(figure: Figure, *, alone: bool = False) -> str:
    """`figure` as a `<figure>` element; `alone`: as wide as the page, its words beside it."""
    kind, body = _draw(figure)
    wide = _is_wide(figure) or (alone and _is_wordy(figure))
    width = " wide" if wide else " wide alone" if alone else ""
    caption = f"<p>{escape(figure.caption)}</p>" if figure.caption else ""
    return (
        f'<figure class="{kind}{width}">'
        f"<figcaption><h3>{escape(figure.title)}</h3>{caption}</figcaption><div>{body}</div></figure>"
    )


def _draw(figure: Figure) -> tuple[str, str]:
    """Its class in the style sheet, and its body."""
    match figure:
        case Lines():
            return "chart", (draw_lines(figure) or _NONE) + _legend(figure)
        case Scatter():
            return "chart", draw_scatter(figure) or _NONE
        case Bars():
            return "bars", _draw_bars(figure)
        case Matrix():
            return "matrix", _draw_matrix(figure)
        case Gallery():
            return "gallery large" if figure.large else "gallery", _draw_gallery(figure)
        case Table():
            return "table", _draw_table(figure)


def _legend(figure: Lines) -> str:
    if len(figure.curves) < 2 and not figure.diagonal:
        return ""
    entries = [(f"line {hue(index)}", curve.name) for index, curve in enumerate(figure.curves)]
    if figure.diagonal:
        entries.append(("ideal", "ideal"))
    rows = "".join(
        f'<li><svg viewBox="0 0 26 8" aria-hidden="true"><path class="{kind}" d="M1 4H25"/></svg>'
        f"<bdi>{escape(name)}</bdi></li>"
        for kind, name in entries
    )
    return f'<ul class="legend">{rows}</ul>'


# -- bars -------------------------------------------------------------------------------------


def _draw_bars(figure: Bars) -> str:
    if not figure.names:
        return _NONE
    low = list(figure.low or figure.values)
    high = list(figure.high or figure.values)
    base, top = round_ends([*figure.values, *low, *high])
    scale = 100 / (top - base)
    text = _shares if 0.01 < max(top, -base) <= 1 else number
    zero = _box("zero", -base * scale, 0) if base < 0 < top else ""
    rows = []
    for name, value, below, above in zip(figure.names, figure.values, low, high, strict=True):
        bar = zero + _bar(value, base, scale)
        interval = ""
        if figure.low is not None and math.isfinite(below) and math.isfinite(above):
            bar += _box("whisker", (below - base) * scale, (above - below) * scale)
            interval = f" <small>{text(below)} to {text(above)}</small>"
        rows.append(
            f'<tr><th scope="row"{_whole(name)}><bdi>{escape(name)}</bdi></th>'
            f'<td class="track" aria-hidden="true"><span class="rail">{bar}</span></td>'
            f'<td class="value">{text(value)}{interval}</td></tr>'
        )
    head = (
        '<colgroup><col class="names"><col><col class="values"></colgroup><thead class="unseen"><tr>'
        f'<th scope="col">name</th><td></td><th scope="col">{escape(figure.x_label)}</th></tr></thead>'
    )
    return _folded(figure.title, head, rows) + _bar_scale(base, top, figure.x_label)


def _bar_scale(base: float, top: float, label: str) -> str:
    """Beneath the bars: the ends of the axis, zero between them where there is room, and its name."""
    zero = 100 * -base / (top - base)
    ends = [("start", 0.0, base), ("stop", 100.0, top)]
    if 28 < zero < 72:
        ends.append(("middle", zero, 0.0))
    marks = "".join(
        f'<span class="{kind}" style="left:{at:.2f}%">{number(value, 3)}</span>'
        for kind, at, value in ends
    )
    return f'<div class="scale" aria-hidden="true"><p>{marks}</p><p>{escape(label)}</p></div>'


def _whole(name: str) -> str:
    """The whole of a name that may be cut, for those who point at it."""
    return f' title="{escape(name)}"' if len(name) > _CUT else ""


def _shares(value: float) -> str:
    """Numbers up to one, to be read under each other."""
    return f"{value:.3f}".replace("-", "−") if math.isfinite(value) else number(value)


def _bar(value: float, base: float, scale: float) -> str:
    if not math.isfinite(value):
        return ""
    start = (min(value, 0.0) - base) * scale
    return _box("bar below" if value < 0 else "bar", start, abs(value) * scale)


def _box(kind: str, start: float, width: float) -> str:
    return f'<i class="{kind}" style="left:{start:.2f}%;width:{max(width, 0):.2f}%"></i>'


def _scroll(title: str) -> str:
    """The opening of a box that scrolls sideways, also with the arrow keys."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title)}">'


def _folded(title: str, head: str, rows: Sequence[str]) -> str:
    """A table; of a long one the first rows, and the others behind "Show all"."""

    def table(some: Sequence[str]) -> str:
        body = f"<tbody>{''.join(some)}</tbody>"
        return f"{_scroll(title)}<table>{head}{body}</table></div>"

    if len(rows) <= _ROWS + 6:
        return table(rows)
    rest = table(rows[_ROWS:])
    return f"{table(rows[:_ROWS])}<details><summary>Show all {len(rows)}</summary>{rest}</details>"


# -- matrices ---------------------------------------------------------------------------------


def _draw_matrix(figure: Matrix) -> str:
    values = np.asarray(figure.values)
    if values.size == 0:
        return _NONE
    if max(values.shape) > _NUMBERED:
        order = "Rows and columns are numbered in the order of the class names, from 0."
        return f'{draw_heat_map(figure)}<p class="note">{order}</p>{_draw_greatest(figure)}'
    levels = heat_levels(values)
    square = list(figure.row_names) == list(figure.column_names)
    head = "".join(
        f'<th scope="col"><span><bdi>{escape(name)}</bdi></span></th>' for name in figure.column_names
    )
    rows = []
    for row, name in enumerate(figure.row_names):
        cells = "".join(
            f'<td class="{"ok" if not square or row == column else "er"}{levels[row, column]}'
            f'{"" if value else " zero"}">{number(float(value), 3)}</td>'
            for column, value in enumerate(values[row])
        )
        rows.append(f'<tr><th scope="row"><bdi>{escape(name)}</bdi></th>{cells}</tr>')
    corner = f"{escape(figure.row_label)} ↓<br>{escape(figure.column_label)} →"
    size = "roomy" if max(values.shape) <= 12 else "tight"
    return (
        f'{_scroll(figure.title)}<table class="{size}"><thead><tr><th class="corner">{corner}'
        f"</th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _draw_greatest(figure: Matrix, count: int = 15) -> str:
    """The largest cells by name; in a square matrix those off the diagonal."""
    values = np.nan_to_num(np.asarray(figure.values, dtype=np.float64))
    sums = values.sum(axis=1)
    title = "Largest"
    if list(figure.row_names) == list(figure.column_names):
        values = values * (1 - np.eye(len(values)))
        title = "Largest off the diagonal"
    order = np.argsort(-values, axis=None, kind="stable")[:count]
    rows: list[tuple[str, str, float, str]] = []
    for index in order:
        row, column = divmod(int(index), values.shape[1])
        if values[row, column] > 0:
            share = f"{100 * values[row, column] / sums[row]:.0f} %"
            rows.append((figure.row_names[row], figure.column_names[column], values[row, column], share))
    columns = (figure.row_label, figure.column_label, "count", "of its row")
    return f"<h4>{title}</h4>" + _draw_table(Table(title, "", columns, rows)) if rows else ""


# -- galleries --------------------------------------------------------------------------------


def _draw_gallery(figure: Gallery) -> str:
    if not figure.items:
        return f'<p class="none">{escape(figure.empty)}</p>'
    box = 2 * _BOX if figure.large else _BOX
    return f"<ul>{''.join(_draw_item(item, box) for item in figure.items)}</ul>"


def _draw_item(item: GalleryItem, box: int) -> str:
    source, width, crisp = _inline(item.picture, box)
    alt = ", ".join(part for part in (item.title, item.note) if part)
    mark = {"good": '<b class="mark">✓</b> ', "bad": '<b class="mark">✗</b> ', "plain": ""}[item.tone]
    note = f"<small><bdi>{escape(item.note)}</bdi></small>" if item.note else ""
    return (
        f'<li class="{item.tone}"><span class="frame"><img src="{source}" alt="{escape(alt)}" '
        f'style="width:{width}px" class="{"crisp" if crisp else "smooth"}"></span>'
        f"<strong>{mark}<bdi>{escape(item.title)}</bdi></strong>{note}</li>"
    )


def _inline(picture: Picture, box: int) -> tuple[str, int, bool]:
    """A data URI, the width to show it at, and whether it is enlarged with hard edges.

    Small pictures are PNG, exact to the pixel; large ones are reduced to twice the box and JPEG,
    which keeps a report with dozens of photos below a megabyte.
    """
    from PIL import Image

    longest = max(picture.shape[:2])
    file, kind = io.BytesIO(), "png"
    image = Image.fromarray(np.ascontiguousarray(picture))
    if longest <= box:
        image.save(file, "PNG")
        scale = float(max(1, box // longest))
    else:
        image.thumbnail((2 * box, 2 * box))
        image.save(file, "JPEG", quality=88)
        kind, scale = "jpeg", box / longest
    data = base64.b64encode(file.getvalue()).decode("ascii")
    width = max(1, round(picture.shape[1] * scale))
    return f"data:image/{kind};base64,{data}", width, scale >= 2


# -- tables -----------------------------------------------------------------------------------


def _draw_table(figure: Table) -> str:
    if not figure.rows:
        return '<p class="none">Nothing to list.</p>'
    columns = range(len(figure.columns))
    numeric = [all(_is_number(row[index], index) for row in figure.rows) for index in columns]
    right = [' class="right"' if one else "" for one in numeric]
    names = zip(figure.columns, right, strict=True)
    head = "".join(f'<th scope="col"{at}>{escape(name)}</th>' for name, at in names)
    rows = []
    for row in figure.rows:
        cells = "".join(f"<td{at}>{_cell(value)}</td>" for value, at in zip(row, right, strict=True))
        rows.append(f"<tr>{cells}</tr>")
    return _folded(figure.title, f"<thead><tr>{head}</tr></thead>", rows)


def _is_number(value: str | float | int, column: int) -> bool:
    """Whether it is one, written out or not; the first column holds names, if also "7"."""
    if not isinstance(value, str):
        return True
    return column > 0 and _WRITTEN.fullmatch(value) is not None


def _cell(value: str | float | int) -> str:
    if not isinstance(value, str):
        return number(value)
    short = len(value) <= _UNBROKEN and value[:1] in "0123456789<>−-"
    text = value.replace(" ", "\N{NO-BREAK SPACE}") if short else value
    return f"<bdi>{escape(text)}</bdi>"
