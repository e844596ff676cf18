"""Labels follow: a marked spot lies where the plan says, whatever moved it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from striate.nn.augment.augmenter import Augmenter
from striate.nn.augment.plan import Plan
from striate.nn.augment.presets import resolve
from striate.nn.augment.settings import AugmentSettings

SIZE_HW = (72, 104)
COUNT = 24

MOVING: dict[str, dict[str, Any]] = {
    "shear": {"shear_deg": 25.0},
    "perspective": {"perspective": 0.5},
    "elastic": {"elastic": 0.04},
    "all of them": {
        "shear_deg": 12.0,
        "perspective": 0.3,
        "elastic": 0.03,
        "rotate_deg": 15.0,
        "flip": "both",
        "crop": 0.2,
        "scale": 0.1,
    },
    "randaugment": {"policy": "randaugment", "policy_ops": 3},
    "trivialaugment": {"policy": "trivialaugment", "policy_magnitude": 12.0},
    "randaugment, tilted": {"policy": "randaugment", "perspective": 0.3, "flip": "horizontal"},
}


def augmenter(size_hw: tuple[int, int] = SIZE_HW, **asked: Any) -> Augmenter:
    settings = AugmentSettings.parse({"augment": "none", "border": "grey"} | asked)
    return Augmenter(resolve(settings, size_hw=size_hw, grey=False), size_hw, seed=4)


def spots(at_xy: np.ndarray) -> np.ndarray:
    """A soft spot a picture, red on blue, which no operation of a policy makes disappear."""
    y, x = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]] + 0.5
    apart = (x - at_xy[:, :1, None]) ** 2 + (y - at_xy[:, 1:, None]) ** 2
    spot = np.exp(-apart / (2 * 2.5**2))
    return np.stack([220 * spot, 0 * spot, 220 * (1 - spot)], axis=3).round().astype(np.uint8)


@pytest.mark.parametrize("asked", MOVING.values(), ids=MOVING)
def test_a_marked_spot_lies_where_the_plan_says(asked: dict[str, Any]) -> None:
    rng = np.random.default_rng(1)
    at = rng.uniform([26, 18], [78, 54], (COUNT, 2))
    moving = augmenter(**asked)
    plan = moving.plan(2, np.arange(COUNT))
    where = plan.move_points(at[:, None])[:, 0]
    geometry = Plan(
        SIZE_HW, plan.matrix, False, False, perspective=plan.perspective, elastic=plan.elastic
    )
    found = moving.apply(spots(at), geometry).double().numpy()
    inside = ((where > 8) & (where < np.array(SIZE_HW[::-1]) - 8)).all(axis=1)
    assert inside.sum() > COUNT / 3
    assert float(np.abs(where - at).max()) > 3, "nothing moved"
    y, x = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]] + 0.5
    for row in np.flatnonzero(inside):
        spot = np.clip(found[row, 0] - found[row, 2], 0, None)
        near = spot * ((x - where[row, 0]) ** 2 + (y - where[row, 1]) ** 2 < 12**2)
        seen = np.array([(x * near).sum(), (y * near).sum()]) / near.sum()
        assert np.abs(seen - where[row]).max() < 1, f"{row}: seen at {seen}, told {where[row]}"
        assert near.sum() > 0.6 * spot.sum()


@pytest.mark.parametrize("asked", MOVING.values(), ids=MOVING)
def test_a_point_alone_goes_where_it_goes_in_the_batch(asked: dict[str, Any]) -> None:
    plan = augmenter(**asked).plan(0, np.arange(6))
    points = np.random.default_rng(2).uniform(0, 70, (6, 5, 2))
    whole = plan.move_points(points)
    for row in range(6):
        np.testing.assert_allclose(plan.move_points(points[row], row), whole[row], atol=1e-9)


def test_points_of_an_unbent_plan_are_the_matrix() -> None:
    from striate.nn.augment.affine import warp_points

    plan = augmenter(rotate_deg=30.0, crop=0.3).plan(0, np.arange(4))
    points = np.random.default_rng(0).uniform(0, 70, (4, 9, 2))
    np.testing.assert_array_equal(plan.move_points(points), warp_points(points, plan.matrix))


def test_a_tilt_takes_corners_where_torchvision_takes_them() -> None:
    """The pictures, too: the same homography through torchvision's own perspective."""
    from torchvision.transforms.v2 import InterpolationMode
    from torchvision.transforms.v2 import functional as tv

    plan = augmenter(perspective=0.5).plan(0, np.arange(3))
    height, width = SIZE_HW
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    ends = plan.move_points(np.tile(corners, (3, 1, 1)))
    inwards = (ends - corners) * np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    assert (inwards >= -1e-9).all()
    assert (inwards <= 0.25 * np.array([width, height]) + 1e-9).all()
    pixels = spots(np.array([[30.0, 30], [60, 40], [50, 20]]))
    ours = augmenter(perspective=0.5).apply(pixels, plan)
    inside = augmenter(perspective=0.5).apply(np.full_like(pixels, 255), plan) > 254.9
    assert 0.2 < float(inside.float().mean()) < 0.9
    for row in range(3):
        there = tv.perspective(
            torch.from_numpy(pixels[row]).permute(2, 0, 1).float(),
            corners.tolist(),
            ends[row].tolist(),
            interpolation=InterpolationMode.BILINEAR,
        )
        torch.testing.assert_close(ours[row][inside[row]], there[inside[row]], atol=0.6, rtol=0)


def test_a_slant_is_torchvisions_shear() -> None:
    from torchvision.transforms.v2 import InterpolationMode
    from torchvision.transforms.v2 import functional as tv

    slanting = augmenter(shear_deg=20.0)
    plan = slanting.plan(0, np.arange(3))
    np.testing.assert_allclose(np.linalg.det(plan.matrix[:, :, :2]), 1)
    assert np.abs(plan.matrix[:, 0, 1]).max() <= np.tan(np.deg2rad(20))
    only_x = plan.matrix.copy()
    only_x[:, 1] = [0, 1, 0]
    only_x[:, 0, 2] = -only_x[:, 0, 1] * SIZE_HW[0] / 2
    pixels = spots(np.array([[30.0, 30], [60, 40], [50, 20]]))
    ours = slanting.apply(pixels, Plan(SIZE_HW, only_x, False, False))
    inside = slanting.apply(np.full_like(pixels, 255), Plan(SIZE_HW, only_x, False, False)) > 254.9
    for row in range(3):
        # torchvision's positive angle slants the other way
        degrees = -float(np.rad2deg(np.arctan(only_x[row, 0, 1])))
        there = tv.affine(
            torch.from_numpy(pixels[row]).permute(2, 0, 1).float(),
            angle=0.0,
            translate=[0, 0],
            scale=1.0,
            shear=[degrees, 0.0],
            interpolation=InterpolationMode.BILINEAR,
        )
        torch.testing.assert_close(ours[row][inside[row]], there[inside[row]], atol=0.6, rtol=0)


def test_elastic_fields_never_fold_and_come_back() -> None:
    from striate.nn.augment.bending import draw_elastic
    from striate.nn.augment.dice import Dice

    for size_hw in ((40, 64), (64, 64), (1, 64), (9, 1)):
        elastic = draw_elastic(0.05, size_hw, Dice(0, 0, np.arange(60)))
        points = np.random.default_rng(0).uniform(0, 1, (60, 12, 2)) * size_hw[::-1]
        back = elastic.displaced(elastic.follow(points))
        np.testing.assert_allclose(back, points, atol=1e-6)
    moved = np.abs(elastic.displaced(points) - points).max()
    assert moved < 1


def test_elastic_is_as_strong_as_asked() -> None:
    from striate.nn.augment.bending import draw_elastic
    from striate.nn.augment.dice import Dice

    elastic = draw_elastic(0.02, (60, 80), Dice(0, 0, np.arange(100)))
    y, x = np.mgrid[0:60, 0:80] + 0.5
    points = np.tile(np.stack([x, y], axis=2).reshape(1, -1, 2), (100, 1, 1))
    apart = elastic.displaced(points) - points
    strength = np.sqrt((apart**2).sum(axis=2).mean(axis=1)) / 60
    assert strength.max() <= 0.0201
    assert strength.max() > 0.017
    assert strength.min() < 0.002


def test_points_of_augmix_are_refused() -> None:
    plan = augmenter(policy="augmix").plan(0, np.arange(8))
    with pytest.raises(ValueError, match="several places"):
        plan.move_points(np.zeros((8, 1, 2)))
