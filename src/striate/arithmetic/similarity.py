"""Losses that arrange vectors: the same thing near, different things apart.

Vectors lie on the last axis; over leading axes (pairs, triplets) the mean is taken. Float64.
"""

from __future__ import annotations

import numpy as np

from striate.arithmetic.pairing import check_margin, paired, rows_of
from striate.errors import UsageError
from striate.types import Array

__all__ = [
    "cosine",
    "cosine_gradient",
    "inverted_verification",
    "inverted_verification_gradient",
    "pairwise_hinge",
    "pairwise_hinge_gradient",
    "triplet",
    "triplet_gradient",
    "verification",
    "verification_gradient",
]


def cosine(one: Array, other: Array) -> Array:
    """a·b / (|a| |b|), −1 to 1: (…, n) twice → (…). A `UsageError` for a vector of length 0."""
    one, other = _directed(one, other)
    found: Array = (one * other).sum(axis=-1) / (_length(one) * _length(other))[..., 0]
    return found


def cosine_gradient(one: Array, other: Array) -> tuple[Array, Array]:
    """∂cos/∂a = b/(|a||b|) − cos a/|a|², and the same for b."""
    one, other = _directed(one, other)
    share, lengths = cosine(one, other)[..., None], _length(one) * _length(other)
    return (
        other / lengths - share * one / _length(one) ** 2,
        one / lengths - share * other / _length(other) ** 2,
    )


def verification(one: Array, other: Array, same: Array, *, margin: float = 0.0) -> float:
    """1 − M for a pair of the same, max(0, M − margin) for a pair of different ones; M the cosine.

    `one`, `other`: (…, n); `same`: 0 or 1 for each pair, (…). Making it small brings the same
    together (Hadsell et al. 2006 with a cosine; torch's CosineEmbeddingLoss).
    """
    check_margin(margin, "margin")
    match = cosine(one, other)
    same = _flags(same, match)
    return float(np.mean(np.where(same, 1 - match, np.maximum(0, match - margin))))


def verification_gradient(
    one: Array, other: Array, same: Array, *, margin: float = 0.0
) -> tuple[Array, Array]:
    """With respect to both vectors of each pair."""
    match = cosine(one, other)
    slope = np.where(_flags(same, match), -1.0, (match > margin).astype(np.float64))
    return _passed_on(slope / match.size, one, other)


def inverted_verification(one: Array, other: Array, same: Array) -> float:
    """The wrong way round, as in a deck: M for the same, 1 − M for different ones.

    It would be right if M were a distance, or if it were made large. With M a cosine, making it small
    drives pictures of the same person apart. Kept to show exactly that; use `verification`.
    """
    match = cosine(one, other)
    return float(np.mean(np.where(_flags(same, match), match, 1 - match)))


def inverted_verification_gradient(one: Array, other: Array, same: Array) -> tuple[Array, Array]:
    """With respect to both vectors of each pair."""
    match = cosine(one, other)
    return _passed_on(np.where(_flags(same, match), 1.0, -1.0) / match.size, one, other)


def pairwise_hinge(query: Array, good: Array, bad: Array, *, margin: float = 0.5) -> float:
    """max(0, δ − M(q, good) + M(q, bad)), M the cosine and δ the margin: (…, n) each.

    Zero once the good answer is better than the bad one by the margin (Joachims 2002).
    """
    check_margin(margin, "margin")
    return float(np.mean(np.maximum(0, margin - cosine(query, good) + cosine(query, bad))))


def pairwise_hinge_gradient(
    query: Array, good: Array, bad: Array, *, margin: float = 0.5
) -> tuple[Array, Array, Array]:
    """With respect to query, good and bad; zero where the margin is kept."""
    active = margin - cosine(query, good) + cosine(query, bad) > 0
    share = (active / active.size)[..., None]
    by_good, of_good = cosine_gradient(query, good)
    by_bad, of_bad = cosine_gradient(query, bad)
    return share * (by_bad - by_good), -share * of_good, share * of_bad


def triplet(anchor: Array, positive: Array, negative: Array, *, margin: float = 0.2) -> float:
    """max(‖f_A − f_P‖² − ‖f_A − f_N‖² + α, 0), α the margin: (…, n) each (Schroff et al. 2015)."""
    check_margin(margin, "margin")
    return float(np.mean(np.maximum(0, _triplet_gap(anchor, positive, negative) + margin)))


def triplet_gradient(
    anchor: Array, positive: Array, negative: Array, *, margin: float = 0.2
) -> tuple[Array, Array, Array]:
    """2 (N − P), 2 (P − A) and 2 (A − N), each over the number of triplets; zero where all is well."""
    active = _triplet_gap(anchor, positive, negative) + margin > 0
    anchor, positive, negative = paired(anchor=anchor, positive=positive, negative=negative)
    share = 2 * active[..., None] / rows_of(anchor)
    return share * (negative - positive), share * (positive - anchor), share * (anchor - negative)


def _triplet_gap(anchor: Array, positive: Array, negative: Array) -> Array:
    anchor, positive, negative = paired(anchor=anchor, positive=positive, negative=negative)
    near = ((anchor - positive) ** 2).sum(axis=-1)
    found: Array = near - ((anchor - negative) ** 2).sum(axis=-1)
    return found


def _passed_on(slope: Array, one: Array, other: Array) -> tuple[Array, Array]:
    first, second = cosine_gradient(one, other)
    return slope[..., None] * first, slope[..., None] * second


def _flags(same: Array, match: Array) -> Array:
    flags = np.asarray(same)
    if flags.shape != match.shape or not np.isin(flags, (0, 1)).all():
        raise UsageError(
            f"same has shape {flags.shape} and holds {np.unique(flags)[:6].tolist()}",
            expected=f"0 or 1 for each pair, shape {match.shape}",
        )
    return flags.astype(bool)


def _directed(one: Array, other: Array) -> list[Array]:
    found = paired(one=one, other=other)
    if any((_length(values) == 0).any() for values in found):
        raise UsageError(
            "a vector of length 0 has no direction", expected="vectors with a number other than 0"
        )
    return found


def _length(values: Array) -> Array:
    found: Array = np.linalg.norm(values, axis=-1, keepdims=True)
    return found
