"""The one resize: against Pillow, geometry by drawing points, and pictures of any shape."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from striate.errors import UnknownNameError
from striate.pictures import fit, resize
from striate.pictures.resize import FILTERS, FITS, PAD_GREY, Fit, Resample
from striate.types import Prepared

FITS_NAMES = get_args(Fit)
SIDES = st.integers(1, 60)
SIZES = st.tuples(SIDES, SIDES)


def noise(height: int, width: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_every_option_is_listed_once() -> None:
    assert set(get_args(Resample)) == FILTERS.keys()
    assert set(FITS_NAMES) == FITS.keys()


@pytest.mark.parametrize("how", get_args(Resample))
@pytest.mark.parametrize("size_hw", [(20, 31), (7, 100), (64, 64), (1, 1)])
def test_equals_pillow(how: Resample, size_hw: tuple[int, int]) -> None:
    picture = noise(37, 53)
    found = resize(picture, size_hw, how=how)
    gap = None if how == "nearest" else 3.0
    expected = Image.fromarray(picture).resize(size_hw[::-1], FILTERS[how], reducing_gap=gap)
    np.testing.assert_array_equal(found, np.asarray(expected))
    assert found.flags["C_CONTIGUOUS"]
    assert found.flags["WRITEABLE"]


def test_strong_reduction_stays_close_to_the_plain_filter() -> None:
    y, x = np.mgrid[:900, :1200]
    smooth = 127 + 60 * np.sin(x / 40) + 60 * np.cos(y / 25)
    picture = np.clip(smooth[..., None] + noise(900, 1200) / 8, 0, 255).astype(np.uint8)
    plain = np.asarray(Image.fromarray(picture).resize((96, 64), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(resize(picture, (64, 96)).astype(int) - plain).max() <= 2


def test_antialiasing_averages_a_fine_pattern() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.abs(resize(stripes, (16, 16))[:, 1:-1].astype(int) - 127).max() <= 2
    assert set(np.unique(resize(stripes, (16, 16), how="nearest"))) <= {0, 255}


@given(SIZES, SIZES, st.tuples(*[st.integers(0, 255)] * 3), st.sampled_from(get_args(Resample)))
def test_constant_stays_constant(
    size: tuple[int, int], to: tuple[int, int], colour: tuple[int, int, int], how: Resample
) -> None:
    found = resize(np.full((*size, 3), colour, np.uint8), to, how=how)
    assert found.shape == (*to, 3)
    assert (found == colour).all()


@given(SIZES, st.sampled_from(get_args(Resample)))
def test_equal_size_is_the_picture_itself(size: tuple[int, int], how: Resample) -> None:
    picture = noise(*size)
    assert resize(picture, size, how=how) is picture
    for way in FITS_NAMES:
        assert fit(picture, size, how=way).pixels is picture


@pytest.mark.parametrize("way", FITS_NAMES)
@pytest.mark.parametrize("shape", [(1, 500), (500, 1), (1, 1), (10000, 3), (3, 10000), (2, 3)])
@pytest.mark.parametrize("size_hw", [(224, 224), (1, 1), (17, 90), (1, 300)])
def test_thin_pictures(way: Fit, shape: tuple[int, int], size_hw: tuple[int, int]) -> None:
    prepared = fit(noise(*shape), size_hw, how=way)
    assert prepared.pixels.shape == (*size_hw, 3)
    assert prepared.pixels.dtype == np.uint8
    assert prepared.size_hw == shape


def mapped(prepared: Prepared, y: float, x: float) -> tuple[float, float]:
    (sy, sx), (oy, ox) = prepared.scale_yx, prepared.offset_yx
    return y * sy + oy, x * sx + ox


@given(SIZES, SIZES)
def test_corners_go_where_they_should(size: tuple[int, int], to: tuple[int, int]) -> None:
    """Squash: onto the corners. Pad: the picture lies inside, touching on one axis, centred. Crop: it
    covers all, touching on one axis, centred."""
    near, far = (0.0, 0.0), (float(size[0]), float(size[1]))
    squashed = fit(noise(*size), to, how="squash")
    assert mapped(squashed, *near) == (0, 0)
    assert mapped(squashed, *far) == pytest.approx(to)
    for way in ("pad", "crop"):
        prepared = fit(noise(*size), to, how=way)
        low, high = mapped(prepared, *near), mapped(prepared, *far)
        margins = [(low[axis], to[axis] - high[axis]) for axis in (0, 1)]
        sign = 1 if way == "pad" else -1
        assert all(sign * margin >= -1e-6 for pair in margins for margin in pair)
        assert any(abs(pair[0]) < 1e-6 and abs(pair[1]) < 1e-6 for pair in margins)
        assert all(abs(one - other) <= (1 if way == "pad" else 1e-6) for one, other in margins)


@given(
    st.integers(20, 60),
    st.integers(20, 60),
    st.integers(20, 60),
    st.integers(20, 60),
    st.sampled_from(FITS_NAMES),
)
def test_the_geometry_is_that_of_the_pixels(h: int, w: int, to_h: int, to_w: int, way: Fit) -> None:
    """A ramp whose value is the coordinate: each input pixel holds the coordinate it maps back to."""
    ramp = np.zeros((h, w, 3), np.uint8)
    ramp[..., 0] = (4 * np.arange(h))[:, None]
    ramp[..., 1] = 4 * np.arange(w)
    prepared = fit(ramp, (to_h, to_w), how=way, resample="box" if way == "squash" else "bilinear")
    centres_y, centres_x = np.mgrid[:to_h, :to_w] + 0.5
    y = (centres_y - prepared.offset_yx[0]) / prepared.scale_yx[0]
    x = (centres_x - prepared.offset_yx[1]) / prepared.scale_yx[1]
    inner = (y > 3) & (y < h - 3) & (x > 3) & (x < w - 3)
    tolerance = 4 * 0.75 if way == "squash" else 4 * 0.35
    np.testing.assert_allclose(prepared.pixels[inner, 0], 4 * (y[inner] - 0.5), atol=tolerance)
    np.testing.assert_allclose(prepared.pixels[inner, 1], 4 * (x[inner] - 0.5), atol=tolerance)


def test_pad_shows_all_on_grey_and_crop_shows_the_middle() -> None:
    picture = np.zeros((10, 40, 3), np.uint8)
    picture[:, 15:25] = (255, 0, 0)
    padded = fit(picture, (40, 40), how="pad").pixels
    np.testing.assert_array_equal(padded[15:25], picture)
    assert (np.delete(padded, np.s_[15:25], axis=0) == PAD_GREY).all()
    np.testing.assert_array_equal(fit(picture, (10, 10), how="crop").pixels, picture[:, 15:25])


def test_views_of_arrays_are_resized_as_what_they_show() -> None:
    picture = noise(20, 30)
    mirrored = picture[:, ::-1]
    np.testing.assert_array_equal(resize(mirrored, (9, 8)), resize(mirrored.copy(), (9, 8)))
    np.testing.assert_array_equal(
        resize(picture[3:, 5:], (9, 8)), resize(picture[3:, 5:].copy(), (9, 8))
    )


def test_wrong_requests() -> None:
    picture = noise(4, 5)
    with pytest.raises(UnknownNameError, match="bilinear"):
        resize(picture, (2, 2), how="bilinaer")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="bilinear"):
        resize(picture, (4, 5), how="bilinaer")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="squash"):
        fit(picture, (2, 2), how="stretch")  # type: ignore[arg-type]
    for wrong in (picture[..., 0], picture.astype(np.float32)):
        with pytest.raises(ValueError, match="uint8"):
            resize(wrong, (2, 2))
        with pytest.raises(ValueError, match="uint8"):
            fit(wrong, (2, 2))
    for size in ((0, 3), (3, -1)):
        with pytest.raises(ValueError, match="at least 1 pixel"):
            resize(picture, size)
        with pytest.raises(ValueError, match="at least 1 pixel"):
            fit(picture, size)
