"""Edge boxes, the grid, recall, and the one call for every method."""

from __future__ import annotations

import threading
from typing import get_args

import numpy as np
import pytest

from striate.errors import UnknownNameError, UsageError
from striate.features.proposals import (
    COUNTS,
    METHODS,
    GridSettings,
    Method,
    Proposals,
    all_boxes,
    best_overlaps,
    propose,
    propose_many,
    recall_curve,
    window_count,
)
from striate.features.proposals.drawing import draw_found, draw_proposals, draw_stages
from striate.features.proposals.edge_boxes import edge_boxes, edge_map
from striate.features.proposals.grid import propose_grid
from striate.ops.boxes import iou_xyxy
from striate.types import Picture


def disc(
    size_hw: tuple[int, int] = (120, 200), middle: tuple[int, int] = (70, 60), radius: int = 30
) -> Picture:
    y, x = np.mgrid[: size_hw[0], : size_hw[1]]
    inside = (x - middle[0]) ** 2 + (y - middle[1]) ** 2 < radius**2
    picture = np.where(inside[..., None], (220, 180, 60), (40, 60, 90))
    return picture.astype(np.uint8)


def test_every_method_is_listed() -> None:
    assert set(METHODS) == set(get_args(Method))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (7, 9), (60, 90)])
def test_any_picture_gets_boxes_inside_of_it(method: Method, size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    for one in (picture, picture * 0):
        found = propose(one, method=method, most=40)
        assert len(found) <= 40
        assert found.found >= len(found)
        assert (found.boxes_xyxy[:, :2] >= 0).all()
        assert (found.boxes_xyxy[:, 2:] <= [size[1], size[0]]).all()
        assert (found.boxes_xyxy[:, 2:] > found.boxes_xyxy[:, :2]).all()
        again = propose(one, method=method, most=40)
        np.testing.assert_array_equal(found.boxes_xyxy, again.boxes_xyxy)


@pytest.mark.parametrize("method", METHODS)
def test_a_disc_is_found(method: Method) -> None:
    found = propose(disc(), method=method)
    best = iou_xyxy(np.array([[40.0, 30, 100, 90]]), found.boxes_xyxy).max()
    assert best > (0.55 if method == "grid" else 0.85)


def test_edge_boxes_puts_the_disc_first() -> None:
    found = edge_boxes(disc(), most=100)
    assert iou_xyxy(np.array([[40.0, 30, 100, 90]]), found.boxes_xyxy[:10]).max() > 0.75
    assert len(found) > 1
    assert (np.diff(found.scores) <= 0).all()


def test_edge_boxes_are_scaled_back() -> None:
    large = np.repeat(np.repeat(disc(), 8, axis=0), 8, axis=1)  # 960 × 1600, worked on at 640
    found = edge_boxes(large, most=500)
    assert iou_xyxy(np.array([[320.0, 240, 800, 720]]), found.boxes_xyxy).max() > 0.85


@pytest.mark.parametrize(("turned", "across"), [(False, 0.0), (True, np.pi / 2)])
def test_edges_are_thin_and_know_their_direction(turned: bool, across: float) -> None:
    """A step from dark to light, to the right: the direction across it is that of x."""
    step = np.zeros((40, 60, 3), np.uint8)
    step[:, 30:] = 200
    strength, direction = edge_map(np.swapaxes(step, 0, 1) if turned else step)
    if turned:
        strength, direction = strength.T, direction.T
    on = strength > 0
    assert on.any(axis=1).all()
    assert set(np.nonzero(on)[1].tolist()) <= {29, 30}
    assert strength.max() == 1
    apart = np.abs(direction[on] - across)
    assert np.minimum(apart, np.pi - apart).max() < 0.01
    assert direction.dtype == strength.dtype == np.float32
    assert direction.max() < np.pi


def test_noise_of_a_grey_level_has_no_edges() -> None:
    strength, _ = edge_map(np.full((40, 40, 3), 128, np.uint8))
    assert not strength.any()


def test_the_grid_by_hand() -> None:
    """100 × 100, one size, squares: 50 px windows that shift by a third of themselves at IoU 0.5."""
    settings = GridSettings(overlap=0.5, octaves=1, aspects=(1.0,))
    # sides 100, 70.7 and 50: 1 + ⌈(100 − side) / (side / 3)⌉ in a row
    assert window_count((100, 100), settings) == 1 + 3**2 + 4**2
    found = propose_grid((100, 100), most=2000, settings=settings)
    assert len(found) == found.found == 26
    assert found.boxes_xyxy[0].tolist() == [0, 0, 100, 100]
    sides = found.boxes_xyxy[:, 2] - found.boxes_xyxy[:, 0]
    np.testing.assert_allclose(np.unique(sides.round(3)), [50, 70.71, 100], atol=0.01)
    small = found.boxes_xyxy[sides < 51]
    np.testing.assert_allclose(np.unique(small[:, 0].round(2)), [0, 16.67, 33.33, 50], atol=0.01)


def test_a_grid_of_fewer_windows_overlaps_less() -> None:
    found = propose_grid((480, 640), most=500)
    assert 350 < len(found) <= 500
    assert found.found == window_count((480, 640)) > 20_000
    sides = np.sqrt((found.boxes_xyxy[:60, 2:] - found.boxes_xyxy[:60, :2]).prod(axis=1))
    assert sides.max() > 5 * sides.min()  # the first ones are of all sizes
    assert propose_grid((480, 640), most=3).boxes_xyxy.shape == (3, 4)


def test_boxes_that_there_are() -> None:
    assert all_boxes((2, 3)) == 3 * 6
    with pytest.raises(ValueError, match="overlap is 1"):
        GridSettings(overlap=1)


def test_errors() -> None:
    with pytest.raises(UnknownNameError, match="selective-search"):
        propose(disc(), method="selective")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="at most 0"):
        propose(disc(), most=0)
    with pytest.raises(ValueError, match="uint8"):
        propose(np.zeros((4, 4), np.uint8))


def test_proposals_are_validated() -> None:
    box, score = np.zeros((2, 4), np.float32), np.array([0.1, 0.2], np.float32)
    with pytest.raises(ValueError, match="best first"):
        Proposals(box, score, 2)
    with pytest.raises(ValueError, match="boxes_xyxy: expected float32"):
        Proposals(box.astype(float), score[::-1], 2)
    one = Proposals(box, score[::-1].copy(), 9)
    assert one.best(1).to_dict() == {"found": 9, "boxes_xyxy": [[0, 0, 0, 0]], "scores": [0.2]}


def test_many_are_as_one_by_one_on_any_threads() -> None:
    pictures = [disc(middle=(50 + 10 * step, 60)) for step in range(4)]
    used: set[str] = set()

    def reader(picture: Picture) -> Picture:
        used.add(threading.current_thread().name)
        return picture

    calls = [lambda picture=picture: reader(picture) for picture in pictures]
    told: list[tuple[int, int]] = []
    many = propose_many(calls, most=50, threads=3, listen=lambda *one: told.append(one))
    for found, picture in zip(many, pictures, strict=True):
        np.testing.assert_array_equal(found.boxes_xyxy, propose(picture, most=50).boxes_xyxy)
    assert told[-1] == (4, 4)
    assert all(name.startswith("striate-propose") for name in used)
    assert propose_many([]) == []


def test_what_a_picture_raises_is_raised() -> None:
    def broken() -> Picture:
        raise OSError("no such disc")

    with pytest.raises(OSError, match="no such disc"):
        propose_many([broken, disc], method="grid", threads=2)


def test_recall_by_hand() -> None:
    truth = np.array([[0.0, 0, 10, 10], [20, 0, 30, 10]])
    proposals = np.array([[50.0, 50, 60, 60], [0, 0, 10, 6], [0, 0, 10, 9], [20, 0, 30, 10]])
    curve = recall_curve([proposals], [truth], counts=(1, 2, 3, 4), ious=(0.5, 0.6, 0.75, 1.0))
    assert curve.recall.tolist() == [[0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.5, 0.5, 0.5, 0], [1, 1, 1, 0.5]]
    assert curve.at(4, 1.0) == 0.5
    assert curve.average() == [0, 0.25, 0.375, 0.875]
    assert curve.objects == 2
    assert best_overlaps([proposals], [truth], (3, 4)).tolist() == [[0.9, 0.9], [0, 1]]


def test_recall_counts_objects_not_pictures() -> None:
    box, none = np.array([[0.0, 0, 4, 4]]), np.empty((0, 4))
    many = np.repeat(box + 50, 3, axis=0)
    curve = recall_curve([box, none, box], [box, many, none])
    assert curve.counts == COUNTS
    assert curve.objects == 4
    assert curve.at(10, 0.5) == 0.25
    empty = recall_curve([box], [none]).to_dict()
    assert empty["objects"] == 0


@pytest.mark.parametrize("size", [(1, 1), (12, 40), (90, 60)])
def test_drawings_of_any_picture(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(2).integers(0, 256, (*size, 3)).astype(np.uint8)
    found = propose(picture)
    nothing = Proposals(np.empty((0, 4), np.float32), np.empty(0, np.float32), 0)
    for drawn in (
        draw_proposals(picture, found, name="selective-search"),
        draw_proposals(picture, nothing),
        draw_stages(picture),
        draw_found(picture, found.boxes_xyxy[:2], np.array([True, False])[: len(found)]),
    ):
        assert drawn.dtype == np.uint8
        assert drawn.shape[2] == 3


def test_found_boxes_are_green_and_missed_ones_are_not() -> None:
    ground = np.full((500, 600, 3), 128, np.uint8)
    boxes = np.array([[100.0, 100, 200, 200], [300, 300, 400, 400]])
    drawn = draw_found(ground, boxes, np.array([True, False])).astype(int)
    red, green = drawn[..., 0], drawn[..., 1]
    assert (green - red)[100:104, 120:180].max() > 80
    assert (red - green)[300:304, 320:380].max() > 80
