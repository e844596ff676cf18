"""Dividing a data set into train, validation and test, so that scores are honest.

Every class is shared out in proportion (numbers by quantiles), pictures that belong together never
part, and the result depends on the seed and on names, not on the order of files. Splits that the data
set came with are kept: a test split is never touched, a missing validation split is taken from train.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from striate.data.dataset import Dataset, Record
from striate.data.grouping import Groups
from striate.data.stratify import Unit, cover, quantile_bins, stratify
from striate.errors import PictureError, SettingError
from striate.types import Problem, Split

__all__ = ["split"]

Target = TypeVar("Target")

MOST_BINS = 10
LEAST_IN_BIN = 5
NO_LABEL = "\0none"


def split(
    dataset: Dataset[Target],
    *,
    validation: float = 0.2,
    test: float = 0.0,
    seed: int,
    clusters: Iterable[Sequence[str]] = (),
) -> Dataset[Target]:
    """`dataset` with a split for every record.

    `validation`, `test`: shares of what is divided, each 0 ≤ share < 1. A split that the data set has
    already keeps its records and gets no others; what is divided are the records without a split and,
    where a wanted split is missing, those of train. `clusters`: keys of records that must not part
    (near duplicates), beside records of one `group` and records of equal content, which never do.

    Every class with two or more units is in train and, if it can be, in validation; a class with a
    single one is in train, and a note says so. A `LayoutError` if nothing is left to train on, a
    `SettingError` for impossible shares.
    """
    _check(validation, test)
    shares = {name: share for name, share in _wanted(dataset, validation, test).items() if share > 0}
    pool = _pool(dataset, shares)
    if not pool:
        return _checked_train(dataset)
    division = _divide(dataset, pool, shares, seed, clusters)
    divided = dataset.with_splits(
        [division.splits.get(i, record.split) for i, record in enumerate(dataset.records)]
    )
    return _checked_train(replace(divided, problems=(*divided.problems, *division.problems)))


def _check(validation: float, test: float) -> None:
    for name, share in (("validation", validation), ("test", test)):
        if not (math.isfinite(share) and 0 <= share < 1):
            raise SettingError(f"the share for {name} is {share}", expected="0 ≤ share < 1")
    if validation + test >= 1:
        raise SettingError(
            f"validation {validation} and test {test} leave nothing to train on",
            expected="shares that add up to less than 1",
        )


def _wanted(dataset: Dataset[Any], validation: float, test: float) -> dict[Split, float]:
    """The shares of what is divided, train first; splits that exist already get nothing more."""
    shares: dict[Split, float] = {"train": 1 - validation - test}
    if "validation" not in dataset.splits:
        shares["validation"] = validation
    if "test" not in dataset.splits:
        shares["test"] = test
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()}


def _pool(dataset: Dataset[Any], shares: Mapping[Split, float]) -> list[int]:
    missing = len(shares) > 1
    return [
        i
        for i, record in enumerate(dataset.records)
        if record.split is None or (missing and record.split == "train")
    ]


def _checked_train(dataset: Dataset[Target]) -> Dataset[Target]:
    dataset.only("train")  # raises a LayoutError that says what is there instead
    return dataset


@dataclass(frozen=True, slots=True)
class _Division:
    splits: Mapping[int, Split]
    problems: Sequence[Problem]


def _divide(
    dataset: Dataset[Any],
    pool: Sequence[int],
    shares: Mapping[Split, float],
    seed: int,
    clusters: Iterable[Sequence[str]],
) -> _Division:
    """Splits for the records `pool`, by number."""
    splits: dict[int, Split] = {}
    problems: list[Problem] = []
    free: list[list[int]] = []
    pooled = set(pool)
    for members in _together(dataset, clusters):
        mine = [i for i in members if i in pooled]
        bound = {dataset.records[i].split for i in members if i not in pooled}
        if mine and (bound & {"train", "validation"}):
            splits |= dict.fromkeys(mine, "train" if "train" in bound else "validation")
        elif mine:
            free.append(mine)
            problems += [_leak(dataset.records, mine)] if bound else []
    classes = _classes(dataset, pool)
    units = [_unit(dataset.records, mine, classes, seed) for mine in free]
    chosen = stratify(units, list(shares.values()))
    labelled = _is_labels(dataset)
    if labelled:
        chosen = cover(units, chosen, range(1, len(shares)))
    names = list(shares)
    for mine, place in zip(free, chosen, strict=True):
        splits |= dict.fromkeys(mine, names[place])
    if labelled and len(shares) > 1:
        problems += _uncovered(units, [names[place] for place in chosen], names[1])
    return _Division(splits, problems)


def _together(dataset: Dataset[Any], clusters: Iterable[Sequence[str]]) -> list[list[int]]:
    """Records that must not part: of one group, of equal content, or in one cluster."""
    groups = Groups(len(dataset))
    groups.join_equal((i, r.group) for i, r in enumerate(dataset.records) if r.group is not None)
    groups.join_equal((i, h) for i, r in enumerate(dataset.records) if (h := _content(r)) is not None)
    number = {record.key: i for i, record in enumerate(dataset.records)}
    for keys in clusters:
        groups.join(number[key] for key in keys if key in number)
    return groups.sets()


def _content(record: Record[Any]) -> str | None:
    try:
        return record.origin.content_hash()
    except (PictureError, OSError):  # reported where the picture is needed
        return None


def _is_labels(dataset: Dataset[Any]) -> bool:
    return all(isinstance(t, tuple) and all(isinstance(n, str) for n in t) for t in dataset.targets)


def _classes(dataset: Dataset[Any], pool: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """What is shared out in proportion: labels, quantiles of numbers, or nothing in particular."""
    targets = [dataset.records[i].target for i in pool]
    if _is_labels(dataset):
        return {i: target or (NO_LABEL,) for i, target in zip(pool, targets, strict=True)}
    if all(isinstance(t, tuple) and all(isinstance(v, (int, float)) for v in t) for t in targets):
        bins = max(1, min(MOST_BINS, len(pool) // LEAST_IN_BIN))
        columns = [quantile_bins(column, bins).tolist() for column in zip(*targets, strict=True)]
        rows = zip(*columns, strict=True) if columns else ((),) * len(pool)
        return {
            i: tuple(f"{column}:{b}" for column, b in enumerate(row))
            for i, row in zip(pool, rows, strict=True)
        }
    return dict.fromkeys(pool, ("",))


def _unit(
    records: Sequence[Record[Any]],
    members: Sequence[int],
    classes: Mapping[int, tuple[str, ...]],
    seed: int,
) -> Unit:
    name = min(os.fsencode(records[i].key) for i in members)
    digest = hashlib.blake2b(name, digest_size=8, key=f"split {seed}".encode()).digest()
    counted = Counter(name for i in members for name in classes[i])
    return Unit(len(members), counted, int.from_bytes(digest, "little"))


def _leak(records: Sequence[Record[Any]], members: Sequence[int]) -> Problem:
    reason = "it belongs to a group that the test split also has: the test score may flatter"
    repair = "remove it from one of the splits (striate data check --fix)"
    others = tuple(records[i].key for i in members[1:])
    return Problem("leakage", "warning", records[members[0]].key, reason, repair, others=others)


def _uncovered(units: Sequence[Unit], splits: Sequence[Split], held: Split) -> list[Problem]:
    """Classes that no held-out picture shows: those of one unit, and those that could not be parted."""
    count = Counter(name for unit in units for name in unit.classes)
    there = {name for unit, at in zip(units, splits, strict=True) if at == held for name in unit.classes}
    missing = sorted(count.keys() - there - {NO_LABEL})
    single = [name for name in missing if count[name] == 1]
    joined = [name for name in missing if count[name] > 1]
    problems = []
    for names, why in ((single, "have one picture or group each"), (joined, "cannot be parted")):
        if names:
            reason = f"{len(names)} classes {why}; they are trained on, but nothing tells how well"
            problems.append(
                Problem(
                    "not-in-validation",
                    "note",
                    names[0],
                    reason,
                    "add pictures",
                    others=tuple(names[1:]),
                )
            )
    return problems
