"""Windows that slide over a picture: where they lie, cutting them out, and adding them back.

What convolution and pooling share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from striate.arithmetic.sizes import Slide, fitted, floored
from striate.errors import UsageError
from striate.types import Array, SizeHW

__all__ = ["Fit", "Pair", "Window", "add_windows", "cut_windows", "pad", "pair", "unpad", "window"]

Pair: TypeAlias = int | tuple[int, int]
"""One number for both directions, or (vertical, horizontal)."""

Fit: TypeAlias = Literal["exact", "floor"]
"""What becomes of rows and columns that no window reaches: refuse, or leave them out."""


@dataclass(frozen=True, slots=True)
class Window:
    """Windows of `size_hw` taps, `dilation` apart, every `stride` pixels, over an input with `padding`
    on each side; all (vertical, horizontal), pixels. `output_hw`: how many fit."""

    input_hw: SizeHW
    size_hw: SizeHW
    stride: SizeHW
    padding: SizeHW
    dilation: SizeHW
    output_hw: SizeHW

    @property
    def span_hw(self) -> SizeHW:
        """From the first tap of a window to its last: d(F − 1) + 1."""
        tall, wide = (d * (f - 1) + 1 for d, f in zip(self.dilation, self.size_hw, strict=True))
        return tall, wide

    @property
    def padded_hw(self) -> SizeHW:
        """The size of the input with its padding."""
        tall, wide = (n + 2 * p for n, p in zip(self.input_hw, self.padding, strict=True))
        return tall, wide


def pair(value: Pair, name: str, least: int) -> SizeHW:
    """`value` as (vertical, horizontal); a `UsageError` for anything but whole numbers from `least`."""
    both = tuple(value) if isinstance(value, tuple | list) else (value, value)
    whole = all(isinstance(one, int | np.integer) for one in both)
    if len(both) != 2 or not whole or min(both) < least:
        raise UsageError(
            f"{name} was given {value!r}", expected=f"a whole number from {least}, or two of them"
        )
    return int(both[0]), int(both[1])


def window(
    input_hw: tuple[int, ...],
    size_hw: tuple[int, ...],
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    fit: Fit = "exact",
) -> Window:
    """Where windows lie; a `UsageError` for one larger than the padded input, or, with `fit` "exact",
    for sizes that do not come out whole."""
    step, space = pair(stride, "stride", 1), pair(dilation, "dilation", 1)
    edge, taps = pair(padding, "padding", 0), pair((size_hw[0], size_hw[1]), "kernel", 1)
    measured = fitted if fit == "exact" else floored
    tall, wide = (
        measured(size, Slide(f, s, p, p, d), axis=side)
        for side, size, f, s, p, d in zip(
            ("height", "width"), input_hw, taps, step, edge, space, strict=True
        )
    )
    return Window((input_hw[0], input_hw[1]), taps, step, edge, space, (tall, wide))


def pad(x: Array, look: Window, fill: float = 0.0) -> Array:
    """x (B, C, H, W) with `fill` around it."""
    (down, along) = look.padding
    found: Array = np.pad(x, ((0, 0), (0, 0), (down, down), (along, along)), constant_values=fill)
    return found


def unpad(x: Array, look: Window) -> Array:
    """The inverse of `pad`."""
    (down, along), (tall, wide) = look.padding, look.input_hw
    return x[..., down : down + tall, along : along + wide]


def cut_windows(padded: Array, look: Window) -> Array:
    """(B, C, padded height, padded width) → (B, C, H', W', h, w), a view: nothing is copied."""
    found = sliding_window_view(padded, look.span_hw, axis=(2, 3))
    found = found[:, :, :: look.stride[0], :: look.stride[1], :: look.dilation[0], :: look.dilation[1]]
    return found[:, :, : look.output_hw[0], : look.output_hw[1]]


def add_windows(windows: Array, look: Window) -> Array:
    """(B, C, H', W', h, w) → (B, C, padded height, padded width): each window laid back where it was
    cut, overlaps added."""
    found = np.zeros((*windows.shape[:2], *look.padded_hw))
    for row, column in np.ndindex(look.size_hw):
        rows = _places(row * look.dilation[0], look.stride[0], look.output_hw[0])
        columns = _places(column * look.dilation[1], look.stride[1], look.output_hw[1])
        found[:, :, rows, columns] += windows[..., row, column]
    return found


def _places(first: int, step: int, count: int) -> slice:
    return slice(first, first + step * (count - 1) + 1, step)
