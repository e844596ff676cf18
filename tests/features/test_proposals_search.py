"""Selective search: regions, hierarchies, and the order of boxes."""

from __future__ import annotations

import numpy as np
import pytest

from striate.features.opencv import cv2_module
from striate.features.proposals.grouping import Likeness, group
from striate.features.proposals.regions import Regions, Space, cut, in_space
from striate.features.proposals.selective_search import first_hierarchy, selective_search
from striate.ops.boxes import iou_xyxy
from striate.types import Array, Picture

CARDS = np.array([[10, 12, 50, 60], [70, 20, 130, 50], [85, 65, 115, 95]], np.float64)


def cards(noise: int = 8) -> Picture:
    """Three plain cards on a plain table, 100 × 150."""
    rng = np.random.default_rng(0)
    picture = np.full((100, 150, 3), 90, np.int64)
    for (left, top, right, bottom), colour in zip(
        CARDS.astype(int).tolist(), ((200, 60, 40), (40, 170, 60), (50, 70, 210)), strict=True
    ):
        picture[top:bottom, left:right] = colour
    return np.clip(picture + rng.integers(-noise, noise + 1, picture.shape), 0, 255).astype(np.uint8)


def test_cards_are_found() -> None:
    found = selective_search(cards(), most=2000)
    assert iou_xyxy(CARDS, found.boxes_xyxy).max(axis=1).min() > 0.9
    assert len(np.unique(found.boxes_xyxy, axis=0)) == len(found)
    assert found.boxes_xyxy.min() == 0
    assert found.boxes_xyxy.max(axis=0).tolist() == [*found.boxes_xyxy[:, :2].max(axis=0), 150, 100]
    assert (np.diff(found.scores) <= 0).all()


def test_the_seed_decides_the_order_and_nothing_else() -> None:
    one, same, other = (selective_search(cards(), most=2000, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.boxes_xyxy, same.boxes_xyxy)
    np.testing.assert_array_equal(one.scores, same.scores)
    assert one.boxes_xyxy.tolist() != other.boxes_xyxy.tolist()
    assert set(map(tuple, one.boxes_xyxy.tolist())) == set(map(tuple, other.boxes_xyxy.tolist()))


def test_most_keeps_the_best() -> None:
    every, few = selective_search(cards(), most=2000), selective_search(cards(), most=5)
    np.testing.assert_array_equal(few.boxes_xyxy, every.boxes_xyxy[:5])
    assert few.found == every.found == len(every)


def test_boxes_of_a_large_picture_are_in_its_own_pixels() -> None:
    large = np.repeat(np.repeat(cards(), 8, axis=0), 8, axis=1)  # 800 × 1200, worked on at 500
    found = selective_search(large, most=2000)
    assert iou_xyxy(CARDS * 8, found.boxes_xyxy).max(axis=1).min() > 0.85
    assert found.boxes_xyxy[:, 2:].max(axis=0).tolist() == [1200, 800]


def test_quality_finds_more() -> None:
    fast, quality = (selective_search(cards(40), most=9999, mode=mode) for mode in ("fast", "quality"))
    assert quality.found > 2 * fast.found


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (90, 1), (3, 5)])
def test_tiny_pictures(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (*size, 3)).astype(np.uint8)
    found = selective_search(picture, most=10)
    assert len(found) >= 1
    assert [0, 0, size[1], size[0]] in found.boxes_xyxy.tolist()


def test_a_plain_picture_is_one_region() -> None:
    found = selective_search(np.full((40, 60, 3), 7, np.uint8), most=10)
    assert found.boxes_xyxy.tolist() == [[0, 0, 60, 40]]


@pytest.mark.parametrize("name", ["hsv", "lab", "rgi", "hue", "grey"])
def test_regions_against_slow_counting(name: Space) -> None:
    space = in_space(cards(60), name)
    regions = cut(space, 50)
    labels, count = regions.labels, len(regions)
    assert labels.shape == (100, 150)
    assert count > 3
    assert sorted(np.unique(labels).tolist()) == list(range(count))
    touching = set()
    for row in range(100):
        for column in range(150):
            for near in ((row + 1, column), (row, column + 1)):
                if near[0] < 100 and near[1] < 150 and labels[row, column] != labels[near]:
                    touching.add(tuple(sorted((int(labels[row, column]), int(labels[near])))))
    assert set(map(tuple, regions.pairs.tolist())) == touching
    for label in range(count):
        rows, columns = np.nonzero(labels == label)
        assert regions.pixels[label] == len(rows)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert regions.boxes_xyxy[label].tolist() == box
        colours = np.bincount(space.colours[:, (labels == label).ravel()].ravel(), minlength=1)
        expected = np.zeros(regions.colours.shape[1])
        expected[: len(colours)] = colours / colours.sum()
        np.testing.assert_allclose(regions.colours[label], expected, atol=1e-6)
    planes = space.planes.shape[2]
    assert regions.colours.shape[1] == 25 * planes
    assert regions.textures.shape[1] == 80 * planes
    for shares in (regions.colours, regions.textures):
        np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)


def test_hue_and_light_of_plain_colours() -> None:
    red = np.full((4, 4, 3), (200, 0, 0), np.uint8)
    assert in_space(red, "rgi").planes[0, 0].tolist() == [255, 0, 66]
    assert in_space(red, "hue").planes[0, 0].tolist() == [0]
    black = in_space(red * 0, "rgi").planes
    assert black.max() == 0


def _slow_group(regions: Regions, likeness: Likeness) -> list[tuple[int, int]]:
    """Algorithm 1 as it is printed: the most alike pair of all, again and again."""
    histograms = []
    if likeness.colour:
        histograms.append(regions.colours.astype(np.float64))
    if likeness.texture:
        histograms.append(regions.textures.astype(np.float64))
    area = float(regions.labels.size)
    state = {
        number: (regions.pixels[number], regions.boxes_xyxy[number], [one[number] for one in histograms])
        for number in range(len(regions))
    }
    pairs = set(map(tuple, regions.pairs.tolist()))

    def alike(pair: tuple[int, int]) -> float:
        (size, box, own), (other_size, other_box, others) = (state[one] for one in pair)
        value = sum(float(np.minimum(a, b).sum()) for a, b in zip(own, others, strict=True))
        sides = np.maximum(box[2:], other_box[2:]) - np.minimum(box[:2], other_box[:2])
        value += 1 - (size + other_size) / area if likeness.size else 0
        value += 1 - (sides[0] * sides[1] - size - other_size) / area if likeness.fill else 0
        return float(value)

    merges = []
    while pairs:
        one, other = best = max(sorted(pairs), key=lambda pair: round(alike(pair), 5))
        merges.append(best)
        new = len(regions) + len(merges) - 1
        (size, box, own), (other_size, other_box, others) = state[one], state[other]
        both = size + other_size
        state[new] = (
            both,
            np.concatenate([np.minimum(box[:2], other_box[:2]), np.maximum(box[2:], other_box[2:])]),
            [(a * size + b * other_size) / both for a, b in zip(own, others, strict=True)],
        )
        pairs = {
            tuple(sorted(new if end in best else end for end in pair)) for pair in pairs if pair != best
        }
    return merges


@pytest.mark.parametrize(
    "likeness",
    [
        Likeness(colour=True, texture=True, size=True, fill=True),
        Likeness(texture=True, size=True, fill=True),
        Likeness(fill=True),
        Likeness(size=True),
    ],
)
def test_grouping_against_the_algorithm_as_printed(likeness: Likeness) -> None:
    regions = cut(in_space(cards(70), "lab"), 30)
    assert len(regions) > 15
    found = group(regions, likeness)
    assert [tuple(sorted(one)) for one in found.merges.tolist()] == _slow_group(regions, likeness)


def test_the_hierarchy_ends_with_the_whole_picture() -> None:
    small, regions, found = first_hierarchy(cards())
    count = len(regions)
    assert len(found.boxes_xyxy) == 2 * count - 1
    assert found.boxes_xyxy[-1].tolist() == [0, 0, small.shape[1], small.shape[0]]
    assert sorted(found.merges.ravel().tolist()) == list(range(2 * count - 2))  # each merged once


def test_labels_on_the_way_down_the_hierarchy() -> None:
    _, regions, found = first_hierarchy(cards(60))
    count = len(regions)
    for left in (count, count - 1, 3, 1):
        labels = found.labels_at(regions.labels, left)
        names = np.unique(labels)
        assert len(names) == left
        for name in names.tolist():
            assert _box_of(labels == name) == found.boxes_xyxy[name].tolist()
    np.testing.assert_array_equal(found.labels_at(regions.labels, count + 5), regions.labels)


def _box_of(mask: Array) -> list[float]:
    rows, columns = np.nonzero(mask)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def test_opencv_cannot_be_ranked_again() -> None:
    """Why its own search is not used: the same call, another order. Where this fails, look again."""
    segmentation = cv2_module().ximgproc.segmentation
    search = segmentation.createSelectiveSearchSegmentation()
    search.setBaseImage(cards(70))
    search.switchToSelectiveSearchFast()
    one, other = search.process(), search.process()
    assert set(map(tuple, one.tolist())) == set(map(tuple, other.tolist()))
    assert one.tolist() != other.tolist()
