from __future__ import annotations

import numpy as np
import pytest

from striate.errors import UnknownNameError
from striate.features.repeatability.changes import CHANGES, change_picture
from striate.features.repeatability.regions import in_picture, project
from striate.types import Picture


@pytest.fixture(scope="module")
def dots() -> Picture:
    """Bright spots on grey, 90 high and 120 wide."""
    y, x = np.mgrid[:90, :120]
    image = np.full((90, 120), 60.0)
    for row, column in ((20, 30), (45, 60), (70, 95), (25, 90)):
        image += 180 * np.exp(-((x - column) ** 2 + (y - row) ** 2) / (2 * 3.0**2))
    return np.repeat(np.clip(image, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


SPOTS = np.array([[30.0, 20.0], [60.0, 45.0], [95.0, 70.0], [90.0, 25.0]])


@pytest.mark.parametrize("name", ["scale", "rotation", "viewpoint"])
def test_the_homography_says_where_things_went(dots: Picture, name: str) -> None:
    for level in CHANGES[name].levels:
        changed = change_picture(dots, name, level)
        size = changed.picture.shape[:2]
        there = project(changed.homography, SPOTS)
        seen = in_picture(there, (size[0] - 6, size[1] - 6)) & (there > 6).all(axis=1)
        assert seen.any()
        for x, y in there[seen]:
            part = np.s_[round(y) - 4 : round(y) + 5, round(x) - 4 : round(x) + 5]
            weight = changed.picture[part][..., 0].astype(float) - 60
            rows, columns = np.mgrid[part]
            middle = (weight * columns).sum() / weight.sum(), (weight * rows).sum() / weight.sum()
            assert middle == pytest.approx((x, y), abs=0.75)


def test_a_quarter_turn_is_exact() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (21, 21, 3), np.uint8)
    changed = change_picture(picture, "rotation", 90.0)
    np.testing.assert_allclose(
        changed.picture.astype(int), np.rot90(picture, -1).astype(int), atol=1
    )  # clockwise as it is seen


def test_a_smaller_picture_has_no_aliases() -> None:
    """Stripes that are finer than the new pixels become even grey."""
    stripes = np.zeros((64, 96, 3), np.uint8)
    stripes[:, ::2] = 255
    small = change_picture(stripes, "scale", 0.5).picture
    assert small.shape == (32, 48, 3)
    assert np.abs(small[4:-4, 4:-4].astype(int) - 127).max() < 12


def test_light_is_arithmetic(dots: Picture) -> None:
    gain = change_picture(dots, "gain", 1.5)
    np.testing.assert_array_equal(gain.picture, np.minimum(np.rint(dots * 1.5), 255))
    gamma = change_picture(dots, "gamma", 2.0)
    np.testing.assert_allclose(gamma.picture, 255 * (dots / 255.0) ** 2, atol=0.51)
    for changed in (gain, gamma):
        np.testing.assert_array_equal(changed.homography, np.eye(3))
        assert not changed.hidden.any()


def test_noise_has_the_stated_strength_and_comes_from_the_seed() -> None:
    grey = np.full((80, 100, 3), 128, np.uint8)
    one, same, other = (change_picture(grey, "noise", 10.0, seed=s).picture for s in (1, 1, 2))
    assert one.astype(float).std() == pytest.approx(10, rel=0.05)
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_blur_against_scipy(dots: Picture) -> None:
    from scipy.ndimage import gaussian_filter

    found = change_picture(dots, "blur", 2.0).picture[..., 0]
    wanted = gaussian_filter(dots[..., 0].astype(float), 2.0, mode="reflect")
    assert np.abs(found - wanted).max() < 2


def test_what_is_hidden_is_marked_and_grows(dots: Picture) -> None:
    before = np.zeros((90, 120), bool)
    for level in CHANGES["hidden"].levels:
        changed = change_picture(dots, "hidden", level, seed=3)
        assert level / 100 <= changed.hidden.mean() < level / 100 + 0.06
        assert changed.hidden[before].all()
        np.testing.assert_array_equal(changed.picture[~changed.hidden], dots[~changed.hidden])
        before = changed.hidden


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 7, 3), (5, 2, 3)])
def test_tiny_pictures(name: str, shape: tuple[int, int, int]) -> None:
    for level in CHANGES[name].levels:
        changed = change_picture(np.full(shape, 9, np.uint8), name, level)
        assert changed.picture.dtype == np.uint8
        assert changed.picture.shape[:2] == changed.hidden.shape
        assert min(changed.picture.shape) >= 1


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("scale", 0.0),
        ("gain", -1.0),
        ("gamma", float("inf")),
        ("blur", 0.0),
        ("viewpoint", 90.0),
        ("hidden", 99.0),
    ],
)
def test_levels_without_meaning(dots: Picture, name: str, level: float) -> None:
    with pytest.raises(ValueError, match=r"meaning|hidden|camera"):
        change_picture(dots, name, level)


def test_unknown_change(dots: Picture) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'scale'"):
        change_picture(dots, "scal", 1.0)


def test_strengths_in_words() -> None:
    assert CHANGES["scale"].shown(0.5) == "× 0.5"
    assert CHANGES["rotation"].shown(45.0) == "45°"
    assert CHANGES["hidden"].shown(10.0) == "10 %"
