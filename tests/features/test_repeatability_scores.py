from __future__ import annotations

import math

import numpy as np
import pytest

from striate.features.points import Keypoints
from striate.features.repeatability.changes import CHANGES, Changed, change_picture
from striate.features.repeatability.regions import project
from striate.features.repeatability.scores import PairScore, common_part, score_matches, score_places
from striate.features.repeatability.spots import Spots
from striate.types import Array, Picture

SIZE = (300, 400)


def spots(points_xy: Array, radius: Array | float) -> Spots:
    count = len(points_xy)
    scale = np.broadcast_to(np.asarray(radius, np.float32), (count,)).copy()
    flat = np.full(count, np.nan, np.float32)
    return Spots.of(
        Keypoints(points_xy.astype(np.float32), scale, flat, np.ones(count, np.float32), "made")
    )


def anywhere(count: int, seed: int) -> Array:
    return np.random.default_rng(seed).random((count, 2)) * (SIZE[1] - 1, SIZE[0] - 1)


def truth(a: Spots, changed: Changed) -> Spots:
    """What a perfect detector finds: the same regions, mapped exactly."""
    from striate.features.repeatability.scores import _mapped

    there = project(changed.homography, a.points_xy)
    return Spots(there, _mapped(changed.homography, a.points_xy, a.shapes), a.source)


@pytest.fixture(scope="module")
def picture() -> Picture:
    return np.random.default_rng(5).integers(0, 256, (*SIZE, 3), np.uint8)


@pytest.mark.parametrize("name", CHANGES)
def test_a_perfect_detector_is_perfect(picture: Picture, name: str) -> None:
    a = spots(anywhere(120, 1), np.random.default_rng(2).uniform(3, 12, 120))
    for level in CHANGES[name].levels:
        changed = change_picture(picture, name, level)
        b = truth(a, changed)
        common = common_part(a, b, changed, SIZE, most=0.4)
        assert len(common.points_a) == len(common.points_b) > 0
        score = score_places(common, b, changed, SIZE, most=0.4, seed=0)
        assert score.repeatability == 1
        # a point near another may pair with it where pixels are fewer, none at all can be lost
        assert score.same_place > 0.97
        assert score.chance < 0.5
        assert score.above_chance == 1
        described = np.eye(120, dtype=np.float32)
        assert score_matches(common, described, described) == (1, 1, 1)


def test_random_points_are_as_repeatable_as_chance(picture: Picture) -> None:
    changed = change_picture(picture, "gain", 0.6)
    found, chance = [], []
    for seed in range(12):
        a, b = spots(anywhere(150, seed), 5.0), spots(anywhere(150, 100 + seed), 5.0)
        common = common_part(a, b, changed, SIZE, most=0.4)
        score = score_places(common, b, changed, SIZE, most=0.4, seed=seed)
        found.append(score.repeatability)
        chance.append(score.chance)
    # a disc of 12 px among 150 points in 300 × 400: about 1 - exp(-0.57), less what is taken already
    assert np.mean(found) == pytest.approx(np.mean(chance), abs=0.03)
    assert 0.3 < np.mean(chance) < 0.45
    gained = [PairScore(1, 1, 1, r, 0.0, c).above_chance for r, c in zip(found, chance, strict=True)]
    assert np.mean(gained) == pytest.approx(0, abs=0.05)


def test_the_smaller_count_divides(picture: Picture) -> None:
    changed = change_picture(picture, "gain", 0.6)
    points = np.array([[50.0, 50], [150, 50], [250, 50], [50, 200]])
    a, b = spots(points, 5.0), spots(points[:2] + np.array([[0, 0], [100, 100]]), 5.0)
    common = common_part(a, b, changed, SIZE, most=0.4)
    score = score_places(common, b, changed, SIZE, most=0.4, seed=0)
    assert (score.count_a, score.count_b, score.correspondences) == (4, 2, 1)
    assert score.repeatability == 0.5


def test_a_region_of_another_size_is_another_region(picture: Picture) -> None:
    changed = change_picture(picture, "gain", 0.6)
    points = np.array([[50.0, 50], [150, 50]])
    common = common_part(
        spots(points, 10.0), b := spots(points, np.array([12.5, 13.5])), changed, SIZE, most=0.4
    )
    score = score_places(common, b, changed, SIZE, most=0.4, seed=0)
    # 1 - (10 / 12.5)² = 0.36 and 1 - (10 / 13.5)² = 0.45
    assert score.correspondences == 1
    assert score.same_place == 1


def test_what_only_one_picture_shows_does_not_count(picture: Picture) -> None:
    nearer = change_picture(picture, "scale", 2.0)  # shows x from 100 to 300, y from 75 to 225
    a = spots(np.array([[200.0, 150], [20, 20]]), 5.0)
    common = common_part(a, truth(a, nearer), nearer, SIZE, most=0.4)
    assert common.rows_a.tolist() == common.rows_b.tolist() == [0]


def test_what_is_hidden_does_not_count(picture: Picture) -> None:
    changed = change_picture(picture, "hidden", 40.0)
    y, x = (part[0] for part in np.nonzero(changed.hidden))
    v, u = (part[0] for part in np.nonzero(~changed.hidden))
    a = spots(np.array([[x, y], [u, v]], float), 5.0)
    common = common_part(a, a, changed, SIZE, most=0.4)
    assert common.rows_a.tolist() == common.rows_b.tolist() == [1]


def test_matches_worked_out_by_hand(picture: Picture) -> None:
    changed = change_picture(picture, "gain", 0.6)
    a = spots(np.array([[50.0, 50], [150, 50], [250, 50]]), 5.0)
    common = common_part(a, a, changed, SIZE, most=0.4)
    first = np.array([[0.0, 0], [4, 0], [10, 0]])
    second = np.array([[1.0, 0], [9, 0], [10, 0]])
    # nearest: 0 → 0 (1), 1 → 0 (3, taken by 0), 2 → 2 (0): two matches, both right, of three
    # truth against the nearest other: 1 < 0.8·9, 5 > 0.8·3, 0 < 0.8·1: two of three are distinct
    matching, precision, distinctness = score_matches(common, first, second)
    assert (matching, precision, distinctness) == pytest.approx((2 / 3, 1.0, 2 / 3))


def test_descriptors_that_are_all_alike_tell_nothing(picture: Picture) -> None:
    changed = change_picture(picture, "gain", 0.6)
    a = spots(anywhere(40, 3), 5.0)
    common = common_part(a, a, changed, SIZE, most=0.4)
    same = np.ones((40, 8), np.float32)
    matching, _, distinctness = score_matches(common, same, same)
    assert matching <= 1 / 40
    assert distinctness < 0.1  # those whose only rivals all correspond


def test_no_points() -> None:
    changed = change_picture(np.zeros((*SIZE, 3), np.uint8), "gain", 0.6)
    none, some = spots(np.zeros((0, 2)), 1.0), spots(anywhere(3, 0), 5.0)
    described = {0: np.zeros((0, 4), np.float32), 3: np.ones((3, 4), np.float32)}
    for a, b, wanted in ((none, none, math.nan), (some, none, 0.0), (none, some, 0.0)):
        common = common_part(a, b, changed, SIZE, most=0.4)
        score = score_places(common, b, changed, SIZE, most=0.4, seed=0)
        assert score.repeatability == pytest.approx(wanted, nan_ok=True)
        matching, precision, distinctness = score_matches(common, described[len(a)], described[len(b)])
        assert matching == pytest.approx(wanted, nan_ok=True)
        assert math.isnan(precision)
        assert math.isnan(distinctness)
