"""From the graph's outputs to answers, and from validation outputs to honest intervals.

Intervals are split-conformal (Lei et al. 2018): the radius is the ⌈(n + 1)(1 − α)⌉-th smallest of n
validation scores |truth − value| / sigma, and holds at least 1 − α of new truths drawn alike,
whatever the network is worth. Dividing by the sigma it tells makes hard pictures' intervals wider.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from striate.errors import RunError
from striate.metrics.regression import difference, wrap_degrees
from striate.tasks.regress.config import RegressConfig, RegressFacts
from striate.tasks.regress.data import Values, encode
from striate.tasks.regress.types import Regression
from striate.types import Array

__all__ = ["answers_from", "calibrated_facts", "conformal_radius"]


def answers_from(outputs: Mapping[str, Array], facts: RegressFacts) -> list[Regression]:
    """One answer a picture."""
    values = _values(outputs, facts)
    reach = _reach(outputs, facts, values)
    return [
        Regression(facts.names, value, value - half, value + half, facts.is_angle)
        for value, half in zip(values, reach, strict=True)
    ]


def _reach(outputs: Mapping[str, Array], facts: RegressFacts, values: Array) -> Array:
    """Half the width of each interval (B, K); NaN before calibration, at most 180° for angles."""
    if not facts.radius:
        return np.full(values.shape, np.nan)
    unit = _sigmas(outputs, facts) if facts.by_sigma else np.ones(values.shape)
    reach: Array = np.asarray(facts.radius) * unit
    return np.where(facts.is_angle, np.minimum(reach, 180.0), reach)


def calibrated_facts(
    outputs: Mapping[str, Array],
    targets: Sequence[Values],
    facts: RegressFacts,
    config: RegressConfig,
) -> RegressFacts:
    """`facts` with the radius of each target's interval from a validation set.

    With n pictures no more than n / (n + 1) can be promised: `coverage` is lowered to that. Without
    any there are no intervals.
    """
    values = _values(outputs, facts)
    if not len(values):
        return facts.model_copy(update={"radius": (), "by_sigma": False, "coverage": config.coverage})
    truth, by_sigma = encode(targets, len(facts.names)), "sigmas" in outputs
    unit = _sigmas(outputs, facts) if by_sigma else np.ones(values.shape)
    coverage = min(config.coverage, len(values) / (len(values) + 1))
    radius = [
        conformal_radius(
            np.abs(difference(truth[:, k], values[:, k], angle=angle)) / unit[:, k], coverage
        )
        for k, angle in enumerate(facts.is_angle)
    ]
    return facts.model_copy(update={"radius": tuple(radius), "by_sigma": by_sigma, "coverage": coverage})


def conformal_radius(scores: Array, coverage: float) -> float:
    """The ⌈(n + 1) · coverage⌉-th smallest of n scores, at most the largest.

    >>> conformal_radius(np.arange(1.0, 10.0), 0.9), conformal_radius(np.arange(1.0, 20.0), 0.9)
    (9.0, 18.0)
    """
    n = len(scores)
    rank = min(n, math.ceil((n + 1) * coverage - 1e-9))
    return float(np.sort(scores)[rank - 1])


def _values(outputs: Mapping[str, Array], facts: RegressFacts) -> Array:
    values = _checked(outputs, "values", facts)
    return np.where(facts.is_angle, wrap_degrees(values), values)


def _sigmas(outputs: Mapping[str, Array], facts: RegressFacts) -> Array:
    """Spreads (B, K), kept off 0 so that they can divide."""
    return np.maximum(_checked(outputs, "sigmas", facts), 1e-9 * np.asarray(facts.scale))


def _checked(outputs: Mapping[str, Array], name: str, facts: RegressFacts) -> Array:
    if name not in outputs:
        raise RunError(
            f"the graph has no output {name!r} but {', '.join(outputs)}",
            expected="the graph of a regressor",
            remedy="export the run again",
        )
    found = np.asarray(outputs[name], dtype=np.float64)
    if found.ndim != 2 or found.shape[1] != len(facts.names):
        raise RunError(
            f"the graph's output {name!r} has the shape {found.shape}",
            expected=f"a row a picture and {len(facts.names)} columns, one a target",
            remedy="the graph belongs to another run: restore it, or export again",
        )
    if not np.isfinite(found).all():
        raise RunError(
            f"the graph's output {name!r} holds numbers that are not finite",
            remedy="the weights are damaged or training diverged: train again with a lower lr",
        )
    return found
