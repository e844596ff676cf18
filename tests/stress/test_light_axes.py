"""Light and sensor axes: by their units."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage import color, data

from striate.stress.axes.light import LIGHT, exposed, light_gains, night, shaded, under_light_of
from striate.stress.axes.sensor import SENSOR, blurred, compressed, noisy, rescaled
from striate.stress.changes import Axis, Material
from striate.types import Array

every_axis = pytest.mark.parametrize("axis", [*LIGHT, *SENSOR], ids=lambda axis: axis.name)


def linear(values: Array) -> Array:
    coded = values / 255.0
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def grey(value: int, *size_hw: int) -> Array:
    return np.full((3, *(size_hw or (60, 60)), 3), value, np.uint8)


@every_axis
def test_axes_keep_their_promises(axis: Axis) -> None:
    whole = data.astronaut()
    pictures = np.stack([whole[40 * n : 40 * n + 120 : 2, 100:300:2] for n in range(4)])
    kept, seeds = pictures.copy(), np.array([7, 8, 7, 2**50])
    away = []
    for level in axis.levels:
        found = axis.change(pictures, level, Material(seeds, pictures))
        again = axis.change(pictures[2:], level, Material(seeds[2:], pictures[:0]))
        assert found.moves is None
        assert found.pictures.dtype == np.uint8
        assert np.array_equal(found.pictures[2:], again.pictures)
        away.append(np.abs(found.pictures - kept.astype(float)).mean())
    assert np.array_equal(pictures, kept)
    assert away == sorted(away)
    assert away[0] > 0.5


@every_axis
@pytest.mark.parametrize("size_hw", [(1, 1), (1, 400), (9, 2)])
def test_axes_take_any_size(axis: Axis, size_hw: tuple[int, int]) -> None:
    pictures = grey(90, *size_hw)
    for level in axis.levels:
        found = axis.change(pictures, level, Material(np.arange(3), pictures)).pictures
        assert found.shape == pictures.shape
    assert len(axis.change(pictures[:0], axis.levels[0], Material(np.arange(0), pictures)).pictures) == 0


def test_a_stop_is_twice_the_light() -> None:
    greys = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, -1)
    assert np.abs(linear(exposed(greys, -1)) - linear(greys) / 2).max() < 0.004
    assert np.abs(linear(exposed(greys, 1)) - np.minimum(2 * linear(greys), 1)).max() < 0.005
    assert np.array_equal(exposed(greys, 0), greys)


@pytest.mark.parametrize(("kelvin", "xy"), [(2856, (0.44757, 0.40745)), (5000, (0.34510, 0.35161))])
def test_light_has_the_colour_of_a_black_body(kelvin: float, xy: tuple[float, float]) -> None:
    """Chromaticities of CIE illuminant A, and of the Planckian locus at 5000 K."""
    white = light_gains(kelvin) * light_gains_of_d65_white()
    xyz = color.rgb2xyz(to_coded(white / white.max())[None, None])[0, 0]
    assert xyz[:2] / xyz.sum() == pytest.approx(xy, abs=0.004)


def light_gains_of_d65_white() -> Array:
    """Planck at 6504 K is a little off D65: what the camera's white is, in sRGB."""
    from striate.stress.axes.light import _planckian_rgb

    return _planckian_rgb(6504.0)


def to_coded(light: Array) -> Array:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def test_warm_is_red_and_cold_is_blue() -> None:
    warm, cold = (under_light_of(grey(120), kelvin)[0, 0, 0].astype(int) for kelvin in (2600, 15000))
    assert warm[0] > 120 > warm[2]
    assert cold[0] < 120 < cold[2]
    assert under_light_of(grey(120), 6504)[0, 0, 0].tolist() == [120, 120, 120]


def test_shade_darkens_one_side_by_its_stops() -> None:
    found = linear(shaded(grey(200, 80, 100), 2.0, np.arange(3))[..., 0])
    lit = float(linear(np.array(200)))
    for one in found:
        assert one.max() == pytest.approx(lit, rel=0.02)
        assert one.min() == pytest.approx(lit / 4, rel=0.06)
        assert 0.2 < (one > lit / 2).mean() < 0.8
    assert not np.array_equal(found[0], found[1])


def test_night_is_darker_and_has_the_noise_of_few_electrons() -> None:
    found = linear(night(grey(255, 200, 200), 6.0, np.arange(3)))
    electrons = 4000 / 64
    assert found.mean() == pytest.approx(2.0**-3, rel=0.02)
    assert found.std() / found.mean() == pytest.approx((electrons + 9) ** 0.5 / electrons, rel=0.05)


def test_noise_has_its_standard_deviation() -> None:
    assert noisy(grey(128, 200, 200), 10, np.arange(3)).std() == pytest.approx(10, rel=0.01)


def test_blur_is_scipys() -> None:
    picture = data.astronaut()[:90, 100:200]
    wanted = ndimage.gaussian_filter(picture.astype(float), (2.5, 2.5, 0), mode="nearest")
    assert np.abs(blurred(picture[None], 2.5)[0] - wanted).max() < 0.51


def test_jpeg_and_resolution_lose_what_is_fine() -> None:
    rows, columns = np.mgrid[0:64, 0:64]
    board = ((rows + columns) % 2 * 255).astype(np.uint8)[None, ..., None].repeat(3, -1)
    assert rescaled(board, 0.5).std() < 1
    assert rescaled(board, 1.0).tolist() == board.tolist()
    assert compressed(grey(77), 5).std() == 0


def test_names_are_unlike() -> None:
    names = [axis.name for axis in (*LIGHT, *SENSOR)]
    assert len(set(names)) == len(names) == 12
