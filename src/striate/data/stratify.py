"""Dividing units among splits so that every class is shared out in the same proportion.

Iterative stratification (Sechidis, Tsoumakas & Vlahavas, "On the Stratification of Multi-Label Data",
ECML PKDD 2011): the rarest class first, each unit to the split that still wants most of it. With one
class a unit this gives every class its largest-remainder share exactly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from striate.types import Array

__all__ = ["Unit", "cover", "quantile_bins", "stratify"]


@dataclass(frozen=True, slots=True)
class Unit:
    """Pictures that stay together: how many, how many of each class, and a number that orders chance."""

    size: int
    classes: Mapping[str, int]
    chance: int


def stratify(units: Sequence[Unit], fractions: Sequence[float]) -> list[int]:
    """The split, an index into `fractions` (which add up to 1), of every unit.

    Depends on the units as a set, not on their order.
    """
    names = sorted({name for unit in units for name in unit.classes})
    position = {name: i for i, name in enumerate(names)}
    total = sum(unit.size for unit in units)
    wanted_of = {
        name: [share * count for share in fractions] for name, count in _class_sizes(units).items()
    }
    wanted = [share * total for share in fractions]
    members: dict[str, list[int]] = defaultdict(list)
    for i in sorted(range(len(units)), key=lambda i: (-units[i].size, units[i].chance)):
        for name in units[i].classes:
            members[name].append(i)
    left = np.array([len(members[name]) for name in names], np.int64)
    chosen = [-1] * len(units)
    while len(left) and left.max() > 0:
        rarest = names[int(np.where(left > 0, left, np.iinfo(np.int64).max).argmin())]
        for i in members[rarest]:
            if chosen[i] >= 0:
                continue
            need = wanted_of[rarest]
            split = max(range(len(fractions)), key=lambda s: (need[s], wanted[s], -s))
            chosen[i] = split
            wanted[split] -= units[i].size
            for name, count in units[i].classes.items():
                wanted_of[name][split] -= count
                left[position[name]] -= 1
    return chosen


def _class_sizes(units: Sequence[Unit]) -> dict[str, int]:
    sizes: dict[str, int] = defaultdict(int)
    for unit in units:
        for name, count in unit.classes.items():
            sizes[name] += count
    return sizes


def cover(units: Sequence[Unit], chosen: Sequence[int], splits: Sequence[int]) -> list[int]:
    """`chosen` with units moved so that every class is in split 0 and, where it can be, in `splits`.

    A class of a single unit is in split 0 only. Nothing is moved that a class needs where it is.
    """
    result = list(chosen)
    members: dict[str, list[int]] = defaultdict(list)
    for i in sorted(range(len(units)), key=lambda i: (units[i].size, units[i].chance)):
        for name in units[i].classes:
            members[name].append(i)
    rare_first = sorted(members, key=lambda name: (len(members[name]), name))
    count: dict[str, dict[int, int]] = {name: defaultdict(int) for name in members}
    for i, split in enumerate(result):
        for name in units[i].classes:
            count[name][split] += 1

    def move(i: int, split: int) -> None:
        for name in units[i].classes:
            count[name][result[i]] -= 1
            count[name][split] += 1
        result[i] = split

    for name in rare_first:
        if not count[name][0]:
            move(members[name][0], 0)
    for place, split in enumerate(splits, 2):
        for name in rare_first:
            if count[name][split] or len(members[name]) < place:
                continue
            for i in members[name]:
                if all(count[other][result[i]] > 1 for other in units[i].classes):
                    move(i, split)
                    break
    return result


def quantile_bins(values: Sequence[float], bins: int) -> Array:
    """The equally filled bin, of at most `bins`, of each value, int64 (N,); equal values share one.

    >>> quantile_bins([5.0, 1.0, 1.0, 9.0], 2).tolist()
    [1, 0, 0, 1]
    """
    found = np.asarray(values, np.float64)
    inner = np.linspace(0, 1, bins + 1)[1:-1]
    edges = np.unique(np.quantile(found, inner)) if len(inner) else np.empty(0)
    return np.searchsorted(edges, found, side="right").astype(np.int64)
