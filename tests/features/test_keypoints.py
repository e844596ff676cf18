from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.errors import UnknownNameError
from striate.features.keypoints import DESCRIPTORS, DETECTORS, Keypoints, describe, detect
from striate.features.native import SIFT_RADIUS
from striate.features.orientation import dominant_angles
from striate.types import Array, Picture

Photo = Callable[[str], Picture]


def some(**changes: Any) -> Keypoints:
    values: dict[str, Any] = {
        "points_xy": np.array([[1, 2], [3, 4], [0, 2]], np.float32),
        "scale_px": np.array([1, 2, 3], np.float32),
        "angle_deg": np.array([0, np.nan, 359], np.float32),
        "response": np.array([5, 9, 5], np.float32),
        "kind": "sift",
    }
    return Keypoints(**(values | changes))


@pytest.mark.parametrize("kind", DETECTORS)
def test_every_detector_finds_points_in_the_picture(kind: str, photo: Photo) -> None:
    picture = photo("coffee.png")
    found = detect(picture, kind)
    assert found.kind == kind
    assert len(found) > 50
    assert (found.points_xy > -1).all()
    assert (found.points_xy < (600, 400)).all()
    assert (np.diff(found.response) <= 0).all()
    again = detect(picture, kind, limit=20)
    assert len(again) == 20
    np.testing.assert_array_equal(again.points_xy, found.points_xy[:20])


@pytest.mark.parametrize("kind", DETECTORS)
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (3, 3), (2, 60), (7, 8), (33, 47)])
def test_no_points_without_contrast(kind: str, size: tuple[int, int]) -> None:
    picture = np.full((*size, 3), (200, 30, 90), np.uint8)
    found = detect(picture, kind)
    assert len(found) == 0
    for descriptor in DESCRIPTORS:
        assert describe(picture, found, descriptor).shape[0] == 0


@pytest.mark.parametrize("kind", DETECTORS)
def test_small_pictures_do_not_fail(kind: str, rng: np.random.Generator) -> None:
    for size in ((2, 2), (1, 9), (5, 4), (8, 8), (9, 12), (16, 11), (28, 28)):
        picture = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
        found = detect(picture, kind)
        for descriptor in DESCRIPTORS:
            assert len(describe(picture, found, descriptor)) == len(found)


@pytest.mark.parametrize("kind", ["sift", "dog", "mser", "harris"])
def test_large_pictures_answer_in_their_own_pixels(kind: str, photo: Photo) -> None:
    """Four times as large, looked at with 1600 pixels: the same points, four times as far apart."""
    small = photo("motorcycle_left.png")[:400, :600]
    large = cv2.resize(small, (2400, 1600), interpolation=cv2.INTER_CUBIC)
    middle = cv2.resize(small, (1600, 1067), interpolation=cv2.INTER_CUBIC)
    first, second = detect(middle, kind, limit=60), detect(large, kind)
    wanted = (first.points_xy + 0.5) * 1.5 - 0.5
    apart = np.linalg.norm(wanted[:, None] - second.points_xy, axis=2)
    nearest = apart.argmin(axis=1)
    assert np.quantile(apart.min(axis=1), 0.8) < 1
    assert np.median(second.scale_px[nearest] / first.scale_px) == pytest.approx(1.5, rel=0.05)


def test_sift_is_not_off_by_a_quarter_of_a_pixel() -> None:
    """OpenCV's own default is: its doubled first octave is shifted."""
    y, x = np.mgrid[:64, :80]
    for centre in ((40.0, 30.0), (40.25, 30.5)):
        spot = 40 + 180 * np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * 1.2**2))
        picture = np.repeat(np.rint(spot).astype(np.uint8)[..., None], 3, axis=2)
        found = detect(picture, "sift", limit=1)
        np.testing.assert_allclose(found.points_xy[0], centre, atol=0.06)


def test_descriptions_are_those_of_opencv(photo: Photo) -> None:
    """Ours are made from place, radius and direction alone, so that any point can be described."""
    picture = photo("astronaut.png")
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    theirs, rows = cv2.SIFT_create(enable_precise_upscale=True).detectAndCompute(grey, None)
    table = np.array([(*one.pt, one.size / 2 * SIFT_RADIUS, one.angle % 360) for one in theirs])
    points = Keypoints(
        table[:, :2].astype(np.float32),
        table[:, 2].astype(np.float32),
        table[:, 3].astype(np.float32),
        np.ones(len(table), np.float32),
        "theirs",
    )
    ours = describe(picture, points)
    similar = (ours * rows).sum(axis=1) / np.linalg.norm(rows, axis=1)
    assert similar.min() > 0.999
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)
    root = describe(picture, points, "rootsift")
    np.testing.assert_allclose(root**2, ours / ours.sum(axis=1, keepdims=True), atol=1e-5)


def test_orb_descriptions_are_those_of_opencv(photo: Photo) -> None:
    picture = photo("astronaut.png")
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    theirs, rows = cv2.ORB_create(nfeatures=300).detectAndCompute(grey, None)
    points = detect(picture, "orb")
    ours = describe(picture, points, "orb")
    assert ours.shape == (len(points), 32)
    assert ours.dtype == np.uint8
    bits = []
    for one, row in zip(theirs, rows, strict=True):
        near = np.hypot(*(points.points_xy - one.pt).T) + np.abs(points.scale_px - one.size / 2)
        best = int(near.argmin())
        if near[best] < 1e-3:
            bits.append(int(np.unpackbits(ours[best] ^ row).sum()))
    assert len(bits) > 250
    assert np.quantile(bits, 0.9) == 0


def test_directions_follow_the_gradient(photo: Photo) -> None:
    picture = photo("camera.png")
    sift = detect(picture, "sift")
    found = dominant_angles(picture[..., 0], sift.points_xy, sift.scale_px / SIFT_RADIUS)
    apart = np.abs((found - sift.angle_deg + 180) % 360 - 180)
    assert np.median(apart) < 4  # one of SIFT's two, where it gives two
    slope = np.repeat(np.arange(0, 250, 2, dtype=np.uint8)[None], 90, axis=0)
    middle = np.array([[60, 45]], np.float32)
    for turns, angle in ((0, 0), (1, 270), (2, 180), (3, 90)):
        turned = np.ascontiguousarray(np.rot90(slope, turns))
        point = middle if turns % 2 == 0 else middle[:, ::-1]
        found = dominant_angles(turned, point, np.array([3.0]))
        assert abs((found[0] - angle + 180) % 360 - 180) < 0.5


def test_a_point_without_direction_is_turned_before_it_is_described(photo: Photo) -> None:
    picture = photo("coffee.png")
    turned = np.ascontiguousarray(np.rot90(picture))
    points = detect(picture, "harris", limit=60)
    # a place (x, y) goes to (y, width − 1 − x)
    moved = np.column_stack([points.points_xy[:, 1], 599 - points.points_xy[:, 0]])
    there = dataclasses.replace(points, points_xy=moved.astype(np.float32))
    alike = (describe(picture, points) * describe(turned, there)).sum(axis=1)
    assert np.median(alike) > 0.97


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 10, width=32), max_size=12), st.integers(0, 14))
def test_the_strongest(responses: list[float], n: int) -> None:
    count = len(responses)
    ones = np.ones(count, np.float32)
    points = Keypoints(
        np.stack([np.arange(count), ones], axis=1).astype(np.float32).reshape(-1, 2),
        ones,
        ones,
        np.array(responses, np.float32),
        "log",
    )
    kept = points.strongest(n)
    assert kept.response.tolist() == sorted(np.float32(responses).tolist(), reverse=True)[:n]


def test_equal_responses_are_taken_from_the_upper_left() -> None:
    assert some().strongest(3).points_xy.tolist() == [[3, 4], [0, 2], [1, 2]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"points_xy": np.zeros((3, 3), np.float32)},
        {"points_xy": np.zeros((3, 2))},
        {"scale_px": np.zeros(3, np.float32)},
        {"scale_px": np.ones(2, np.float32)},
        {"angle_deg": np.array([0, 1, 360], np.float32)},
        {"response": np.array([0, 1, np.inf], np.float32)},
        {"kind": ""},
    ],
)
def test_wrong_points(wrong: dict[str, Array | str]) -> None:
    with pytest.raises(ValueError, match=r"expected|finite|outside"):
        some(**wrong)


def test_for_json() -> None:
    facts = some().to_dict()
    assert facts["count"] == 3
    assert facts["angle_deg"] == [0.0, None, 359.0]
    assert facts["points_xy"] == [[1, 2], [3, 4], [0, 2]]


def test_wrong_names(photo: Photo) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'sift'"):
        detect(photo("coffee.png"), "sitf")
    with pytest.raises(UnknownNameError, match="rootsift"):
        describe(photo("coffee.png"), some(), "surf")
    with pytest.raises(ValueError, match="-1"):
        detect(photo("coffee.png"), "sift", limit=-1)
