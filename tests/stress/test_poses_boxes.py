from __future__ import annotations

import numpy as np

from striate.pictures.palette import PALETTE, WHITE
from striate.stress.poses_boxes import draw_boxes
from striate.tasks.detect.types import Detections
from striate.types import Picture

GREY = np.full((96, 128, 3), 114, np.uint8)
BOX = np.array([8.0, 6.0, 24.0, 20.0])


def drawn(box: np.ndarray, *, label: int = 0, score: float = 0.9) -> Picture:
    row = np.array([[8, 6, 24, 20]], np.float32)
    result = Detections(("bus", "truck"), row, np.array([score], np.float32), np.array([label]))
    return draw_boxes(GREY, result, box, 0, 0.5, 4.0)


def has(picture: Picture, colour: tuple[int, int, int]) -> bool:
    return bool((picture == colour).all(axis=2).any())


def test_right_and_wrong_answers_have_their_colours_and_their_place() -> None:
    right, wrong = drawn(BOX), drawn(BOX, label=1)
    assert has(right, PALETTE[4])
    assert has(right, WHITE)
    assert not has(right, PALETTE[5])
    assert has(wrong, PALETTE[5])
    assert has(wrong, PALETTE[6])  # the object itself was not found
    rows, columns = np.nonzero((right != GREY).any(axis=2))
    assert abs(rows.min() - 24) <= 4
    assert abs(rows.max() - 80) <= 4
    assert abs(columns.min() - 32) <= 4
    assert abs(columns.max() - 96) <= 4
    np.testing.assert_array_equal(right[40:60, 50:80], GREY[40:60, 50:80])


def test_what_the_run_would_not_show_is_not_drawn() -> None:
    assert not has(drawn(BOX, score=0.4), PALETTE[4])
    np.testing.assert_array_equal(drawn(np.full(4, np.nan), score=0.4), GREY)


def test_an_object_cut_off_to_a_line_is_drawn_all_the_same() -> None:
    assert has(drawn(np.array([0.0, 0.0, 0.5, 24.0])), PALETTE[6])
