"""What is said of one typed layer: `conv10 5x5 s2 p1 nobias` has 10, 5x5, s2, p1 and nobias."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from striate.arithmetic.building import Padding
from striate.arithmetic.padding import COMMON
from striate.arithmetic.words import OPTIONS, Token, place
from striate.errors import UsageError

if TYPE_CHECKING:
    from striate.types import SizeHW

__all__ = ["Arguments", "is_argument", "read_arguments"]

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


@dataclass
class Arguments:
    """What was said of one layer: numbers as (height, width)."""

    values: dict[str, SizeHW | Literal["same", "?"]] = field(default_factory=dict)
    bias: bool = True
    ceil: bool = False
    taps: int = 1

    def number(self, name: str, default: int) -> int:
        """The number called `name`."""
        found = self.values.get(name)
        return found[0] if isinstance(found, tuple) else default

    def pair(self, name: str, default: SizeHW) -> SizeHW:
        """Height and width called `name`; `default` stands for `?` too."""
        found = self.values.get(name, default)
        return found if isinstance(found, tuple) else default

    def padding(self) -> Padding:
        """The padding, 0 where it is `?`."""
        found = self.values.get("padding", (0, 0))
        return found if found != "?" else (0, 0)

    def count(self, what: str) -> int:
        """The number of `what`, which must have been said."""
        if "count" not in self.values:
            raise UsageError(
                f"the number of {what} is missing", expected="a number, such as conv10 or dense 10"
            )
        return self.number("count", 1)


def is_argument(kind: str, token: Token) -> bool:
    """Whether `token`, after a layer of `kind`, says something of it."""
    if token.kind == "size":
        return kind in _POSITIONAL
    return token.kind in ("number", "triple", "option", "flag")


def read_arguments(kind: str, glued: int | None, word: Token, tokens: Sequence[Token]) -> Arguments:
    """What the `tokens` after the layer `word` say of it. `glued`: the number in the word, as in conv10.

    A `UsageError` tells the place of what does not fit.
    """
    reader = _Reader(kind)
    if glued is not None:
        reader.take_glued(glued, word)
    for token in tokens:
        reader.take(token)
    return reader.found


class _Reader:
    """Takes token after token. `free`: what further bare numbers will mean."""

    def __init__(self, kind: str) -> None:
        self.kind, self.found = kind, Arguments()
        self.free = list(_POSITIONAL.get(kind, ()))

    def take_glued(self, number: int, word: Token) -> None:
        if not self.free:
            raise UsageError(
                f"{place(word)}: {self.kind} takes no number", expected=f"{self.kind} alone"
            )
        self.found.values[self.free.pop(0)] = (number, number)

    def take(self, token: Token) -> None:
        if token.kind == "number":
            self._number(token)
        elif token.kind == "size":
            self._set("kernel", token, token.text)
            self.free = (
                self.free[self.free.index("kernel") + 1 :] if "kernel" in self.free else self.free
            )
        elif token.kind == "triple":
            self._triple(token, token.text.strip("()").split(","))
        elif token.kind == "option":
            name, value = _split_option(token.text)
            self._set(OPTIONS[name], token, value)
            self.free = [one for one in self.free if one != OPTIONS[name]]
        else:
            self._flag(token)

    def _number(self, token: Token) -> None:
        if not self.free:
            listed = ", ".join(_POSITIONAL.get(self.kind, ())) or "none"
            raise UsageError(
                f"{place(token)} is one number too many for {self.kind}",
                expected=f"its numbers: {listed}",
            )
        self._set(self.free.pop(0), token, token.text)

    def _triple(self, token: Token, values: Sequence[str]) -> None:
        """(F, S, P)."""
        for name, value in zip(("kernel", "stride", "padding"), values, strict=True):
            self._set(name, token, value.strip())

    def _flag(self, token: Token) -> None:
        flag = token.text.lower()
        if flag in COMMON:
            self._triple(token, [str(value) for value in COMMON[flag]])
        elif flag in ("same", "valid"):
            self._set("padding", token, flag)
        elif flag == "nobias":
            self._check("bias", token)
            self.found.bias = False
        elif flag == "ceil":
            self._check("ceil", token)
            self.found.ceil = True
        else:
            self._check("taps", token)
            self.found.taps = _TAPS[flag]

    def _set(self, name: str, token: Token, value: str) -> None:
        self._check(name, token)
        if name in self.found.values:
            raise UsageError(f"{place(token)}: the {name} is given twice", expected=f"one {name}")
        self.found.values[name] = _value(self.kind, name, token, value)

    def _check(self, name: str, token: Token) -> None:
        allowed = (*_POSITIONAL.get(self.kind, ()), *_OPTIONAL.get(self.kind, ()))
        if name not in allowed:
            raise UsageError(
                f"{place(token)}: {self.kind} has no {name}",
                expected=f"{' or '.join(allowed)} for {self.kind}" if allowed else f"{self.kind} alone",
            )


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
