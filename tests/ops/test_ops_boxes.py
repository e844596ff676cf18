"""Boxes against torchvision and against loops that can be read."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.ops.boxes import (
    area_of_xyxy,
    clip_xyxy,
    cxcywh_to_xyxy,
    iou_xyxy,
    nms,
    nms_by_class,
    overlap_share_xyxy,
    soft_nms,
    xywh_to_xyxy,
    xyxy_to_cxcywh,
    xyxy_to_xywh,
)
from striate.types import Array


def make_boxes(n: int, seed: int = 0, *, extent: float = 200.0, dtype: type = np.float32) -> Array:
    rng = np.random.default_rng(seed)
    corner = rng.random((n, 2)) * extent
    return np.concatenate([corner, corner + rng.random((n, 2)) * 60 + 1], axis=1).astype(dtype)


def test_forms_against_torchvision() -> None:
    torch = pytest.importorskip("torch")
    from torchvision.ops import box_convert

    boxes = make_boxes(50)
    for ours, form, back in (
        (xyxy_to_xywh, "xywh", xywh_to_xyxy),
        (xyxy_to_cxcywh, "cxcywh", cxcywh_to_xyxy),
    ):
        theirs = box_convert(torch.from_numpy(boxes), "xyxy", form).numpy()
        np.testing.assert_allclose(ours(boxes), theirs, atol=1e-4)
        np.testing.assert_allclose(back(ours(boxes)), boxes, atol=1e-4)
        assert ours(boxes).dtype == np.float32


def test_iou_against_torchvision() -> None:
    torch = pytest.importorskip("torch")
    from torchvision.ops import box_iou

    ours, theirs = make_boxes(70, 1), make_boxes(40, 2)
    expected = box_iou(torch.from_numpy(ours), torch.from_numpy(theirs)).numpy()
    found = iou_xyxy(ours, theirs)
    assert found.dtype == np.float64
    assert found.shape == (70, 40)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_array_equal(found, iou_xyxy(theirs, ours).T)


def test_iou_of_nothing() -> None:
    flat = np.array([[3.0, 3, 3, 9]])
    assert iou_xyxy(flat, flat).tolist() == [[0.0]]
    assert iou_xyxy(np.empty((0, 4)), flat).shape == (0, 1)
    inside_out = np.array([[9.0, 9, 3, 3]])
    assert area_of_xyxy(inside_out).tolist() == [0]
    assert iou_xyxy(inside_out, flat).tolist() == [[0]]


def test_touching_boxes_do_not_overlap() -> None:
    assert iou_xyxy(np.array([[0.0, 0, 2, 2]]), np.array([[2.0, 0, 4, 2]])).tolist() == [[0.0]]


def test_share_of_a_box_in_a_crowd() -> None:
    box, crowd = np.array([[0.0, 0, 4, 4], [1, 1, 1, 5]]), np.array([[2.0, 0, 100, 100]])
    assert overlap_share_xyxy(box, crowd).tolist() == [[0.5], [0.0]]


def test_clipping_on_a_wide_picture() -> None:
    boxes = np.array([[-5, -6, 30, 40], [2, 3, 4, 5]], np.float32)
    assert clip_xyxy(boxes, (10, 20)).tolist() == [[0, 0, 20, 10], [2, 3, 4, 5]]
    assert clip_xyxy(boxes, (10, 20)).dtype == np.float32


@pytest.mark.parametrize("count", [0, 1, 2, 255, 256, 257, 900])
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.7])
def test_nms_against_torchvision(count: int, threshold: float) -> None:
    torch = pytest.importorskip("torch")
    from torchvision.ops import batched_nms
    from torchvision.ops import nms as reference

    boxes, rng = make_boxes(count, count), np.random.default_rng(count)
    scores, labels = rng.random(count).astype(np.float32), rng.integers(0, 5, count)
    tensors = [torch.from_numpy(one) for one in (boxes, scores, labels)]
    kept = nms(boxes, scores, iou_threshold=threshold)
    assert kept.dtype == np.int64
    assert kept.tolist() == reference(tensors[0], tensors[1], threshold).tolist()
    by_class = nms_by_class(boxes, scores, labels, iou_threshold=threshold)
    assert by_class.dtype == np.int64
    assert by_class.tolist() == batched_nms(*tensors, threshold).tolist()


def _nms_loop(boxes: Array, scores: Array, threshold: float) -> list[int]:
    kept: list[int] = []
    for row in sorted(range(len(boxes)), key=lambda one: (-scores[one], one)):
        if all(iou_xyxy(boxes[[row]], boxes[[other]])[0, 0] <= threshold for other in kept):
            kept.append(row)
    return kept


@given(
    st.lists(st.tuples(*[st.integers(0, 8)] * 4, st.integers(0, 3)), max_size=25),
    st.sampled_from([0.0, 0.25, 0.5]),
)
def test_nms_with_ties_and_empty_boxes(rows: list[tuple[int, ...]], threshold: float) -> None:
    table = np.array(rows, np.float64).reshape(-1, 5)
    boxes, scores = np.sort(table[:, :4].reshape(-1, 2, 2), axis=1).reshape(-1, 4), table[:, 4]
    assert nms(boxes, scores, iou_threshold=threshold).tolist() == _nms_loop(boxes, scores, threshold)


def test_of_equal_scores_the_earlier_box_stays() -> None:
    boxes = np.repeat(np.array([[0.0, 0, 10, 10]]), 600, axis=0)
    assert nms(boxes, np.ones(600), iou_threshold=0.5).tolist() == [0]
    labels = np.arange(600) % 3
    assert nms_by_class(boxes, np.ones(600), labels, iou_threshold=0.5).tolist() == [0, 1, 2]


def test_an_overlap_of_exactly_the_threshold_stays() -> None:
    boxes = np.array([[0.0, 0, 2, 1], [0, 0, 1, 1]], np.float32)
    assert nms(boxes, np.array([0.9, 0.8]), iou_threshold=0.5).tolist() == [0, 1]


def test_nms_of_five_thousand_boxes_is_quick() -> None:
    boxes, scores = make_boxes(5000, extent=1000), np.random.default_rng(0).random(5000)
    began = time.process_time()
    kept = nms(boxes, scores, iou_threshold=0.5)
    assert time.process_time() - began < 1  # 0.05 s on the machine this was written on
    assert len(kept) > 3000


def _soft_nms_loop(
    boxes: Array, scores: Array, labels: Array, sigma: float, least: float
) -> list[tuple[int, float]]:
    """Figure 3 of Bodla et al., line by line."""
    left = {row: float(score) for row, score in enumerate(scores)}
    found = []
    while left:
        best = max(left, key=lambda row: (left[row], -row))
        score = left.pop(best)
        if score < least:
            break
        found.append((best, score))
        for row in left:
            if labels[row] == labels[best]:
                overlap = float(iou_xyxy(boxes[[best]], boxes[[row]])[0, 0])
                left[row] *= math.exp(-(overlap**2) / sigma)
    return found


@pytest.mark.parametrize("count", [0, 1, 60])
def test_soft_nms_against_a_loop(count: int) -> None:
    boxes, rng = make_boxes(count, 4, extent=100), np.random.default_rng(4)
    scores, labels = rng.random(count), rng.integers(0, 3, count)
    rows, lowered = soft_nms(boxes, scores, labels, sigma=0.4, score_threshold=0.1)
    expected = _soft_nms_loop(boxes, scores, labels, 0.4, 0.1)
    assert rows.dtype == np.int64
    assert rows.tolist() == [row for row, _ in expected]
    np.testing.assert_allclose(lowered, [score for _, score in expected], rtol=1e-12)


def test_soft_nms_lowers_a_double_and_keeps_other_classes() -> None:
    boxes = np.array([[0, 0, 10, 10]] * 3, np.float32)
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    rows, lowered = soft_nms(boxes, scores, np.array([0, 0, 1]), sigma=0.5)
    assert rows.tolist() == [0, 2, 1]
    assert lowered.dtype == np.float32
    np.testing.assert_allclose(lowered, [0.9, 0.7, 0.8 * math.exp(-2)], rtol=1e-6)
