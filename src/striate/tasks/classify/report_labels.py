"""What a report shows of a classifier with any number of labels a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from striate.figures import Bars, Gallery, GalleryItem, Lines, Section, Table
from striate.metrics.calibration import reliability
from striate.metrics.plain import percent
from striate.task import Evidence
from striate.tasks.classify.config import ClassifyFacts
from striate.tasks.classify.data import Labels, encode
from striate.tasks.classify.report import reliability_curve
from striate.tasks.classify.types import Classification
from striate.types import Array

__all__ = ["label_sections", "label_summary"]

_BARS, _PICTURES = 30, 24


def label_sections(evidence: Evidence[Labels, Classification], facts: ClassifyFacts) -> list[Section]:
    """How good each label is, the worst pictures, and whether probabilities can be believed."""
    if not evidence.predictions:
        return [Section("Results", "No pictures were evaluated.")]
    metrics = evidence.metrics
    truth = encode(evidence.dataset.targets, facts.names, multi_label=True).astype(bool)
    probabilities = np.stack([found.probabilities for found in evidence.predictions])  # (N, K)
    intro = (
        f"Mean average precision {percent(metrics['map'], metrics['map_interval'])} over "
        f"{len(facts.names)} labels and {metrics['n']} pictures; guessing would reach "
        f"{percent(metrics['baseline_map'])}. All labels of a picture are right in "
        f"{percent(metrics['accuracy'], metrics['accuracy_interval'])}."
    )
    trust = f"The expected calibration error over all labels is {percent(metrics['ece'])}."
    return [
        Section("Labels", intro, [_bars(metrics["per_class"]), _table(metrics["per_class"], facts)]),
        Section("Mistakes", "", [_worst(evidence, truth, probabilities)]),
        Section("Can its probabilities be believed?", trust, [_reliability(truth, probabilities)]),
    ]


def _bars(per_class: Mapping[str, Mapping[str, Any]]) -> Bars:
    seen = [(name, row) for name, row in per_class.items() if row["average_precision"] is not None]
    seen.sort(key=lambda item: item[1]["average_precision"])
    return Bars(
        title="Ranked right, label by label",
        caption="Average precision: 1 if every picture with the label scores above all without it. "
        f"Weakest first, at most {_BARS}.",
        names=[name for name, _ in seen[:_BARS]],
        values=[row["average_precision"] for _, row in seen[:_BARS]],
        x_label="average precision",
    )


def _table(per_class: Mapping[str, Mapping[str, Any]], facts: ClassifyFacts) -> Table:
    thresholds = facts.thresholds or (0.5,) * len(facts.names)
    columns = ("average_precision", "auroc", "precision", "recall", "f1")
    rows = [
        (name, percent(threshold), *(percent(row[key]) for key in columns), row["support"])
        for (name, row), threshold in zip(per_class.items(), thresholds, strict=True)
    ]
    return Table(
        title="Each label in numbers",
        caption="A label is given from its threshold on, chosen on the validation pictures.",
        columns=("label", "from", "avg. precision", "AUROC", "precision", "recall", "F1", "pictures"),
        rows=rows,
    )


def _worst(evidence: Evidence[Labels, Classification], truth: Array, probabilities: Array) -> Gallery:
    """The pictures whose truth was held least likely, label by label."""
    held = np.where(truth, probabilities, 1.0 - probabilities).astype(np.float64)
    loss = -np.log(np.maximum(held, 1e-7)).sum(axis=1)
    items = []
    for row in np.argsort(-loss, kind="stable")[:_PICTURES].tolist():
        record, found = evidence.dataset.records[row], evidence.predictions[row]
        if set(found.labels) == set(record.target):
            continue
        missed = ", ".join(name for name in record.target if name not in found.labels)
        extra = ", ".join(name for name in found.labels if name not in record.target)
        told = [f"missed {missed}"] * bool(missed) + [f"wrongly {extra}"] * bool(extra)
        items.append(GalleryItem(evidence.picture(row), "; ".join(told), record.key, "bad"))
    return Gallery(
        title="Worst mistakes",
        caption="Pictures whose true labels were held least likely.",
        items=items,
        empty="No mistakes.",
    )


def _reliability(truth: Array, probabilities: Array) -> Lines:
    return Lines(
        title="Said and true",
        caption="Share of (picture, label) pairs that are true against the probability given; the "
        "diagonal is honest.",
        curves=[reliability_curve("all labels", reliability(probabilities.ravel(), truth.ravel()))],
        x_label="probability given",
        y_label="share true",
        diagonal=True,
        y_range=(0.0, 1.0),
    )


def label_summary(metrics: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """The numbers that a person reads first."""
    return [
        ("mean average precision", percent(metrics["map"], metrics["map_interval"])),
        ("guessing", percent(metrics["baseline_map"])),
        ("micro F1", percent(metrics["micro_f1"])),
        ("all labels right", percent(metrics["accuracy"], metrics["accuracy_interval"])),
        ("calibration error", percent(metrics["ece"])),
        ("pictures", str(metrics["n"])),
    ]
