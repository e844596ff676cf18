"""`striate layers step`: what was asked for in words, as a walk through one layer or one pass.

Without numbers every kind walks an example that can be followed by hand.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias, cast

import numpy as np

from striate.arithmetic.activations import ActivationName, activation
from striate.arithmetic.convolution import Padding
from striate.arithmetic.steps import Walk
from striate.arithmetic.steps_activations import walk_activations
from striate.arithmetic.steps_backpropagation import TwoLayers, walk_backpropagation
from striate.arithmetic.steps_convolution import walk_convolution, walk_transposed
from striate.arithmetic.steps_nodes import walk_perceptron, walk_softmax
from striate.arithmetic.steps_pooling import walk_pooling
from striate.arithmetic.windows import Fit, Pair
from striate.errors import UnknownNameError, UsageError
from striate.types import Array, Picture

__all__ = ["KINDS", "StepKind", "StepRequest", "walk_of"]

StepKind: TypeAlias = Literal[
    "conv", "transposed", "maxpool", "avgpool", "perceptron", "softmax", "backprop", "activation"
]
Region: TypeAlias = tuple[int, int, int, int]

_CONV = "2 0 1 1 0; 0 2 1 0 1; 1 3 0 2 1; 0 1 1 0 2; 1 0 2 1 0"
_KERNEL = "1 0 -1; 0 1 0; -1 0 1"
_POOL = "1 3 2 1; 4 2 0 6; 5 1 3 2; 0 2 4 1"
_CHANNELS = ("red", "green", "blue")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRequest:
    """What a person may say; None: not said. Texts hold numbers: rows apart by ";", channels by "|"."""

    numbers: str | None = None
    picture: str | os.PathLike[str] | None = None
    region: Region | None = None
    size: int | None = None
    channels: Literal["grey", "rgb"] | None = None
    kernel: str | None = None
    bias: float | None = None
    stride: str | None = None
    padding: str | None = None
    dilation: str | None = None
    flip: bool | None = None
    floor: bool | None = None
    window: str | None = None
    weights: str | None = None
    activation: str | None = None
    label: int | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """What is walked, which fields of the request it reads, and how it is made."""

    summary: str
    reads: frozenset[str]
    make: Callable[[StepRequest], Walk]


def walk_of(kind: str, request: StepRequest) -> Walk:
    """The walk that was asked for.

    A `UsageError` for an unknown kind, for words that this kind does not read, and for numbers that
    cannot be: no numbers, a kernel larger than the picture, a stride that does not fit, ….
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of step", kind, KINDS)
    said = [one.name for one in fields(request) if getattr(request, one.name) is not None]
    strange = [name for name in said if name not in KINDS[kind].reads]
    if strange:
        known = ", ".join(f"--{name}" for name in sorted(KINDS[kind].reads))
        raise UsageError(f"{kind} has no --{strange[0]}", expected=f"for {kind}: {known}")
    return KINDS[kind].make(request)


# -- the kinds --------------------------------------------------------------------------------


def _conv(request: StepRequest) -> Walk:
    x, names = _planes(request, _CONV)
    weight = _kernel(request.kernel, len(x), names)
    example = request.numbers is None and request.picture is None and request.kernel is None
    bias = request.bias if request.bias is not None else float(example)
    return walk_convolution(
        x,
        weight,
        np.array([_finite("bias", bias)]),
        stride=_pair("stride", request.stride, 1),
        padding=_padding(request.padding),
        dilation=_pair("dilation", request.dilation, 1),
        flip=bool(request.flip),
        fit=_fit(request),
        channels=names,
        picture=request.picture is not None,
    )


def _transposed(request: StepRequest) -> Walk:
    x = _tensor("numbers", request.numbers or "1 2; 3 4")
    weight = _kernel(request.kernel or "1 2 1; 2 4 2; 1 2 1", len(x), ())
    padding = _padding(request.padding)
    if padding == "same":
        raise UsageError("--padding same for a transposed convolution", expected="a number")
    return walk_transposed(
        x,
        weight.swapaxes(0, 1),
        np.array([_finite("bias", request.bias or 0.0)]),
        stride=_pair("stride", request.stride, 2),
        padding=0 if padding == "valid" else padding,
    )


def _pool(request: StepRequest, kind: Literal["max", "average"]) -> Walk:
    x, names = _planes(request, _POOL)
    size = _pair("window", request.window, 2)
    return walk_pooling(
        x,
        kind,
        size,
        stride=None if request.stride is None else _pair("stride", request.stride, 1),
        padding=_pair("padding", request.padding, 0),
        fit=_fit(request),
        channels=names,
        picture=request.picture is not None,
    )


def _max_pool(request: StepRequest) -> Walk:
    return _pool(request, "max")


def _average_pool(request: StepRequest) -> Walk:
    return _pool(request, "average")


def _perceptron(request: StepRequest) -> Walk:
    x = _vector("numbers", request.numbers or "1 0.5 -1")
    weights = _vector("weights", request.weights or "0.5 -1 2")
    if len(x) != len(weights):
        raise UsageError(
            f"{len(x)} inputs and {len(weights)} weights",
            expected="one weight for each input",
            remedy="give both --numbers and --weights",
        )
    bias = _finite("bias", 0.25 if request.bias is None else request.bias)
    return walk_perceptron(x, weights, bias, _activation(request.activation or "sigmoid"))


def _softmax(request: StepRequest) -> Walk:
    return walk_softmax(_vector("numbers", request.numbers or "2 1 0.1"))


def _backprop(request: StepRequest) -> Walk:
    net = TwoLayers(
        w1=np.array([[0.5, -0.5], [1, 0.5], [-0.5, 0.5]]),
        b1=np.array([0, -0.5, 0]),
        w2=np.array([[1, -0.5, 0.5], [-0.5, 0.5, 1]]),
        b2=np.zeros(2),
        activation=_activation(request.activation or "relu"),
    )
    rate = _finite("rate", 0.5 if request.rate is None else request.rate)
    x = _vector("numbers", request.numbers or "1 2")
    return walk_backpropagation(x, net, request.label or 0, rate=rate)


def _activations(request: StepRequest) -> Walk:
    places = _vector("numbers", request.numbers or "-3 -2 -1 0 1 2 3")
    names = request.activation.replace(",", " ").split() if request.activation else []
    return walk_activations(places, [_activation(name) for name in names])


_INPUT = {"numbers", "picture", "region", "size", "channels", "stride", "padding", "floor"}

KINDS: Mapping[str, Kind] = {
    "conv": Kind("a convolution", frozenset({*_INPUT, "kernel", "bias", "dilation", "flip"}), _conv),
    "transposed": Kind(
        "a transposed convolution",
        frozenset({"numbers", "kernel", "bias", "stride", "padding"}),
        _transposed,
    ),
    "maxpool": Kind("max pooling", frozenset({*_INPUT, "window"}), _max_pool),
    "avgpool": Kind("average pooling", frozenset({*_INPUT, "window"}), _average_pool),
    "perceptron": Kind(
        "one perceptron", frozenset({"numbers", "weights", "bias", "activation"}), _perceptron
    ),
    "softmax": Kind("softmax", frozenset({"numbers"}), _softmax),
    "backprop": Kind(
        "a forward and a backward pass through two layers",
        frozenset({"numbers", "activation", "label", "rate"}),
        _backprop,
    ),
    "activation": Kind(
        "activations with their derivatives", frozenset({"numbers", "activation"}), _activations
    ),
}
"""Name → what is walked."""


# -- words into numbers -----------------------------------------------------------------------


def _planes(request: StepRequest, example: str) -> tuple[Array, tuple[str, ...]]:
    """The input (channels, height, width), and the names of its channels: numbers, or a picture."""
    if request.picture is None:
        for name in ("region", "size", "channels"):
            if getattr(request, name) is not None:
                raise UsageError(f"--{name} was given without --picture", remedy="add --picture FILE")
        return _tensor("numbers", request.numbers or example), ()
    if request.numbers is not None:
        raise UsageError("--numbers and --picture were both given", expected="one of them")
    from striate.pictures import grey_levels, read

    part = _part(read(request.picture), request)
    if request.channels == "rgb":
        return part.transpose(2, 0, 1).astype(np.float64), _CHANNELS
    return grey_levels(part)[None].astype(np.float64), ()


def _part(picture: Picture, request: StepRequest) -> Picture:
    """What is looked at: a region as it is, or all of the picture with fewer pixels."""
    from striate.pictures import resize

    if request.region is not None and request.size is not None:
        raise UsageError(
            "--region and --size were both given",
            expected="a part as it is, or all of it with fewer pixels",
        )
    if request.region is not None:
        top, left, tall, wide = request.region
        height, width = picture.shape[:2]
        if min(top, left) < 0 or min(tall, wide) < 1 or top + tall > height or left + wide > width:
            raise UsageError(
                f"region {request.region} does not lie in a picture of {height} × {width} "
                "(height × width)",
                expected="--region TOP LEFT HEIGHT WIDTH within the picture",
            )
        return picture[top : top + tall, left : left + wide]
    most = 12 if request.size is None else request.size
    if not 1 <= most <= 64:
        raise UsageError(f"--size was given {most}", expected="1 to 64, the longer side in pixels")
    scale = most / max(picture.shape[:2])
    if scale >= 1:
        return picture
    tall, wide = (max(1, round(side * scale)) for side in picture.shape[:2])
    return resize(picture, (tall, wide))


def _kernel(text: str | None, depth: int, names: tuple[str, ...]) -> Array:
    """(1, depth, h, w): one kernel for each channel, or the same one on all channels of a picture."""
    from striate.features.kernels import kernel_of

    parts = [kernel_of(part.strip()).values for part in _plain(text or _KERNEL).split("|")]
    if len({part.shape for part in parts}) > 1:
        sizes = ", ".join(f"{part.shape[0]}×{part.shape[1]}" for part in parts)
        raise UsageError(f"kernels of {sizes}", expected="one size for all channels")
    if len(parts) == 1 and names:
        parts = parts * depth
    if len(parts) != depth:
        raise UsageError(
            f"{len(parts)} kernel(s) for an input of {depth} channels",
            expected=f"{depth}, apart by |",
        )
    return np.stack(parts)[None]


def _tensor(name: str, text: str) -> Array:
    """Channels apart by |, rows by ;, numbers by spaces or commas: (channels, height, width)."""
    channels = [
        [_row(name, row) for row in part.strip().strip(";").split(";")] for part in text.split("|")
    ]
    shapes = {(len(rows), *{len(row) for row in rows}) for rows in channels}
    if len(shapes) > 1 or len(next(iter(shapes))) > 2:
        counts = "; ".join(", ".join(str(len(row)) for row in rows) for rows in channels)
        raise UsageError(
            f"--{name} has rows of {counts} numbers", expected="as many in every row and channel"
        )
    return np.array(channels)


def _vector(name: str, text: str) -> Array:
    return np.array(_row(name, text))


def _row(name: str, text: str) -> list[float]:
    words = text.replace(",", " ").split()
    if not words:
        raise UsageError(
            f"--{name} has a row without numbers", expected="numbers such as '1 0 -1; 2 0.5 3'"
        )
    return [_number(name, word) for word in words]


def _plain(text: str) -> str:
    """With the minus sign that Python reads: equations are printed with a real one."""
    return text.replace("−", "-")


def _number(name: str, word: str) -> float:
    try:
        return _finite(name, float(_plain(word)))
    except ValueError:
        raise UsageError(
            f"--{name} has {word!r}, which is no number", expected="numbers such as '1 0 -1; 2 0.5 3'"
        ) from None


def _finite(name: str, value: float) -> float:
    if not math.isfinite(value) or abs(value) > 1e6:
        raise UsageError(f"--{name} has {value:g}", expected="a number from −1 000 000 to 1 000 000")
    return value


def _pair(name: str, text: str | None, default: int) -> Pair:
    """ "2", or "2,1" for vertical and horizontal."""
    if text is None:
        return default
    words = text.replace(",", " ").replace("x", " ").split()
    if len(words) not in (1, 2) or not all(word.lstrip("-").isdecimal() for word in words):
        raise UsageError(f"--{name} was given {text!r}", expected="a whole number, or two such as 2,1")
    return int(words[0]) if len(words) == 1 else (int(words[0]), int(words[1]))


def _padding(text: str | None) -> Padding:
    return cast("Padding", text) if text in ("same", "valid") else _pair("padding", text, 0)


def _fit(request: StepRequest) -> Fit:
    return "floor" if request.floor else "exact"


def _activation(name: str) -> ActivationName:
    return activation(name).name
