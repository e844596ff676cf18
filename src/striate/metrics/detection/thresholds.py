"""What is right and wrong when answers are shown from a score on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.types import Array

__all__ = ["Shown", "best_f1", "shown_from"]


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Numbers of answers and of right ones, and of objects; of each class (K,) or of all ()."""

    answers: Array
    right: Array
    objects: Array

    @property
    def precision(self) -> Array:
        """Share of the answers that are right; NaN without answers."""
        return _share(self.right, self.answers)

    @property
    def recall(self) -> Array:
        """Share of the objects that are found; NaN without objects."""
        return _share(self.right, self.objects)

    @property
    def f1(self) -> Array:
        """Harmonic mean of the two, as 2·right / (answers + objects); NaN without either."""
        return _share(2 * self.right, self.answers + self.objects)

    def total(self) -> Shown:
        """Of all classes together."""
        return Shown(self.answers.sum(), self.right.sum(), self.objects.sum())


def _share(part: Array, whole: Array) -> Array:
    out = np.full(np.shape(whole), np.nan)
    found: Array = np.divide(part, whole, out=out, where=np.asarray(whole) > 0)
    return found


def shown_from(
    score_from: float, scores: Array, labels: Array, right: Array, counted: Array, objects: Array
) -> Shown:
    """Answers, arrays (D,), of at least this score, by class; `objects`: int64 (K,)."""
    rows = counted & (scores >= score_from)
    answers = np.bincount(labels[rows], minlength=len(objects))
    return Shown(answers, np.bincount(labels[rows & right], minlength=len(objects)), objects)


def best_f1(scores: Array, right: Array, counted: Array, objects: int) -> tuple[float, float]:
    """The score from which answers should be shown for the best F1 over all classes, and that F1.

    `scores`, `right`, `counted`: (D,). (NaN, NaN) if no answer is right.
    """
    rows = np.flatnonzero(counted)
    rows = rows[np.argsort(-scores[rows], kind="stable")]
    if not objects or not right[rows].any():
        return float("nan"), float("nan")
    falling = scores[rows]
    last = np.append(np.diff(falling) != 0, True)  # equal scores are shown together
    f1 = (2 * np.cumsum(right[rows]) / (np.arange(1, len(rows) + 1) + objects))[last]
    best = int(np.argmax(f1))
    return float(falling[last][best]), float(f1[best])
