"""Layers as they are typed: `32x32x3 conv10 5x5 p2 | relu | maxpool 2x2 s2 | dense 10`.

Words, sizes and options in any of the usual spellings, separated by spaces, commas, bars, arrows,
hyphens or new lines. `3*( … )` repeats; `add( … ; … )` and `cat( … ; … )` join branches, of which an
empty one hands on what comes in. What is wrong is told with its place in the text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from striate.arithmetic.arguments import Arguments, is_argument, read_arguments
from striate.arithmetic.building import NetworkBuilder, Padding, Pool
from striate.arithmetic.fitting import Fitting, Unknown, find_fit
from striate.arithmetic.layers import Network
from striate.arithmetic.words import NORMS, Token, cut, kind_of, place
from striate.errors import UsageError

if TYPE_CHECKING:
    from striate.types import SizeHW

__all__ = ["Typed", "parse_layers", "read_size"]

_LONGEST_SIDE = 100_000
_MOST_LAYERS = 20_000


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
        start = self.at
        while self.at < len(self.tokens) and is_argument(kind, self.tokens[self.at]):
            self.at += 1
        arguments = read_arguments(kind, glued, token, self.tokens[start : self.at])
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

    def _build(self, kind: str, given: Arguments, token: Token) -> None:
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
            self.builder.dense(given.count("nodes"), bias=given.bias)
        elif kind == "resize":
            self._resize(given)
        elif kind == "flatten":
            self.builder.flatten()
        elif kind in NORMS:
            self.builder.norm(kind)
        else:
            self.builder.pointwise(kind)

    def _conv(self, kind: str, given: Arguments) -> None:
        channels = self.builder.shape()[-1]
        depthwise = kind == "dwconv"
        filters = channels if depthwise else given.count("filters")
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

    def _conv_transposed(self, given: Arguments) -> None:
        padding = given.padding()
        if padding == "same" or "?" in given.values.values():
            raise UsageError("a transposed convolution needs numbers", expected="s2 p1, not ? or same")
        self.builder.conv_transposed(
            given.count("filters"),
            given.pair("kernel", (2, 2)),
            stride_hw=given.pair("stride", given.pair("kernel", (2, 2))),
            padding_hw=padding,
            dilation_hw=given.pair("dilation", (1, 1)),
            output_padding=given.number("output padding", 0),
            groups=given.number("groups", 1),
            bias=given.bias,
        )

    def _pool(self, kind: Pool, given: Arguments) -> None:
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

    def _resize(self, given: Arguments) -> None:
        height, width = self.builder.shape()[:2] if len(self.builder.shape()) == 3 else (1, 1)
        factor = given.number("count", 2)
        self.builder.resize(given.pair("kernel", (height * factor, width * factor)), taps=given.taps)

    def _window(
        self, given: Arguments, kernel: SizeHW, stride: SizeHW, what: Literal["conv", "pool"]
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
