"""Which of a detector's answers are told: all of them to machines, the likely ones to people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.errors import UsageError
from striate.tasks.detect.config import DetectFacts
from striate.tasks.detect.types import Detections

if TYPE_CHECKING:
    from striate.verbs.model import Answer, Model

__all__ = ["Choice", "detections_of", "detector_facts", "pick"]


def detector_facts(model: Model, flag: str) -> DetectFacts:
    """What the detector in `model` learnt; a `UsageError` that names `flag` for another task."""
    facts = model.task.facts
    if isinstance(facts, DetectFacts):
        return facts
    raise UsageError(
        f"{flag} is for detectors, and {model.run.name!r} is a run of the task {model.header.task}",
        expected="a run that was trained with --task detect",
    )


def detections_of(answer: Answer) -> Detections | None:
    """What was found in a picture; None where it could not be read."""
    assert answer.result is None or isinstance(answer.result, Detections), "checked by detector_facts"
    return answer.result


def pick(found: Detections, keep: Any) -> Detections:
    """Some of `found`, by flags or indices in any order: the best first again."""
    rows = np.arange(len(found))[keep]
    return found.take(rows[np.argsort(-found.scores[rows], kind="stable")])


@dataclass(frozen=True, slots=True)
class Choice:
    """`min_score`: as the user said, or None. `top`: most answers a picture. `show_from`: the score
    from which the run itself holds an answer likely enough to be shown to people."""

    show_from: float
    min_score: float | None = None
    top: int | None = None

    def __post_init__(self) -> None:
        if self.min_score is not None and not 0 <= self.min_score <= 1:
            raise UsageError(
                f"--min-score was given {self.min_score:g}", expected="a number from 0 to 1"
            )

    @property
    def shown_from(self) -> float:
        """The score from which answers are drawn and listed."""
        return self.show_from if self.min_score is None else self.min_score

    def told(self, found: Detections) -> Detections:
        """For files and machines: all answers, unless the user asked for fewer."""
        kept = found if self.min_score is None else found.above(self.min_score)
        return kept if self.top is None else kept.take(np.arange(min(self.top, len(kept))))

    def shown(self, found: Detections) -> Detections:
        """For people: those that are likely."""
        return self.told(found).above(self.shown_from)

    def answer(self, answer: Answer) -> Answer:
        """`answer` with what is told of it."""
        found = detections_of(answer)
        return answer if found is None else replace(answer, result=self.told(found))
