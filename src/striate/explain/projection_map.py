"""Features of many pictures on a plane, alike ones near each other: PCA, then t-SNE.

van der Maaten and Hinton, "Visualizing data using t-SNE", JMLR 9 (2008). openTSNE (Poličar et al. 2024)
does it where it is installed: FFT-accelerated, in minutes for 70 000 points; else scikit-learn
(Barnes-Hut), for some thousands.
"""

from __future__ import annotations

import importlib
import warnings
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


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """Points float32 (N, 2), centred, and how they came about.

    `trust`: trustworthiness, 0 to 1: whether neighbours on the map are neighbours before (Venna and
    Kaski 2001), at `neighbours` neighbours, of `checked` points. `axes`: principal components kept,
    which hold `variance` of the whole. `method`: "openTSNE" or "scikit-learn".
    """

    points: Array
    trust: float
    neighbours: int
    checked: int
    axes: int
    variance: float
    perplexity: float
    method: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, without the points."""
        return {
            "trustworthiness": self.trust,
            "neighbours": self.neighbours,
            "checked": self.checked,
            "principal_components": self.axes,
            "variance": self.variance,
            "perplexity": self.perplexity,
            "method": self.method,
        }


def embed(features: Array, *, perplexity: float = 30.0, seed: int = 0, threads: int = 1) -> Embedding:
    """`features` (N, D) on a plane. `perplexity`: about how many neighbours count for a point.

    It is lowered to a third of the pictures where there are few. A `UsageError` for fewer than five.
    """
    count = len(features)
    if count < 5:
        raise UsageError(f"a map of {count} pictures was asked for", expected="5 pictures or more")
    if not perplexity >= 2:
        raise UsageError(f"the perplexity is {perplexity:g}", expected="2 or more; 30 is usual")
    perplexity = min(perplexity, max(1.0, (count - 1) / 3))
    axes, variance = reduced(np.asarray(features, np.float64), _AXES)
    points, method = _tsne(axes, perplexity, seed, threads)
    points = points - points.mean(axis=0)
    rows = np.sort(np.random.default_rng(seed).permutation(count)[:_CHECKED])
    near = min(_NEIGHBOURS, (len(rows) - 1) // 2)
    trust = _trust(np.asarray(features, np.float64)[rows], points[rows], near)
    return Embedding(
        points.astype(np.float32),
        trust,
        near,
        len(rows),
        axes.shape[1],
        variance,
        perplexity,
        method,
    )


def reduced(features: Array, most: int) -> tuple[Array, float]:
    """Along at most `most` principal components, (N, K), and the share of the variance they hold.

    Signs are such that each component's largest weight is positive; where nothing varies, one of zeros.
    """
    centred = features - features.mean(axis=0)
    # the smaller of the two Gram matrices
    if centred.shape[1] <= len(centred):
        sizes, vectors = np.linalg.eigh(centred.T @ centred)
        right = vectors[:, ::-1]
    else:
        sizes, vectors = np.linalg.eigh(centred @ centred.T)
        right = centred.T @ vectors[:, ::-1]
        right = right / np.maximum(np.linalg.norm(right, axis=0), 1e-30)
    sizes = np.maximum(sizes[::-1], 0.0)
    kept = min(most, max(1, int((sizes > 1e-10 * max(float(sizes[0]), 1e-300)).sum())))
    right = right[:, :kept]
    signs = np.sign(right[np.abs(right).argmax(axis=0), np.arange(kept)])
    total = float(sizes.sum())
    share = float(sizes[:kept].sum()) / total if total > 0 else 1.0
    found: Array = centred @ (right * np.where(signs == 0, 1.0, signs))
    return found, share


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


def _tsne(axes: Array, perplexity: float, seed: int, threads: int) -> tuple[Array, str]:
    # both start from the first two components, so that the large-scale order means something
    spread = float(axes[:, 0].std()) or 1.0
    start = np.zeros((len(axes), 2))
    start[:, : axes.shape[1]] = axes[:, :2] / spread * 1e-4
    try:
        open_tsne = importlib.import_module("openTSNE")
    except ImportError:
        return _scikit(axes, start, perplexity, seed, threads), "scikit-learn"
    made = open_tsne.TSNE(
        perplexity=perplexity, initialization=start, random_state=seed, n_jobs=threads
    ).fit(np.ascontiguousarray(axes))
    return np.asarray(made, np.float64), "openTSNE"


def _scikit(axes: Array, start: Array, perplexity: float, seed: int, threads: int) -> Array:
    from sklearn.manifold import TSNE

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of equal points, which are no mistake here
        found: Array = TSNE(
            perplexity=perplexity,
            init=start.astype(np.float32),
            random_state=seed,
            n_jobs=threads,
        ).fit_transform(axes.astype(np.float32))
    return np.asarray(found, np.float64)


def _trust(before: Array, after: Array, neighbours: int) -> float:
    from sklearn.manifold import trustworthiness

    return float(trustworthiness(before, after, n_neighbors=neighbours))
