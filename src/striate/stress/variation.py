"""How much pictures of one class differ, and whether the run bears it: accuracy by cluster.

Within each class the pictures are grouped by what the run's last hidden layer makes of them (k-means,
seeded by k-means++: Arthur & Vassilvitskii 2007). A class can be right on average and wrong for one kind
of its pictures. The worst of many groups looks bad by luck alone; so the same is done with the marks of
each class shuffled, and only what lies below that counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.metrics.intervals import bootstrap_mean, wilson_interval
from striate.metrics.plain import plain, plain_pair
from striate.types import Array

__all__ = ["Cluster", "Variation", "clusters_of", "vary"]

_CLUSTERS = 4
_LEAST = 12
"""Pictures of a class for each of its clusters, at least, on average."""
_SMALLEST = 6
"""Pictures of a cluster: fewer are told apart by k-means, but say nothing of how good the run is."""
_ROUNDS = 30
_SHUFFLES = 200
_TYPICAL = 6


@dataclass(frozen=True, slots=True)
class Cluster:
    """Pictures of one class that look alike to the run.

    `typical`: rows of those nearest its middle, `typical_keys`: the keys of these pictures.
    `worst_keys`: the keys of the nearest wrong ones; of numbers, of those that are furthest off.
    """

    group: str
    number: int
    pictures: int
    score: float
    interval: tuple[float, float]
    typical: tuple[int, ...]
    typical_keys: tuple[str, ...]
    worst_keys: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "class": self.group,
            "cluster": self.number,
            "pictures": self.pictures,
            "score": plain(self.score),
            "interval": plain_pair(self.interval),
            "typical": list(self.typical_keys),
            "worst": list(self.worst_keys),
        }


@dataclass(frozen=True, slots=True)
class Variation:
    """Clusters, the worst first. `by_luck`: the score that the worst falls below in one of twenty
    shufflings; `clean`: of all pictures."""

    clusters: tuple[Cluster, ...]
    clean: float
    by_luck: float
    more_is_better: bool

    @property
    def worst(self) -> Cluster:
        return self.clusters[0]

    @property
    def is_real(self) -> bool:
        """Whether the worst cluster is worse than luck explains."""
        if self.more_is_better:
            return self.worst.score < self.by_luck
        return self.worst.score > self.by_luck

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "clean": plain(self.clean),
            "worst_by_luck": plain(self.by_luck),
            "is_real": self.is_real,
            "clusters": [one.to_dict() for one in self.clusters],
        }


def vary(
    features: Array,
    groups: Sequence[str],
    marks: Array,
    keys: Sequence[str],
    *,
    more_is_better: bool,
    seed: int = 0,
) -> Variation | None:
    """Clusters of `features` (N, D) within each of `groups` (N), and how good the run is on each.

    `marks` (N,): the score of each picture (right or wrong; the error), `keys` (N): what it is called.
    Clusters of fewer than six pictures are left out. None where fewer than two are left.
    """
    named = np.asarray(groups)
    labels = np.full(len(named), -1)
    clusters: list[Cluster] = []
    number = 0
    for name in np.unique(named):
        rows = np.flatnonzero(named == name)
        count = min(_CLUSTERS, len(rows) // _LEAST)
        if count < 2:
            continue
        found, middles = clusters_of(features[rows], count, seed=seed)
        for k in range(count):
            inside = rows[found == k]
            if len(inside) < _SMALLEST:
                continue
            labels[inside] = number
            number += 1
            clusters.append(
                _cluster(str(name), k + 1, inside, features, middles[k], marks, keys, more_is_better)
            )
    if number < 2:
        return None
    sign = 1 if more_is_better else -1
    clusters.sort(key=lambda one: sign * one.score)
    luck = _luck(labels, named, marks, sign=sign, seed=seed)
    return Variation(tuple(clusters), float(np.mean(marks)), luck, more_is_better)


def _cluster(
    group: str,
    number: int,
    rows: Array,
    features: Array,
    middle: Array,
    marks: Array,
    keys: Sequence[str],
    more_is_better: bool,
) -> Cluster:
    near = rows[np.argsort(((features[rows] - middle) ** 2).sum(axis=1), kind="stable")]
    own = marks[rows]
    shares = more_is_better and bool(np.isin(own, (0, 1)).all())
    if shares:
        low, high = wilson_interval(int(own.sum()), len(own))
        interval = float(low), float(high)
    else:
        interval = bootstrap_mean(own)
    wrong = near[marks[near] == 0] if more_is_better else near[np.argsort(-marks[near], kind="stable")]
    typical = near[:_TYPICAL].tolist()
    return Cluster(
        group,
        number,
        len(rows),
        float(own.mean()),
        interval,
        tuple(typical),
        tuple(keys[row] for row in typical),
        tuple(keys[row] for row in wrong[:_TYPICAL].tolist()),
    )


def _luck(labels: Array, named: Array, marks: Array, *, sign: int, seed: int) -> float:
    """The worst cluster's score where marks belong to no cluster: the bad end, one in twenty."""
    rng = np.random.default_rng(seed)
    inside = labels >= 0
    sizes = np.bincount(labels[inside])
    worst = []
    groups = [np.flatnonzero(inside & (named == name)) for name in np.unique(named[inside])]
    for _ in range(_SHUFFLES):
        shuffled = np.array(marks, np.float64)
        for rows in groups:
            shuffled[rows] = marks[rng.permutation(rows)]
        means = np.bincount(labels[inside], weights=shuffled[inside]) / np.maximum(sizes, 1)
        worst.append(sign * min(sign * means[sizes > 0]))
    return float(np.quantile(worst, 0.05 if sign > 0 else 0.95))


def clusters_of(vectors: Array, count: int, *, seed: int) -> tuple[Array, Array]:
    """Cluster of each of `vectors` (N, D), int64 (N,), and the clusters' middles (count, D).

    Lloyd's rounds from k-means++ seeds; a cluster that runs empty stays where it was.
    """
    vectors = np.asarray(vectors, np.float64)
    rng = np.random.default_rng(seed)
    middles = _seeds(vectors, count, rng)
    found = np.full(len(vectors), -1)
    for _ in range(_ROUNDS):
        apart = _squares(vectors, middles)
        nearest = apart.argmin(axis=1)
        if (nearest == found).all():
            break
        found = nearest
        for k in range(count):
            if (found == k).any():
                middles[k] = vectors[found == k].mean(axis=0)
    return found, middles


def _seeds(vectors: Array, count: int, rng: np.random.Generator) -> Array:
    middles = [vectors[rng.integers(len(vectors))]]
    for _ in range(count - 1):
        apart = _squares(vectors, np.stack(middles)).min(axis=1)
        total = apart.sum()
        at = rng.choice(len(vectors), p=apart / total) if total > 0 else rng.integers(len(vectors))
        middles.append(vectors[at])
    return np.stack(middles).astype(np.float64)


def _squares(vectors: Array, middles: Array) -> Array:
    """Squared distances (N, k)."""
    own = np.einsum("nd,nd->n", vectors, vectors)[:, None]
    found = own - 2 * vectors @ middles.T + np.einsum("kd,kd->k", middles, middles)[None]
    floor: Array = np.maximum(found, 0.0)
    return floor
