from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate.pictures.palette import colour_of
from striate.tasks.detect.render import render_detections
from striate.tasks.detect.types import Detections
from striate.types import Array, Picture

NAMES = tuple("abcdefghij")


def grey(height: int, width: int) -> Picture:
    return np.full((height, width, 3), 128, np.uint8)


def found(boxes: Any, labels: Any = None, scores: Any = None, **more: Array) -> Detections:
    array = np.asarray(boxes, np.float32).reshape(-1, 4)
    count = len(array)
    return Detections(
        NAMES,
        array,
        np.linspace(0.9, 0.3, count).astype(np.float32) if scores is None else scores,
        np.zeros(count, np.int64) if labels is None else np.asarray(labels, np.int64),
        **more,
    )


def of_colour(picture: Picture, label: int) -> Array:
    """Where a picture has the very colour of a class, bool (H, W)."""
    same: Array = (picture == np.array(colour_of(label), np.uint8)).all(axis=2)
    return same


def test_the_frame_lies_on_the_box() -> None:
    drawn = render_detections(grey(400, 600), found([[100, 150, 300, 350]]), plates=False)
    rows, columns = np.nonzero(of_colour(drawn, 0))
    assert (columns.min(), columns.max() + 1, rows.min(), rows.max() + 1) == (100, 300, 150, 350)
    assert (drawn[200:300, 150:250] == 128).all()  # nothing inside
    assert drawn.shape == (400, 600, 3)


def test_a_small_box_is_framed_from_outside() -> None:
    drawn = render_detections(grey(400, 600), found([[100, 150, 106, 156]]), plates=False)
    assert (drawn[151:155, 101:105] == 128).all()


def test_small_pictures_are_enlarged_with_their_boxes() -> None:
    drawn = render_detections(grey(40, 20), found([[4, 10, 16, 30]]), plates=False)
    assert drawn.shape == (200, 100, 3)
    rows, columns = np.nonzero(of_colour(drawn, 0))
    assert (columns.min(), columns.max() + 1, rows.min(), rows.max() + 1) == (20, 80, 50, 150)


def test_a_plate_stays_in_the_picture() -> None:
    for box in ([0, 0, 60, 40], [560, 0, 600, 30], [560, 380, 600, 400], [-50, -50, 20, 20]):
        drawn = render_detections(grey(400, 600), found([box]))
        bare = render_detections(grey(400, 600), found([box]), plates=False)
        plate = (drawn != bare).any(axis=2)
        assert plate.sum() > 200, box
        rows = np.flatnonzero(plate.any(axis=1))
        assert rows.max() - rows.min() >= 12  # whole, not cut off at an edge


def test_plates_keep_off_one_another(rng: np.random.Generator) -> None:
    corners = rng.uniform(0, 350, (60, 2))
    boxes = np.concatenate([corners, corners + 40], axis=1)
    labels = np.arange(60) % 5
    drawn = render_detections(grey(400, 400), found(boxes, labels))
    bare = render_detections(grey(400, 400), found(boxes, labels), plates=False)
    # every class is told at least once
    for label in range(5):
        assert (of_colour(drawn, label) & ~of_colour(bare, label)).sum() > 100
    assert of_colour(drawn, 0).mean() < 0.4


def test_turned_boxes_are_drawn_turned() -> None:
    box, angle = [[200, 180, 300, 220]], np.array([90], np.float32)
    drawn = render_detections(grey(400, 500), found(box, angles_deg=angle), plates=False)
    rows, columns = np.nonzero(of_colour(drawn, 0))
    assert abs(columns.min() - 230) <= 2
    assert abs(columns.max() - 270) <= 2
    assert abs(rows.min() - 150) <= 2
    assert abs(rows.max() - 250) <= 2


def test_track_ids_are_told() -> None:
    box = [[100, 100, 200, 200]]
    with_id = render_detections(grey(300, 300), found(box, track_ids=np.array([12])))
    without = render_detections(grey(300, 300), found(box, track_ids=np.array([-1])))
    assert of_colour(with_id, 0).sum() > of_colour(without, 0).sum()  # a longer plate
    assert (without == render_detections(grey(300, 300), found(box))).all()


def test_words_grow_with_the_picture() -> None:
    small = render_detections(grey(500, 500), found([[100, 200, 400, 400]]))
    large = render_detections(grey(3000, 3000), found([[600, 1200, 2400, 2400]]))
    # the same picture six times as large: about the same share is covered
    assert of_colour(large, 0).mean() == pytest.approx(of_colour(small, 0).mean(), rel=0.35)


@pytest.mark.parametrize("size_hw", [(1, 4000), (4000, 1), (1, 1), (20, 700), (700, 20)])
def test_odd_shapes(size_hw: tuple[int, int]) -> None:
    picture = grey(*size_hw)
    box = [[0, 0, size_hw[1] / 2, size_hw[0] / 2], [0, 0, 0, 0], [-1e6, -1e6, 1e6, 1e6]]
    drawn = render_detections(picture, found(box))
    assert drawn.shape[0] % size_hw[0] == 0
    assert drawn.shape[1] % size_hw[1] == 0
    assert (drawn != 128).any()


def test_nothing_found_leaves_the_picture_alone() -> None:
    picture = grey(300, 400)
    drawn = render_detections(picture, found([]))
    assert (drawn == picture).all()
    assert drawn is not picture


def test_a_thousand_boxes(rng: np.random.Generator) -> None:
    corners = rng.uniform(0, 900, (1000, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(5, 60, (1000, 2))], axis=1)
    drawn = render_detections(grey(1000, 1000), found(boxes, np.arange(1000) % 10))
    assert drawn.shape == (1000, 1000, 3)
