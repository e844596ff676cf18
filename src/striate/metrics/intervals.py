"""How far a measure may be off by luck of the sample.

Wilson for shares, Clopper–Pearson for a bound that never promises too much, the percentile
bootstrap for everything else (Efron 1979). Everything is seeded: equal input, equal interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import NormalDist

import numpy as np

from striate.types import Array

__all__ = ["binomial_upper", "bootstrap_interval", "bootstrap_mean", "wilson_interval"]

_CHUNK = 2_000_000  # indices drawn at a time: 8 MB, whatever the number of pictures


def wilson_interval(
    successes: Array | int, n: Array | int, *, level: float = 0.95
) -> tuple[Array, Array]:
    """Ends (low, high) of the interval of a share `successes / n`; (0, 1) where n is 0.

    Arrays of any one shape. Wilson 1927: unlike p ± 1.96 se it stays in [0, 1] and is not a point
    when all or none succeed.

    >>> [round(float(end), 3) for end in wilson_interval(9, 10)]
    [0.596, 0.982]
    """
    z = NormalDist().inv_cdf(0.5 + level / 2)
    count = np.asarray(n, dtype=np.float64)
    share = np.divide(successes, count, out=np.full(count.shape, 0.5), where=count > 0)
    slack = np.divide(z * z, count, out=np.full(count.shape, np.inf), where=count > 0)
    with np.errstate(invalid="ignore"):
        middle = (share + slack / 2) / (1 + slack)
        reach = np.sqrt(share * (1 - share) * slack + slack * slack / 4) / (1 + slack)
    low = np.where(count > 0, np.maximum(middle - reach, 0.0), 0.0)
    high = np.where(count > 0, np.minimum(middle + reach, 1.0), 1.0)
    return low, high


def binomial_upper(successes: int, n: int, *, delta: float) -> float:
    """Clopper–Pearson bound: the share is at most this, with confidence 1 − `delta`.

    The p at which seeing `successes` or fewer of `n` has probability `delta`; 1 when n is 0.

    >>> round(binomial_upper(0, 59, delta=0.05), 4)
    0.0495
    """
    if successes >= n:
        return 1.0
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    k = np.arange(successes + 1)
    log_choices = log_factorial[n] - log_factorial[k] - log_factorial[n - k]
    low, high = successes / n, 1.0
    for _ in range(50):
        p = (low + high) / 2
        terms = log_choices + k * np.log(p) + (n - k) * np.log1p(-p)
        low, high = (p, high) if np.exp(terms).sum() > delta else (low, p)
    return high


def bootstrap_mean(
    values: Array,
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    strata: Array | None = None,
) -> tuple[float, float]:
    """Percentile interval of the mean of `values` (N,); (NaN, NaN) for none.

    `strata` (N,) integers: resample within each, as for classes of fixed sizes.
    """
    values = np.asarray(values, dtype=np.float64)
    if not len(values):
        return float("nan"), float("nan")
    means = [values[drawn].mean(axis=1) for drawn in _draws(len(values), resamples, seed, strata)]
    return _percentiles(np.concatenate(means), level)


def bootstrap_interval(
    statistic: Callable[[Array], float],
    n: int,
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    strata: Array | None = None,
) -> tuple[float, float]:
    """Percentile interval of any `statistic`, which is given the (n,) indices of a resample.

    Resamples in which it is undefined (NaN) are left out.
    """
    if n == 0:
        return float("nan"), float("nan")
    found = [statistic(row) for drawn in _draws(n, resamples, seed, strata) for row in drawn]
    return _percentiles(np.asarray(found, dtype=np.float64), level)


def _draws(n: int, resamples: int, seed: int, strata: Array | None) -> Iterator[Array]:
    """Indices of the resamples, int64 (R, n) a chunk."""
    rng = np.random.default_rng(seed)
    groups = None if strata is None else [np.flatnonzero(strata == one) for one in np.unique(strata)]
    step = max(1, _CHUNK // n)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        if groups is None:
            yield rng.integers(0, n, size=(rows, n), dtype=np.int32)
        else:
            drawn = [group[rng.integers(0, len(group), size=(rows, len(group)))] for group in groups]
            yield np.concatenate(drawn, axis=1)


def _percentiles(found: Array, level: float) -> tuple[float, float]:
    """The middle `level` of `found`."""
    found = found[~np.isnan(found)]
    if not len(found):
        return float("nan"), float("nan")
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
