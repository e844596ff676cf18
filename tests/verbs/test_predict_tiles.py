from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.errors import UsageError
from striate.ops.boxes import iou_xyxy
from striate.tasks.detect.types import Detections
from striate.types import Array, Picture
from striate.verbs.predict.merge import merge_tiles
from striate.verbs.predict.tiles import Tiling, predict_tiled, windows_xyxy

NAMES = ("light", "dark")


def blobs(pictures: Sequence[Picture]) -> list[Detections]:
    """A detector: bright blobs are "light", black ones "dark"; larger ones score more."""
    return [_blobs(picture) for picture in pictures]


def _blobs(picture: Picture) -> Detections:
    boxes, labels = [], []
    for label, mask in enumerate((picture[..., 0] > 200, picture[..., 0] < 50)):
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
        for left, top, wide, high, _ in stats[1:count].tolist():
            boxes.append([left, top, left + wide, top + high])
            labels.append(label)
    found = np.asarray(boxes, np.float32).reshape(-1, 4)
    area = (found[:, 2] - found[:, 0]) * (found[:, 3] - found[:, 1])
    order = np.argsort(-area, kind="stable")
    scores = np.clip(0.5 + area[order] / 2e6, 0.01, 1).astype(np.float32)
    return Detections(NAMES, found[order], scores, np.asarray(labels, np.int64)[order])


def paint(size_hw: tuple[int, int], boxes: Array, labels: Sequence[int]) -> Picture:
    picture = np.full((*size_hw, 3), 128, np.uint8)
    for (left, top, right, bottom), label in zip(boxes.tolist(), labels, strict=True):
        picture[top:bottom, left:right] = (255, 0)[label]
    return picture


def apart(boxes: list[list[int]]) -> Array:
    """Those that keep three pixels away from all before them."""
    kept: list[list[int]] = []
    for one in boxes:
        if all(
            one[0] > b[2] + 3 or b[0] > one[2] + 3 or one[1] > b[3] + 3 or b[1] > one[3] + 3
            for b in kept
        ):
            kept.append(one)
    return np.asarray(kept, np.int64).reshape(-1, 4)


def assert_same(found: Detections, boxes: Array, labels: Sequence[int]) -> None:
    """Each object is found once, exactly, and nothing else."""
    ours = sorted((*map(round, box), label) for box, label in zip(
        found.boxes_xyxy.tolist(), found.labels.tolist(), strict=True
    ))  # fmt: skip
    assert ours == sorted((*box, label) for box, label in zip(boxes.tolist(), labels, strict=True))


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("overlap", [0.0, 0.2, 0.5])
def test_every_object_once(rng: np.random.Generator, overlap: float, whole: bool) -> None:
    size_hw, tiling = (2000, 3000), Tiling(640, overlap, whole)
    seams = np.unique(windows_xyxy(size_hw, tiling)[:, [0, 2]])[1:-1].tolist()
    tried = [[int(x) - 30, y, int(x) + 30, y + 50] for x in seams for y in (100, 615, 1300)]
    tried += [[700, 500, 1500, 1500], [2000, 100, 2900, 220], [0, 1700, 200, 2000]]
    for x, y, w, h in rng.integers(0, [2900, 1900, 90, 90], (150, 4)).tolist():
        tried.append([x, y, x + 6 + w, y + 6 + h])
    boxes = apart([box for box in tried if box[2] <= 3000 and box[3] <= 2000])
    labels = rng.integers(0, 2, len(boxes)).tolist()
    found = predict_tiled(blobs, paint(size_hw, boxes, labels), tiling, iou_threshold=0.5)
    assert len(boxes) > 80
    assert_same(found, boxes, labels)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.integers(16, 120),
    st.floats(0, 0.9),
    st.lists(st.tuples(*[st.integers(0, 299)] * 2, *[st.integers(9, 90)] * 2), max_size=12),
)
def test_any_picture(
    height: int, width: int, side: int, overlap: float, tried: list[tuple[int, int, int, int]]
) -> None:
    inside = [[x, y, x + w, y + h] for x, y, w, h in tried if x + w <= width and y + h <= height]
    boxes = apart(inside)
    picture = paint((height, width), boxes, [0] * len(boxes))
    found = predict_tiled(blobs, picture, Tiling(side, overlap, False), iou_threshold=0.5)
    truth = boxes.astype(np.float32)
    # no object is lost, and nothing is found where there is none
    if len(boxes):
        assert (iou_xyxy(truth, found.boxes_xyxy).max(axis=1, initial=0) > 0.3).all()
    else:
        assert len(found) == 0


@pytest.mark.parametrize("size_hw", [(1, 4000), (4000, 1), (5, 5), (640, 640), (641, 640), (20, 3000)])
@pytest.mark.parametrize("overlap", [0.0, 0.2, 0.9])
def test_windows_cover(size_hw: tuple[int, int], overlap: float) -> None:
    windows = windows_xyxy(size_hw, Tiling(640, overlap))
    assert windows.min() == 0
    assert (windows[:, 3].max(), windows[:, 2].max()) == size_hw
    covered = np.zeros(size_hw, int)
    for left, top, right, bottom in windows.tolist():
        assert (bottom - top, right - left) == (min(640, size_hw[0]), min(640, size_hw[1]))
        covered[top:bottom, left:right] += 1
    assert covered.min() >= 1
    lefts = np.unique(windows[:, 0])
    assert (np.diff(lefts) <= max(1, round(640 * (1 - overlap)))).all()


def test_a_small_picture_is_asked_about_once() -> None:
    asked: list[tuple[int, ...]] = []

    def ask(pictures: Sequence[Picture]) -> list[Detections]:
        asked.extend(picture.shape for picture in pictures)
        return blobs(pictures)

    picture = paint((30, 600), np.array([[10, 5, 40, 25]]), [0])
    found = predict_tiled(ask, picture, Tiling(640), iou_threshold=0.5)
    assert asked == [(30, 600, 3)]
    assert found.boxes_xyxy.tolist() == [[10, 5, 40, 25]]


def test_progress_and_batches() -> None:
    told: list[tuple[int, int]] = []
    picture = paint((1, 4000), np.array([[1000, 0, 1100, 1]]), [1])
    found = predict_tiled(
        blobs, picture, Tiling(100, 0), iou_threshold=0.5, told=lambda *now: told.append(now)
    )
    assert told == [(16, 40), (32, 40), (40, 40)]
    assert found.to_dict()["detections"][0]["box_xyxy"] == [1000, 0, 1100, 1]


def one(box: Sequence[float], score: float, label: int = 0) -> Detections:
    return Detections(
        NAMES, np.array([box], np.float32), np.array([score], np.float32), np.array([label])
    )


WINDOWS = np.array([[0, 0, 100, 100], [80, 0, 180, 100]])
SIZE_HW = (100, 180)


def test_a_part_that_scores_more_than_the_whole_still_goes() -> None:
    found = merge_tiles(
        [one([70, 20, 100, 60], 0.9), one([2 - 12, 20, 18, 60], 0.5)], WINDOWS, SIZE_HW,
        iou_threshold=0.5,
    )  # fmt: skip
    assert len(found) == 1  # both are cut at the seam, and continue one another
    assert found.boxes_xyxy.tolist() == [[70, 20, 100, 60]]
    neighbour = one([4, 20, 30, 60], 0.6)  # sees it whole: 84 to 110
    found = merge_tiles([one([84, 20, 100, 60], 0.9), neighbour], WINDOWS, SIZE_HW, iou_threshold=0.5)
    assert found.boxes_xyxy.tolist() == [[84, 20, 110, 60]]


def test_a_poor_whole_does_not_take_a_good_part() -> None:
    found = merge_tiles(
        [one([84, 20, 100, 60], 0.9), one([4, 20, 70, 60], 0.1)], WINDOWS, SIZE_HW, iou_threshold=0.5
    )
    assert found.scores.tolist() == pytest.approx([0.9, 0.1])


def test_a_good_part_does_not_vouch_for_a_poor_one() -> None:
    tiles = [one([90, 20, 100, 60], 0.9), one([0, 20, 70, 60], 0.1)]
    found = merge_tiles(tiles, WINDOWS, SIZE_HW, iou_threshold=0.5)
    assert sorted(found.boxes_xyxy[:, 2].tolist()) == [100, 150]
    tiles = [one([70, 20, 100, 60], 0.9), one([0, 20, 70, 60], 0.5)]
    found = merge_tiles(tiles, WINDOWS, SIZE_HW, iou_threshold=0.5)
    assert found.scores.tolist() == pytest.approx([0.62])  # the mean by area
    assert found.boxes_xyxy.tolist() == [[70, 20, 150, 60]]


def test_classes_are_apart() -> None:
    found = merge_tiles(
        [one([84, 20, 100, 60], 0.9, 1), one([4, 20, 30, 60], 0.6)], WINDOWS, SIZE_HW, iou_threshold=0.5
    )
    assert found.labels.tolist() == [1, 0]


def test_one_object_of_two_classes_is_one_if_so_wished() -> None:
    tiles = [one([84, 20, 93, 60], 0.9, 1), one([4, 20, 13, 60], 0.6)]
    for agnostic, count in ((False, 2), (True, 1)):
        found = merge_tiles(tiles, WINDOWS, SIZE_HW, iou_threshold=0.5, agnostic=agnostic)
        assert len(found) == count


def test_turned_boxes() -> None:
    def turned(box: Sequence[float], score: float) -> Detections:
        return Detections(
            NAMES,
            np.array([box], np.float32),
            np.array([score], np.float32),
            np.array([0]),
            np.array([30], np.float32),
        )

    ours, theirs = turned([83, 40, 95, 50], 0.8), turned([3.2, 40, 15.2, 50], 0.7)
    found = merge_tiles([ours, theirs], WINDOWS, SIZE_HW, iou_threshold=0.5)
    assert found.angles_deg is not None
    assert found.angles_deg.tolist() == [30]
    assert found.scores.tolist() == pytest.approx([0.8])


def test_nothing_anywhere() -> None:
    picture = np.full((300, 300, 3), 128, np.uint8)
    found = predict_tiled(blobs, picture, Tiling(100), iou_threshold=0.5)
    assert found.to_dict() == {"detections": []}


def test_a_picture_of_twenty_thousand_pixels_a_side() -> None:
    side = 20_000
    row = np.full((1, side, 3), 128, np.uint8)
    picture = np.broadcast_to(row, (side, side, 3))  # rows that share their memory

    def ask(pictures: Sequence[Picture]) -> list[Detections]:
        return [one([300, 300, 340, 340], 0.9) for _ in pictures]

    found = predict_tiled(ask, picture, Tiling(2000, 0.2, False), iou_threshold=0.5)
    assert len(found) == len(windows_xyxy((side, side), Tiling(2000, 0.2)))


@pytest.mark.parametrize(
    "wrong", [{"side": 8}, {"side": 64, "overlap": 0.95}, {"side": 64, "overlap": -1}]
)
def test_tiling_that_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=r"--(tile|overlap) was given"):
        Tiling(**wrong)  # type: ignore[arg-type]
