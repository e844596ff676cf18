"""What of a regressor's answer is explained: one number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from striate.errors import UnknownNameError
from striate.metrics.regression import difference
from striate.task import Aim
from striate.tasks.regress.config import RegressFacts
from striate.tasks.regress.decode import answers_from
from striate.tasks.regress.types import Regression
from striate.types import Array

__all__ = ["aim_of", "pull_of"]


def aim_of(answer: Regression, wish: str, facts: RegressFacts) -> Aim:
    """The number called `wish`, by default the first; a change counts by its spread in training."""
    if wish and wish not in answer.names:
        raise UnknownNameError("target", wish, answer.names)
    index = answer.names.index(wish) if wish else 0
    return Aim(
        answer.names[index],
        index,
        float(answer.values[index]),
        answer.rows()[index][1],
        unit=float(facts.scale[index]),
        either_way=True,
    )


def pull_of(outputs: Mapping[str, Array], aims: Sequence[Aim], facts: RegressFacts) -> Array:
    """How near each number still is to what was answered: exp(−|change| / spread in training), (B,).

    1 where nothing changed, 0.37 where it moved by one spread, up or down.
    """
    values = np.stack([one.values for one in answers_from(outputs, facts)])
    found = [
        np.exp(
            -np.abs(difference(np.asarray(aim.value), row[aim.index], angle=facts.is_angle[aim.index]))
            / aim.unit
        )
        for row, aim in zip(values, aims, strict=True)
    ]
    return np.asarray(found, np.float64)
