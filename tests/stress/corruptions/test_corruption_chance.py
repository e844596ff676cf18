"""The corruptions that are drawn: the law of what they draw."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage, stats

from striate.stress.changes import Material
from striate.stress.corruptions import CORRUPTIONS, corrupt, elastic
from striate.stress.corruptions.apply import elastic_deformations
from striate.stress.corruptions.chance import generators, poisson_greys
from striate.stress.corruptions.elastic import deformations
from striate.stress.corruptions.ice import ice_crops, ice_textures
from striate.stress.corruptions.plasma import plasma
from striate.types import Array

SEEDS = np.arange(6)


def grey(value: int, *, side: int = 100, count: int = 6) -> Array:
    return np.full((count, side, side, 3), value, np.uint8)


@pytest.mark.parametrize("severity", [1, 3])
def test_gaussian_noise_has_its_standard_deviation(severity: int) -> None:
    found = corrupt(grey(127), "gaussian_noise", severity, SEEDS, parameters="imagenet")
    wanted = 255 * (0.08, 0, 0.18)[severity - 1]
    clipped = np.clip(127 + wanted * np.random.default_rng(0).standard_normal(10**6), 0, 255).astype(
        np.uint8
    )
    assert found.std() == pytest.approx(clipped.std(), rel=0.01)
    assert found.mean() == pytest.approx(clipped.mean(), abs=0.5)


def test_speckle_noise_grows_with_the_light() -> None:
    dark, light = (
        corrupt(grey(value), "speckle_noise", 1, SEEDS, parameters="imagenet").std()
        for value in (40, 120)
    )
    assert dark == pytest.approx(0.15 * 40, rel=0.02)
    assert light == pytest.approx(0.15 * 120, rel=0.02)


@pytest.mark.parametrize("photons", [3, 12, 60, 500])
@pytest.mark.parametrize("value", [0, 7, 130, 255])
def test_shot_noise_is_poisson(photons: int, value: int) -> None:
    found = poisson_greys(grey(value), photons, generators(SEEDS, "test"))
    counts = np.arange(photons + 1)
    shown = (counts / photons * 255 + 1e-9).astype(np.uint8)
    chances = stats.poisson.pmf(counts, value / 255 * photons)
    chances[-1] = 1 - chances[:-1].sum()
    wanted = np.bincount(shown, weights=chances, minlength=256) * found.size
    seen = np.bincount(found.reshape(-1), minlength=256)
    assert not seen[wanted < 1e-6].any()
    usual = wanted > 20
    if usual.sum() > 1:
        statistic = ((seen - wanted)[usual] ** 2 / wanted[usual]).sum()
        assert stats.chi2.sf(statistic, usual.sum() - 1) > 1e-4


def test_impulse_noise_hits_its_share_half_white_half_black() -> None:
    found = corrupt(grey(127), "impulse_noise", 5, SEEDS, parameters="imagenet")
    for hit in (0, 255):
        assert (found == hit).mean() == pytest.approx(0.135, abs=0.003)
    assert set(np.unique(found)) == {0, 127, 255}


def test_plasma_has_the_law_of_the_published_loop(rng: np.random.Generator) -> None:
    wanted = np.stack([_published_plasma(32, 1.5, rng) for _ in range(300)])
    found = plasma(generators(np.arange(1200), "test"), (32, 32), 1.5)
    assert found.min() == 0.0
    assert found.max() == 1.0
    assert found.mean() == pytest.approx(wanted.mean(), abs=0.025)
    assert found.std() == pytest.approx(wanted.std(), rel=0.06)
    assert np.abs(np.log(_spectrum(found) / _spectrum(wanted))).max() < 0.25


def _published_plasma(side: int, decay: float, rng: np.random.Generator) -> Array:
    """Diamond and square on one array, step by step."""
    field = np.zeros((side, side))
    step, wibble = side, 100.0
    while step >= 2:
        half = step // 2
        corners = field[::step, ::step]
        middle = sum(np.roll(corners, (-a, -b), (0, 1)) for a in (0, 1) for b in (0, 1)) / 4
        field[half::step, half::step] = middle + wibble * rng.uniform(-wibble, wibble, middle.shape)
        inner = field[half::step, half::step]
        across = corners + np.roll(corners, -1, 1) + inner + np.roll(inner, 1, 0)
        field[::step, half::step] = across / 4 + wibble * rng.uniform(-wibble, wibble, middle.shape)
        down = corners + np.roll(corners, -1, 0) + inner + np.roll(inner, 1, 1)
        field[half::step, ::step] = down / 4 + wibble * rng.uniform(-wibble, wibble, middle.shape)
        step, wibble = half, wibble / decay
    field -= field.min()
    return field / field.max()


def _spectrum(fields: Array) -> Array:
    """Mean power by octave of frequency, without the mean."""
    power = (np.abs(np.fft.fft2(fields)) ** 2).mean(axis=0)
    frequency = np.fft.fftfreq(fields.shape[-1]) * fields.shape[-1]
    radius = np.maximum(np.hypot(frequency[:, None], frequency), 1)
    octave = np.floor(np.log2(radius)).astype(int)
    power[0, 0] = 0
    return np.bincount(octave.reshape(-1), weights=power.reshape(-1))[:4]


def test_fog_of_a_black_picture_stays_black_and_of_a_white_one_white() -> None:
    assert not corrupt(grey(0, side=40), "fog", 5, SEEDS).any()
    white = corrupt(grey(255, side=40), "fog", 1, SEEDS, parameters="imagenet")
    assert white.min() == int(255 / 2.5)  # (1 + 1.5·0) · 1 / (1 + 1.5)
    assert white.max() == 255


def test_snow_is_symmetric_under_half_a_turn_and_never_darkens() -> None:
    found = corrupt(grey(60, side=61), "snow", 3, SEEDS, parameters="imagenet")
    assert np.array_equal(found, found[:, ::-1, ::-1])
    base = int(0.7 * 60 + 0.3 * (60 * 1.5 + 127.5))
    assert found.min() == base
    assert 0.02 < (found[..., 0] > base + 20).mean() < 0.9


def test_frost_is_a_piece_of_ice_over_the_picture() -> None:
    chance = generators(SEEDS, "frost")
    (ice, *_) = ice_crops(chance, (80, 120), 1.0)
    picture = np.full((6, 80, 120, 3), 100, np.uint8)
    found = corrupt(picture, "frost", 2, SEEDS, parameters="imagenet")
    wanted = np.clip(80 + 0.6 * ice.astype(float), 0, 255)
    assert np.abs(found[0] - wanted).max() <= 1


def test_ice_has_the_light_of_the_photographs_and_is_not_flat() -> None:
    textures = ice_textures()
    for ice, mean in zip(textures, (131, 207, 207, 152, 123), strict=True):
        assert ice.mean() == pytest.approx(mean, abs=3)
        assert np.abs(np.diff(ice.astype(float), axis=1)).mean() > 1
    assert not np.array_equal(textures[1], textures[2])


def test_elastic_shifts_have_the_size_of_the_definition() -> None:
    """Noise of ±0.005·h, smoothed by a Gaussian of 0.01·h, times 25: its standard deviation follows."""
    found = deformations((224, 224), (25 * 0.005, 0.01, 0), "imagenet", generators(SEEDS, "test"))
    shifts = np.stack([one.shift_xy for one in found])
    noise = 25 * 0.005 * 224 / 3**0.5
    assert shifts.std() == pytest.approx(noise / (2 * np.pi**0.5 * 2.24), rel=0.05)


@pytest.mark.parametrize("severity", [1, 3])
@pytest.mark.parametrize("side", [32, 64])
def test_elastic_carries_points_to_where_they_are_shown(severity: int, side: int) -> None:
    """A bright spot is found, after the corruption, where its middle was carried to."""
    axis = next(one for one in CORRUPTIONS if one.name == "elastic_transform")
    spots = np.random.default_rng(1).uniform(0.35, 0.65, (8, 2)) * side
    rows, columns = np.mgrid[0:side, 0:side] + 0.5
    light = [np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8) for x, y in spots]
    pictures = np.repeat((250 * np.stack(light))[..., None], 3, -1).astype(np.uint8)
    changed = axis.change(pictures, severity, Material(np.arange(8), pictures))
    assert changed.moves is not None
    for spot, move, shown in zip(spots, changed.moves, changed.pictures, strict=True):
        weights = shown[..., 0].astype(float)
        middle = np.array([(weights * columns).sum(), (weights * rows).sum()]) / weights.sum()
        assert move(spot[None])[0] == pytest.approx(middle, abs=0.5)


@pytest.mark.parametrize("size_hw", [(32, 32), (60, 70), (200, 260)])
@pytest.mark.parametrize("severity", [2, 4, 5])
def test_elastic_moves_undo_the_shift(
    severity: int, size_hw: tuple[int, int], rng: np.random.Generator
) -> None:
    """What is shown at the carried point is the point: shifted back, and turned."""
    points = rng.uniform(0.2, 0.8, (200, 2)) * size_hw[::-1]
    for one in elastic_deformations(size_hw, severity, SEEDS[:2]):
        carried = one.carry(points) - 0.5
        shift = [
            ndimage.map_coordinates(one.shift_xy[..., axis], carried[:, ::-1].T, order=1, mode="nearest")
            for axis in (0, 1)
        ]
        wanted = (points - 0.5) @ one.affine[:, :2].T + one.affine[:, 2]
        missed = np.hypot(*(carried + np.stack(shift, 1) - wanted).T)
        inside = (wanted > 2).all(1) & (wanted < np.array(size_hw[::-1]) - 3).all(1)
        assert np.median(missed[inside]) < 0.05
        assert np.percentile(missed[inside], 90) < 0.5
    assert one.carry(np.zeros((0, 2))).shape == (0, 2)


def test_elastic_is_drawn_once_and_looked_through_once_a_picture(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    drawn, trees = [], []
    draw, shown = elastic._smooth, elastic.Deformation.shown
    monkeypatch.setattr(elastic, "_smooth", lambda *given: drawn.append(1) or draw(*given))
    monkeypatch.setattr(elastic.Deformation, "shown", lambda one: trees.append(1) or shown(one))
    axis = next(one for one in CORRUPTIONS if one.name == "elastic_transform")
    pictures = rng.integers(0, 256, (3, 50, 70, 3)).astype(np.uint8)
    moves = axis.change(pictures, 3, Material(SEEDS[:3], pictures)).moves
    assert moves is not None
    assert len(drawn) == 3
    points = rng.uniform(5, 45, (20, 2))
    for move, one in zip(moves, elastic_deformations((50, 70), 3, SEEDS[:3]), strict=True):
        assert move(np.zeros((0, 2))).shape == (0, 2)
        before = len(trees)
        told = [move(points), move(points)]
        assert len(trees) == before + 1
        assert np.array_equal(told[0], one.carry(points))
        assert np.array_equal(told[0], told[1])
    assert np.array_equal(
        moves[0](points), elastic_deformations((50, 70), 3, SEEDS[:1])[0].carry(points)
    )
