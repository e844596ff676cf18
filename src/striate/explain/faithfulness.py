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

__all__ = ["GAIN", "STAYS", "Faith", "Verdict", "faith_of", "likeness", "verdict_of"]

Verdict: TypeAlias = Literal["passes", "doubtful", "unreliable", "unchecked"]

STAYS = 0.7
"""Rank correlation with maps of networks that forgot everything, from which a map is not about what was
learnt; measured in `docs/explain-attribution.md`."""
GAIN = 0.01
"""By how much a map must do better than at random: with an untrained network, whose answer hardly moves
whatever is shown, the best of maps do better by less."""
_CELLS = 32


@dataclass(frozen=True, slots=True)
class Faith:
    """Areas under the curves of how much of the answer is left, 0 to 1.

    `deletion`: as what the map marks is greyed, most important first; low is good. `insertion`: as it is
    put into the blurred picture; high is good. `random_…`: the same for the map at random places, mean
    of some draws. `curves`: share of places changed, what is left under deletion, and under insertion.
    """

    deletion: float
    insertion: float
    random_deletion: float
    random_insertion: float
    curves: tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]] = ((), (), ())

    @property
    def deletion_gain(self) -> float:
        """By how much better than random; above 0 is better."""
        return self.random_deletion - self.deletion

    @property
    def insertion_gain(self) -> float:
        """By how much better than random; above 0 is better."""
        return self.insertion - self.random_insertion

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "deletion": round(self.deletion, 4),
            "deletion_random": round(self.random_deletion, 4),
            "insertion": round(self.insertion, 4),
            "insertion_random": round(self.random_insertion, 4),
        }


def faith_of(asked: Asked, heat: Array, *, steps: int = 16, draws: int = 3, seed: int = 0) -> Faith:
    """Measure `heat` (h, w) on its own picture: (1 + `draws`) · 2 · (`steps` − 1) + 3 answers.

    The random order is that of the same map, mirrored and shifted around at random: as smooth, as
    concentrated, in other places. Only what shows the picture is changed, never padding.
    """
    rows, columns = content_box(asked.prepared)
    own = np.asarray(heat, np.float64)[rows, columns]
    chance = np.random.default_rng(seed)
    fields = [own, *(_elsewhere(own, chance) for _ in range(draws))]
    orders = [_ranked(field, chance) for field in fields]  # place → rank, 0 first
    shares = np.linspace(0, 1, steps + 1)
    inner = [(order, share * order.size) for order in orders for share in shares[1:-1]]
    grey, blurred = _emptied(asked)
    ends = asked(np.stack([asked.prepared.pixels, grey, blurred]))

    def curves(base: PictureArray, top: PictureArray, first: float, last: float) -> Array:
        """(1 + draws, steps + 1): `base` with ever more of `top`."""

        def make(chosen: slice) -> PictureArray:
            found = np.repeat(base[None], len(inner[chosen]), axis=0)
            for row, (order, count) in enumerate(inner[chosen]):
                mask = order < count
                found[row, rows, columns][mask] = top[rows, columns][mask]
            return found

        middle = asked.each(len(inner), make).reshape(len(orders), -1)
        frame = np.ones((len(orders), 1))
        return np.hstack([frame * first, middle, frame * last])

    deleted = curves(asked.prepared.pixels, grey, ends[0], ends[1])
    inserted = curves(blurred, asked.prepared.pixels, ends[2], ends[0])
    out, back = (np.trapezoid(one, shares, axis=1) for one in (deleted, inserted))
    return Faith(
        float(out[0]),
        float(back[0]),
        float(out[1:].mean()) if draws else float("nan"),
        float(back[1:].mean()) if draws else float("nan"),
        (tuple(shares.tolist()), tuple(deleted[0].tolist()), tuple(inserted[0].tolist())),
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
    faith: Faith | None, sameness: Sequence[tuple[str, float]], heat: Array
) -> tuple[Verdict, tuple[str, ...]]:
    """Whether a map may be believed, and why not, in sentences.

    `sameness`: (what was drawn anew, likeness), the last one of a network that forgot everything; empty
    for a model that has no weights to forget.
    """
    if not float(np.max(heat, initial=0.0)) > 0:
        return "unreliable", ("it marks nothing: nothing was found that speaks for the answer",)
    against: list[str] = []
    doubts: list[str] = []
    if faith is not None and not faith.deletion_gain > GAIN:
        against.append(
            "greying what it marks takes hardly more from the answer than greying random places: "
            f"{faith.deletion:.2f} is left against {faith.random_deletion:.2f}"
        )
    if faith is not None and not faith.insertion_gain > GAIN:
        doubts.append(
            "showing what it marks brings back hardly more of the answer than showing random places: "
            f"{faith.insertion:.2f} against {faith.random_insertion:.2f}"
        )
    if sameness and sameness[-1][1] >= STAYS:
        against.append(
            "a network with random weights gets nearly the same map "
            f"(rank correlation {sameness[-1][1]:.2f}): it is not about what was learnt"
        )
    if against:
        return "unreliable", tuple(against + doubts)
    if doubts:
        return "doubtful", tuple(doubts)
    return ("unchecked" if faith is None else "passes"), ()
