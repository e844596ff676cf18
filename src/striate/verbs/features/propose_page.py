"""The page of `striate features propose`: recall as curves, tables and pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from striate.features.proposals import METHODS, RecallCurve
from striate.features.proposals.drawing import draw_found
from striate.figures import Curve, Gallery, GalleryItem, Lines, Section, Table
from striate.runs.page import write_page
from striate.verbs.features.propose import Example, MethodRecall, ProposalReport
from striate.verbs.model import FilePath

__all__ = ["write_proposal_page"]


def write_proposal_page(report: ProposalReport, out: FilePath, *, overwrite: bool = False) -> Path:
    """Write `report` to `out`, one HTML file; a `UsageError` where it exists."""
    most = report.methods[0].curve.counts[-1]
    intro = (
        f"A detector that classifies proposals cannot find an object that no proposal holds: recall is "
        f"its ceiling. Measured on {_many(report.objects, 'object')} in "
        f"{_many(report.pictures, 'picture')}; an object is found if a proposal overlaps it by at least "
        "the IoU asked for."
    )
    name = Path(report.source).name or report.source
    facts = f"split: {report.split}" if report.split else ""
    return write_page(
        out,
        f"Proposals for {name}",
        intro,
        [_curves(report, most), _labels(report, most), _pictures(report), _method(report)],
        kind="striate features propose",
        facts=facts,
        numbers=_leaders(report, most),
        overwrite=overwrite,
    )


def _leaders(report: ProposalReport, most: int) -> list[tuple[str, str]]:
    """The best of each measure, and whose it is."""
    measures: dict[str, Callable[[MethodRecall], float]] = {
        f"recall at IoU 0.5, {most} boxes": lambda one: one.curve.at(most, 0.5),
        "recall at IoU 0.7": lambda one: one.curve.at(most, 0.7),
        "average recall": lambda one: one.curve.average()[-1],
    }
    numbers = []
    for words, measure in measures.items():
        best = max(report.methods, key=measure)
        numbers.append((words, f"{measure(best):.3f} ({best.method})"))
    return numbers


def _curves(report: ProposalReport, most: int) -> Section:
    by_iou = Lines(
        f"Recall by IoU, {most} boxes a picture",
        "How well the best box fits: curves that fall late have boxes that need little adjustment.",
        [Curve(one.method, one.curve.ious, one.curve.recall[-1].tolist()) for one in report.methods],
        "IoU asked for",
        "recall",
        y_range=(0.0, 1.0),
    )
    by_count = Lines(
        "Recall at IoU 0.5 by boxes taken",
        "Curves that rise early have a good order: fewer boxes do.",
        [Curve(one.method, one.curve.counts, _column(one.curve, 0.5)) for one in report.methods],
        "boxes a picture, the best first",
        "recall",
        y_range=(0.0, 1.0),
    )
    rows = [_row(one) for one in report.methods]
    columns = ("method", "boxes", *(f"IoU {iou}" for iou in (0.5, 0.7, 0.9)), "average", "s a picture")
    caption = (
        f"Of the first {most} boxes. Average: over IoU 0.5 to 0.95. Time on {report.threads} threads."
    )
    return Section("Recall", "", [by_iou, by_count, Table("Methods", caption, columns, rows)])


def _row(one: MethodRecall) -> tuple[str | float, ...]:
    recalls = [f"{one.curve.at(one.curve.counts[-1], iou):.3f}" for iou in (0.5, 0.7, 0.9)]
    return (
        one.method,
        f"{one.boxes:.0f}",
        *recalls,
        f"{one.curve.average()[-1]:.3f}",
        f"{one.seconds:.2f}",
    )


def _column(curve: RecallCurve, iou: float) -> list[float]:
    return [curve.at(count, iou) for count in curve.counts]


def _labels(report: ProposalReport, most: int) -> Section:
    rows: list[tuple[str | int, ...]] = [
        (
            label,
            curve.objects,
            *(f"{one.by_label[label].at(most, 0.5):.3f}" for one in report.methods),
        )
        for label, curve in report.methods[0].by_label.items()
    ]
    columns = ("class", "objects", *(one.method for one in report.methods))
    table = Table("Recall at IoU 0.5", f"Of the first {most} boxes.", columns, rows)
    return Section("By class", "", [table])


def _pictures(report: ProposalReport) -> Section:
    method = report.methods[0].method
    gallery = Gallery(
        f"Where {method} misses most",
        "True boxes: green where a proposal overlaps by an IoU of 0.5 or more, red where none does.",
        [_item(one) for one in report.examples],
    )
    return Section("Pictures", "", [gallery])


def _item(one: Example) -> GalleryItem:
    found, count = int(one.found.sum()), len(one.found)
    picture = draw_found(one.picture, one.truths_xyxy, one.found)
    return GalleryItem(picture, Path(one.key).name, f"{found} of {count} found")


def _method(report: ProposalReport) -> Section:
    rows: list[tuple[str, str]] = [(one.method, METHODS[one.method]) for one in report.methods]
    rows.append(
        (
            "sliding window",
            f"would look at {report.windows:,.0f} windows a picture at an overlap of 0.65",
        )
    )
    rows += [(f"left out: {one.key}", one.reason) for one in report.problems]
    return Section("How it is measured", "", [Table("Terms", "", ("what", "how"), rows)])


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
