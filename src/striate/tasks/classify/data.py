"""Labels: from files to names, from names to arrays."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from striate.data.dataset import Dataset
from striate.data.inputs import choose_fit, choose_size, glance, size_from_text
from striate.errors import LabelError
from striate.tasks.classify.config import ClassifyConfig, ClassifyFacts
from striate.types import Array

__all__ = ["Labels", "align_labels", "encode", "learn_facts", "read_source"]

Labels = tuple[str, ...]
"""The truth of one picture: its class in a tuple of one, or any number of labels."""

_SHOWN = 10  # strangers named in an error


def read_source(source: Path | str, config: ClassifyConfig) -> Dataset[Labels]:
    """The pictures and labels at `source`."""
    from striate.data.guess import read_labels

    return read_labels(
        source,
        path_column=config.path_column,
        target_columns=config.target or None,
        multi_label=config.multi_label,
    )


def learn_facts(train: Dataset[Labels], config: ClassifyConfig) -> ClassifyFacts:
    """Class names, their frequency, and the network input, from the training records.

    Classes keep the order of the data set; those without a training picture are left out. A
    `LabelError` if there is nothing to tell apart, or a picture has several labels unexpectedly.
    """
    counts = _count(train, config)
    names = tuple(name for name in train.names if name in counts)
    names += tuple(sorted(set(counts) - set(names)))
    model = "small-cnn" if config.model == "auto" else config.model
    seen = glance(train.records)
    size_hw = size_from_text(config.size) if config.size else choose_size(model, seen.sizes_hw)
    return ClassifyFacts(
        model=model,
        names=names,
        counts=tuple(counts[name] for name in names),
        class_weights=_balanced(counts, names) if config.class_weights == "balanced" else (),
        size_hw=size_hw,
        fit=choose_fit(seen.sizes_hw, size_hw) if config.fit == "auto" else config.fit,
        channels=1 if seen.grey or config.grey else 3,
        multi_label=config.multi_label,
    )


def _count(train: Dataset[Labels], config: ClassifyConfig) -> Counter[str]:
    if not config.multi_label:
        _check_single(train)
    counts = Counter(name for record in train for name in set(record.target))
    least = 1 if config.multi_label else 2
    if len(counts) < least:
        only = f"only the class {next(iter(counts))!r}" if counts else "no labels"
        raise LabelError(
            f"{train.shown_root()} has {only} among {len(train)} training pictures",
            expected="at least two classes" if least == 2 else "at least one label",
            remedy="add pictures of another class, one folder a class",
        )
    return counts


def _check_single(dataset: Dataset[Labels]) -> None:
    odd = [record for record in dataset if len(set(record.target)) != 1]
    if odd:
        first = odd[0]
        has = f"the labels {', '.join(first.target)}" if first.target else "no label"
        more = f", and {len(odd) - 1} more pictures have none or several" if len(odd) > 1 else ""
        raise LabelError(
            f"{first.key} has {has}{more}",
            expected="one label a picture",
            remedy="if pictures may have any number of labels, set multi_label (--multi-label)",
        )


def _balanced(counts: Counter[str], names: Labels) -> tuple[float, ...]:
    """Weights with which every class counts alike; a picture weighs 1 on average."""
    return tuple(counts.total() / (len(names) * counts[name]) for name in names)


def align_labels(dataset: Dataset[Labels], facts: ClassifyFacts) -> Dataset[Labels]:
    """`dataset` with its labels checked against the classes, sorted in their order.

    A `LabelError` names all strangers, and the nearest class to each.
    """
    index = {name: i for i, name in enumerate(facts.names)}
    strangers = Counter(name for record in dataset for name in record.target if name not in index)
    if strangers:
        raise _unknown(strangers, facts.names, dataset.shown_root())
    if not facts.multi_label:
        _check_single(dataset)
    records = tuple(
        record
        if len(record.target) == 1
        else replace(record, target=tuple(sorted(set(record.target), key=index.__getitem__)))
        for record in dataset
    )
    return replace(dataset, records=records, names=facts.names)


def _unknown(strangers: Counter[str], names: Labels, root: str) -> LabelError:
    told = []
    for name, count in strangers.most_common(_SHOWN):
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
        told.append(f"{name!r} ({count} ×{f', near {near[0]!r}' if near else ''})")
    more = f" and {len(strangers) - _SHOWN} more" if len(strangers) > _SHOWN else ""
    listed = ", ".join(names[:40]) + (f" … ({len(names)} in all)" if len(names) > 40 else "")
    return LabelError(
        f"{root} has classes that this model was not trained on: {', '.join(told)}{more}",
        expected=f"only {listed}",
        remedy="rename them, leave them out, or train again with them",
    )


def encode(targets: Sequence[Labels], names: Labels, *, multi_label: bool) -> Array:
    """Truths as class indices int64 (N,); with `multi_label` as 0 and 1, uint8 (N, K).

    >>> encode([("b",), ("a",)], ("a", "b"), multi_label=False).tolist()
    [1, 0]
    >>> encode([("a", "b"), ()], ("a", "b"), multi_label=True).tolist()
    [[1, 1], [0, 0]]
    """
    index = {name: i for i, name in enumerate(names)}
    if not multi_label:
        return np.fromiter((index[name] for (name,) in targets), np.int64, len(targets))
    found = np.zeros((len(targets), len(names)), np.uint8)
    for row, target in enumerate(targets):
        found[row, [index[name] for name in target]] = 1
    return found
