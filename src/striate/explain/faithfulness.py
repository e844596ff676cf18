"""Is a heat map to be believed? Deletion, insertion, and whether it looks at what was learnt.

Deletion and insertion: Petsiuk, Das & Saenko (2018), section 4.2. Randomisation: Adebayo et al. (2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from PIL import Image, ImageFilter

from striate.explain.attribution import Asked, content_box
from striate.explain.occlusion import GREY
from striate.types import Array, PictureArray

__all__ = [
    "COPIES",
    "DOUBTFUL",
    "GAIN",
    "SHARES",
    "STAYS",
    "SURE",
    "Faith",
    "Verdict",
    "faith_of",
    "likeness",
    "verdict_of",
]

Verdict: TypeAlias = Literal["passes", "doubtful", "unreliable", "unchecked"]

COPIES = 19
"""Copies of a map at random places that it is held against: to be better than all of them happens by
chance one time in twenty."""
SURE, DOUBTFUL = 0.05, 0.2
"""Up to which `Faith.chance` a map passes, and from beyond which it is refused."""
GAIN = 0.02
"""By how much a map must do better than its copies: that of an untrained network, whose answer hardly
moves whatever is shown, may be better than all of them, but by less (`bench/faithfulness.py`)."""
STAYS = 0.7
"""Rank correlation with maps of networks that forgot everything, from which a map is not about what was
learnt. Measured: `bench/faithfulness.py`."""
SHARES = (0.0, 0.125, 0.25, 0.5, 1.0)
"""Of the places that are changed, the most important first: where a map lies shows early."""
_CELLS, _ROUNDING = 32, 1e-9


@dataclass(frozen=True, slots=True)
class Faith:
    """Areas under the curves of how much of the answer is left, 0 to 1.

    `deletion`: as what the map marks is greyed, most important first; low is good. `insertion`: as it is
    put into the blurred picture; high is good. `random_…`: the same for copies of the map at random
    places, their mean. `as_good`: how many of the `copies` have insertion − deletion as high.
    """

    deletion: float
    insertion: float
    random_deletion: float
    random_insertion: float
    as_good: int
    copies: int = COPIES

    @property
    def gain(self) -> float:
        """By how much better than its copies, mean of deletion and insertion; above 0 is better."""
        return (self.random_deletion - self.deletion + self.insertion - self.random_insertion) / 2

    @property
    def chance(self) -> float:
        """How probable it is that a map at a random place does as well: above 0, to 1."""
        return (1 + self.as_good) / (1 + self.copies)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "deletion": round(self.deletion, 4),
            "deletion_random": round(self.random_deletion, 4),
            "insertion": round(self.insertion, 4),
            "insertion_random": round(self.random_insertion, 4),
            "copies": self.copies,
            "copies_as_good": self.as_good,
        }


def faith_of(asked: Asked, heat: Array, *, copies: int = COPIES, seed: int = 0) -> Faith:
    """Measure `heat` (h, w) on its own picture: (1 + `copies`) · 2 · 3 + 3 answers; `copies`: 1 or more.

    A copy is the same map, mirrored and shifted around at random: as smooth, as concentrated, in another
    place. Only what shows the picture is changed, never padding.
    """
    rows, columns = content_box(asked.prepared)
    own = np.asarray(heat, np.float64)[rows, columns]
    chance = np.random.default_rng(seed)
    order = _ranked(own, chance)  # place → rank, 0 first
    orders = [order, *(_elsewhere(order, chance) for _ in range(copies))]
    inner = [(one, share * one.size) for one in orders for share in SHARES[1:-1]]
    grey, blurred = _emptied(asked)
    ends = asked(np.stack([asked.prepared.pixels, grey, blurred]))

    def areas(base: PictureArray, top: PictureArray, first: float, last: float) -> Array:
        """(1 + copies,): under what is left of `base` with ever more of `top`."""

        def make(chosen: slice) -> PictureArray:
            found = np.repeat(base[None], len(inner[chosen]), axis=0)
            for row, (one, count) in enumerate(inner[chosen]):
                mask = one < count
                found[row, rows, columns][mask] = top[rows, columns][mask]
            return found

        middle = asked.each(len(inner), make).reshape(len(orders), -1)
        frame = np.ones((len(orders), 1))
        curves = np.hstack([frame * first, middle, frame * last])
        under: Array = np.trapezoid(curves, SHARES, axis=1)
        return under

    deleted = areas(asked.prepared.pixels, grey, ends[0], ends[1])
    inserted = areas(blurred, asked.prepared.pixels, ends[2], ends[0])
    better = inserted - deleted
    return Faith(
        float(deleted[0]),
        float(inserted[0]),
        float(deleted[1:].mean()),
        float(inserted[1:].mean()),
        int((better[1:] >= better[0] - _ROUNDING).sum()),
        copies,
    )


def _elsewhere(field: Array, chance: np.random.Generator) -> Array:
    """The same values, mirrored and shifted around."""
    turned = field[:: -1 if chance.random() < 0.5 else 1, :: -1 if chance.random() < 0.5 else 1]
    down, along = (int(chance.integers(0, side)) for side in field.shape)
    return np.roll(turned, (down, along), axis=(0, 1))


def _ranked(field: Array, chance: np.random.Generator) -> Array:
    """The rank of each place, highest first; equal ones in random order."""
    order = np.lexsort((chance.random(field.size), -field.ravel()))
    ranks = np.empty(field.size, np.int64)
    ranks[order] = np.arange(field.size)
    return ranks.reshape(field.shape)


def _emptied(asked: Asked) -> tuple[PictureArray, PictureArray]:
    """The picture all grey, and blurred by a sixteenth of its shorter side; padding stays."""
    rows, columns = content_box(asked.prepared)
    grey, blurred = asked.prepared.pixels.copy(), asked.prepared.pixels.copy()
    grey[rows, columns] = GREY
    shown = Image.fromarray(np.ascontiguousarray(blurred[rows, columns]))
    spread = ImageFilter.GaussianBlur(max(1.0, min(shown.size) / 16))
    blurred[rows, columns] = np.asarray(shown.filter(spread))
    return grey, blurred


# -- randomisation ----------------------------------------------------------------------------


def likeness(one: Array, other: Array) -> float:
    """Rank correlation of two maps (h, w), −1 to 1, on at most 32 × 32 cells; 0 where one is even."""
    first, second = (_ranks(_coarse(np.asarray(field, np.float64)).ravel()) for field in (one, other))
    first, second = first - first.mean(), second - second.mean()
    size = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / size if size > 0 else 0.0


def _coarse(field: Array) -> Array:
    """Means of blocks, so that a side has at most 32."""
    for axis in (0, 1):
        side = field.shape[axis]
        if side > _CELLS:
            starts = np.arange(_CELLS) * side // _CELLS
            counts = np.diff(np.append(starts, side))
            shape = (-1, 1) if axis == 0 else (1, -1)
            field = np.add.reduceat(field, starts, axis=axis) / counts.reshape(shape)
    return field


def _ranks(values: Array) -> Array:
    """Ranks with ties shared, float64."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    found: Array = (last - (counts - 1) / 2)[inverse].astype(np.float64)
    return found


# -- the verdict ------------------------------------------------------------------------------


def verdict_of(
    faith: Faith | None, sameness: Sequence[tuple[str, float]], heat: Array, *, even: bool = False
) -> tuple[Verdict, tuple[str, ...]]:
    """Whether a map may be believed, and why not, in sentences.

    `sameness`: (what was drawn anew, likeness), the last one of a network that forgot everything; empty
    for a model that has no weights to forget. `even`: the picture is of one colour.
    """
    if not float(np.max(heat, initial=0.0)) > 0:
        return "unreliable", ("it marks nothing: nothing was found that speaks for the answer",)
    if even:
        return "unreliable", ("the picture is of one colour: no place of it differs from another",)
    against: list[str] = []
    if faith is not None and faith.chance > DOUBTFUL:
        against.append(f"it does not say where: {_as_good(faith)}")
    elif faith is not None and not faith.gain > GAIN:
        against.append("what it marks matters hardly more to the answer than random places do")
    if sameness and sameness[-1][1] >= STAYS:
        against.append(
            "a network with random weights gets nearly the same map "
            f"(rank correlation {sameness[-1][1]:.2f}): it tells of the picture, not of what was learnt"
        )
    if against:
        return "unreliable", tuple(against)
    if faith is not None and faith.chance > SURE:
        return "doubtful", (_as_good(faith),)
    return ("unchecked" if faith is None else "passes"), ()


def _as_good(faith: Faith) -> str:
    verb = "does" if faith.as_good == 1 else "do"
    return f"{faith.as_good} of {faith.copies} copies of it at random places {verb} as well"
