"""Pictures of a report: truth and answers together, and each error close up."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from PIL import Image

from striate.features.opencv import cv2_module
from striate.figures import Gallery, GalleryItem, Section
from striate.metrics.detection.errors import KINDS
from striate.ops.rotated import rotated_to_corners
from striate.pictures.palette import INK, PALETTE, RGB, WHITE
from striate.tasks.detect.report_judged import Judged
from striate.types import Array, Picture

__all__ = ["picture_section"]

RIGHT, WRONG, UNFOUND = PALETTE[4], PALETTE[5], PALETTE[6]
_SIDE, _LARGE_SIDE = 288, 576
"""Longer side, pixels, of close-ups and of whole pictures: as a report shows them on a dense screen."""
_CLOSE_UPS, _WHOLE = 10, 6
_THIN, _WHOLE_LINE, _BOLD = 1, 2, 3
_AROUND = 1.9
"""Side of a close-up, in longer sides of what it shows."""
_LEAST = 48
"""Side of a close-up at least, pixels of the picture."""
_SHIFT = 4
"""Lines are drawn to 1/16 pixel."""


class _Subject(NamedTuple):
    """What a close-up is about: a row of the answers and one of the truths, −1 for none."""

    answer: int
    truth: int


class _Pictures:
    """Pictures of the evaluation at full size, each read once."""

    def __init__(self, judged: Judged) -> None:
        self._records = judged.evidence.dataset.records
        self._read: dict[int, Picture] = {}

    def __call__(self, index: int) -> Picture:
        if index not in self._read:
            self._read[index] = self._records[index].origin.read(None)
        return self._read[index]


def picture_section(judged: Judged) -> Section:
    """The worst errors close up, then whole pictures."""
    pictures = _Pictures(judged)
    wrong = np.flatnonzero(judged.counted & ~judged.right & judged.shown)
    surest = wrong[np.argsort(-judged.found.scores[wrong], kind="stable")][:_CLOSE_UPS]
    unfound = np.flatnonzero(judged.unfound)
    largest = unfound[np.argsort(-judged.truth.areas[unfound], kind="stable")][:_CLOSE_UPS]
    intro = (
        f"From a score of {judged.evidence.metrics['score_from']:.2f} on, {len(wrong)} answers are "
        f"wrong and {len(unfound)} of {int(judged.objects.sum())} objects are not found. Solid lines "
        "are answers: blue ones are right, vermilion ones wrong. Dashed lines are the truth: white "
        "where it was found, yellow where it was missed."
    )
    worst, best = _ranked(judged)
    figures = [
        Gallery(
            title="Sure and wrong",
            caption="The wrong answers with the highest scores, close up. Look for labels that are "
            "missing or wrong before blaming the model.",
            items=[_wrong_item(judged, pictures, int(row)) for row in surest],
            empty="No wrong answers.",
        ),
        Gallery(
            title="Missed",
            caption="Objects that no answer is right about, the largest first.",
            items=[_unfound_item(judged, pictures, int(row)) for row in largest],
            empty="Nothing was missed.",
        ),
        Gallery(
            title="Worst pictures",
            caption="Those with the most errors.",
            items=[_whole_item(judged, pictures, index) for index in worst],
            empty="No picture has an error.",
            large=True,
        ),
        Gallery(
            title="Best pictures",
            caption="Those with the most objects among the pictures without an error.",
            items=[_whole_item(judged, pictures, index) for index in best],
            empty="No picture is without an error.",
            large=True,
        ),
    ]
    return Section("Pictures", intro, figures)


def _ranked(judged: Judged) -> tuple[list[int], list[int]]:
    """Pictures with the most errors, and those with the most objects and no error."""
    count = len(judged.evidence.dataset)
    wrong = judged.counted & ~judged.right & judged.shown
    errors = np.bincount(judged.found.pictures[wrong], minlength=count)
    errors = errors + np.bincount(judged.truth.pictures[judged.unfound], minlength=count)
    objects = np.bincount(judged.truth.pictures[judged.objects], minlength=count)
    worst = [row for row in np.argsort(-errors, kind="stable").tolist() if errors[row]]
    best = [row for row in np.argsort(-objects, kind="stable").tolist() if not errors[row]]
    return worst[:_WHOLE], [row for row in best if objects[row]][:_WHOLE]


# -- one error --------------------------------------------------------------------------------


def _wrong_item(judged: Judged, pictures: _Pictures, row: int) -> GalleryItem:
    found, name = judged.found, judged.names[judged.found.labels[row]]
    index, near = int(found.pictures[row]), int(judged.near[row])
    kind = KINDS[judged.causes.kind[row]]
    other = judged.names[judged.truth.labels[near]] if near >= 0 else ""
    title = {
        "class": f"{name}, where there is {other}",
        "location": f"{name}, box too loose",
        "both": f"{name}, beside {other}",
        "duplicate": f"{name}, found twice",
        "background": f"{name}, where there is nothing",
    }[kind]
    iou = f" · overlap {judged.iou[row]:.2f}" if kind == "location" else ""
    around = _outline(found.boxes_xyxy[[row]], _rows(found.angles_deg, [row]))[0]
    picture = _close_up(judged, pictures(index), index, around, _Subject(row, near))
    note = f"{found.scores[row]:.2f}{iou} · {judged.evidence.dataset.records[index].key}"
    return GalleryItem(picture, title, note, "bad")


def _unfound_item(judged: Judged, pictures: _Pictures, row: int) -> GalleryItem:
    truth = judged.truth
    index = int(truth.pictures[row])
    around = _outline(truth.boxes_xyxy[[row]], _rows(truth.angles_deg, [row]))[0]
    picture = _close_up(judged, pictures(index), index, around, _Subject(-1, row))
    wide, high = truth.boxes_xyxy[row, 2:] - truth.boxes_xyxy[row, :2]
    note = f"{wide:.0f} × {high:.0f} · {judged.evidence.dataset.records[index].key}"
    return GalleryItem(picture, judged.names[truth.labels[row]], note, "bad")


def _close_up(judged: Judged, picture: Picture, index: int, around: Array, subject: _Subject) -> Picture:
    """The surroundings of an outline (4, 2), cut out square where the picture has room."""
    low, high = around.min(axis=0), around.max(axis=0)
    height, width = picture.shape[:2]
    side = max(_AROUND * float((high - low).max()), _LEAST)
    size = np.minimum(np.rint([side, side]), [width, height])
    corner = np.rint((low + high) / 2 - size / 2)
    left, top = np.clip(corner, 0, np.array([width, height]) - size).astype(int).tolist()
    right, bottom = left + int(size[0]), top + int(size[1])
    return _drawn(judged, picture[top:bottom, left:right], index, (left, top), subject)


def _whole_item(judged: Judged, pictures: _Pictures, index: int) -> GalleryItem:
    mine = judged.found.pictures == index
    right = int((judged.right & judged.shown & mine).sum())
    wrong = int((judged.counted & ~judged.right & judged.shown & mine).sum())
    unfound = int((judged.unfound & (judged.truth.pictures == index)).sum())
    objects = int((judged.objects & (judged.truth.pictures == index)).sum())
    parts = [f"{wrong} wrong"] * (wrong > 0) + [f"{unfound} missed"] * (unfound > 0)
    return GalleryItem(
        picture=_drawn(judged, pictures(index), index, (0, 0)),
        title=f"{right} of {objects} found",
        note=" · ".join([*parts, judged.evidence.dataset.records[index].key]),
        tone="bad" if parts else "good",
    )


# -- drawing ----------------------------------------------------------------------------------


def _rows(angles_deg: Array | None, rows: Sequence[int] | Array) -> Array | None:
    return None if angles_deg is None else angles_deg[rows]


def _outline(boxes_xyxy: Array, angles_deg: Array | None) -> Array:
    """Corners of boxes, (N, 4, 2)."""
    return rotated_to_corners(
        boxes_xyxy, np.zeros(len(boxes_xyxy)) if angles_deg is None else angles_deg
    )


def _drawn(
    judged: Judged,
    picture: Picture,
    index: int,
    corner_xy: tuple[int, int],
    subject: _Subject | None = None,
) -> Picture:
    """A part of picture `index`, whose left upper corner lies at `corner_xy`, with all boxes on it.

    With a subject, all other boxes are thin.
    """
    times = (_LARGE_SIDE if subject is None else _SIDE) / max(picture.shape[:2])
    size = tuple(max(1, round(side * times)) for side in picture.shape[1::-1])
    resample = Image.Resampling.LANCZOS if times < 1 else Image.Resampling.BICUBIC
    canvas = np.array(Image.fromarray(np.ascontiguousarray(picture)).resize(size, resample))
    found, truth, origin = judged.found, judged.truth, np.array(corner_xy)
    answers = np.flatnonzero((found.pictures == index) & judged.shown & judged.counted)
    objects = np.flatnonzero((truth.pictures == index) & judged.objects)

    def place(boxes: Array, angles: Array | None) -> Array:
        placed: Array = (_outline(boxes, angles) - origin) * times
        return placed

    for row, outline in zip(
        objects, place(truth.boxes_xyxy[objects], _rows(truth.angles_deg, objects)), strict=True
    ):
        weight = _WHOLE_LINE if subject is None else _BOLD if row == subject.truth else _THIN
        _stroke(canvas, outline, UNFOUND if judged.unfound[row] else WHITE, dashed=True, weight=weight)
    for row, outline in zip(
        answers, place(found.boxes_xyxy[answers], _rows(found.angles_deg, answers)), strict=True
    ):
        weight = _WHOLE_LINE if subject is None else _BOLD if row == subject.answer else _THIN
        _stroke(canvas, outline, RIGHT if judged.right[row] else WRONG, dashed=False, weight=weight)
    return canvas


def _stroke(canvas: Picture, outline: Array, colour: RGB, *, dashed: bool, weight: int) -> None:
    """A closed line; but for thin ones on a dark edge, so that it is seen on any ground."""
    cv2 = cv2_module()
    closed = np.concatenate([outline, outline[:1]])
    parts = [part for side in pairwise(closed) for part in _dashes(*side)] if dashed else [closed]
    paths = [np.rint(np.clip(part - 0.5, -1e4, 1e4) * 2**_SHIFT).astype(np.int32) for part in parts]
    for tint, thick in ((INK, weight + 2), (colour, weight)) if weight > _THIN else ((colour, weight),):
        lines = [path.reshape(-1, 1, 2) for path in paths]
        cv2.polylines(canvas, lines, False, tint, thick, cv2.LINE_AA, _SHIFT)


def _dashes(start: Array, end: Array, *, long: float = 12.0, gap: float = 9.0) -> list[Array]:
    """Parts of a line, each (2, 2), about `long` pixels long; both ends of the line are covered."""
    length = float(np.hypot(*(end - start)))
    count = round((length + gap) / (long + gap))
    if count < 2:
        return [np.stack([start, end])]
    share = (length - (count - 1) * gap) / count  # so that the last dash ends where the line does
    begins = np.arange(count)[:, None] * (share + gap) / length
    ways = [start + at * (end - start) for at in (begins, begins + share / length)]
    return list(np.stack(ways, axis=1))
