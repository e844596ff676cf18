"""Convolution and transposed convolution, output by output."""

from __future__ import annotations

import numpy as np

from striate.arithmetic.convolution import Padding, conv2d, conv_transpose2d, padding_of
from striate.arithmetic.steps import (
    Board,
    Cell,
    Step,
    Term,
    Walk,
    check_count,
    equation,
    number,
    product,
    shown,
    size_facts,
)
from striate.arithmetic.windows import Fit, Pair, Window, pad, pair, window
from striate.errors import UsageError
from striate.types import Array

__all__ = ["walk_convolution", "walk_transposed"]


def walk_convolution(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    flip: bool = False,
    fit: Fit = "exact",
    channels: tuple[str, ...] = (),
    picture: bool = False,
) -> Walk:
    """`x` (C, H, W) under kernels `weight` (K, C, h, w) with `bias` (K,), each output a step.

    `flip`: turn the kernels by 180° first, the convolution of mathematics. `channels`: names of the
    input's channels. `picture`: the input is grey levels. Errors as in `conv2d`.
    """
    x, weight = _three(x), np.asarray(weight, dtype=np.float64)
    laid = weight[..., ::-1, ::-1] if flip else weight
    bias = np.zeros(len(weight)) if bias is None else np.asarray(bias, dtype=np.float64)
    edge = padding_of(padding, weight.shape[2:], stride, dilation)
    out = conv2d(x[None], laid, bias, stride=stride, padding=edge, dilation=dilation, fit=fit)[0]
    look = window(x.shape[1:], weight.shape[2:], stride=stride, padding=edge, dilation=dilation, fit=fit)
    check_count(out.size, out.size * laid[0].size)
    padded = pad(x[None], look)[0]
    steps = [
        _sum(padded, laid, bias, out, look, (k, row, column))
        for k, row, column in np.ndindex(*out.shape)
    ]
    boards = (
        *_planes("x", "input", padded, channels, look.padding, picture=picture),
        *_kernels(laid, channels, "kernel, turned by 180°" if flip else "kernel"),
        Board("b", "bias" if len(bias) == 1 else "biases", bias[:, None], group="weights"),
        *_planes("y", "output", out, (), given=False),
    )
    name = "True convolution" if flip else "Convolution"
    return Walk(
        "conv", f"{name}, number by number", _intro(flip=flip), boards, tuple(steps), _facts(laid, look)
    )


def _intro(*, flip: bool) -> str:
    which = (
        "The kernel is turned by 180° first: this is the convolution of mathematics."
        if flip
        else "Networks lay the kernel on as it is, which mathematics calls cross-correlation."
    )
    return (
        "The kernel is laid on the input, place by place. Each weight is multiplied with the number "
        f"beneath it; the products and the bias are added: one number of the output. {which}"
    )


def _facts(weight: Array, look: Window) -> tuple[tuple[str, str], ...]:
    kernels, depth, tall, wide = weight.shape
    count = kernels * (depth * tall * wide + 1)
    products = weight.size * look.output_hw[0] * look.output_hw[1]
    return (
        *size_facts(look),
        ("parameters", f"({tall}·{wide}·{depth})·{kernels}+{kernels} = {count}"),
        ("multiplications", str(products)),
    )


def _sum(
    padded: Array, weight: Array, bias: Array, out: Array, look: Window, at: tuple[int, int, int]
) -> Step:
    """One output: the window under kernel k at (row, column)."""
    k, row, column = at
    top, left = row * look.stride[0], column * look.stride[1]
    terms: list[Term] = []
    for c, i, j in np.ndindex(*weight.shape[1:]):
        y, x = top + i * look.dilation[0], left + j * look.dilation[1]
        cells = Cell(f"x{c}", y, x), Cell(f"w{k}.{c}", i, j)
        terms.append(product(padded[c, y, x], weight[k, c, i, j], *cells))
    terms.append(number(bias[k], Cell("b", k, 0)))
    of = f" of output {k}" if len(weight) > 1 else ""
    down, along = (
        f"{first} to {first + span - 1}" for first, span in zip((top, left), look.span_hw, strict=True)
    )
    sentence = f"The kernel lies on rows {down} and columns {along} of the {_padded(look)}input."
    total = out[k, row, column]
    return Step(
        f"Row {row}, column {column}{of}",
        sentence,
        (equation(terms, total),),
        (Cell(f"y{k}", row, column),),
    )


def _padded(look: Window) -> str:
    return "padded " if any(look.padding) else ""


def walk_transposed(
    x: Array, weight: Array, bias: Array | None = None, *, stride: Pair = 1, padding: Pair = 0
) -> Walk:
    """`x` (C, H, W) through a transposed convolution, `weight` (C, K, h, w) as in torch.

    Each input stamps the kernel, times itself, onto the output, `stride` apart; here every output is a
    step that gathers what was stamped on it.
    """
    x, weight = _three(x), np.asarray(weight, dtype=np.float64)
    bias = np.zeros(weight.shape[1]) if bias is None else np.asarray(bias, dtype=np.float64)
    out = conv_transpose2d(x[None], weight, bias, stride=stride, padding=padding)[0]
    check_count(out.size, weight.size * x[0].size)
    step, edge = pair(stride, "stride", 1), pair(padding, "padding", 0)
    steps = [
        _gather(x, weight, bias, out, (k, row, column), step, edge)
        for k, row, column in np.ndindex(*out.shape)
    ]
    tall, wide = (
        f"({n}−1)·{s}−2·{p}+{f} = {m}"
        for n, s, p, f, m in zip(x.shape[1:], step, edge, weight.shape[2:], out.shape[1:], strict=True)
    )
    boards = (
        *_planes("x", "input", x, ()),
        *_kernels(weight.swapaxes(0, 1), (), "kernel"),
        Board("b", "bias" if len(bias) == 1 else "biases", bias[:, None], group="weights"),
        *_planes("y", "output", out, (), given=False),
    )
    facts = (
        ("output", f"{out.shape[1]} × {out.shape[2]}"),
        ("(N−1)·S−2·P+F", tall if tall == wide else f"{tall}, {wide}"),
        ("parameters", str(weight.size + bias.size)),
    )
    intro = (
        "Each number of the input stamps the whole kernel, times itself, onto the output; the stamps "
        "lie one stride apart, and where they overlap they are added. It makes a picture larger again. "
        "It is the backward pass of a convolution, not its inverse."
    )
    return Walk(
        "transposed", "Transposed convolution, number by number", intro, boards, tuple(steps), facts
    )


def _gather(
    x: Array,
    weight: Array,
    bias: Array,
    out: Array,
    at: tuple[int, int, int],
    stride: tuple[int, int],
    edge: tuple[int, int],
) -> Step:
    """One output: the inputs whose stamp covers it, each with the weight that falls on it."""
    k, row, column = at
    terms: list[Term] = []
    for c, i, j in np.ndindex(*x.shape):
        down, along = row + edge[0] - i * stride[0], column + edge[1] - j * stride[1]
        if 0 <= down < weight.shape[2] and 0 <= along < weight.shape[3]:
            cells = Cell(f"x{c}", i, j), Cell(f"w{k}.{c}", down, along)
            terms.append(product(float(x[c, i, j]), float(weight[c, k, down, along]), *cells))
    stamps = len(terms)
    terms.append(number(bias[k], Cell("b", k, 0)))
    of = f" of output {k}" if weight.shape[1] > 1 else ""
    return Step(
        f"Row {row}, column {column}{of}",
        f"{stamps} stamp{'s cover' if stamps != 1 else ' covers'} this place."
        if stamps
        else f"No stamp covers this place: only the bias, {shown(bias[k])}, is there.",
        (equation(terms, out[k, row, column]),),
        (Cell(f"y{k}", row, column),),
    )


def _planes(
    letter: str,
    title: str,
    values: Array,
    names: tuple[str, ...],
    edge: tuple[int, int] = (0, 0),
    *,
    given: bool = True,
    picture: bool = False,
) -> list[Board]:
    """A board for each channel."""
    titles = [f"{title} {part}" for part in (names or range(len(values)))]
    return [
        Board(
            f"{letter}{c}",
            titles[c] if len(values) > 1 else title,
            plane,
            given,
            edge,
            group=title,
            picture=picture,
        )
        for c, plane in enumerate(values)
    ]


def _kernels(weight: Array, names: tuple[str, ...], title: str) -> list[Board]:
    kernels, depth = weight.shape[:2]
    return [
        Board(
            f"w{k}.{c}",
            title
            + (f" {k}" if kernels > 1 else "")
            + (f" on {names[c] if names else f'input {c}'}" if depth > 1 else ""),
            weight[k, c],
            group="weights",
        )
        for k in range(kernels)
        for c in range(depth)
    ]


def _three(x: Array) -> Array:
    found = np.asarray(x, dtype=np.float64)
    if found.ndim != 3 or found.size == 0:
        raise UsageError(f"an input of shape {found.shape}", expected="(channels, height, width)")
    return found
