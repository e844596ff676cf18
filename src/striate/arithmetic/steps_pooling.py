"""Max and average pooling, window by window."""

from __future__ import annotations

from typing import Literal

import numpy as np

from striate.arithmetic.pooling import avg_pool2d, max_pool2d
from striate.arithmetic.steps import (
    Board,
    Cell,
    Equation,
    Step,
    Term,
    Walk,
    bare,
    check_count,
    equation,
    number,
    size_facts,
)
from striate.arithmetic.windows import Fit, Pair, Window, pad, window
from striate.errors import UsageError
from striate.types import Array

__all__ = ["walk_pooling"]


def walk_pooling(
    x: Array,
    kind: Literal["max", "average"],
    size: Pair,
    *,
    stride: Pair | None = None,
    padding: Pair = 0,
    fit: Fit = "exact",
    channels: tuple[str, ...] = (),
    picture: bool = False,
) -> Walk:
    """`x` (C, H, W) pooled with windows of `size`, each output a step. Errors as in `max_pool2d`."""
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 3 or x.size == 0:
        raise UsageError(f"an input of shape {x.shape}", expected="(channels, height, width)")
    pool = max_pool2d if kind == "max" else avg_pool2d
    out = pool(x[None], size, stride=stride, padding=padding, fit=fit)[0]
    taps = (size, size) if isinstance(size, int) else size
    step = taps if stride is None else stride
    look = window(x.shape[1:], taps, stride=step, padding=padding, fit=fit)
    check_count(out.size, out.size * taps[0] * taps[1])
    padded = pad(x[None], look)[0]
    steps = [_window(padded, out, look, kind, at) for at in np.ndindex(*out.shape)]
    names = channels or tuple(map(str, range(len(x))))
    boards = [
        Board(f"{letter}{c}", title if len(x) == 1 else f"{title} {names[c]}", plane, given, edge, title)
        for letter, title, planes, given, edge in (
            ("x", "input", padded, True, look.padding),
            ("y", "output", out, False, (0, 0)),
        )
        for c, plane in enumerate(planes)
    ]
    facts = (*size_facts(look), ("parameters", "0"))
    return Walk(
        "maxpool" if kind == "max" else "avgpool",
        f"{kind.capitalize()} pooling, number by number",
        _INTROS[kind],
        tuple(boards),
        tuple(steps),
        facts,
    )


_INTROS = {
    "max": "Of each window the largest number is kept: whether something was found, and how strongly, "
    "but no longer exactly where. Nothing is learnt, and each channel is treated alone.",
    "average": "Each window becomes its mean. Nothing is learnt, and each channel is treated alone.",
}


def _window(padded: Array, out: Array, look: Window, kind: str, at: tuple[int, ...]) -> Step:
    c, row, column = at
    top, left = row * look.stride[0], column * look.stride[1]
    places = [(top + i, left + j) for i, j in np.ndindex(*look.size_hw)]
    if kind == "max":  # padding never wins, so it is not even looked at
        places = [place for place in places if not _is_padding(place, look)]
    term = bare if kind == "max" else number
    terms = [term(padded[c, y, x], Cell(f"x{c}", y, x)) for y, x in places]
    of = f" of channel {c}" if len(padded) > 1 else ""
    down, along = (
        f"{first} to {first + span - 1}" for first, span in zip((top, left), look.size_hw, strict=True)
    )
    return Step(
        f"Row {row}, column {column}{of}",
        f"The window covers rows {down} and columns {along}.",
        (_result(terms, out[at], kind),),
        (Cell(f"y{c}", row, column),),
    )


def _result(terms: list[Term], result: float, kind: str) -> Equation:
    if kind == "max":
        return equation(terms, result, join=", ", before="max(", after=")")
    return equation(terms, result, before="(", after=f") / {len(terms)}")


def _is_padding(place: tuple[int, int], look: Window) -> bool:
    (y, x), (down, along), (tall, wide) = place, look.padding, look.input_hw
    return not (down <= y < down + tall and along <= x < along + wide)
