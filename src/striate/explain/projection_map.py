"""Features of many pictures on a plane, alike ones near each other: PCA, then t-SNE.

van der Maaten and Hinton, "Visualizing data using t-SNE", JMLR 9 (2008), by openTSNE (Poličar, Stražar
and Zupan 2024): with trees or, from 10 000 points on, a grid, so that time grows with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.errors import UsageError
from striate.types import Array

__all__ = ["Embedding", "embed", "reduced", "trust_in_words"]

_AXES = 50
"""Principal components that t-SNE sees, as in the paper's own experiments."""
_NEIGHBOURS = 12
"""Of a point, whose neighbourhood is checked."""
_CHECKED = 2000
"""Points that trustworthiness is measured on: it compares all of them with all others."""
_EARLY, _LATE = 250, 500
"""Steps of t-SNE: while groups form, and after."""
_HEARD_EVERY = 10
_ROWS = 4096
"""Pictures whose features are held as float64 at once."""
_ALONE = 2000
"""Points up to which one thread is faster."""


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """Points float32 (N, 2), centred, and how they came about.

    `trust`: trustworthiness, 0 to 1: whether neighbours on the map are neighbours before (Venna and
    Kaski 2001), at `neighbours` neighbours, of `checked` points. `axes`: principal components kept,
    which hold `variance` of the whole.
    """

    points: Array
    trust: float
    neighbours: int
    checked: int
    axes: int
    variance: float
    perplexity: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, without the points."""
        return {
            "trustworthiness": self.trust,
            "neighbours": self.neighbours,
            "checked": self.checked,
            "principal_components": self.axes,
            "variance": self.variance,
            "perplexity": self.perplexity,
        }


def embed(
    features: Array,
    *,
    perplexity: float = 30.0,
    seed: int = 0,
    threads: int = 1,
    listen: Callable[[int, int], None] | None = None,
) -> Embedding:
    """`features` (N, D) on a plane. `perplexity`: about how many neighbours count for a point.

    It is lowered to a third of the pictures where there are few. `listen` hears steps done, of all.
    A `UsageError` for fewer than five.
    """
    count = len(features)
    if count < 5:
        raise UsageError(f"a map of {count} pictures was asked for", expected="5 pictures or more")
    if not perplexity >= 2:
        raise UsageError(f"the perplexity is {perplexity:g}", expected="2 or more; 30 is usual")
    perplexity = min(perplexity, max(1.0, (count - 1) / 3))
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(count)[:_CHECKED])
    axes, variance = reduced(features, _AXES)
    threads = threads if count > _ALONE else 1  # of few points threads wait for each other
    points = _tsne(axes, _start(axes, rng), perplexity, seed, threads, listen)
    near = min(_NEIGHBOURS, (len(rows) - 1) // 2)
    trust = _trust(features[rows].astype(np.float64), points[rows], near)
    return Embedding(
        points.astype(np.float32), trust, near, len(rows), axes.shape[1], variance, perplexity
    )


def _start(axes: Array, rng: np.random.Generator) -> Array:
    """The first two components, so that the large-scale order means something, and a trace of noise:
    what starts on one line would stay on it."""
    found = 1e-6 * rng.normal(size=(len(axes), 2))
    found[:, : axes.shape[1]] += axes[:, :2] / (float(axes[:, 0].std()) or 1.0) * 1e-4
    return found


def _tsne(
    axes: Array,
    start: Array,
    perplexity: float,
    seed: int,
    threads: int,
    listen: Callable[[int, int], None] | None,
) -> Array:
    from openTSNE import TSNE  # half a second

    done = 0

    def hear(_step: int, _divergence: float, _points: Array) -> None:
        nonlocal done
        done += _HEARD_EVERY
        if listen is not None:
            listen(done, _EARLY + _LATE)

    made = TSNE(
        perplexity=perplexity,
        early_exaggeration_iter=_EARLY,
        n_iter=_LATE,
        initialization=start,
        random_state=seed,
        n_jobs=threads,
        callbacks=hear,
        callbacks_every_iters=_HEARD_EVERY,
    ).fit(axes)
    points = np.asarray(made, np.float64)
    points -= points.mean(axis=0)
    return points


def reduced(features: Array, most: int) -> tuple[Array, float]:
    """Along at most `most` principal components, float64 (N, K), and the share of variance they hold.

    Signs are such that each component's largest weight is positive; where nothing varies, one of zeros.
    """
    mean = features.mean(axis=0, dtype=np.float64)
    # the smaller of the two Gram matrices
    if features.shape[1] <= len(features):
        sizes, vectors = np.linalg.eigh(sum(part.T @ part for part in _centred(features, mean)))
        right = vectors[:, ::-1]
    else:
        (centred,) = _centred(features, mean, rows=len(features))
        sizes, vectors = np.linalg.eigh(centred @ centred.T)
        right = centred.T @ vectors[:, ::-1]
        right = right / np.maximum(np.linalg.norm(right, axis=0), 1e-30)
    sizes = np.maximum(sizes[::-1], 0.0)
    kept = min(most, max(1, int((sizes > 1e-10 * max(float(sizes[0]), 1e-300)).sum())))
    right = right[:, :kept]
    signs = np.sign(right[np.abs(right).argmax(axis=0), np.arange(kept)])
    right = right * np.where(signs == 0, 1.0, signs)
    total = float(sizes.sum())
    share = float(sizes[:kept].sum()) / total if total > 0 else 1.0
    return np.concatenate([part @ right for part in _centred(features, mean)]), share


def _centred(features: Array, mean: Array, rows: int = _ROWS) -> Iterator[Array]:
    """Float64, a few rows at a time: the whole may be large."""
    for start in range(0, len(features), rows):
        yield features[start : start + rows].astype(np.float64) - mean


def trust_in_words(trust: float) -> str:
    """What a trustworthiness means for who reads the map."""
    if trust >= 0.95:
        return "neighbours on the map are nearly always neighbours in the layer"
    if trust >= 0.85:
        return "neighbours on the map are mostly neighbours in the layer"
    if trust >= 0.7:
        return (
            "many neighbours on the map are no neighbours in the layer: read groups, not single points"
        )
    return "the map does not show what is near what in the layer: do not read it"


def _trust(before: Array, after: Array, neighbours: int) -> float:
    from sklearn.manifold import trustworthiness

    return float(trustworthiness(before, after, n_neighbors=neighbours))
