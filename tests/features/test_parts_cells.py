from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.features.parts.boxes import ious, keep_best
from striate.features.parts.cells import CELL, DEPTH, cells, correlate, padded
from striate.features.parts.measure import average_precision
from striate.features.parts.movement import best_nearby, moved
from striate.types import Array, Picture


def noise(size_hw: tuple[int, int], seed: int = 0) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (*size_hw, 3), np.uint8)


def nearest_direction(gx: float, gy: float) -> int:
    """In the authors' order: the first of equal ones, then its opposite."""
    along, direction = 0.0, 0
    for o in range(9):
        dot = round(gx * math.cos(o * math.pi / 9) + gy * math.sin(o * math.pi / 9), 9)
        if dot > along:
            along, direction = dot, o
        elif -dot > along:
            along, direction = -dot, o + 9
    return direction


def cells_by_loops(picture: Picture) -> Array:
    """Section 6.2 of the paper, pixel by pixel and cell by cell."""
    rows, columns = picture.shape[0] // CELL, picture.shape[1] // CELL
    part = picture[: rows * CELL, : columns * CELL].astype(float)
    height, width = part.shape[:2]
    histogram = np.zeros((rows, columns, 18))
    for y in range(height):
        for x in range(width):
            best, gx, gy = -1.0, 0.0, 0.0
            for channel in range(3):
                dx = part[y, min(x + 1, width - 1), channel] - part[y, max(x - 1, 0), channel]
                dy = part[min(y + 1, height - 1), x, channel] - part[max(y - 1, 0), x, channel]
                if dx * dx + dy * dy > best:
                    best, gx, gy = dx * dx + dy * dy, dx, dy
            direction = nearest_direction(gx, gy)
            cy, cx = (y + 0.5) / CELL - 0.5, (x + 0.5) / CELL - 0.5
            for row in (math.floor(cy), math.floor(cy) + 1):
                for column in (math.floor(cx), math.floor(cx) + 1):
                    if 0 <= row < rows and 0 <= column < columns:
                        share = (1 - abs(cy - row)) * (1 - abs(cx - column))
                        histogram[row, column, direction] += share * math.sqrt(best)
    energy = ((histogram[..., :9] + histogram[..., 9:]) ** 2).sum(axis=2)
    found = np.zeros((rows, columns, DEPTH))

    def at(row: int, column: int) -> float:
        return float(energy[min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)])

    for row in range(rows):
        for column in range(columns):
            signed, unsigned = (
                histogram[row, column],
                histogram[row, column, :9] + histogram[row, column, 9:],
            )
            for index, (down, across) in enumerate(((0, 0), (-1, 0), (0, -1), (-1, -1))):
                block = [at(row + down + i, column + across + j) for i in (0, 1) for j in (0, 1)]
                norm = 1 / math.sqrt(sum(block) + 1e-4)
                found[row, column, :18] += 0.5 * np.minimum(signed * norm, 0.2)
                found[row, column, 18:27] += 0.5 * np.minimum(unsigned * norm, 0.2)
                found[row, column, 27 + index] = 0.2357 * np.minimum(signed * norm, 0.2).sum()
    return found


@pytest.mark.parametrize("size_hw", [(24, 40), (19, 33), (8, 8)])
def test_cells_against_loops(size_hw: tuple[int, int]) -> None:
    picture = noise(size_hw)
    # smooth, so that few gradients lie exactly between two directions
    smooth = np.cumsum(np.cumsum(picture.astype(float) - 127, axis=0), axis=1)
    smooth = np.clip(127 + smooth / 12, 0, 255).astype(np.uint8)
    for one in (picture, smooth):
        found = cells(one)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, cells_by_loops(one), atol=2e-3)


def test_an_upright_edge_has_one_direction() -> None:
    picture = np.zeros((24, 24, 3), np.uint8)
    picture[:, 12:] = 200
    middle = cells(picture)[1, 1]
    assert int(middle[:18].argmax()) == 0  # dark to light, from left to right
    assert int(cells(picture[:, ::-1].copy())[1, 1, :18].argmax()) == 9
    assert int(middle[18:27].argmax()) == 0
    assert np.count_nonzero(middle[:18] > 1e-6) == 1


def test_brightness_and_contrast_hardly_matter() -> None:
    picture = noise((40, 56)) // 2 * 2
    assert np.abs(cells(picture) - cells(picture // 2 + 70)).max() < 1e-4


@pytest.mark.parametrize("size_hw", [(1, 1), (7, 30), (30, 7)])
def test_pictures_smaller_than_a_cell(size_hw: tuple[int, int]) -> None:
    assert cells(noise(size_hw)).shape == (size_hw[0] // 8, size_hw[1] // 8, DEPTH)


def test_a_constant_picture_has_no_gradient() -> None:
    assert not cells(np.full((32, 48, 3), 77, np.uint8)).any()


def test_correlation_against_scipy(rng: np.random.Generator) -> None:
    from scipy.signal import correlate as reference

    found = rng.standard_normal((9, 12, DEPTH)).astype(np.float32)
    filters = rng.standard_normal((3, 4, 5, DEPTH)).astype(np.float32)
    wanted = np.stack([reference(found, one, mode="valid")[..., 0] for one in filters])
    np.testing.assert_allclose(correlate(found, filters), wanted, rtol=1e-3, atol=1e-3)
    assert correlate(found[:3], filters).shape == (3, 0, 8)
    assert padded(found, 2).shape == (13, 16, DEPTH)


@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 9), st.integers(0, 5))
def test_movement_against_every_place(seed: int, height: int, width: int, reach: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.standard_normal((height, width)).astype(np.float32)
    price = np.array([rng.normal() * 0.1, rng.random() * 0.3, rng.normal() * 0.1, rng.random() * 0.3])
    best, dy, dx = best_nearby(scores, price, reach=reach)
    for y in range(height):
        for x in range(width):
            every = [
                scores[v, u] - price @ [u - x, (u - x) ** 2, v - y, (v - y) ** 2]
                for v in range(max(0, y - reach), min(height, y + reach + 1))
                for u in range(max(0, x - reach), min(width, x + reach + 1))
            ]
            assert best[y, x] == pytest.approx(max(every), abs=1e-5)
    # the place that is told is the one that scores so
    row, column = np.indices(scores.shape)
    cost = moved(dy, dx) @ price
    np.testing.assert_allclose(scores[row + dy, column + dx] - cost, best, atol=1e-5)
    assert max(abs(dy).max(), abs(dx).max()) <= reach


def test_no_reason_to_move() -> None:
    best, dy, dx = best_nearby(np.zeros((4, 5), np.float32), np.zeros(4))
    assert not best.any()
    assert not dy.any()
    assert not dx.any()


def test_overlap_worked_out_by_hand() -> None:
    one = np.array([[0, 0, 4, 2]])
    others = np.array([[0, 0, 4, 2], [2, 1, 6, 3], [4, 0, 8, 2], [1, 1, 1, 1]])
    np.testing.assert_allclose(ious(one, others), [[1, 2 / 14, 0, 0]])
    assert ious(one[:0], others).shape == (0, 4)
    np.testing.assert_array_equal(ious(np.zeros((1, 4)), np.zeros((1, 4))), [[0]])


def test_non_maximum_suppression() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10], [0, 0, 10, 9.9]])
    assert keep_best(boxes, np.array([0.5, 0.9, 0.1, 0.7]), most=0.5).tolist() == [1, 2]
    assert keep_best(boxes, np.array([0.5, 0.9, 0.1, 0.7]), most=0.95).tolist() == [1, 3, 2]
    assert keep_best(boxes, np.ones(4), most=0.5).tolist() == [0, 2]
    assert keep_best(boxes[:0], np.ones(0), most=0.5).tolist() == []


def test_average_precision_worked_out_by_hand() -> None:
    truth = [np.array([[0, 0, 10, 10.0], [20, 0, 30, 10]]), np.array([[0, 0, 10, 10.0]])]
    found = [
        (np.array([[0, 0, 10, 10.0], [50, 0, 60, 10], [0, 0, 10, 9]]), np.array([0.9, 0.8, 0.3])),
        (np.array([[0, 0, 10, 9.0]]), np.array([0.7])),
    ]
    # right, wrong, right, second time wrong: precisions 1 and 2/3 at two of three objects
    assert average_precision(found, truth) == pytest.approx((1 + 2 / 3) / 3)
    assert average_precision(found, truth, overlap=0.95) == pytest.approx(1 / 3)
    nothing = [(np.zeros((0, 4)), np.zeros(0))] * 2
    assert average_precision(nothing, truth) == 0
    assert math.isnan(average_precision(found, [np.zeros((0, 4))] * 2))


def test_average_precision_against_scikit_learn(rng: np.random.Generator) -> None:
    """Boxes that lie apart and are all found: the same ranking, made monotone."""
    from sklearn.metrics import precision_recall_curve

    boxes = np.stack(
        [np.arange(60) * 20.0, np.zeros(60), np.arange(60) * 20.0 + 10, np.full(60, 10.0)], axis=1
    )
    scores, real = rng.random(60), rng.random(60) < 0.4
    precision, recall, _ = precision_recall_curve(real, scores)
    envelope = np.maximum.accumulate(precision)
    wanted = -(np.diff(recall) * envelope[:-1]).sum()
    assert average_precision([(boxes, scores)], [boxes[real]]) == pytest.approx(wanted)
