"""Randomness that is counted, not drawn: every number is a hash of (seed, epoch, index, stream).

No generator is advanced, so the number of workers, the make-up of a batch and an interruption
change nothing: record 17 of epoch 3 gets the same numbers wherever and whenever it is asked.

The hash is the finaliser of splitmix64 (Steele, Lea & Flood 2014, variant 13 of Stafford), applied
once over the index and once over the draw. `stream` separates uses ("flip", "crop", …), so that a
new use does not shift the numbers of the others.
"""

from __future__ import annotations

import hashlib
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from striate.errors import SettingError

__all__ = ["beta", "checked_seed", "hash64", "integers", "normals", "permutation", "uniforms"]

Floats: TypeAlias = NDArray[np.float64]
Words: TypeAlias = NDArray[np.uint64]

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio: consecutive multiples spread evenly
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_ROUNDS = 64  # rejections of one sample in `beta`; each is accepted with a probability above 0.95


def checked_seed(seed: int) -> int:
    """`seed`, if NumPy's generators take it; a `SettingError` for a negative one."""
    if seed < 0:
        raise SettingError(f"seed is {seed}", expected="0 or more")
    return seed


def hash64(*parts: int | str) -> int:
    """A 64-bit hash of integers and texts in their order; equal on every machine and in every process.

    >>> hash64(0, 1, "flip") == hash64(0, 1, "flip"), hash64(0, 1) == hash64(1, 0)
    (True, False)
    """
    state = _GOLDEN
    for part in parts:
        if isinstance(part, str):
            text = part.encode("utf-8", "surrogateescape")  # names of files need not be UTF-8
            word = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")
        else:
            word = int(part) & _MASK
        state = _mix_int((state ^ _mix_int(word + _GOLDEN)) + _GOLDEN)
    return state


def uniforms(seed: int, epoch: int, indices: ArrayLike, draws: int = 1, *, stream: str) -> Floats:
    """Uniform numbers in [0, 1), float64 (N, draws), of records `indices` (N,) in `epoch`."""
    words = _words(seed, epoch, indices, draws, stream)
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def integers(
    seed: int, epoch: int, indices: ArrayLike, draws: int = 1, *, low: int, high: int, stream: str
) -> NDArray[np.int64]:
    """Whole numbers in [low, high), int64 (N, draws), evenly likely (to 2^-53 per value)."""
    if not low < high:
        raise ValueError(f"integers: low {low} must be below high {high}")
    drawn = uniforms(seed, epoch, indices, draws, stream=stream) * (high - low)
    return np.floor(drawn).astype(np.int64) + low


def normals(seed: int, epoch: int, indices: ArrayLike, draws: int = 1, *, stream: str) -> Floats:
    """Standard normal numbers, float64 (N, draws), by Box and Muller (1958)."""
    flat = uniforms(seed, epoch, indices, 2 * draws, stream=stream)
    radius = np.sqrt(-2.0 * np.log1p(-flat[:, 0::2]))  # log1p: 1 - u is never 0
    return radius * np.cos(2.0 * np.pi * flat[:, 1::2])


def beta(seed: int, epoch: int, indices: ArrayLike, alpha: float, *, stream: str) -> Floats:
    """Numbers of Beta(alpha, alpha), float64 (N,) in [0, 1]; `alpha` > 0.

    A ratio of two Gamma(alpha) numbers, each by rejection (Marsaglia & Tsang 2000). Logarithms keep
    small alphas finite, where both gammas underflow.
    """
    if not alpha > 0:
        raise ValueError(f"beta: alpha {alpha} must be above 0")
    one, other = (_log_gamma_drawn(seed, epoch, indices, alpha, f"{stream}/{side}") for side in "ab")
    return 1.0 / (1.0 + np.exp(np.clip(other - one, -700.0, 700.0)))


def permutation(seed: int, epoch: int, n: int) -> NDArray[np.int64]:
    """An order of 0 … n-1, int64 (n,): the records sorted by their hash."""
    words = _words(seed, epoch, np.arange(n), 1, "permutation")[:, 0]
    return np.argsort(words, kind="stable").astype(np.int64)


def _log_gamma_drawn(seed: int, epoch: int, indices: ArrayLike, alpha: float, stream: str) -> Floats:
    """log of Gamma(alpha) numbers, float64 (N,)."""
    records = np.atleast_1d(np.asarray(indices, np.int64))
    d = alpha + 1.0 - 1.0 / 3.0  # drawn for alpha + 1, brought back below: alpha < 1 needs it
    c = 1.0 / np.sqrt(9.0 * d)
    found = np.zeros(len(records))
    pending = np.arange(len(records))
    for attempt in range(_ROUNDS):
        x = normals(seed, epoch, records[pending], stream=f"{stream}/{attempt}/x")[:, 0]
        u = uniforms(seed, epoch, records[pending], stream=f"{stream}/{attempt}/u")[:, 0]
        v = np.maximum(1.0 + c * x, 1e-100) ** 3
        accepted = (x > -1.0 / c) & (np.log1p(-u) < 0.5 * x * x + d - d * v + d * np.log(v))
        found[pending[accepted]] = np.log(d * v[accepted])
        pending = pending[~accepted]
        if not len(pending):
            break
    boost = np.log1p(-uniforms(seed, epoch, records, stream=f"{stream}/boost")[:, 0])
    return found + boost / alpha


def _words(seed: int, epoch: int, indices: ArrayLike, draws: int, stream: str) -> Words:
    """Evenly spread 64-bit words, (N, draws)."""
    records = np.atleast_1d(np.asarray(indices)).astype(np.int64).view(np.uint64)
    key = np.uint64(hash64(seed, epoch, stream))
    steps = np.arange(1, draws + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
    state = _mix((records + np.uint64(1)) * np.uint64(_GOLDEN) + key)
    return _mix(state[:, None] + steps)


def _mix(words: Words) -> Words:
    """The finaliser, in place: `words` must be the caller's own."""
    shifted = words >> np.uint64(30)
    for factor, shift in ((_FIRST, 27), (_SECOND, 31)):
        words ^= shifted
        words *= np.uint64(factor)
        np.right_shift(words, np.uint64(shift), out=shifted)
    words ^= shifted
    return words


def _mix_int(word: int) -> int:
    """The same finaliser for one Python integer."""
    word &= _MASK
    word = ((word ^ (word >> 30)) * _FIRST) & _MASK
    word = ((word ^ (word >> 27)) * _SECOND) & _MASK
    return word ^ (word >> 31)
