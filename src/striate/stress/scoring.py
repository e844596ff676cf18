"""What a pass over the pictures is worth, by task: a visible dict of scorers.

A scorer turns the answers of one pass into the task's headline, the same number in every resample, and a
mark a picture; the runner and the card know nothing else of tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from striate.errors import UsageError
from striate.stress.judged import Judged
from striate.stress.resamples import Resamples
from striate.stress.scorers import score_boxes, score_classes, score_numbers
from striate.task import Task
from striate.types import Array

__all__ = ["SCORERS", "Judged", "Scorer", "scorer_of"]


class Scorer(Protocol):
    """How one task is scored."""

    name: str
    """Of the headline: "accuracy"."""
    more_is_better: bool
    chance: float
    """The headline of an answer that ignores the picture; NaN where there is none."""
    note: str
    """What the headline is, in a sentence."""

    def judge(self, results: Sequence[Any], truths: Sequence[Any]) -> Judged:
        """Score one pass of the same pictures."""
        ...

    def support(self, results: Sequence[Any], answered: Sequence[Any]) -> Array:
        """How far `results` still say what was `answered` before, float32 (N,); more is more."""
        ...

    def fallen(self, clean: Judged, changed: Judged) -> Array:
        """Pictures bool (N,) that were right and are now wrong."""
        ...

    def words(self, result: Any) -> str:
        """An answer in a few words."""
        ...

    def truth(self, target: Any) -> str:
        """A truth in a few words."""
        ...


MakeScorer = Callable[[Task[Any, Any], Sequence[Any], Resamples, Task[Any, Any] | None], Scorer]

SCORERS: Mapping[str, MakeScorer] = {
    "classify": score_classes,
    "detect": score_boxes,
    "regress": score_numbers,
}
"""By task name; see `scorer_of`."""


def scorer_of(
    task: Task[Any, Any],
    truths: Sequence[Any],
    resamples: Resamples,
    beside: Task[Any, Any] | None = None,
) -> Scorer:
    """The scorer of a task; a `UsageError` for a task without.

    `truths`: of the clean pictures. `beside`: that of a run this one is held against: scores that are
    relative to a training become relative to the same one.
    """
    if task.name not in SCORERS:
        raise UsageError(
            f"answers of the task {task.name} cannot be stressed",
            expected=f"a run of one of {', '.join(SCORERS)}",
        )
    return SCORERS[task.name](task, truths, resamples, beside)
