"""Tables of `striate layers` on a terminal: aligned columns, of which the least telling go first."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from striate.arithmetic.building import shown_shape
from striate.arithmetic.counting import thousands
from striate.arithmetic.network_table import (
    Fold,
    Row,
    bytes_text,
    field_text,
    fold,
    many,
    remarks,
    rows_of,
    step_text,
)
from striate.arithmetic.padding import Answer
from striate.cli.output import Output
from striate.verbs.layers.table import LayersReading, Solution

__all__ = ["show_fittings", "show_network", "show_patch", "show_solution"]

Cells: TypeAlias = Mapping[str, str]
"""What stands in a line, by the name of its column."""

_PIPED = 120
_GAP = 2
_LEAST = 8
_MOST_ANSWERS = 40


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    right: bool = False


_COLUMNS = {
    "layer": _Column("layer"),
    "what": _Column("what"),
    "output": _Column("output"),
    "weights": _Column("weights"),
    "each": _Column("each", right=True),
    "params": _Column("parameters", right=True),
    "cost": _Column("mult-adds", right=True),
    "memory": _Column("memory", right=True),
    "sees": _Column("sees", right=True),
    "step": _Column("step", right=True),
}
_TYPED = (
    ("layer", "what", "output", "weights", "each", "cost", "memory", "sees", "step"),
    ("layer", "what", "output", "weights", "cost", "memory", "sees", "step"),
    ("layer", "what", "output", "weights", "cost", "sees"),
    ("layer", "what", "output", "weights", "sees"),
    ("layer", "what", "output", "params", "sees"),
)
_NAMED = (
    ("layer", "what", "output", "weights", "cost", "memory", "sees", "step"),
    ("layer", "what", "output", "params", "cost", "memory", "sees", "step"),
    ("layer", "what", "output", "params", "cost", "sees", "step"),
    ("layer", "what", "output", "params", "cost", "sees"),
    ("layer", "what", "output", "params", "sees"),
)
"""From wide to narrow: the first that fits is shown."""


def show_network(output: Output, found: LayersReading, *, every: bool) -> None:
    """The table of all layers, their sums, and remarks."""
    network = found.network
    rows = rows_of(network, joined=not (found.typed or every))
    folds = [Fold((row,), 1, row) for row in rows] if every else fold(rows)
    _line(output, f"{network.title} on {shown_shape(network.input_hwc)}", "bold")
    total = {
        "layer": "total",
        "output": shown_shape(network.output),
        "weights": thousands(network.params),
        "params": thousands(network.params),
        "cost": many(network.multiply_adds),
        "memory": bytes_text(network.memory_bytes),
    }
    cells = [*(_cells(row) for one in folds for row in one.rows), total]
    table = _layout(_TYPED if found.typed else _NAMED, cells, _width(output))
    _line(output, table.head(), "dim")
    for one in folds:
        for row in one.rows:
            _line(output, table.line(_cells(row)))
        if one.times > 1:
            _line(output, _repeated(one), "dim")
    _line(output, table.line(total), "bold")
    _line(output, "")
    _line(output, _sums(found))
    for remark in remarks(network):
        _wrapped(output, remark)


def _layout(layouts: Sequence[Sequence[str]], rows: Sequence[Cells], width: int) -> _Table:
    """The widest layout that fits; of the narrowest, names are cut."""
    for names in layouts:
        table = _Table({name: _COLUMNS[name] for name in names}, rows)
        if table.width <= width:
            return table
    return table.squeezed(width)


def _cells(row: Row) -> Cells:
    return {
        "layer": row.name,
        "what": row.what,
        "output": shown_shape(row.output),
        "weights": row.weights,
        "each": thousands(row.each) if row.each else "",
        "params": thousands(row.params) if row.params else "",
        "cost": many(row.multiply_adds),
        "memory": bytes_text(row.memory_bytes),
        "sees": field_text(row.field),
        "step": step_text(row.field),
    }


def _repeated(one: Fold) -> str:
    more = "once more" if one.times == 2 else f"{one.times - 1} times more"
    block = "line" if len(one.rows) == 1 else f"{len(one.rows)} lines"
    return f"  … the same {block} {more}, to {one.last.name}, which sees {field_text(one.last.field)}"


def _sums(found: LayersReading) -> str:
    network = found.network
    layers = f"{network.depth} layer{'s' if network.depth != 1 else ''} deep, as papers count"
    weights = bytes_text(network.weights_bytes) or "nothing"
    return f"{layers} · {weights} of weights · float32, one picture"


def show_patch(output: Output, found: LayersReading) -> None:
    """What the unit that was asked for sees."""
    patch = found.patch
    assert patch is not None
    _line(output, "")
    unit = f"unit ({patch.unit_yx[0]}, {patch.unit_yx[1]}) of {patch.layer}"
    _line(output, unit, "bold")
    if patch.box_xyxy is None:
        _line(output, "  sees nothing of the picture: padding alone")
        return
    x0, y0, x1, y1 = patch.box_xyxy
    bound = "" if patch.exact else " at most"
    _line(
        output,
        f"  sees{bound} rows {y0} to {y1 - 1} and columns {x0} to {x1 - 1}: {y1 - y0}×{x1 - x0} pixels",
    )
    if patch.padded_xyxy != patch.box_xyxy:
        x0, y0, x1, y1 = patch.padded_xyxy
        _line(
            output,
            f"  with the padding rows {y0} to {y1 - 1} and columns {x0} to {x1 - 1}".replace("-", "−"),
            "dim",
        )


def show_fittings(output: Output, found: LayersReading, *, alone: bool) -> None:
    """Everything that fits where a `?` stood; `alone`: no table follows."""
    for one in found.fittings:
        asked = " and ".join(one.unknown)
        _line(output, f"What fits {shown_shape(one.size_hw)}: {asked}", "bold")
        rows = []
        for index, (answer, width) in enumerate(zip(one.answers, one.widths, strict=True)):
            row = _answer_cells(answer) | {"output": shown_shape((int(answer.output), width))}
            if index == one.chosen and not alone:
                row["note"] = ", ".join(part for part in (row["note"], "taken below") if part)
            rows.append(row)
        _answers(output, rows)
        if not alone:
            _line(output, "")


def show_solution(output: Output, found: Solution) -> None:
    """Everything that fits a question in terms."""
    side = found.question.size
    if found.answers:
        what = "any picture side N" if side is None else f"a picture side N = {side}"
        _line(output, f"What fits {what}", "bold")
        _answers(output, [_answer_cells(one) for one in found.answers])
    else:
        _line(output, "Nothing fits", "bold")
    if found.hint:
        _wrapped(output, found.hint)


def _answer_cells(one: Answer) -> dict[str, str]:
    usual = "keeps the size" if one.same else "P = (F−1)/2" if one.usual else ""
    return {
        "kernel": str(one.kernel),
        "stride": str(one.stride),
        "padding": str(one.padding),
        "output": str(one.output),
        "condition": one.condition,
        "note": usual,
    }


_ANSWERS = {
    "kernel": _Column("kernel F", right=True),
    "stride": _Column("stride S", right=True),
    "padding": _Column("padding P", right=True),
    "output": _Column("output"),
    "condition": _Column("where"),
    "note": _Column("note"),
}


def _answers(output: Output, rows: Sequence[Cells]) -> None:
    table = _Table(_ANSWERS, rows)
    _line(output, table.head(), "dim")
    for row in rows[:_MOST_ANSWERS]:
        _line(output, table.line(row))
    if len(rows) > _MOST_ANSWERS:
        _line(output, f"  … {len(rows) - _MOST_ANSWERS} more; --json lists all", "dim")


# -- columns ----------------------------------------------------------------------------------


class _Table:
    """Columns as wide as their widest cell; those without any cell are left out."""

    def __init__(
        self,
        columns: Mapping[str, _Column],
        rows: Sequence[Cells],
        widths: Mapping[str, int] | None = None,
    ) -> None:
        self._columns = {
            name: column for name, column in columns.items() if any(row.get(name) for row in rows)
        }
        self._rows = rows
        self._widths = widths or {
            name: max(len(column.title), *(len(row.get(name, "")) for row in rows))
            for name, column in self._columns.items()
        }

    @property
    def width(self) -> int:
        """Of a line."""
        return sum(self._widths.values()) + _GAP * (len(self._widths) - 1)

    def squeezed(self, width: int) -> _Table:
        """The widest columns made narrower until a line fits."""
        widths = dict(self._widths)
        while sum(widths.values()) + _GAP * (len(widths) - 1) > width and max(widths.values()) > _LEAST:
            widths[max(widths, key=lambda name: widths[name])] -= 1
        return _Table(self._columns, self._rows, widths)

    def head(self) -> str:
        """The titles."""
        return self.line({name: column.title for name, column in self._columns.items()})

    def line(self, cells: Cells) -> str:
        """One line, aligned."""
        parts = []
        for name, column in self._columns.items():
            width, cell = self._widths[name], cells.get(name, "")
            text = _cut(cell, width, front=name == "layer") if len(cell) > width else cell
            parts.append(text.rjust(width) if column.right else text.ljust(width))
        return (" " * _GAP).join(parts).rstrip()


def _cut(text: str, width: int, *, front: bool) -> str:
    """The end tells more of a name, the beginning of anything else."""
    return f"…{text[len(text) - width + 1 :]}" if front else f"{text[: width - 1]}…"


def _width(output: Output) -> int:
    if output.live:
        return output.console().width
    columns = os.environ.get("COLUMNS", "")
    return max(40, int(columns)) if columns.isdigit() else _PIPED


def _line(output: Output, text: str, style: str = "") -> None:
    if output.live:
        output.console().print(text, style=style, no_wrap=True, overflow="ellipsis", crop=True)
    else:
        output.text(f"{text}\n")


def _wrapped(output: Output, text: str) -> None:
    for line in textwrap.wrap(text, _width(output), subsequent_indent="  ", break_on_hyphens=False):
        _line(output, line, "dim")
