from __future__ import annotations

import numpy as np
import pytest

from striate.metrics.detection.matching import ANY_SIZE, SIZES, match
from striate.metrics.detection.precision import measure
from striate.metrics.detection.tables import Found, Truth, overlaps, sort_found, sort_truth

SQUARE = [0.0, 0.0, 10.0, 10.0]


def truth_of(boxes: list[list[float]], **more: list[float]) -> Truth:
    count = len(boxes)
    return sort_truth(
        np.array(more.get("pictures", [0] * count)),
        np.array(more.get("labels", [0] * count)),
        np.array(boxes),
        np.array(more.get("crowd", [0] * count)),
        np.array(more["angles"]) if "angles" in more else None,
    )


def found_of(boxes: list[list[float]], scores: list[float], **more: list[float]) -> Found:
    count = len(boxes)
    return sort_found(
        np.array(more.get("pictures", [0] * count)),
        np.array(more.get("labels", [0] * count)),
        np.array(boxes),
        np.array(scores),
        np.array(more["angles"]) if "angles" in more else None,
    )


def test_answers_are_sorted_and_beyond_the_hundredth_left_out() -> None:
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 2, 300), rng.random(300)
    found = sort_found(np.zeros(300), labels, np.tile(SQUARE, (300, 1)), scores)
    assert len(found) == 200
    for label in (0, 1):
        kept = found.scores[found.labels == label]
        np.testing.assert_array_equal(kept, -np.sort(-scores[labels == label])[:100])
        np.testing.assert_array_equal(found.ranks[found.labels == label], np.arange(100))


def test_overlaps_are_of_one_picture_only_and_of_all_classes() -> None:
    truth = truth_of([SQUARE, SQUARE, SQUARE], pictures=[0, 1, 1], labels=[0, 0, 1])
    pairs = overlaps(found_of([SQUARE], [0.5], pictures=[1]), truth, floor=0.5)
    assert pairs.truth.tolist() == [1, 2]
    assert pairs.iou.tolist() == [1, 1]


def test_overlap_with_a_crowd_is_the_share_of_the_answer() -> None:
    truth = truth_of([[0, 0, 100, 100]], crowd=[1])
    pairs = overlaps(found_of([[-5, 0, 5, 10]], [0.5]), truth, floor=0.1)
    assert pairs.iou.tolist() == [0.5]


def test_a_better_answer_chooses_first_and_the_other_takes_what_is_left() -> None:
    truth = truth_of([SQUARE, [1, 0, 11, 10]])
    found = found_of([SQUARE, SQUARE, SQUARE], [0.9, 0.8, 0.7])
    matches = match(found, truth, overlaps(found, truth, floor=0.5), ious=(0.5,), sizes=(ANY_SIZE,))
    assert matches.truth_of[0, 0].tolist() == [0, 1, -1]
    assert matches.counted.all()


def test_what_lies_in_a_crowd_does_not_count() -> None:
    truth = truth_of([SQUARE, [0, 0, 100, 100]], crowd=[0, 1])
    found = found_of([SQUARE, SQUARE, [50, 50, 60, 60], [200, 0, 210, 10]], [0.9, 0.8, 0.7, 0.6])
    matches = match(found, truth, overlaps(found, truth, floor=0.5), ious=(0.5,), sizes=(ANY_SIZE,))
    assert matches.counted[0, 0].tolist() == [True, False, False, True]
    assert matches.right[0, 0].tolist() == [True, False, False, False]
    assert matches.objects[0].tolist() == [True, False]


def test_sizes_are_by_area_and_both_ends_belong() -> None:
    truth = truth_of([[0, 0, 32, 32]])  # 32² is small and medium
    found = found_of([[0, 0, 32, 32]], [0.9])
    matches = match(found, truth, overlaps(found, truth, floor=0.5))
    sizes = dict(zip(SIZES, matches.objects[:, 0].tolist(), strict=True))
    assert sizes == {"all": True, "small": True, "medium": True, "large": False}


def test_turned_boxes_at_angle_zero_are_upright_ones() -> None:
    rng = np.random.default_rng(1)
    corner, size = rng.uniform(0, 80, (40, 2)), rng.uniform(5, 40, (40, 2))
    boxes = np.concatenate([corner, corner + size], axis=1)
    pictures, crowd = rng.integers(0, 4, 40), rng.random(40) < 0.3
    moved, labels = boxes + rng.normal(0, 3, boxes.shape), np.zeros(40, int)
    truth = sort_truth(pictures, labels, boxes, crowd)
    found = sort_found(pictures, labels, moved, rng.random(40))
    turned_truth = sort_truth(pictures, labels, boxes, crowd, np.zeros(40))
    turned = Found(*(getattr(found, name) for name in found.__slots__[:-1]), np.zeros(len(found)))
    upright, same = overlaps(found, truth, floor=0.05), overlaps(turned, turned_truth, floor=0.05)
    np.testing.assert_array_equal(upright.found, same.found)
    np.testing.assert_array_equal(upright.truth, same.truth)
    np.testing.assert_allclose(upright.iou, same.iou, atol=1e-9)


@pytest.mark.parametrize(("angle", "right"), [(0.0, False), (90.0, True), (-90.0, True), (45.0, False)])
def test_the_angle_decides_for_turned_boxes(angle: float, right: bool) -> None:
    # 40 × 10 upright is the same as 10 × 40 turned by 90°
    truth = truth_of([[0, 15, 40, 25]], angles=[0.0])
    found = found_of([[15, 0, 25, 40]], [0.9], angles=[angle])
    matches = match(found, truth, overlaps(found, truth, floor=0.5), ious=(0.5,), sizes=(ANY_SIZE,))
    assert bool(matches.right[0, 0, 0]) is right


def test_nothing_at_all() -> None:
    empty_truth, empty = truth_of([]), found_of([], [])
    for found, truth in (
        (empty, empty_truth),
        (empty, truth_of([SQUARE])),
        (found_of([SQUARE], [0.5]), empty_truth),
    ):
        matches = match(found, truth, overlaps(found, truth, floor=0.5))
        precision = measure(found, truth, matches, 2).precision
        assert np.isnan(precision[:, :, 1]).all()
        assert np.isnan(precision[:, :, 0]).all() == (len(truth) == 0)
