"""Max and average pooling with their backward passes. (batch, channels, height, width), float64."""

from __future__ import annotations

import numpy as np

from striate.arithmetic.windows import (
    Fit,
    Pair,
    Window,
    add_windows,
    cut_windows,
    pad,
    pair,
    unpad,
    window,
)
from striate.errors import UsageError
from striate.types import Array

__all__ = ["avg_pool2d", "avg_pool2d_backward", "max_pool2d", "max_pool2d_backward"]


def max_pool2d(
    x: Array, size: Pair, *, stride: Pair | None = None, padding: Pair = 0, fit: Fit = "exact"
) -> Array:
    """The largest number of each window, (B, C, H, W) → (B, C, H', W').

    `stride`: by default the size, windows side by side. Padding never wins: it counts as minus
    infinity. `fit`: "exact" refuses sizes that do not come out whole, "floor" leaves the rest out.
    """
    x, look = _looked(x, size, stride, padding, fit)
    found: Array = cut_windows(pad(x, look, -np.inf), look).max(axis=(-2, -1))
    return found


def max_pool2d_backward(
    upstream: Array,
    x: Array,
    size: Pair,
    *,
    stride: Pair | None = None,
    padding: Pair = 0,
    fit: Fit = "exact",
) -> Array:
    """The gradient with respect to x: all of it goes to the number that won, the first of equal ones."""
    x, look = _looked(x, size, stride, padding, fit)
    seen = cut_windows(pad(x, look, -np.inf), look)
    flat = seen.reshape(*seen.shape[:4], -1)
    won = np.arange(flat.shape[-1]) == flat.argmax(axis=-1)[..., None]
    shares = won.reshape(seen.shape) * _like(upstream, x, look)[..., None, None]
    return unpad(add_windows(shares, look), look)


def avg_pool2d(
    x: Array, size: Pair, *, stride: Pair | None = None, padding: Pair = 0, fit: Fit = "exact"
) -> Array:
    """The mean of each window; padding counts as zeros, as in torch. See `max_pool2d`."""
    x, look = _looked(x, size, stride, padding, fit)
    found: Array = cut_windows(pad(x, look), look).mean(axis=(-2, -1))
    return found


def avg_pool2d_backward(
    upstream: Array,
    x: Array,
    size: Pair,
    *,
    stride: Pair | None = None,
    padding: Pair = 0,
    fit: Fit = "exact",
) -> Array:
    """The gradient with respect to x: each number of a window gets an equal share."""
    x, look = _looked(x, size, stride, padding, fit)
    share = _like(upstream, x, look)[..., None, None] / (look.size_hw[0] * look.size_hw[1])
    shares = np.broadcast_to(share, (*share.shape[:4], *look.size_hw))
    return unpad(add_windows(shares, look), look)


def _looked(x: Array, size: Pair, stride: Pair | None, padding: Pair, fit: Fit) -> tuple[Array, Window]:
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 4 or 0 in x.shape[1:]:
        raise UsageError(f"the input has shape {x.shape}", expected="(batch, channels, height, width)")
    taps, edge = pair(size, "pooling size", 1), pair(padding, "padding", 0)
    if any(2 * p > f for p, f in zip(edge, taps, strict=True)):
        raise UsageError(
            f"padding {edge} for windows of {taps}: some would hold nothing but padding",
            expected="at most half the window",
        )
    step = taps if stride is None else stride
    return x, window(x.shape[2:], taps, stride=step, padding=edge, fit=fit)


def _like(upstream: Array, x: Array, look: Window) -> Array:
    found = np.asarray(upstream, dtype=np.float64)
    if found.shape != (shape := (*x.shape[:2], *look.output_hw)):
        raise UsageError(
            f"the gradient has shape {found.shape}", expected=f"that of the output, {shape}"
        )
    return found
