"""Layers as they are typed: `32x32x3 conv10 5x5 p2 | relu | maxpool 2x2 s2 | dense 10`.

Words, sizes and options in any of the usual spellings, separated by spaces, commas, bars, arrows,
hyphens or new lines. `3*( … )` repeats; `add( … ; … )` and `cat( … ; … )` join branches, of which an
empty one hands on what comes in. What is wrong is told with its place in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from striate.arithmetic.building import NetworkBuilder, Padding, Pool
from striate.arithmetic.fitting import Fitting, Unknown, find_fit
from striate.arithmetic.layers import Network
from striate.arithmetic.padding import COMMON
from striate.arithmetic.words import NORMS, OPTIONS, Token, cut, kind_of, place
from striate.errors import UsageError

if TYPE_CHECKING:
    from striate.types import SizeHW

__all__ = ["Typed", "parse_layers", "read_size"]

_LONGEST_SIDE = 100_000
_MOST_LAYERS = 20_000
_TAPS = {"nearest": 1, "bilinear": 2, "bicubic": 4}
_POSITIONAL: Mapping[str, tuple[str, ...]] = {
    "conv": ("count", "kernel", "stride", "padding"),
    "convt": ("count", "kernel", "stride", "padding"),
    "dwconv": ("kernel", "stride", "padding"),
    "maxpool": ("kernel", "stride", "padding"),
    "avgpool": ("kernel", "stride", "padding"),
    "adaptive avgpool": ("kernel",),
    "adaptive maxpool": ("kernel",),
    "dense": ("count",),
    "dropout": ("count",),
    "resize": ("count",),
}
"""What bare numbers mean, in order; a size such as 5x5 is always the kernel."""
_OPTIONAL: Mapping[str, tuple[str, ...]] = {
    "conv": ("dilation", "groups", "bias"),
    "convt": ("dilation", "groups", "bias", "output padding"),
    "dwconv": ("dilation", "bias"),
    "maxpool": ("dilation", "ceil"),
    "avgpool": ("ceil",),
    "dense": ("bias",),
    "resize": ("kernel", "taps"),
}


@dataclass(frozen=True, slots=True)
class Typed:
    """A typed network, and what was found for each `?` in it."""

    network: Network
    fittings: tuple[Fitting, ...]


def parse_layers(
    text: str,
    *,
    input_hwc: tuple[int, int, int] | None = None,
    rounding: Literal["exact", "floor"] = "exact",
) -> Typed:
    """The network that `text` describes; a `UsageError` with the place of what is wrong.

    The text starts with the input's size, `32x32x3` or `28x28`, or a number for a vector, unless
    `input_hwc` is given.

    >>> parse_layers("32x32x3 conv10 5x5 p2").network.params
    760
    """
    tokens = cut(text)
    if tokens and tokens[0].kind in ("size", "number"):
        own = read_size(tokens.pop(0).text)
        if input_hwc not in (None, own):
            raise UsageError("the input is given twice, and differs", expected="one input size")
        input_hwc = own
    if input_hwc is None:
        raise UsageError(
            f"{text!r} says no input size",
            expected="height x width x channels in front, such as 32x32x3 conv10 5x5 p2",
        )
    parser = _Parser(tokens, NetworkBuilder(input_hwc, rounding=rounding))
    parser.sequence()
    return Typed(parser.builder.build("Typed layers"), tuple(parser.fittings))


def read_size(text: str) -> tuple[int, int, int]:
    """`32x32x3` as (height, width, channels); one channel where none is said, a vector for `784`.

    >>> read_size("28x30"), read_size("784")
    ((28, 30, 1), (1, 1, 784))
    """
    parts = text.lower().replace("×", "x").replace("*", "x").split("x")
    if len(parts) > 3 or not all(part.strip().isdecimal() for part in parts):
        raise UsageError(
            f"cannot read the size {text!r}", expected="height x width x channels: 224x224x3"
        )
    sides = [int(part) for part in parts]
    if min(sides) < 1 or max(sides[:2]) > _LONGEST_SIDE:
        raise UsageError(
            f"input {text}", expected=f"sides from 1 to {_LONGEST_SIDE}, and 1 channel or more"
        )
    if len(sides) == 1:
        return 1, 1, sides[0]
    return sides[0], sides[1], (sides[2] if len(sides) == 3 else 1)


@dataclass
class _Arguments:
    """What was said of one layer; None in a window stands for `?`."""

    values: dict[str, SizeHW | Literal["same", "?"]] = field(default_factory=dict)
    bias: bool = True
    ceil: bool = False
    taps: int = 1

    def number(self, name: str, default: int) -> int:
        found = self.values.get(name)
        return found[0] if isinstance(found, tuple) else default

    def pair(self, name: str, default: SizeHW) -> SizeHW:
        found = self.values.get(name, default)
        return found if isinstance(found, tuple) else default

    def padding(self) -> Padding:
        found = self.values.get("padding", (0, 0))
        return found if found != "?" else (0, 0)


class _Parser:
    """Reads tokens and builds at once, so that an error is told where it happens."""

    def __init__(self, tokens: list[Token], builder: NetworkBuilder) -> None:
        self.tokens, self.builder = tokens, builder
        self.at = 0
        self.fittings: list[Fitting] = []

    def sequence(self, *, inside: bool = False) -> Token | None:
        """Layers up to the end, or to what closes a branch, which is returned."""
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            if token.kind in ("close", "next"):
                if inside:
                    return token
                if token.kind == "close":
                    raise UsageError(f"{place(token)} closes nothing", expected="a ( before each )")
            elif token.kind == "repeat":
                self._repeat(token)
            elif token.kind == "join":
                self._join(token)
            elif token.kind == "open":
                self._closed(token)
            elif token.kind == "word":
                self._layer(token)
            else:
                raise UsageError(f"{place(token)} belongs to no layer", expected="a layer before it")
            if len(self.builder.layers) > _MOST_LAYERS:
                raise UsageError(f"more than {_MOST_LAYERS} layers", expected="fewer")
        if inside:
            raise UsageError("a ( is not closed", expected="a ) for each (")
        return None

    def _closed(self, opened: Token) -> None:
        end = self.sequence(inside=True)
        if end is not None and end.kind == "next":
            raise UsageError(
                f"{place(end)} stands in the bracket at character {opened.start + 1}",
                expected="branches in add( … ; … ) or cat( … ; … )",
            )

    def _repeat(self, token: Token) -> None:
        times = int(token.text.rstrip("x×* \t\n"))
        if times < 1:
            raise UsageError(f"{place(token)} repeats nothing", expected="1 or more")
        self.at += 1  # the bracket
        start = self.at
        for _ in range(times):
            self.at = start
            self._closed(token)

    def _join(self, token: Token) -> None:
        start, ends = self.builder.last, []
        while True:
            self.builder.last = start
            end = self.sequence(inside=True)
            ends.append(self.builder.last)
            if end is None or end.kind == "close":
                break
        join = self.builder.add if token.text.lower().startswith(("add", "sum")) else self.builder.concat
        self._placed(token, lambda: join(ends))

    # -- one layer ----------------------------------------------------------------------------

    def _layer(self, token: Token) -> None:
        kind, glued = kind_of(token)
        arguments = self._arguments(kind, glued, token)
        self._placed(token, lambda: self._build(kind, arguments, token))

    def _placed(self, token: Token, build: Callable[[], object]) -> None:
        """Errors while building say which layer, and where it is typed."""
        try:
            build()
        except UsageError as error:
            what = error.what if error.what.startswith("does not fit") else f": {error.what}"
            raise UsageError(
                f"{place(token)}{' ' if what is error.what else ''}{what}",
                expected=error.expected,
                remedy=error.remedy,
            ) from error

    def _arguments(self, kind: str, glued: int | None, word: Token) -> _Arguments:
        found = _Arguments()
        free = list(_POSITIONAL.get(kind, ()))
        if glued is not None:
            if not free:
                raise UsageError(f"{place(word)}: {kind} takes no number", expected=f"{kind} alone")
            found.values[free.pop(0)] = (glued, glued)
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.kind not in ("number", "size", "triple", "option", "flag"):
                break
            if token.kind == "size" and kind not in _POSITIONAL and kind not in _OPTIONAL:
                break
            self.at += 1
            if token.kind == "number":
                if not free:
                    listed = ", ".join(_POSITIONAL.get(kind, ())) or "none"
                    raise UsageError(
                        f"{place(token)} is one number too many for {kind}",
                        expected=f"its numbers: {listed}",
                    )
                self._set(found, kind, free.pop(0), token, token.text)
            elif token.kind == "size":
                self._set(found, kind, "kernel", token, token.text)
                free = free[free.index("kernel") + 1 :] if "kernel" in free else free
            elif token.kind == "triple":
                self._triple(found, kind, token, token.text.strip("()").split(","))
            elif token.kind == "option":
                name, value = _split_option(token.text)
                self._set(found, kind, OPTIONS[name], token, value)
                free = [one for one in free if one != OPTIONS[name]]
            else:
                self._flag(found, kind, token)
        return found

    def _triple(self, found: _Arguments, kind: str, token: Token, values: list[str]) -> None:
        """(F, S, P)."""
        for name, value in zip(("kernel", "stride", "padding"), values, strict=True):
            self._set(found, kind, name, token, value.strip())

    def _flag(self, found: _Arguments, kind: str, token: Token) -> None:
        flag = token.text.lower()
        if flag in COMMON:
            self._triple(found, kind, token, [str(value) for value in COMMON[flag]])
        elif flag in ("same", "valid"):
            self._set(found, kind, "padding", token, flag)
        elif flag == "nobias":
            self._allowed(kind, "bias", token)
            found.bias = False
        elif flag == "ceil":
            self._allowed(kind, "ceil", token)
            found.ceil = True
        else:
            self._allowed(kind, "taps", token)
            found.taps = _TAPS[flag]

    def _set(self, found: _Arguments, kind: str, name: str, token: Token, value: str) -> None:
        self._allowed(kind, name, token)
        if name in found.values:
            raise UsageError(f"{place(token)}: the {name} is given twice", expected=f"one {name}")
        found.values[name] = _value(kind, name, token, value)

    @staticmethod
    def _allowed(kind: str, name: str, token: Token) -> None:
        allowed = (*_POSITIONAL.get(kind, ()), *_OPTIONAL.get(kind, ()))
        if name not in allowed:
            raise UsageError(
                f"{place(token)}: {kind} has no {name}",
                expected=f"{' or '.join(allowed)} for {kind}" if allowed else f"{kind} alone",
            )

    def _build(self, kind: str, given: _Arguments, token: Token) -> None:
        if kind in ("conv", "dwconv"):
            self._conv(kind, given)
        elif kind == "convt":
            self._conv_transposed(given)
        elif kind in ("maxpool", "avgpool"):
            self._pool("maxpool" if kind == "maxpool" else "avgpool", given)
        elif kind.startswith(("global", "adaptive")):
            pool: Pool = "maxpool" if kind.endswith("maxpool") else "avgpool"
            if kind.startswith("global"):
                self.builder.global_pool(pool)
            else:
                self.builder.adaptive_pool(pool, given.pair("kernel", (1, 1)))
        elif kind == "dense":
            self.builder.dense(_count(given, "nodes"), bias=given.bias)
        elif kind == "resize":
            self._resize(given)
        elif kind == "flatten":
            self.builder.flatten()
        elif kind in NORMS:
            self.builder.norm(kind)
        else:
            self.builder.pointwise(kind)

    def _conv(self, kind: str, given: _Arguments) -> None:
        channels = self.builder.shape()[-1]
        depthwise = kind == "dwconv"
        filters = channels if depthwise else _count(given, "filters")
        kernel, stride, padding = self._window(given, (3, 3), (1, 1), "conv")
        self.builder.conv(
            filters,
            kernel,
            stride_hw=stride,
            padding=padding,
            dilation_hw=given.pair("dilation", (1, 1)),
            groups=channels if depthwise else given.number("groups", 1),
            bias=given.bias,
        )

    def _conv_transposed(self, given: _Arguments) -> None:
        padding = given.padding()
        if padding == "same" or "?" in given.values.values():
            raise UsageError("a transposed convolution needs numbers", expected="s2 p1, not ? or same")
        self.builder.conv_transposed(
            _count(given, "filters"),
            given.pair("kernel", (2, 2)),
            stride_hw=given.pair("stride", given.pair("kernel", (2, 2))),
            padding_hw=padding,
            dilation_hw=given.pair("dilation", (1, 1)),
            output_padding=given.number("output padding", 0),
            groups=given.number("groups", 1),
            bias=given.bias,
        )

    def _pool(self, kind: Pool, given: _Arguments) -> None:
        stride_default = given.pair("kernel", (2, 2))
        kernel, stride, padding = self._window(given, (2, 2), stride_default, "pool")
        self.builder.pool(
            kind,
            kernel,
            stride_hw=stride,
            padding=padding,
            dilation_hw=given.pair("dilation", (1, 1)),
            ceil=given.ceil,
        )

    def _resize(self, given: _Arguments) -> None:
        height, width = self.builder.shape()[:2] if len(self.builder.shape()) == 3 else (1, 1)
        factor = given.number("count", 2)
        self.builder.resize(given.pair("kernel", (height * factor, width * factor)), taps=given.taps)

    def _window(
        self, given: _Arguments, kernel: SizeHW, stride: SizeHW, what: Literal["conv", "pool"]
    ) -> tuple[SizeHW, SizeHW, Padding]:
        """Kernel, stride and padding, with an answer for each `?`."""
        unknown: set[Unknown] = {
            name for name in ("kernel", "stride", "padding") if given.values.get(name) == "?"
        }
        kernel, stride = given.pair("kernel", kernel), given.pair("stride", stride)
        if not unknown:
            return kernel, stride, given.padding()
        shape = self.builder.shape()
        if len(shape) != 3 or given.padding() == "same":
            raise UsageError("? stands for one number of a window on maps", expected="p? without same")
        padding = given.pair("padding", (0, 0))
        fitting = find_fit(
            (shape[0], shape[1]),
            (kernel, stride, padding),
            given.pair("dilation", (1, 1)),
            unknown,
            what=what,
        )
        self.fittings.append(fitting)
        return fitting.window()


def _count(given: _Arguments, what: str) -> int:
    if "count" not in given.values:
        raise UsageError(
            f"the number of {what} is missing", expected="a number, such as conv10 or dense 10"
        )
    return given.number("count", 1)


def _split_option(text: str) -> tuple[str, str]:
    """`s2`, `stride=2`, `pad 2` as name and value."""
    name = text.lower().rstrip("0123456789.x×?-− ")
    for value in ("same", "valid"):
        if name.endswith(value):
            return name.removesuffix(value).strip("= "), value
    return name.strip("= "), text[len(name) :].strip("= ")


def _value(kind: str, name: str, token: Token, text: str) -> SizeHW | Literal["same", "?"]:
    text = text.strip().replace("−", "-").replace("×", "x").replace("*", "x").lower()
    if text == "?":
        if name not in ("kernel", "stride", "padding"):
            raise UsageError(
                f"{place(token)}: only kernel, stride and padding can be asked for", expected="a number"
            )
        return "?"
    if text in ("same", "valid"):
        if name != "padding":
            raise UsageError(f"{place(token)}: only padding can be {text}", expected="a number")
        return "same" if text == "same" else (0, 0)
    if name == "count" and kind == "dropout":
        return (0, 0)  # the share that is dropped changes no size
    parts = [part.strip() for part in text.removeprefix("x").split("x")]
    if len(parts) > 2 or not all(part.lstrip("-").isdecimal() for part in parts):
        raise UsageError(f"{place(token)}: cannot read {text!r} as a {name}", expected="a whole number")
    pair = int(parts[0]), int(parts[-1])
    least = 0 if name in ("padding", "output padding") else 1
    if min(pair) < least:
        raise UsageError(
            f"{place(token)}: {name} is {min(pair)}", expected=f"a {name} of {least} or more"
        )
    return pair
