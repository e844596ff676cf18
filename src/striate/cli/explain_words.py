"""What was typed after `striate explain`, and which way of looking it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from striate.errors import UsageError

__all__ = ["Split", "Words", "way_of"]

_OF_PICTURES = ("why", "maps", "class-map")
"""The ways of looking that take pictures after the run."""

Split = Literal["auto", "train", "validation", "test", "all"]


@dataclass(frozen=True, slots=True)
class Words:
    """What was typed, in the order of the flags."""

    run: Path
    pictures: tuple[str, ...]
    out: Path | None
    methods: tuple[str, ...]
    about: tuple[str, ...]
    layers: tuple[str, ...]
    masks: int
    windows: int
    check: bool
    neurons: str
    dissect: str
    live: str
    tsne: str
    data: str | None
    split: Split
    channels: tuple[int, ...]
    count: int
    top: int
    steps: int
    against: tuple[str, ...]
    active: float
    port: int
    every: int
    loop: bool
    at_most: int
    seed: int
    threads: int
    overwrite: bool

    @property
    def layer(self) -> str | None:
        """The one layer, where only one can be looked at."""
        if len(self.layers) > 1:
            raise UsageError(f"{len(self.layers)} layers were given", expected="one --layer")
        return self.layers[0] if self.layers else None


def way_of(words: Words, *, maps: bool, class_map: bool = False) -> str:
    """The one way of looking that was asked for; a `UsageError` for flags that are not for it."""
    asked = [name for name in ("neurons", "dissect", "tsne", "live") if getattr(words, name)]
    asked += ["maps"] if maps else []
    asked += ["class-map"] if class_map else []
    if len(asked) > 1:
        raise UsageError(f"--{asked[0]} and --{asked[1]} cannot go together", expected="one of them")
    way = asked[0] if asked else "why"
    if way in _OF_PICTURES and not words.pictures:
        raise UsageError(
            "there is no picture to explain",
            expected="a picture after the run, or one of --neurons, --dissect, --tsne and --live",
        )
    if way not in _OF_PICTURES and words.pictures:
        remedy = "give pictures with --data" if way in ("neurons", "tsne") else ""
        raise UsageError(f"--{way} takes no pictures after the run", remedy=remedy)
    _check(words, way)
    return way


def _check(words: Words, way: str) -> None:
    """Nothing that was typed is passed over."""
    if words.at_most < 0:
        raise UsageError(
            f"--at-most {words.at_most} was given", expected="1 or more, or 0 for what suits the way"
        )
    if way == "neurons" and len(words.about) > 1:
        raise UsageError(f"{len(words.about)} classes were given", expected="one --class for --neurons")
    written = "page" if way == "live" and words.out is not None else way
    for flag in _FLAGS:
        if getattr(words, flag.field) != flag.default and written not in flag.ways:
            raise UsageError(
                f"{flag.shown} says nothing {_SHOWN[written]}",
                expected=f"{flag.shown} {_in_words(flag.ways)}",
                remedy=f"leave {flag.shown} out",
            )


def _in_words(ways: tuple[str, ...]) -> str:
    both = {"live", "page"} <= set(ways)
    shown = [_SHOWN[one] for one in ways if not both or one not in ("live", "page")]
    return ", or ".join([*shown, "with --live"] if both else shown)


_SHOWN: Mapping[str, str] = {
    "why": "with pictures alone",
    "maps": "with --maps",
    "class-map": "with --class-map",
    "neurons": "with --neurons",
    "dissect": "with --dissect",
    "tsne": "with --tsne",
    "live": "with --live and no --out",
    "page": "with --live and --out",
}
"""The ways of looking, in words; a live view that is written as a page is one of its own."""


@dataclass(frozen=True, slots=True)
class Flag:
    """`field` of `Words`, which is `default` where it was not typed, and the ways that read it."""

    shown: str
    field: str
    default: object
    ways: tuple[str, ...]


_FLAGS = (
    Flag("--method", "methods", (), ("why",)),
    Flag("--class", "about", (), ("why", "class-map", "neurons")),
    Flag("--layer", "layers", (), ("why", "dissect", "live", "page")),
    Flag("--masks", "masks", 1000, ("why",)),
    Flag("--windows", "windows", 4, ("class-map",)),
    Flag("--no-check", "check", True, ("why",)),
    Flag("--data", "data", None, ("neurons", "tsne")),
    Flag("--split", "split", "auto", ("neurons", "dissect", "tsne")),
    Flag("--channel", "channels", (), ("neurons",)),
    Flag("--count", "count", 0, ("neurons",)),
    Flag("--top", "top", 9, ("neurons",)),
    Flag("--steps", "steps", 160, ("neurons",)),
    Flag("--against", "against", (), ("dissect",)),
    Flag("--active", "active", 0.005, ("dissect",)),
    Flag("--port", "port", 0, ("live",)),
    Flag("--every", "every", 1, ("live", "page")),
    Flag("--loop", "loop", False, ("live",)),
    Flag("--at-most", "at_most", 0, ("why", "maps", "neurons", "dissect", "tsne", "page")),
    Flag("--seed", "seed", 0, ("why", "neurons", "dissect", "tsne")),
)
"""Which flag belongs to which ways; --out, --threads, --json and --overwrite belong to all."""
