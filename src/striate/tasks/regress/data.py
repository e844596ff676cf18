"""Numbers as truths: from files to tuples, from tuples to arrays."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from striate.data.dataset import Dataset
from striate.data.inputs import choose_fit, choose_size, glance, size_from_text
from striate.errors import LabelError, UnknownNameError
from striate.metrics.regression import circular_mean, wrap_degrees
from striate.tasks.regress.config import RegressConfig, RegressFacts
from striate.types import Array

__all__ = ["Values", "align_values", "encode", "learn_facts", "read_source"]

Values = tuple[float, ...]
"""The truth of one picture: a number a target column."""


def read_source(source: Path | str, config: RegressConfig) -> Dataset[Values]:
    """The pictures and numbers at `source`."""
    from striate.data.guess import read_values

    return read_values(source, path_column=config.path_column, target_columns=config.target)


def encode(targets: Sequence[Values], columns: int) -> Array:
    """Truths as float64 (N, K).

    >>> encode([(1.0, 2.0)], 2).tolist(), encode([], 2).shape
    ([[1.0, 2.0]], (0, 2))
    """
    return np.asarray(targets, dtype=np.float64).reshape(len(targets), columns)


def learn_facts(train: Dataset[Values], config: RegressConfig) -> RegressFacts:
    """Scales of the targets and the network input, from the training records."""
    for name in config.angles:
        if name not in train.names:
            raise UnknownNameError("angle column", name, train.names)
    if not len(train):
        raise LabelError(
            f"{train.shown_root()} has no training pictures", remedy="add pictures with numbers"
        )
    is_angle = tuple(name in config.angles for name in train.names)
    values = _checked(train)
    moments = [_moments(values[:, k], angle) for k, angle in enumerate(is_angle)]
    seen = glance(train.records)
    model = "small-cnn" if config.model == "auto" else config.model
    size_hw = size_from_text(config.size) if config.size else choose_size(model, seen.sizes_hw)
    return RegressFacts(
        model=model,
        names=train.names,
        is_angle=is_angle,
        mean=tuple(mean for mean, _, _ in moments),
        scale=tuple(scale for _, scale, _ in moments),
        middle=tuple(middle for _, _, middle in moments),
        size_hw=size_hw,
        fit=choose_fit(seen.sizes_hw, size_hw) if config.fit == "auto" else config.fit,
        channels=1 if seen.grey or config.grey else 3,
        coverage=config.coverage,
    )


def _moments(values: Array, angle: bool) -> tuple[float, float, float]:
    """Mean, scale and middle of one target; the scale of what does not vary is 1."""
    mean = circular_mean(values) if angle else float(values.mean())
    deviations = wrap_degrees(values - mean) if angle else values - mean
    scale = float(np.sqrt(np.square(deviations).mean()))
    varies = scale > 1e-9 * max(abs(mean), 1e-30)
    return mean, scale if varies else 1.0, mean if angle else float(np.median(values))


def _checked(dataset: Dataset[Values]) -> Array:
    """The truths as float64 (N, K); a `LabelError` for a wrong count or a number that is none."""
    columns = len(dataset.names)
    for record in dataset:
        if len(record.target) != columns or not np.isfinite(record.target).all():
            raise LabelError(
                f"{record.key} has the values {record.target}",
                expected=f"{columns} finite numbers: {', '.join(dataset.names)}",
                remedy="correct the row, or leave it out",
            )
    return encode(dataset.targets, columns)


def align_values(dataset: Dataset[Values], facts: RegressFacts) -> Dataset[Values]:
    """`dataset` with the facts' columns in their order; angles in (−180, 180] degrees.

    Further columns are left out; a `LabelError` names those that are missing.
    """
    missing = [name for name in facts.names if name not in dataset.names]
    if missing:
        near = difflib.get_close_matches(missing[0], dataset.names, n=1, cutoff=0.6)
        raise LabelError(
            f"{dataset.shown_root()} lacks the columns {', '.join(missing)}",
            expected=f"the columns that the model was trained on: {', '.join(facts.names)}",
            remedy=f"it has {near[0]!r}: rename it" if near else "add them to the table",
        )
    values = _checked(dataset)[:, [dataset.names.index(name) for name in facts.names]]
    angle = np.asarray(facts.is_angle)
    values[:, angle] = wrap_degrees(values[:, angle])
    records = tuple(
        replace(record, target=tuple(row))
        for record, row in zip(dataset.records, values.tolist(), strict=True)
    )
    return replace(dataset, records=records, names=facts.names)
