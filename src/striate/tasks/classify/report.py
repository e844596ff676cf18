"""What a report shows of a classifier with one class a picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.figures import Bars, Curve, Figure, Gallery, GalleryItem, Lines, Matrix, Section, Table
from striate.metrics.calibration import Reliability, reliability
from striate.metrics.plain import percent
from striate.metrics.rejection import risk_coverage
from striate.task import Evidence
from striate.tasks.classify.config import ClassifyFacts
from striate.tasks.classify.data import Labels, encode
from striate.tasks.classify.decode import softmax
from striate.tasks.classify.types import Classification
from striate.types import Array

__all__ = ["class_sections", "class_summary", "reliability_curve"]

_BARS, _MATRIX, _PICTURES, _POINTS = 30, 30, 24, 200


@dataclass(frozen=True, slots=True)
class _Scored:
    """The evaluated answers as arrays: class indices (N,), probabilities (N, K)."""

    evidence: Evidence[Labels, Classification]
    names: Labels
    truth: Array
    probabilities: Array
    answer: Array
    right: Array
    confidence: Array


def class_sections(evidence: Evidence[Labels, Classification], facts: ClassifyFacts) -> list[Section]:
    """How good it is, what it mistakes, and whether its probabilities can be believed."""
    if not evidence.predictions:
        return [Section("Results", "No pictures were evaluated.")]
    probabilities = np.stack([found.probabilities for found in evidence.predictions])
    truth = encode(evidence.dataset.targets, facts.names, multi_label=False)
    answer = probabilities.argmax(axis=1)
    scored = _Scored(
        evidence, facts.names, truth, probabilities, answer, truth == answer, probabilities.max(axis=1)
    )
    return [_quality(scored), _mistakes(scored), _trust(scored, facts)]


def _quality(scored: _Scored) -> Section:
    metrics = scored.evidence.metrics
    intro = (
        f"{percent(metrics['accuracy'], metrics['accuracy_interval'])} of {metrics['n']} pictures are "
        "right; the range is where the true share lies with 95 % confidence. Always answering the "
        f"commonest class would reach {percent(metrics['baseline_accuracy'])}."
    )
    return Section("Classes", intro, [_recall_bars(metrics["per_class"]), _class_table(metrics)])


def _recall_bars(per_class: Mapping[str, Mapping[str, Any]]) -> Bars:
    seen = [(name, row) for name, row in per_class.items() if row["support"]]
    seen.sort(key=lambda item: item[1]["recall"])
    shown = seen[:_BARS]
    left_out = f" The {len(shown)} weakest of {len(seen)} classes." if len(seen) > _BARS else ""
    return Bars(
        title="Found, class by class",
        caption="Share of each class's pictures that is recognised (recall), weakest first; the "
        f"whiskers are 95 % intervals: few pictures, wide whiskers.{left_out}",
        names=[name for name, _ in shown],
        values=[row["recall"] for _, row in shown],
        low=[row["recall_interval"][0] for _, row in shown],
        high=[row["recall_interval"][1] for _, row in shown],
        x_label="recall",
    )


def _class_table(metrics: Mapping[str, Any]) -> Table:
    rows = [
        (name, *(percent(row[key]) for key in ("precision", "recall", "f1")), row["support"])
        for name, row in metrics["per_class"].items()
    ]
    return Table(
        title="Each class in numbers",
        caption="Precision: of the answers with this class, how many are right. Recall: of its "
        "pictures, how many are found. F1 is their harmonic mean.",
        columns=("class", "precision", "recall", "F1", "pictures"),
        rows=rows,
    )


def _mistakes(scored: _Scored) -> Section:
    wrong = np.flatnonzero(~scored.right)
    surest = wrong[np.argsort(-scored.confidence[wrong], kind="stable")][:_PICTURES]
    unsure = np.argsort(scored.confidence, kind="stable")[:_PICTURES]
    return Section(
        "Mistakes",
        f"{len(wrong)} of {len(scored.truth)} pictures are wrong.",
        [
            _confusion(scored),
            Gallery(
                title="Sure and wrong",
                caption="The mistakes made with the highest probability: often wrong labels, or a kind "
                "of picture that training never showed.",
                items=list(_items(scored, surest)),
                empty="No mistakes.",
            ),
            Gallery(
                title="Least sure",
                caption="The pictures with the lowest winning probability: more like these teach most.",
                items=list(_items(scored, unsure)),
            ),
        ],
    )


def _items(scored: _Scored, rows: Iterable[int]) -> Iterable[GalleryItem]:
    for row in rows:
        found, true = scored.names[scored.answer[row]], scored.names[scored.truth[row]]
        right, key = bool(scored.right[row]), scored.evidence.dataset.records[row].key
        yield GalleryItem(
            picture=scored.evidence.picture(int(row)),
            title=found if right else f"{true}, taken for {found}",
            note=f"{percent(float(scored.confidence[row]))} · {key}",
            tone="good" if right else "bad",
        )


def _confusion(scored: _Scored) -> Figure:
    metrics, names = scored.evidence.metrics, scored.names
    if len(names) > _MATRIX or metrics["confusion"] is None:
        rows = [(one["truth"], one["answer"], one["count"]) for one in metrics["most_confused"]]
        return Table(
            title="Most often confused",
            caption="The commonest mistakes.",
            columns=("is", "taken for", "pictures"),
            rows=rows,
        )
    return Matrix(
        title="What is taken for what",
        caption="Row: what a picture shows; column: the answer. Off the diagonal are the mistakes.",
        values=np.asarray(metrics["confusion"]),
        row_names=names,
        column_names=names,
        row_label="is",
        column_label="taken for",
    )


def _trust(scored: _Scored, facts: ClassifyFacts) -> Section:
    metrics = scored.evidence.metrics
    intro = (
        "An answer given with 80 % should be right 8 times in 10. The expected calibration error, the "
        f"mean distance from that over 15 bins, is {percent(metrics['ece'])}."
    )
    if facts.reject_threshold is not None:
        intro += " " + _rejection_in_words(metrics, facts)
    return Section(
        "Can its probabilities be believed?", intro, [_reliability(scored, facts), _risk(scored)]
    )


def _rejection_in_words(metrics: Mapping[str, Any], facts: ClassifyFacts) -> str:
    assert facts.reject_threshold is not None
    if facts.reject_threshold > 1:
        return (
            "No threshold could promise the error that was asked for: the validation pictures are too "
            "few, or too often wrong, so every answer is marked unknown."
        )
    return (
        f"Answers below {percent(facts.reject_threshold)} are marked unknown; "
        f"{percent(metrics['accepted'])} are accepted here, and of these "
        f"{percent(metrics['accepted_error'], metrics['accepted_error_interval'])} are wrong "
        f"(promised: at most {percent(facts.reject_error)})."
    )


def _reliability(scored: _Scored, facts: ClassifyFacts) -> Lines:
    curves = [reliability_curve("as given", reliability(scored.confidence, scored.right))]
    if facts.temperature != 1.0:
        # logits are known up to a shift: log p × T, and softmax undoes the shift
        safe = np.log(np.maximum(scored.probabilities.astype(np.float64), 1e-30))
        before = softmax(safe * facts.temperature).max(axis=1)
        name = f"before the temperature of {facts.temperature:.2f}"
        curves.append(reliability_curve(name, reliability(before, scored.right)))
    return Lines(
        title="Said and true",
        caption="Share of right answers against the probability given; the diagonal is honest, below it "
        "is overconfident. Bins with few answers jump.",
        curves=curves,
        x_label="probability given",
        y_label="share right",
        diagonal=True,
        y_range=(0.0, 1.0),
    )


def reliability_curve(name: str, bins: Reliability) -> Curve:
    """Bins of answers as a line."""
    return Curve(name, bins.confidence.tolist(), bins.share.tolist())


def _risk(scored: _Scored) -> Lines:
    coverage, risk = risk_coverage(scored.confidence, ~scored.right)
    rows = np.unique(np.linspace(0, len(coverage) - 1, min(_POINTS, len(coverage))).astype(int))
    return Lines(
        title="Answering less, erring less",
        caption="Error among the answers given, if only the surest part is answered and the rest left "
        "to a person. The lower and the later it rises, the better.",
        curves=[Curve("error", coverage[rows].tolist(), risk[rows].tolist())],
        x_label="share answered",
        y_label="error among them",
    )


def class_summary(metrics: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """The numbers that a person reads first."""
    lines = [
        ("accuracy", percent(metrics["accuracy"], metrics["accuracy_interval"])),
        ("commonest class alone", percent(metrics["baseline_accuracy"])),
        ("macro F1", percent(metrics["macro_f1"], metrics["macro_f1_interval"])),
        ("calibration error", percent(metrics["ece"])),
    ]
    if metrics["accepted"] not in (None, 1.0):
        wrong = percent(metrics["accepted_error"], metrics["accepted_error_interval"])
        lines.append(("accepted", f"{percent(metrics['accepted'])}, of these wrong {wrong}"))
    for key, value in metrics.items():
        classes = len(metrics["per_class"])
        if key.startswith("top") and key[3:].isdigit() and 1 < int(key[3:]) < classes:
            lines.insert(1, (f"top-{key[3:]} accuracy", percent(value)))
    return [*lines, ("pictures", str(metrics["n"]))]
