"""The corruptions that leave nothing to chance, against the published definitions in SciPy, scikit-image
and Pillow; those that do, given the same draws."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage import color, data, transform

from striate.stress.corruptions import corrupt
from striate.stress.corruptions.blur import _moved_about, disc, trail
from striate.stress.corruptions.tables import NAMES, PARAMETERS, CorruptionName, ParameterSet
from striate.types import Array, Picture

SETS: dict[ParameterSet, tuple[int, int]] = {
    "imagenet": (120, 90),
    "tiny-imagenet": (64, 60),
    "cifar": (32, 32),
}
"""Sizes on which each set is tried; the constants are told, not guessed, and squares are avoided."""


@pytest.fixture(scope="module", params=SETS)
def case(request: pytest.FixtureRequest) -> tuple[ParameterSet, Picture]:
    which: ParameterSet = request.param
    shrunk = transform.resize(data.astronaut()[:400, 60:380], SETS[which], anti_aliasing=True)
    return which, np.asarray(shrunk * 255).astype(np.uint8)


def mean_difference(ours: Picture, theirs: Array) -> float:
    assert ours.shape == theirs.shape
    return float(np.abs(ours.astype(float) - np.uint8(theirs).astype(float)).mean())


def ours(case: tuple[ParameterSet, Picture], name: CorruptionName, severity: int) -> Picture:
    which, picture = case
    return corrupt(picture[None], name, severity, np.array([5]), parameters=which)[0]


def constants(
    case: tuple[ParameterSet, Picture], name: CorruptionName, severity: int
) -> tuple[float, ...]:
    return PARAMETERS[case[0]][name][severity - 1]


every_severity = pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])


@every_severity
def test_gaussian_blur_is_scipys(case: tuple[ParameterSet, Picture], severity: int) -> None:
    (sigma,) = constants(case, "gaussian_blur", severity)
    wanted = ndimage.gaussian_filter(case[1] / 255.0, (sigma, sigma, 0), mode="nearest") * 255
    assert mean_difference(ours(case, "gaussian_blur", severity), wanted) < 0.05


@every_severity
def test_defocus_is_a_disc_with_a_soft_rim(case: tuple[ParameterSet, Picture], severity: int) -> None:
    radius, rim = constants(case, "defocus_blur", severity)
    reach = max(8, int(radius))
    across = np.arange(-reach, reach + 1)
    inside = (across[:, None] ** 2 + across**2 <= radius**2).astype(float)
    taps = np.exp(-0.5 * (np.arange(-2, 3) / rim) ** 2)[1 if radius <= 8 else 0 :][
        : 3 if radius <= 8 else 5
    ]
    taps /= taps.sum()
    soft = ndimage.correlate1d(
        ndimage.correlate1d(inside / inside.sum(), taps, 0, mode="mirror"), taps, 1, mode="mirror"
    )
    wanted = ndimage.correlate(case[1] / 255.0, soft[..., None], mode="mirror") * 255
    assert mean_difference(ours(case, "defocus_blur", severity), wanted) < 0.1
    assert disc(radius, rim).sum() == pytest.approx(soft.sum(), abs=1e-5)


@every_severity
def test_zoom_blur_is_a_mean_of_zooms(case: tuple[ParameterSet, Picture], severity: int) -> None:
    factors = np.arange(1, *constants(case, "zoom_blur", severity))
    picture = case[1] / 255.0
    height, width = picture.shape[:2]
    total = picture.copy()
    for factor in factors:
        tall, wide = math.ceil(height / factor), math.ceil(width / factor)
        top, left = (height - tall) // 2, (width - wide) // 2
        middle = picture[top : top + tall, left : left + wide]
        total += ndimage.zoom(middle, (factor, factor, 1), order=1)[:height, :width]
    assert mean_difference(ours(case, "zoom_blur", severity), total / (len(factors) + 1) * 255) < 0.25


@every_severity
def test_brightness_and_saturation_are_those_of_hsv(
    case: tuple[ParameterSet, Picture], severity: int
) -> None:
    hsv = color.rgb2hsv(case[1])
    bright, vivid = hsv.copy(), hsv
    bright[..., 2] = np.clip(hsv[..., 2] + constants(case, "brightness", severity)[0], 0, 1)
    scale, raised = constants(case, "saturate", severity)
    wanted = np.clip(color.hsv2rgb(bright), 0, 1) * 255
    assert mean_difference(ours(case, "brightness", severity), wanted) < 0.1
    vivid[..., 1] = np.clip(hsv[..., 1] * scale + raised, 0, 1)
    wanted = np.clip(color.hsv2rgb(vivid), 0, 1) * 255
    assert mean_difference(ours(case, "saturate", severity), wanted) < 0.2


def test_a_grey_is_saturated_to_a_red_as_in_the_published_code() -> None:
    grey = np.full((1, 40, 40, 3), 100, np.uint8)
    found = corrupt(grey, "saturate", 5, np.zeros(1, np.int64), parameters="imagenet")
    hsv = color.rgb2hsv(grey[0])
    hsv[..., 1] = 0.2
    assert mean_difference(found[0], color.hsv2rgb(hsv) * 255 + 1e-3) == 0
    assert found[0, 0, 0].tolist() == [100, 80, 80]


@every_severity
def test_contrast_keeps_a_share_about_the_mean(
    case: tuple[ParameterSet, Picture], severity: int
) -> None:
    (share,) = constants(case, "contrast", severity)
    values = case[1] / 255.0
    means = values.mean(axis=(0, 1), keepdims=True)
    wanted = np.clip((values - means) * share + means, 0, 1) * 255
    assert mean_difference(ours(case, "contrast", severity), wanted) < 0.05


@every_severity
def test_pixelate_is_pillows(case: tuple[ParameterSet, Picture], severity: int) -> None:
    (scale,) = constants(case, "pixelate", severity)
    height, width = case[1].shape[:2]
    small = Image.fromarray(case[1]).resize(
        (int(width * scale), int(height * scale)), Image.Resampling.BOX
    )
    wanted = np.asarray(small.resize((width, height), Image.Resampling.NEAREST))
    assert np.array_equal(ours(case, "pixelate", severity), wanted)


@every_severity
def test_jpeg_is_pillows(case: tuple[ParameterSet, Picture], severity: int) -> None:
    file = io.BytesIO()
    Image.fromarray(case[1]).save(
        file, "JPEG", quality=int(constants(case, "jpeg_compression", severity)[0])
    )
    assert mean_difference(ours(case, "jpeg_compression", severity), np.asarray(Image.open(file))) < 0.5


@pytest.mark.parametrize("angle", [-45.0, -13.7, 0.0, 8.2, 45.0, -90.0, -131.0])
def test_motion_blur_lays_shifted_pictures_over_one_another(
    angle: float, rng: np.random.Generator
) -> None:
    picture = rng.uniform(0, 255, (40, 57))
    radius, sigma = 9, 4.0
    weights = np.exp(-0.5 * (np.arange(2 * radius + 1) / sigma) ** 2)
    wanted = np.zeros_like(picture)
    for step, weight in enumerate(weights / weights.sum()):
        down = -math.ceil(step * math.sin(math.radians(angle)) - 0.5)
        across = -math.ceil(step * math.cos(math.radians(angle)) - 0.5)
        rows = np.clip(np.arange(40) - down, 0, 39)
        columns = np.clip(np.arange(57) - across, 0, 56)
        wanted += weight * picture[rows][:, columns]
    found = np.zeros((40, 57), np.float32)
    trail(picture, radius, sigma, angle, found)
    assert np.abs(found - wanted).max() < 1e-3


@pytest.mark.parametrize("far", [1, 2, 4])
def test_glass_moves_pixels_as_the_published_loop_does(far: int, rng: np.random.Generator) -> None:
    pictures = rng.integers(0, 256, (3, 21, 34, 3)).astype(np.uint8)
    steps = rng.integers(-far, far, (3, 21, 34, 2)).astype(np.int8)
    wanted = pictures.copy()
    for number, x in enumerate(wanted):
        for row in range(21 - far, far, -1):
            for column in range(34 - far, far, -1):
                dx, dy = steps[number, row, column]
                there = row + dy, column + dx
                # the loop of the published code; its "swap" through views leaves a copy
                x[row, column], x[there] = x[there], x[row, column]
    assert np.array_equal(_moved_about(pictures, steps, far), wanted)


def test_every_set_has_constants_of_every_corruption() -> None:
    for table in PARAMETERS.values():
        assert set(table) == set(NAMES)
        for name, levels in table.items():
            assert len({len(level) for level in levels}) == 1, name
