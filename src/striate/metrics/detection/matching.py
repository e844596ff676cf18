"""Which answer is right about which object: COCO's rule, for many thresholds and sizes at once.

Lin et al. 2014 and the reference code pycocotools: within a picture and class the answers choose in
the order of their scores; each takes the free object that it overlaps most, if by the threshold at
least. Objects that do not count (crowds, sizes out of range) are taken only if no other is left; what
took one, and what took nothing but is itself out of range, does not count either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from striate.metrics.detection.tables import Found, Pairs, Truth
from striate.types import Array

__all__ = ["ANY_SIZE", "IOUS", "SIZES", "Matches", "match"]

Range = tuple[float, float]

IOUS = np.linspace(0.5, 0.95, 10)
"""COCO's thresholds of overlap."""
ANY_SIZE: Range = (0.0, 1e10)
SIZES: dict[str, Range] = {
    "all": ANY_SIZE,
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, 1e10),
}
"""COCO's sizes by area, square pixels, ends included."""


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Who took what, at T thresholds and A ranges of size.

    `truth_of`: int64 (T, A, D), the object each answer took, −1 for none. `counted`: bool (T, A, D),
    answers that count, right or wrong. `objects`: bool (A, G), objects that count.
    """

    truth_of: Array
    counted: Array
    objects: Array

    @property
    def right(self) -> Array:
        """Answers that are right and count, bool (T, A, D)."""
        found: Array = self.counted & (self.truth_of >= 0)
        return found


def match(
    found: Found,
    truth: Truth,
    pairs: Pairs,
    *,
    ious: Sequence[float] | Array = IOUS,
    sizes: Sequence[Range] = tuple(SIZES.values()),
) -> Matches:
    """Matches of equal class among `pairs`, which hold all with an IoU of the lowest threshold."""
    low = np.array([size[0] for size in sizes])[:, None]
    high = np.array([size[1] for size in sizes])[:, None]
    objects = ~(truth.crowd | (truth.areas < low) | (truth.areas > high))  # (A, G)
    limits = np.minimum(np.asarray(ious, np.float64), 1 - 1e-10)
    same = (found.labels[pairs.found] == truth.labels[pairs.truth]) & (pairs.iou >= limits.min())
    truth_of = np.full((len(limits), len(sizes), len(found)), -1, np.int64)
    taken = np.zeros((len(limits), len(sizes), len(truth)), bool)
    for turn in _turns(found, pairs.take(same)):
        rows, chosen = _choose(turn, taken, truth.crowd, objects, limits)
        truth_of[:, :, rows] = chosen
        which = np.nonzero(chosen >= 0)
        taken[which[0], which[1], chosen[which]] = True
    fits = (found.areas >= low) & (found.areas <= high)  # (A, D)
    counts = np.concatenate([objects, np.zeros((len(sizes), 1), bool)], axis=1)
    ranges = np.arange(len(sizes))[None, :, None]
    counted = np.where(truth_of >= 0, counts[ranges, truth_of], fits)
    return Matches(truth_of, counted, objects)


def _turns(found: Found, pairs: Pairs) -> Iterator[Pairs]:
    """Pairs in rounds: of each picture and class one answer a round, the best first."""
    if not len(pairs.found):
        return
    rows, inverse = np.unique(pairs.found, return_inverse=True)
    new = np.ones(len(rows), bool)
    new[1:] = (np.diff(found.pictures[rows]) != 0) | (np.diff(found.labels[rows]) != 0)
    place = np.arange(len(rows))
    rounds = (place - np.maximum.accumulate(np.where(new, place, 0)))[inverse]  # (P,)
    order = np.argsort(rounds, kind="stable")
    ordered = pairs.take(order)
    ends = np.cumsum(np.bincount(rounds))
    for begin, end in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True):
        yield ordered.take(np.arange(begin, end))


def _choose(
    turn: Pairs, taken: Array, crowd: Array, objects: Array, limits: Array
) -> tuple[Array, Array]:
    """The answers of a round, (R,), and the objects that they take, (T, A, R); −1 for none."""
    begins = np.flatnonzero(np.diff(turn.found, prepend=-1))
    can = ~taken[:, :, turn.truth] | crowd[turn.truth]  # (T, A, P)
    can &= (turn.iou >= limits[:, None])[:, None, :]
    worth = turn.iou + 2.0 * objects[:, turn.truth]  # (A, P): any that counts before all that do not
    worth = np.where(can, worth, -1.0)
    best = np.maximum.reduceat(worth, begins, axis=2)  # (T, A, R)
    lengths = np.diff(begins, append=len(turn.found))
    is_best = can & (worth == np.repeat(best, lengths, axis=2))
    # of equally good ones the last, as the reference has it
    last = np.maximum.reduceat(np.where(is_best, np.arange(len(turn.found)), -1), begins, axis=2)
    chosen = np.where(last >= 0, turn.truth[last], -1)
    return turn.found[begins], chosen
