"""Convolution, number by number: forward, backward and transposed, as networks compute it.

Networks call "convolution" what mathematics calls cross-correlation: the kernel is laid on as it is.
A true convolution turns it by 180° first (`convolve2d`). For learnt kernels it makes no difference, for
hand-made ones that are not symmetric it does.

Layers take and give (batch, channels, height, width), float64; kernels are (outputs, inputs / groups,
height, width). These are for reading and checking; their speed is that of NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

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

__all__ = [
    "ConvolutionGradients",
    "Padding",
    "conv2d",
    "conv2d_backward",
    "conv_transpose2d",
    "conv_transpose2d_backward",
    "convolve2d",
    "correlate2d",
    "padding_of",
]

Padding: TypeAlias = Pair | Literal["same", "valid"]


@dataclass(frozen=True, slots=True)
class ConvolutionGradients:
    """The gradients of a loss with respect to a layer's input, its kernels and its biases."""

    x: Array
    weight: Array
    bias: Array


def correlate2d(plane: Array, kernel: Array, *, padding: Padding = 0, stride: Pair = 1) -> Array:
    """One kernel (h, w) laid on one plane (H, W) as it is: each output is a sum of products."""
    found: Array = conv2d(*_one_plane(plane, kernel), padding=padding, stride=stride)[0, 0]
    return found


def convolve2d(plane: Array, kernel: Array, *, padding: Padding = 0, stride: Pair = 1) -> Array:
    """The convolution of mathematics: as `correlate2d` with the kernel turned by 180°."""
    return correlate2d(plane, np.asarray(kernel)[::-1, ::-1], padding=padding, stride=stride)


def _one_plane(plane: Array, kernel: Array) -> tuple[Array, Array]:
    plane, kernel = np.asarray(plane), np.asarray(kernel)
    if plane.ndim != 2 or kernel.ndim != 2:
        raise UsageError(
            f"a plane of shape {plane.shape} and a kernel of shape {kernel.shape}",
            expected="two dimensions each: rows and columns",
        )
    return plane[None, None], kernel[None, None]


def padding_of(padding: Padding, kernel_hw: tuple[int, int], stride: Pair, dilation: Pair) -> Pair:
    """`padding` as numbers: "valid" is 0, "same" is d(F − 1)/2, which keeps the size.

    A `UsageError` for "same" where d(F − 1) is odd (one side would have to get more than the other)
    or the stride is not 1 (the size cannot stay).
    """
    if padding == "valid":
        return 0
    if padding != "same":
        if isinstance(padding, str):
            raise UsageError(f"padding was given {padding!r}", expected="a number, 'same' or 'valid'")
        return padding
    extra = [d * (f - 1) for d, f in zip(pair(dilation, "dilation", 1), kernel_hw, strict=True)]
    if any(one % 2 for one in extra):
        raise UsageError(
            f"a {kernel_hw[0]}×{kernel_hw[1]} kernel has no middle, so 'same' padding would be "
            f"{extra[0] / 2:g} rows and {extra[1] / 2:g} columns on each side",
            expected="kernel sides that are odd, such as 3, 5 or 7",
            remedy="choose an odd kernel, or say the padding as a number",
        )
    if pair(stride, "stride", 1) != (1, 1):
        raise UsageError(
            f"'same' padding with stride {stride}: the output is smaller than the input",
            expected="stride 1",
            remedy="say the padding as a number",
        )
    return extra[0] // 2, extra[1] // 2


def _window(x: Array, weight: Array, stride: Pair, padding: Padding, dilation: Pair, fit: Fit) -> Window:
    kernel_hw = weight.shape[2:]
    return window(
        x.shape[2:],
        kernel_hw,
        stride=stride,
        padding=padding_of(padding, kernel_hw, stride, dilation),
        dilation=dilation,
        fit=fit,
    )


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
    fit: Fit = "exact",
) -> Array:
    """What a convolution layer computes: out[b, k, y, x] = Σ input window · kernel k + bias k.

    `x` (B, C, H, W), `weight` (K, C / groups, h, w), `bias` (K,) → (B, K, H', W') with
    H' = (H − d(h − 1) − 1 + 2P)/S + 1. `fit`: "exact" refuses a size that does not come out whole (a
    `UsageError`), "floor" leaves the last rows and columns out, as torch does.
    """
    x, weight = _checked(x, weight, groups)
    look = _window(x, weight, stride, padding, dilation, fit)
    seen = _grouped(cut_windows(pad(x, look), look), groups)
    kernels = weight.reshape(groups, -1, *weight.shape[1:])
    found = np.einsum("bgcyxij,gkcij->bgkyx", seen, kernels, optimize=True)
    out: Array = found.reshape(len(x), len(weight), *look.output_hw)
    return out if bias is None else out + _bias(bias, len(weight))


def conv2d_backward(
    upstream: Array,
    x: Array,
    weight: Array,
    *,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
    fit: Fit = "exact",
) -> ConvolutionGradients:
    """The gradients of a loss, given `upstream` (B, K, H', W'), its gradient with respect to the output.

    Input: every kernel is laid back where it was read, times the gradient there. Kernel: the sum of
    all windows it saw, times the gradient there. Bias: the sum of the gradient.
    """
    x, weight = _checked(x, weight, groups)
    look = _window(x, weight, stride, padding, dilation, fit)
    upstream = _like(upstream, (len(x), len(weight), *look.output_hw))
    above = _grouped(upstream, groups)
    kernels = weight.reshape(groups, -1, *weight.shape[1:])
    seen = _grouped(cut_windows(pad(x, look), look), groups)
    by_weight = np.einsum("bgcyxij,bgkyx->gkcij", seen, above, optimize=True)
    spread = np.einsum("bgkyx,gkcij->bgcyxij", above, kernels, optimize=True)
    by_x = unpad(add_windows(_flat(spread), look), look)
    return ConvolutionGradients(by_x, by_weight.reshape(weight.shape), upstream.sum(axis=(0, 2, 3)))


def conv_transpose2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Array:
    """Transposed convolution: each input number stamps the kernel, times itself, onto a larger output.

    `x` (B, C, H, W), `weight` (C, K / groups, h, w), as in torch → (B, K, H', W') with
    H' = (H − 1)S − 2P + d(h − 1) + output_padding + 1. It is the backward pass of a convolution with
    respect to its input, not its inverse.
    """
    x, weight, look = _transposed(x, weight, stride, padding, output_padding, dilation, groups)
    parts = _grouped(x, groups)
    kernels = weight.reshape(groups, -1, *weight.shape[1:])
    spread = np.einsum("bgcyx,gckij->bgkyxij", parts, kernels, optimize=True)
    out = unpad(add_windows(_flat(spread), look), look)
    return out if bias is None else out + _bias(bias, out.shape[1])


def conv_transpose2d_backward(
    upstream: Array,
    x: Array,
    weight: Array,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> ConvolutionGradients:
    """The gradients of `conv_transpose2d`: with respect to its input it is a plain convolution."""
    x, weight, look = _transposed(x, weight, stride, padding, output_padding, dilation, groups)
    upstream = _like(upstream, (len(x), weight.shape[1] * groups, *look.input_hw))
    seen = _grouped(cut_windows(pad(upstream, look), look), groups)
    kernels = weight.reshape(groups, -1, *weight.shape[1:])
    parts = _grouped(x, groups)
    by_x = np.einsum("bgkyxij,gckij->bgcyx", seen, kernels, optimize=True).reshape(x.shape)
    by_weight = np.einsum("bgkyxij,bgcyx->gckij", seen, parts, optimize=True)
    return ConvolutionGradients(by_x, by_weight.reshape(weight.shape), upstream.sum(axis=(0, 2, 3)))


def _transposed(
    x: Array,
    weight: Array,
    stride: Pair,
    padding: Pair,
    output_padding: Pair,
    dilation: Pair,
    groups: int,
) -> tuple[Array, Array, Window]:
    """Input, kernels, and the windows of the convolution that leads back from the output."""
    x, weight = _four(x, "input"), _four(weight, "kernel")
    if len(weight) != x.shape[1] or x.shape[1] % _whole_groups(groups):
        raise UsageError(
            f"kernels {weight.shape} in {groups} groups for an input of {x.shape[1]} channels",
            expected="(channels, outputs / groups, height, width), channels a multiple of groups",
        )
    step, space = pair(stride, "stride", 1), pair(dilation, "dilation", 1)
    edge, more = pair(padding, "padding", 0), pair(output_padding, "output_padding", 0)
    if any(extra >= max(s, d) for extra, s, d in zip(more, step, space, strict=True)):
        raise UsageError(
            f"output_padding {more}", expected=f"less than the stride {step} or the dilation {space}"
        )
    tall, wide = (
        (size - 1) * s - 2 * p + d * (f - 1) + extra + 1
        for size, s, p, d, f, extra in zip(
            x.shape[2:], step, edge, space, weight.shape[2:], more, strict=True
        )
    )
    if min(tall, wide) < 1:
        raise UsageError(
            f"padding {edge} cuts the whole output away ({tall} × {wide})", expected="less padding"
        )
    taps = (weight.shape[2], weight.shape[3])
    look = Window((tall, wide), taps, step, edge, space, (x.shape[2], x.shape[3]))
    return x, weight, look


def _checked(x: Array, weight: Array, groups: int) -> tuple[Array, Array]:
    x, weight = _four(x, "input"), _four(weight, "kernel")
    if x.shape[1] != weight.shape[1] * _whole_groups(groups) or len(weight) % groups:
        raise UsageError(
            f"kernels {weight.shape} in {groups} groups for an input of {x.shape[1]} channels",
            expected="(outputs, channels / groups, height, width), outputs a multiple of groups",
        )
    return x, weight


def _whole_groups(groups: int) -> int:
    if groups < 1:
        raise UsageError(f"groups was given {groups}", expected="a number from 1")
    return groups


def _four(values: Array, name: str) -> Array:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 4 or 0 in found.shape[1:]:
        raise UsageError(
            f"the {name} has shape {found.shape}",
            expected="four dimensions, of which only the first, the batch, may be 0",
        )
    return found


def _like(upstream: Array, shape: tuple[int, ...]) -> Array:
    found = np.asarray(upstream, dtype=np.float64)
    if found.shape != shape:
        raise UsageError(
            f"the gradient has shape {found.shape}", expected=f"that of the output, {shape}"
        )
    return found


def _bias(bias: Array, outputs: int) -> Array:
    found = np.asarray(bias, dtype=np.float64)
    if found.shape != (outputs,):
        raise UsageError(f"biases of shape {found.shape}", expected=f"one for each output, ({outputs},)")
    return found[:, None, None]


def _grouped(windows: Array, groups: int) -> Array:
    """(B, C, …) → (B, groups, C / groups, …)."""
    return windows.reshape(len(windows), groups, windows.shape[1] // groups, *windows.shape[2:])


def _flat(windows: Array) -> Array:
    """(B, groups, C, …) → (B, groups · C, …)."""
    batch, groups, channels, *rest = windows.shape
    return windows.reshape(batch, groups * channels, *rest)
