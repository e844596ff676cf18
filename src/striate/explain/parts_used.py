"""Which part of an object carries the answer: each part is covered with grey, and the answer is watched.

Occlusion (Zeiler & Fergus 2014, section 4.2), with parts that are known instead of squares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.explain.attribution import Asked
from striate.explain.occlusion import GREY
from striate.explain.whereabouts import NamedArea
from striate.types import PictureArray, Prepared

__all__ = ["CARRIES", "PartUse", "parts_used", "used_words"]

CARRIES = 0.05
"""Of itself, what the answer must lose without a part for that to be called the part that was used."""
_NAMED = 2


@dataclass(frozen=True, slots=True)
class PartUse:
    """What is `left` of an answer, 0 to 1, without a part, and how much it is with it, `whole`.

    `name`: the part and its object; all parts of that name are covered together, both wheels of a bus.
    """

    name: str
    left: float
    whole: float

    @property
    def loss(self) -> float:
        """Below 0 where the answer is surer without it."""
        return self.whole - self.left

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"part": self.name, "left_without": round(self.left, 4), "loss": round(self.loss, 4)}


def parts_used(asked: Asked, areas: Sequence[NamedArea]) -> tuple[PartUse, ...]:
    """The parts in `areas`, that which the answer misses most first; each costs one answer."""
    parts: dict[str, list[tuple[slice, slice]]] = {}
    for area in areas:
        if (seen := _in_input(area, asked.prepared)) is not None:
            parts.setdefault(area.words, []).append(seen)
    if not parts:
        return ()
    names = list(parts)

    def make(rows: slice) -> PictureArray:
        found = np.repeat(asked.prepared.pixels[None], len(names[rows]), axis=0)
        for row, name in enumerate(names[rows]):
            for down, along in parts[name]:
                found[row, down, along] = GREY
        return found

    whole = float(asked(asked.prepared.pixels[None])[0])
    left = asked.each(len(names), make)
    found = [PartUse(name, float(one), whole) for name, one in zip(names, left, strict=True)]
    return tuple(sorted(found, key=lambda one: one.left))


def used_words(found: Sequence[PartUse]) -> str:
    """Which parts the answer rests on, in a sentence; "" where no parts are known."""
    if not found:
        return ""
    used = [one for one in found if one.loss >= CARRIES * one.whole and one.loss > 0]
    first = found[0]
    if first.loss <= 0:
        return f"covered part by part: none of {len(found)} is missed"
    if not used:
        return (
            f"covered part by part: none of {len(found)} carries the answer; {first.name} is missed "
            f"most, and without it {_share(first)} is left"
        )
    told = f"without it {_share(used[0])} of it is left"
    told += "".join(f", without {one.name} {_share(one)}" for one in used[1:_NAMED])
    rest = len(used) - _NAMED
    more = f"; {rest} more {'part is' if rest == 1 else 'parts are'} missed" if rest > 0 else ""
    return f"covered part by part: the answer rests on {used[0].name}; {told}{more}"


def _share(one: PartUse) -> str:
    return f"{100 * one.left / max(one.whole, 1e-12):.0f} %"


def _in_input(area: NamedArea, prepared: Prepared) -> tuple[slice, slice] | None:
    """Rows and columns of the input that show an area; None where it is cut off."""
    left, top, right, bottom = area.box_xyxy
    found = []
    for axis, (low, high) in enumerate(((top, bottom), (left, right))):
        scale, offset = prepared.scale_yx[axis], prepared.offset_yx[axis]
        side = prepared.pixels.shape[axis]
        start = max(0, int(np.floor(low * scale + offset)))
        stop = min(side, int(np.ceil(high * scale + offset)))
        if stop <= start:
            return None
        found.append(slice(start, stop))
    return found[0], found[1]
