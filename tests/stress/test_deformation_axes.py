"""Deformation: as strong as stated, never folded, undone exactly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from striate.stress.axes.deformation import DEFORMATION, SMOOTHNESS, STEEPEST, elastic_fields
from striate.stress.axes.fields import draw_fields
from striate.stress.changes import Material
from striate.types import Array


def test_elastic_is_as_strong_as_its_level_says() -> None:
    size_hw = (48, 75)
    side = np.sqrt(48 * 75)
    y, x = np.arange(48) + 0.5, np.arange(75) + 0.5
    for level in (0.01, 0.03, 0.05):
        field = elastic_fields(np.arange(60), size_hw, level).on_grid(y, x)  # (60, 2, 48, 75)
        rms = np.sqrt(np.square(field).sum(axis=1).mean(axis=(1, 2))) / side
        assert rms.max() <= level * 1.01
        assert (rms > level * 0.99).mean() > (0.95 if level < 0.05 else 0.5)


def test_nothing_folds() -> None:
    """Steps of the map on a fine grid: neighbours keep their order and their distance."""
    fine = np.linspace(0, 40, 150)
    field = elastic_fields(np.arange(20), (40, 40), 0.2).on_grid(fine, fine)  # far beyond the levels
    step = fine[1]
    by_x, by_y = np.diff(field, axis=3)[:, :, :-1] / step, np.diff(field, axis=2)[..., :-1] / step
    area = (1 + by_x[:, 0]) * (1 + by_y[:, 1]) - by_y[:, 0] * by_x[:, 1]
    assert area.min() > (1 - STEEPEST) ** 2 * 0.8
    norms = _largest(by_x[:, 0], by_y[:, 0], by_x[:, 1], by_y[:, 1])
    assert STEEPEST * 0.9 < norms.max() < STEEPEST * 1.06


def _largest(a: Array, b: Array, c: Array, d: Array) -> Array:
    """The larger singular value of [[a, b], [c, d]], from the trace and determinant of its square."""
    trace, area = a * a + b * b + c * c + d * d, a * d - b * c
    found: Array = np.sqrt((trace + np.sqrt(np.maximum(trace**2 - 4 * area**2, 0))) / 2)
    return found


@pytest.mark.parametrize("size_hw", [(40, 40), (30, 90)])
def test_every_move_undoes_the_field(size_hw: tuple[int, int], rng: np.random.Generator) -> None:
    pictures = rng.integers(0, 256, (5, *size_hw, 3), dtype=np.uint8)
    field = elastic_fields(np.arange(5), size_hw, 0.05)
    elastic = next(axis for axis in DEFORMATION if axis.name == "elastic")
    moves = elastic.change(pictures, 0.05, Material(np.arange(5), pictures[:0])).moves
    assert moves is not None
    places = rng.uniform(-5, 45, (200, 2))
    for row, move in enumerate(moves):
        sources = places + field.rows(row).at(places)
        assert np.abs(move(sources) - places).max() < 1e-4


def test_a_bent_and_a_twisted_grid() -> None:
    corners = np.array([[0.0, 0], [60, 0], [30, 20], [30, 0], [0, 20]])
    bend, twist = DEFORMATION[1], DEFORMATION[2]
    pictures, seeds = np.zeros((30, 40, 60, 3), np.uint8), np.arange(30)
    material = Material(seeds, pictures[:0])
    bent = bend.change(pictures, 0.3, material).moves
    assert bent is not None
    ways = set()
    for move in bent:
        moved = move(corners) - corners
        if moved[0, 0]:  # rows pushed to the side: ends against the middle, 0.3 of the width
            sagitta = moved[3, 0] - moved[2, 0]
            assert abs(sagitta) == pytest.approx(0.3 * 60)
            ways.add(("rows", sagitta > 0))
        else:
            sagitta = moved[4, 1] - moved[2, 1]
            assert abs(sagitta) == pytest.approx(0.3 * 40)
            ways.add(("columns", sagitta > 0))
    assert len(ways) == 4
    twisted = twist.change(pictures, 100, material).moves
    assert twisted is not None
    for move in twisted:
        near = move(np.array([[30.0 + 1e-3, 20.0]])) - (30, 20)
        assert abs(np.degrees(np.arctan2(near[0, 1], near[0, 0]))) == pytest.approx(100, abs=0.01)
        assert np.allclose(move(corners[:2]), corners[:2])  # corners stay


def test_a_field_is_noise_through_a_gaussian() -> None:
    """Its variogram is that of SciPy's filter."""

    def likeness(values: Array, lag: int) -> float:
        left, right = values[..., :-lag].ravel(), values[..., lag:].ravel()
        return float(np.corrcoef(left, right)[0, 1])

    side, sigma = 64, 0.1 * 64
    at = np.arange(side) + 0.5
    ours = draw_fields(np.arange(150), 1, (side, side), sigma, stream="x").on_grid(at, at)
    rng = np.random.default_rng(0)
    theirs = np.stack([gaussian_filter(rng.normal(size=(120, 120)), sigma) for _ in range(100)])
    theirs = theirs[:, 28:92, 28:92]
    for lag in (4, 8, 16):
        assert likeness(ours, lag) == pytest.approx(likeness(theirs, lag), abs=0.05)
    assert ours.var() == pytest.approx(np.pi, rel=0.15)
    assert 0 < SMOOTHNESS < 1
