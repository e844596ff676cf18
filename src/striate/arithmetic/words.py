"""The words of a typed layer list, and the text cut into them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from striate.errors import UsageError

__all__ = [
    "FLAGS",
    "KINDS",
    "NORMS",
    "OPTIONS",
    "POINTWISE",
    "Token",
    "cut",
    "is_layer_word",
    "kind_of",
    "place",
]

POINTWISE = (
    "relu",
    "relu6",
    "leakyrelu",
    "elu",
    "gelu",
    "silu",
    "sigmoid",
    "tanh",
    "softmax",
    "dropout",
    "lrn",
    "identity",
)
NORMS = ("batchnorm", "layernorm", "groupnorm", "instancenorm")

KINDS: Mapping[str, str] = {
    "conv": "conv",
    "convolution": "conv",
    "dwconv": "dwconv",
    "depthwise": "dwconv",
    "convt": "convt",
    "convtranspose": "convt",
    "deconv": "convt",
    "transposed": "convt",
    "pool": "maxpool",
    "maxpool": "maxpool",
    "maxpooling": "maxpool",
    "avgpool": "avgpool",
    "averagepool": "avgpool",
    "meanpool": "avgpool",
    "gap": "global avgpool",
    "globalpool": "global avgpool",
    "globalavgpool": "global avgpool",
    "globalaveragepool": "global avgpool",
    "gmp": "global maxpool",
    "globalmaxpool": "global maxpool",
    "adaptivepool": "adaptive avgpool",
    "adaptiveavgpool": "adaptive avgpool",
    "adaptivemaxpool": "adaptive maxpool",
    "dense": "dense",
    "fc": "dense",
    "linear": "dense",
    "flatten": "flatten",
    "upsample": "resize",
    "resize": "resize",
    "bn": "batchnorm",
    "ln": "layernorm",
    "gn": "groupnorm",
    "swish": "silu",
    **{name: name for name in (*POINTWISE, *NORMS)},
}
"""Word → kind, in lower case and without hyphens and a final `2d`."""

OPTIONS: Mapping[str, str] = {
    "k": "kernel",
    "f": "kernel",
    "kernel": "kernel",
    "s": "stride",
    "stride": "stride",
    "p": "padding",
    "pad": "padding",
    "padding": "padding",
    "d": "dilation",
    "dilation": "dilation",
    "g": "groups",
    "groups": "groups",
    "op": "output padding",
}
FLAGS = (
    "same",
    "valid",
    "same3",
    "same5",
    "pointwise",
    "nobias",
    "ceil",
    "nearest",
    "bilinear",
    "bicubic",
)

TokenKind: TypeAlias = Literal[
    "size", "number", "word", "option", "flag", "triple", "repeat", "join", "open", "close", "next"
]

_WORDS = re.compile(
    r"""
    (?P<skip>(?:\s|,|\||->|=>|→|–|—|-(?=[A-Za-z(\d\s]))+)
  | (?P<triple>\(\s*\d+\s*,\s*(?:\d+|\?)\s*,\s*(?:\d+|\?)\s*\))
  | (?P<repeat>\d+\s*[*×x]\s*(?=\())
  | (?P<join>(?:add|sum|cat|concat|join)\s*\()
  | (?P<open>\()
  | (?P<close>\))
  | (?P<next>;)
  | (?P<size>\d+(?:\s*[x×*]\s*\d+){1,2}(?![.\w]))
  | (?P<number>[x×]?[-−]?\d+(?:\.\d+)?(?![\w]))
  | (?P<option>(?:stride|padding|pad|dilation|groups|kernel|op|[spdgkf])\s*=?\s*
               (?:[-−]?\d+(?:\.\d+)?(?:[x×]\d+)?|\?|same|valid)(?![\w]))
  | (?P<word>(?:(?:max|avg|average|mean|global|adaptive|batch|layer|group)[-_\ ])*[^\W\d_]+\w*)
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text, and the index of its first character."""

    kind: TokenKind
    text: str
    start: int


def place(token: Token) -> str:
    """Where a token is, for people, who count from one."""
    return f"{token.text!r} at character {token.start + 1}"


def cut(text: str) -> list[Token]:
    """`text` in tokens; a `UsageError` for a character that means nothing."""
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        found = _WORDS.match(text, at)
        if found is None:
            raise UsageError(
                f"cannot read {text[at : at + 12].split(maxsplit=1)[0]!r} at character {at + 1}",
                expected="layers such as conv10 5x5 s1 p2, maxpool 2x2 s2, dense 10",
            )
        kind, at = found.lastgroup, found.end()
        assert kind is not None
        if kind == "skip":
            continue
        word = found.group()
        token_kind: TokenKind = kind  # type: ignore[assignment]
        if kind == "word" and _key(word) in FLAGS:
            token_kind = "flag"
        tokens.append(Token(token_kind, word, found.start()))
    return tokens


def _key(word: str) -> str:
    return re.sub(r"[-_\s]", "", word.lower())


def is_layer_word(token: Token) -> bool:
    """Whether a token names a kind of layer: `conv10`."""
    return token.kind == "word" and _known(_key(token.text)) is not None


def _known(word: str) -> tuple[str, int | None] | None:
    if word in KINDS:
        return KINDS[word], None
    found = re.fullmatch(r"([a-z]+?)(?:2d)?(\d*)", word)
    if found and found[1] in KINDS:
        return KINDS[found[1]], int(found[2]) if found[2] else None
    return None


def kind_of(token: Token) -> tuple[str, int | None]:
    """The kind of layer that a word names, and the number that is glued to it: `conv10`.

    A `UsageError` with the nearest word for one that is unknown.
    """
    word = _key(token.text)
    known = _known(word)
    if known is not None:
        return known
    near = difflib.get_close_matches(word.rstrip("0123456789"), KINDS, n=1, cutoff=0.5)
    raise UsageError(
        f"unknown layer {place(token)}",
        expected=f"one of {', '.join(_LISTED)}",
        remedy=f"did you mean {near[0]!r}" if near else "docs/layers.md lists all words",
    )


_LISTED = (
    *("conv", "dwconv", "convt", "maxpool", "avgpool", "globalavgpool", "adaptiveavgpool", "dense"),
    *("flatten", "batchnorm", "layernorm", "resize", *POINTWISE),
)
"""Words to choose from; further spellings are in `KINDS`."""
