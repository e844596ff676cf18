"""What of a classifier's answer is explained: one class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from striate.errors import UnknownNameError
from striate.task import Aim
from striate.tasks.classify.config import ClassifyFacts
from striate.tasks.classify.decode import probabilities_from
from striate.tasks.classify.types import Classification
from striate.types import Array

__all__ = ["aim_of", "pull_of"]


def aim_of(answer: Classification, wish: str) -> Aim:
    """The class `wish`; by default the answer, or the most probable class where it has none."""
    from striate.pictures.panels import percent  # with Pillow, which a task does not load

    if wish and wish not in answer.names:
        raise UnknownNameError("class", wish, answer.names)
    name = wish or answer.label or answer.top(1)[0][0]
    index = answer.names.index(name)
    value = float(answer.probabilities[index])
    return Aim(name, index, value, percent(min(1.0, value)))


def pull_of(outputs: Mapping[str, Array], aims: Sequence[Aim], facts: ClassifyFacts) -> Array:
    """The probability of each picture's class, float64 (B,)."""
    columns = np.asarray([one.index for one in aims], np.intp)
    found: Array = probabilities_from(outputs, facts)[np.arange(len(aims)), columns].astype(np.float64)
    return found
