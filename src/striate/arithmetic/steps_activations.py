"""Activations side by side: value and derivative at the same places, with their curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from striate.arithmetic.activations import ACTIVATIONS, Activation, activation, plot
from striate.arithmetic.steps import (
    Board,
    Cell,
    Chart,
    Dot,
    Step,
    Term,
    Walk,
    check_count,
    equation,
    is_exact,
    shown,
)
from striate.errors import UsageError
from striate.types import Array

__all__ = ["walk_activations"]


def walk_activations(x: Array, names: Sequence[str] = ()) -> Walk:
    """Value and derivative of the activations `names` (by default all that treat each number alone) at
    the places `x` (n,), one place a step."""
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 1 or x.size == 0:
        raise UsageError(f"places of shape {x.shape}", expected="one row of numbers, at least one")
    chosen = [activation(name) for name in names] or [
        one for one in ACTIVATIONS.values() if one.elementwise
    ]
    if any(not one.elementwise for one in chosen):
        raise UsageError(
            "softmax needs several numbers at once", remedy="walk it with: striate layers step softmax"
        )
    check_count(len(x), len(x) * len(chosen))
    values = np.array([one.value(x) for one in chosen])
    slopes = np.array([one.derivative(x) for one in chosen])
    rows, columns = tuple(one.name for one in chosen), tuple(map(shown, x))
    steps = [_at(x[place], chosen, values[:, place], slopes[:, place], place) for place in range(len(x))]
    return Walk(
        "activation",
        "Activations, number by number" if len(chosen) > 1 else f"{chosen[0].name}, number by number",
        "An activation bends what a linear layer computes; without one, layers stacked on each other "
        "are still one linear layer. Its derivative says how much of a gradient passes back through it.",
        (
            Board("v", "values", values, False, row_names=rows, column_names=columns, group="values"),
            Board(
                "d",
                "derivatives",
                slopes,
                False,
                row_names=rows,
                column_names=columns,
                group="derivatives",
            ),
        ),
        tuple(steps),
        charts=tuple(_chart(one, x, row) for row, one in enumerate(chosen)),
    )


def _at(x: float, chosen: Sequence[Activation], values: Array, slopes: Array, place: int) -> Step:
    equations = []
    for row, one in enumerate(chosen):
        exact = is_exact(x)
        equations.append(equation([Term(f"{one.name}({shown(x)})", (), exact)], values[row], after=""))
        if len(chosen) == 1:
            slope = Term(f"derivative at {shown(x)}", (), exact)
            equations.append(equation([slope], slopes[row]))
    cells = [Cell(board, row, place) for board in ("v", "d") for row in range(len(chosen))]
    sentence = (
        "The value of each, and its derivative: how much of a gradient passes back through it here."
    )
    return Step(f"x = {shown(x)}", sentence, tuple(equations), tuple(cells))


def _chart(one: Activation, x: Array, row: int) -> Chart:
    """The curves from −5 to 5, and where the steps are on them."""
    reach = max(5.0, float(np.abs(x).max()))
    values, slopes = one.value(x), one.derivative(x)
    dots = [
        Dot(float(at), float(y), curve, Cell(board, row, place))
        for curve, (board, ys) in enumerate((("v", values), ("d", slopes)))
        for place, (at, y) in enumerate(zip(x, ys, strict=True))
    ]
    return Chart(plot(one.name, reach=reach), tuple(dots))
