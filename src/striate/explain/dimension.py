"""Along how many directions a set of vectors varies: its intrinsic dimension.

TwoNN (Facco, d'Errico, Rodriguez & Laio, Scientific Reports 7, 2017) uses the two nearest neighbours of
each point: the ratio μ of their distances follows a Pareto law with exponent d, however dense the
points lie. The maximum likelihood estimate (Levina & Bickel, NeurIPS 2004) uses k of them, averaged as
MacKay & Ghahramani (2005) correct it: inverses are averaged over points, not dimensions.

Both see the dimension at the distance of neighbours, so noise counts where points lie dense, and
high dimensions (above about 15) come out too low: points grow exponentially rare.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from striate.errors import DataError
from striate.explain.neighbours import distinct_rows, nearest
from striate.types import Array

__all__ = ["LEAST", "Dimension", "Estimate", "intrinsic_dimension", "linear_dimension", "mle", "two_nn"]

LEAST = 12
"""Distinct vectors below which nothing is estimated."""

_DISCARD = 0.1
"""Share of the largest ratios that TwoNN leaves out of its fit, as the paper does."""
_NEAREST, _FARTHEST = 10, 20
"""Neighbours over which the maximum likelihood estimate is averaged, as Levina & Bickel do."""
_KNOWN = 64
"""Neighbours that are kept: enough that a random half of them has twenty."""
_HALVES = 60

Measure: TypeAlias = Callable[[Array], float]
Near: TypeAlias = tuple[Array, Array]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A dimension and its 95 % interval: how far luck of the sample may move it, not its bias."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"value": self.value, "interval": [self.low, self.high]}


@dataclass(frozen=True, slots=True)
class Dimension:
    """Of one set of vectors.

    `numbers`: how many numbers a vector has. `count`: vectors, `distinct` those that differ.
    `two_nn`, `mle`: the two estimates. `linear`: straight directions that hold 95 % of the variance.
    `by_count`: TwoNN on ever smaller parts of the set: an estimate that still moves is not to be
    trusted to the digit.
    """

    numbers: int
    count: int
    distinct: int
    two_nn: Estimate
    mle: Estimate
    linear: int | None
    by_count: tuple[tuple[int, Estimate], ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "numbers": self.numbers,
            "pictures": self.count,
            "distinct": self.distinct,
            "two_nn": self.two_nn.to_dict(),
            "mle": self.mle.to_dict(),
            "linear": self.linear,
            "by_count": [{"pictures": count, **found.to_dict()} for count, found in self.by_count],
        }


def two_nn(distances: Array, *, discard: float = _DISCARD) -> float:
    """Dimension from `distances` (N, ≥ 2) to the nearest others, ascending, all above 0.

    The slope through the origin of −log(1 − i/N) against log μ of the i-th smallest μ = r₂/r₁ (Facco et
    al., eq. 5), the largest `discard` of them left out. Infinite where all neighbours are equally far.
    """
    ratios = np.sort(np.log(distances[:, 1] / distances[:, 0]))
    n = len(ratios)
    kept = max(2, int(n * (1 - discard)))
    x = ratios[:kept]
    y = -np.log1p(-np.arange(1, kept + 1) / (n + 1))
    return float(np.dot(x, y) / np.dot(x, x)) if np.dot(x, x) > 0 else float("inf")


def mle(distances: Array, *, first: int = _NEAREST, last: int = _FARTHEST) -> float:
    """Dimension from `distances` (N, K) to the K nearest others, ascending, all above 0.

    For each k from `first` to `last` (as far as there are neighbours) 1 / d is the mean over
    points of 1/(k−1) Σ_{j<k} log(T_k / T_j); the d are averaged.
    """
    last = min(last, distances.shape[1])
    logs = np.log(distances[:, :last])
    sums = np.cumsum(logs, axis=1)
    ks = np.arange(min(first, last), last + 1)
    inverses = np.array([np.mean(logs[:, k - 1] - sums[:, k - 2] / (k - 1)) for k in ks])
    return float(np.mean(1 / inverses)) if (inverses > 0).all() else float("inf")


def intrinsic_dimension(vectors: Array, *, seed: int = 0) -> Dimension:
    """Both estimates for `vectors` (N, D), whole numbers or floats; equal ones count once.

    A `DataError` where fewer than `LEAST` differ, or some are not finite.
    """
    if vectors.dtype.kind == "f" and not np.isfinite(vectors).all():
        raise DataError("some of the numbers are not finite", expected="finite pixels or features")
    rows = distinct_rows(vectors)
    if len(rows) < LEAST:
        raise DataError(
            f"of {len(vectors)} pictures only {len(rows)} differ",
            expected=f"at least {LEAST}: neighbours at several distances",
            remedy="name more pictures",
        )
    own = vectors[rows] if len(rows) < len(vectors) else vectors
    near = nearest(own, min(_KNOWN, len(own) - 1))
    if (near[0][:, 0] == near[0][:, -1]).all():
        raise DataError(
            f"the {len(own)} pictures are all equally far from one another: no dimension can be told",
            expected="pictures of which some are more alike than others",
        )
    return Dimension(
        numbers=int(np.prod(vectors.shape[1:])),
        count=len(vectors),
        distinct=len(own),
        two_nn=_estimate(two_nn, near, 2, seed),
        mle=_estimate(mle, near, min(_FARTHEST, len(own) - 1), seed),
        linear=linear_dimension(own),
        by_count=_by_count(own, near, seed),
    )


def _estimate(measure: Measure, near: Near, count: int, seed: int) -> Estimate:
    """`measure` of the distances to `count` neighbours, and its interval.

    Neighbours share neighbours, so points are not independent and resampling them one by one would
    promise too much. Random halves of the set are measured afresh instead, each by the neighbours that
    are in it: by the delete-d jackknife (Shao & Wu 1989) their spread is that of the whole.
    """
    value = measure(near[0][:, :count])
    rng = np.random.default_rng(seed)
    halves = [_half(near, count, rng) for _ in range(_HALVES)]
    found = np.array([measure(half) for half in halves if len(half) > 1])
    found = found[np.isfinite(found) & (found > 0)]
    reach = 1.96 * float(np.std(np.log(found))) if len(found) > 1 else np.inf
    return Estimate(value, float(value * np.exp(-reach)), float(value * np.exp(reach)))


def _half(near: Near, count: int, rng: np.random.Generator) -> Array:
    """Distances (M, count) within a random half of the points; fewer neighbours where it is small."""
    distances, indices = near
    n = len(distances)
    taken = np.zeros(n, bool)
    taken[rng.permutation(n)[: n // 2]] = True
    own, there = distances[taken], taken[indices[taken]]
    count = min(count, n // 2 - 1)
    enough = there.sum(axis=1) >= count  # the others' neighbours are farther than is known
    order = np.argsort(~there[enough], axis=1, kind="stable")[:, :count]
    return np.take_along_axis(own[enough], order, axis=1)


def _by_count(vectors: Array, near: Near, seed: int) -> tuple[tuple[int, Estimate], ...]:
    """TwoNN on random eighths, quarters and halves of the set, over all such parts, and on the whole."""
    order = np.random.default_rng(seed).permutation(len(vectors))
    found = []
    for parts in (8, 4, 2):
        if len(vectors) // parts < 3 * LEAST:
            continue
        groups = [vectors[np.sort(group)] for group in np.array_split(order, parts)]
        each = [nearest(group, 2)[0] for group in groups]
        alone = np.array([two_nn(one) for one in each])
        if not np.isfinite(alone).all():
            continue
        values = np.log(alone)
        value, reach = (
            two_nn(np.concatenate(each)),
            1.96 * float(np.std(values, ddof=1) / np.sqrt(parts)),
        )
        found.append(
            (len(vectors) // parts, Estimate(value, value * np.exp(-reach), value * np.exp(reach)))
        )
    return (*found, (len(vectors), _estimate(two_nn, near, 2, seed)))


def linear_dimension(vectors: Array, *, share: float = 0.95, most: int = 1000) -> int | None:
    """How many principal components hold `share` of the variance, of at most `most` of `vectors` (N, D).

    None where so many are needed that the number of vectors is what limits it (over half of them).
    """
    rows = np.unique(np.linspace(0, len(vectors) - 1, min(most, len(vectors))).round().astype(int))
    own = vectors[rows]
    products = np.zeros((len(own), len(own)))
    for column in range(0, own.shape[1], 4096):
        part = own[:, column : column + 4096].astype(np.float64)
        part -= part.mean(axis=0)
        products += part @ part.T
    variances = np.maximum(np.linalg.eigvalsh(products)[::-1], 0.0)
    total = variances.sum()
    if not total > 0:
        return 0
    needed = int(np.searchsorted(np.cumsum(variances) / total, share * (1 - 1e-12)) + 1)
    return needed if needed <= len(own) / 2 or needed == own.shape[1] else None
