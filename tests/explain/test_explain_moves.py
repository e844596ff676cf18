from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st

from striate.explain.moves import Border, affine, scaled, shifted, turned

MODES: dict[Border, str] = {"reflect": "reflect", "grey": "grid-constant"}


@pytest.fixture
def pictures(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 256, (2, 7, 12, 3), dtype=np.uint8)


@pytest.mark.parametrize("border", list(MODES))
@given(down=st.integers(-20, 20), right=st.integers(-20, 20))
def test_shifts_are_exact(border: Border, down: int, right: int) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 7, 12, 3), dtype=np.uint8)
    mode = "reflect" if border == "reflect" else "constant"
    expected = scipy.ndimage.shift(pictures, (0, down, right, 0), order=0, mode=mode, cval=127)
    np.testing.assert_array_equal(shifted(pictures, down, right, border=border), expected)


@pytest.mark.parametrize("border", list(MODES))
@pytest.mark.parametrize("angle", [-135.0, -20.0, 0.0, 7.0, 30.0, 91.0])
def test_rotation_is_that_of_scipy(pictures: np.ndarray, border: Border, angle: float) -> None:
    expected = scipy.ndimage.rotate(
        pictures.astype(float), angle, axes=(1, 2), reshape=False, order=1, mode=MODES[border], cval=127
    )
    assert np.abs(turned(pictures, angle, border=border) - expected).max() <= 0.51


def test_whole_turns_move_pixels(rng: np.random.Generator, pictures: np.ndarray) -> None:
    square = rng.integers(0, 256, (1, 9, 9, 3), dtype=np.uint8)
    np.testing.assert_array_equal(turned(square, 90), np.rot90(square, axes=(1, 2)))
    np.testing.assert_array_equal(turned(pictures, 180), np.rot90(pictures, 2, axes=(1, 2)))
    np.testing.assert_array_equal(turned(pictures, 360), pictures)


def test_larger_is_that_of_scipy(pictures: np.ndarray) -> None:
    middle = (np.array([7, 12]) - 1) / 2
    expected = scipy.ndimage.affine_transform(
        pictures[0].astype(float),
        np.diag([0.5, 0.5, 1]),
        (*(middle - 0.5 * middle), 0),
        order=1,
        mode="reflect",
    )
    assert np.abs(scaled(pictures, 2.0)[0] - expected).max() <= 0.51
    np.testing.assert_array_equal(scaled(pictures, 1.0), pictures)


def test_smaller_is_averaged() -> None:
    checks = np.indices((16, 16)).sum(axis=0) % 2 * 255
    pictures = np.repeat(checks[None, :, :, None], 3, axis=3).astype(np.uint8)
    found = scaled(pictures, 0.5, border="grey")[0, 5:11, 5:11]
    assert np.abs(found.astype(int) - 127).max() <= 2


def test_grey_comes_in_from_beyond() -> None:
    pictures = np.full((1, 8, 8, 3), 200, np.uint8)
    found = scaled(pictures, 0.5, border="grey")[0, :, :, 0]
    assert found[0, 0] == 127
    assert found[4, 4] == 200
    assert (shifted(pictures, 0, 99, border="grey") == 127).all()


def test_degenerate() -> None:
    one = np.full((1, 1, 1, 3), 9, np.uint8)
    for found in (turned(one, 33.0), scaled(one, 0.4), scaled(one, 2.5), shifted(one, 3, -5)):
        np.testing.assert_array_equal(found, one)
    with pytest.raises(ValueError, match="above 0"):
        scaled(one, 0.0)
    none = np.zeros((0, 4, 5, 3), np.uint8)
    assert affine(none, np.eye(2)).shape == (0, 4, 5, 3)
