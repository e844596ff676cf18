"""Copies within a data set: exact ones, and those that were resized, recompressed, mirrored or cropped.

Exact copies are equal pixel by pixel. Near duplicates are found in three steps: nearest neighbours by
low frequencies (`neighbours`), the agreement of the pairs in grey and in detail, cut-outs aligned first
(`alignment`), and a judgement that asks for more agreement where everything in the data set looks alike,
as digits and trousers do.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.data.alignment import Agreement, agreement
from striate.data.dataset import Dataset, Record
from striate.data.grouping import Groups
from striate.data.neighbours import Candidates, candidates, describe
from striate.data.signatures import Signature, sign
from striate.errors import PictureError
from striate.types import Array

__all__ = ["Duplicates", "find_duplicates", "near_duplicates"]

BLANK_CONTRAST = 2.0
"""Grey levels (standard deviation) below which a thumb shows nothing that could be compared."""

LARGE = 64
"""Shorter side, pixels, from which cut-outs are looked for and plain agreement is believed."""

LEAST_GREY, LEAST_DETAIL = 0.96, 0.82
CLEAR_DETAIL = 0.95
SAME_GREY, SAME_DETAIL = 0.9985, 0.985
STANDS_OUT = 0.25
"""A near duplicate disagrees at most this share of what a picture's other neighbours typically do."""

TYPICAL_DETAIL = 0.3


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Groups of records, by number, ascending. `exact`: equal pixels. `near`: the same picture in other
    form; a group may hold exact copies, too, and is then wider than they are."""

    exact: tuple[tuple[int, ...], ...]
    near: tuple[tuple[int, ...], ...]


def near_duplicates(
    dataset: Dataset[Any], *, on_progress: Callable[[int], None] | None = None
) -> list[list[str]]:
    """Keys of pictures that are copies of one another, exact or near, for `split(clusters=…)`."""
    found = find_duplicates(dataset.records, sign(dataset.records, on_progress=on_progress))
    keys = [record.key for record in dataset.records]
    return [[keys[i] for i in group] for group in (*found.exact, *found.near)]


def find_duplicates(
    records: Sequence[Record[Any]], signatures: Sequence[Signature | PictureError]
) -> Duplicates:
    """The copies among `records`, given `sign(records)`; pictures that could not be read have none."""
    seen = {i: one for i, one in enumerate(signatures) if isinstance(one, Signature)}
    pixels = _Pixels(records, seen)
    exact = Groups(len(records))
    exact.join_equal((i, one.content) for i, one in seen.items())
    _join_equal_pixels(exact, _equal_thumbs(seen), pixels)
    single = [group[0] for group in exact.sets() if group[0] in seen]
    shown = [i for i in single if seen[i].thumb.std() >= BLANK_CONTRAST]
    whole = Groups(len(records))
    if len(shown) > 1:
        pairs = _confirmed(shown, seen)
        _join_equal_pixels(exact, pairs, pixels)
        for pair in pairs:
            whole.join(pair)
    copies = [group for group in exact.sets() if len(group) > 1]
    for group in copies:
        whole.join(group)
    known = {tuple(group) for group in copies}
    wider = (tuple(group) for group in whole.sets() if len(group) > 1)
    return Duplicates(tuple(sorted(known)), tuple(group for group in wider if group not in known))


class _Pixels:
    """Hashes of whole pictures, decoded only when asked for, and once."""

    def __init__(self, records: Sequence[Record[Any]], seen: Mapping[int, Signature]) -> None:
        self._records, self._seen = records, seen
        self._known: dict[int, tuple[object, ...]] = {}

    def __call__(self, i: int) -> tuple[object, ...]:
        """Size and hash; for a picture that cannot be decoded something that equals nothing else."""
        if i not in self._known:
            try:
                picture = self._records[i].origin.read()
                self._known[i] = (*picture.shape, hashlib.sha256(picture.tobytes()).hexdigest())
            except PictureError:
                self._known[i] = (i,)
        return self._known[i]

    def size(self, i: int) -> tuple[int, int]:
        return self._seen[i].size_hw


def _equal_thumbs(seen: Mapping[int, Signature]) -> list[list[int]]:
    groups: dict[bytes, list[int]] = defaultdict(list)
    for i, one in seen.items():
        groups[one.thumb.tobytes()].append(i)
    return [group for group in groups.values() if len(group) > 1]


def _join_equal_pixels(exact: Groups, groups: Iterable[Sequence[int]], pixels: _Pixels) -> None:
    """Join what is equal within each group of pictures that may be."""
    for group in groups:
        for size in {pixels.size(i) for i in group}:
            same = [i for i in group if pixels.size(i) == size]
            if len(same) > 1 and not exact.joined(same):
                exact.join_equal((i, pixels(i)) for i in same)


def _confirmed(shown: Sequence[int], seen: Mapping[int, Signature]) -> list[tuple[int, int]]:
    """The pairs that are near duplicates, by number of record."""
    thumbs = np.stack([seen[i].thumb for i in shown])
    large = np.array([min(seen[i].size_hw) >= LARGE for i in shown])
    pairs = candidates(describe(thumbs))
    both_large: Array = large[pairs.first] & large[pairs.second]
    found = agreement(thumbs, pairs, both_large)
    kept = np.flatnonzero(_judged(pairs, found, both_large, len(shown)))
    number = np.array(shown)
    first, second = number[pairs.first[kept]].tolist(), number[pairs.second[kept]].tolist()
    return list(zip(first, second, strict=True))


def _judged(pairs: Candidates, found: Agreement, both_large: Array, count: int) -> Array:
    """Which pairs are near duplicates, bool (P,): those that agree clearly, or far better than usual."""
    usual = _typical_detail(pairs, found.detail, count)
    usual_here = np.maximum(usual[pairs.first], usual[pairs.second])
    stands_out = 1 - found.detail <= STANDS_OUT * (1 - usual_here)
    judged: Array = (found.grey >= LEAST_GREY) & (found.detail >= LEAST_DETAIL) & stands_out
    judged |= (found.grey >= LEAST_GREY) & (found.detail >= CLEAR_DETAIL) & both_large
    judged |= (found.grey >= SAME_GREY) & (found.detail >= SAME_DETAIL)
    return judged


def _typical_detail(pairs: Candidates, detail: Array, count: int) -> Array:
    """The median agreement of each picture with its neighbours, float32 (N,).

    At least `TYPICAL_DETAIL`, which also stands in where there are fewer than three.
    """
    owner = np.concatenate([pairs.first, pairs.second])
    values = np.concatenate([detail, detail])
    order = np.lexsort((values, owner))
    start = np.searchsorted(owner[order], np.arange(count + 1))
    size = np.diff(start)
    usual = np.full(count, TYPICAL_DETAIL, np.float32)
    enough = size >= 3
    middle = start[:-1][enough] + (size[enough] - 1) // 2  # the lower middle: a copy is not usual
    usual[enough] = np.maximum(values[order][middle], TYPICAL_DETAIL)
    return usual
