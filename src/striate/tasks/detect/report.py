"""What a report shows of a detector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from striate.data.boxes.truth import Boxes
from striate.figures import Bars, Curve, Figure, Lines, Section, Table
from striate.metrics.plain import percent
from striate.task import Evidence
from striate.tasks.detect.config import DetectFacts
from striate.tasks.detect.report_errors import error_section
from striate.tasks.detect.report_judged import Judged, judge
from striate.tasks.detect.report_pictures import picture_section
from striate.tasks.detect.types import Detections

__all__ = ["detect_sections", "detect_summary"]

_BARS, _CURVES, _POINTS = 30, 6, 120
_SIZES = {
    "small": "small, below 32² pixels",
    "medium": "medium, 32² to 96²",
    "large": "large, above 96²",
}


def detect_sections(evidence: Evidence[Boxes, Detections], facts: DetectFacts) -> list[Section]:
    """How much is found, why not all, in which pictures, and whether the scores can be believed."""
    if not evidence.predictions:
        return [Section("Results", "No pictures were evaluated.")]
    judged = judge(evidence, facts)
    sections = [_quality(evidence), error_section(evidence.metrics), picture_section(judged)]
    return [*sections, _trust(judged, evidence.metrics)]


def detect_summary(metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The numbers that a person reads first."""
    score = metrics["score_from"]
    return [
        ("AP50", percent(metrics["ap50"], metrics.get("ap50_interval"))),
        ("AP75", percent(metrics["ap75"])),
        ("AP, .50 to .95", percent(metrics["ap"])),
        (f"precision, from score {score:.2f}", percent(metrics["precision"])),
        (f"recall, from score {score:.2f}", percent(metrics["recall"])),
        ("pictures", str(metrics["pictures"])),
    ]


# -- how much is found ------------------------------------------------------------------------


def _quality(evidence: Evidence[Boxes, Detections]) -> Section:
    metrics = evidence.metrics
    if not metrics["objects"]:
        words = f"There are no objects in these {metrics['pictures']} pictures: nothing can be found."
        return Section("Objects", f"{words} {metrics['detections']} answers were given.")
    intro = (
        f"AP50 is {percent(metrics['ap50'], metrics['ap50_interval'])} over {metrics['objects']} "
        f"objects in {metrics['pictures']} pictures; the range is where it lies with 95 % confidence. "
        "It is the area under precision against recall, averaged over classes; an answer is right if "
        "its box and the object's share half of their union. AP75 asks for three quarters, "
        f"{percent(metrics['ap75'])}, and AP is the mean from .50 to .95, {percent(metrics['ap'])}."
    )
    figures = [
        _curves(metrics),
        _class_bars(metrics["per_class"]),
        _sizes(metrics),
        *_course(evidence.history),
        _class_table(metrics),
    ]
    return Section("Objects", intro, figures)


def _seen(per_class: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    """Classes with objects, the weakest first."""
    seen = [(name, row) for name, row in per_class.items() if row["objects"]]
    return sorted(seen, key=lambda item: float(item[1]["ap50"]))


def _curves(metrics: Mapping[str, Any]) -> Lines:
    seen, curves = _seen(metrics["per_class"]), metrics["curves"]
    recall, of_class = curves["recall"], curves["precision50"]
    shown = seen if len(seen) <= _CURVES else [*seen[: _CURVES // 2], *seen[-_CURVES // 2 :]]
    drawn = [_down_to_zero(name, recall, of_class[name]) for name, _ in reversed(shown)]
    if len(seen) > 1:
        mean = np.mean([of_class[name] for name, _ in seen], axis=0).tolist()
        drawn.insert(0, _down_to_zero("all classes", recall, mean))
    left_out = f" The {len(shown)} best and weakest of {len(seen)} classes." if shown != seen else ""
    return Lines(
        title="Precision and recall",
        caption="Going right, answers with ever lower scores are taken in: more objects are found, and "
        "more of the answers are wrong. Where a curve drops, the rest is not found at any score."
        f"{left_out}",
        curves=drawn,
        x_label="recall",
        y_label="precision",
        y_range=(0.0, 1.0),
    )


def _down_to_zero(name: str, recall: Sequence[float], precision: Sequence[float]) -> Curve:
    """The curve as far as it goes, and straight down there."""
    reached = int(np.count_nonzero(precision))
    x, y = list(recall[:reached]), list(precision[:reached])
    return Curve(name, [*x, x[-1]], [*y, 0.0]) if x and reached < len(recall) else Curve(name, x, y)


def _class_bars(per_class: Mapping[str, Mapping[str, Any]]) -> Bars:
    seen = _seen(per_class)
    shown = seen[:_BARS]
    left_out = f" The {len(shown)} weakest of {len(seen)} classes." if len(seen) > _BARS else ""
    return Bars(
        title="AP50, class by class",
        caption="The weakest first. A class with few objects jumps from one set of pictures to the "
        f"next.{left_out}",
        names=[name for name, _ in shown],
        values=[row["ap50"] for _, row in shown],
        x_label="AP50",
    )


def _sizes(metrics: Mapping[str, Any]) -> Bars:
    rows = [(words, metrics[f"ap_{key}"]) for key, words in _SIZES.items()]
    defined = [(words, value) for words, value in rows if value is not None]
    missing = [key for key in _SIZES if metrics[f"ap_{key}"] is None]
    none = f" There are no {' and no '.join(missing)} objects." if missing else ""
    return Bars(
        title="AP by size of the object",
        caption="The mean over overlaps from .50 to .95, of objects by area in pixels of the picture. "
        f"Small ones gain most from a larger input.{none}",
        names=[words for words, _ in defined],
        values=[value for _, value in defined],
        x_label="AP",
    )


def _course(history: Sequence[Mapping[str, Any]]) -> list[Figure]:
    """AP over epochs; none if there were not two."""
    rows = [row for row in history if isinstance(row.get("metrics"), Mapping)]
    curves = []
    for key, name in (("ap50", "AP50"), ("ap75", "AP75"), ("ap", "AP")):
        points = [
            (float(row.get("number", row.get("epoch", place + 1))), float(row["metrics"][key]))
            for place, row in enumerate(rows)
            if row["metrics"].get(key) is not None
        ]
        if len(points) > 1:
            curves.append(Curve(name, [x for x, _ in points], [y for _, y in points]))
    if not curves:
        return []
    caption = (
        "On the validation pictures. Places are learnt before tight boxes: AP75 rises later than AP50."
    )
    return [Lines("AP over epochs", caption, curves, "epoch", "AP", y_range=(0.0, 1.0))]


def _class_table(metrics: Mapping[str, Any]) -> Table:
    rows = [
        (
            name,
            *(percent(row[key]) for key in ("ap50", "ap75", "ap", "precision", "recall", "f1")),
            row["objects"],
        )
        for name, row in metrics["per_class"].items()
    ]
    return Table(
        title="Each class in numbers",
        caption="Precision, recall and F1 are of the answers from a score of "
        f"{metrics['score_from']:.2f} on; AP is of all answers.",
        columns=("class", "AP50", "AP75", "AP", "precision", "recall", "F1", "objects"),
        rows=rows,
    )


# -- what a score is worth --------------------------------------------------------------------


def _trust(judged: Judged, metrics: Mapping[str, Any]) -> Section:
    intro = (
        "Of answers with a score of 0.8, 8 in 10 should be right. The mean distance from that is "
        f"{percent(metrics['ece'])} over all answers, and {percent(metrics['ece_shown'])} over those "
        f"from {metrics['score_from']:.2f} on."
    )
    if metrics["best_f1"] is not None:
        best, used = f"{metrics['best_f1_score']:.2f}", f"{metrics['score_from']:.2f}"
        intro += (
            f" F1 is {percent(metrics['f1'])} for answers from {used} on; the best on these pictures "
            f"would be {percent(metrics['best_f1'])}, from {best} on."
        )
    bins = metrics["calibration"]
    said = Lines(
        title="Said and true",
        caption="Share of right answers against their score; the diagonal is honest, below it is "
        "overconfident. Bins with few answers jump.",
        curves=[Curve("as given", bins["score"], bins["precision"])],
        x_label="score",
        y_label="share right",
        diagonal=True,
        y_range=(0.0, 1.0),
    )
    return Section("Can its scores be believed?", intro, [said, _by_threshold(judged)])


def _by_threshold(judged: Judged) -> Lines:
    found, right, counted = judged.found, judged.right, judged.counted
    order = np.flatnonzero(counted)
    order = order[np.argsort(-found.scores[order], kind="stable")]
    scores, hits = found.scores[order], np.cumsum(right[order])
    objects = int(judged.objects.sum())
    at = np.linspace(0, 1, _POINTS + 1)
    shown = np.searchsorted(-scores, -at, "right")  # answers of at least this score
    true = np.append(0, hits)[shown]
    some = shown > 0
    rows = {
        "right (precision)": (at[some], true[some] / shown[some]),
        "found (recall)": (at, true / max(objects, 1)),
        "F1": (at, 2 * true / np.maximum(shown + objects, 1)),
    }
    return Lines(
        title="From which score to show answers",
        caption="A higher threshold shows fewer wrong answers and misses more objects; F1 weighs both.",
        curves=[Curve(name, x.tolist(), y.tolist()) for name, (x, y) in rows.items()],
        x_label="shown from this score on",
        y_label="share",
        y_range=(0.0, 1.0),
    )
