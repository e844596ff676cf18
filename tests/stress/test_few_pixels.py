"""Differential evolution over a few pixels: what it may change, what it finds, what it leaves alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from striate.stress.few_pixels import change_pixels, fewest_pixels, random_pixels
from striate.types import Array, PictureArray


def grey(count: int) -> PictureArray:
    return np.full((count, 9, 13, 3), 100, np.uint8)


def differing(one: PictureArray, other: PictureArray) -> Array:
    """How many pixels of each picture differ."""
    found: Array = (one != other).any(axis=3).sum(axis=(1, 2))
    return found


def weak_spot(pictures: PictureArray, rows: Array) -> Array:
    """Fooled by something bright near (3, 8): a broad hill that can be climbed."""
    rows_, columns = np.ogrid[:9, :13]
    near = np.exp(-((rows_ - 3) ** 2 + (columns - 8) ** 2) / 18)
    bright = pictures.astype(np.float64).mean(axis=3) - 100
    found: Array = (near * bright).sum(axis=(1, 2)) - 125
    return found


def test_the_weak_spot_is_found() -> None:
    found = fewest_pixels(grey(5), weak_spot, pixels=1, seeds=np.arange(5))
    assert (weak_spot(found, np.arange(5)) > 0).all()
    assert (differing(found, grey(5)) <= 1).all()
    by_chance = random_pixels(grey(200), pixels=1, seeds=np.arange(200))
    assert (weak_spot(by_chance, np.arange(200)) > 0).mean() < 0.1


@given(st.integers(1, 6), st.integers(1, 20), st.integers(1, 20))
def test_no_more_pixels_than_asked_for(pixels: int, height: int, width: int) -> None:
    clean = np.zeros((3, height, width, 3), np.uint8)
    assert (differing(random_pixels(clean, pixels=pixels, seeds=np.arange(3)), clean) <= pixels).all()


def test_ends_of_the_range_are_the_last_pixel_and_white() -> None:
    clean = grey(1)
    found = change_pixels(clean, np.ones((1, 1, 5)))
    assert (found[0, -1, -1] == 255).all()
    assert differing(found, clean).tolist() == [1]
    assert (clean == 100).all()


def test_who_is_fooled_is_asked_no_more_and_chance_is_the_pictures_own() -> None:
    asked: list[int] = []

    def harm(pictures: PictureArray, rows: Array) -> Array:
        asked.extend(rows.tolist())
        # the first picture is fooled by anything, the second by nothing
        return np.where(rows == 0, 1.0, -1.0)

    both = fewest_pixels(grey(2), harm, pixels=2, seeds=np.array([3, 4]), population=5, generations=4)
    assert asked.count(0) == 5
    assert asked.count(1) == 5 * 5
    alone = fewest_pixels(
        grey(1), lambda pictures, rows: -np.ones(len(rows)), pixels=2, seeds=np.array([4]),
        population=5, generations=4,
    )  # fmt: skip
    np.testing.assert_array_equal(alone[0], both[1])


def test_no_pictures_are_no_trouble() -> None:
    assert len(fewest_pixels(grey(0), weak_spot, pixels=1, seeds=np.zeros(0, np.int64))) == 0
