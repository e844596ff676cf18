"""Axes of geometry: pictures and places move alike."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from striate.explain.moves import turned
from striate.stress.axes.deformation import DEFORMATION, deformation_axes
from striate.stress.axes.geometry import GEOMETRY, geometry_axes
from striate.stress.axes.truncation import TRUNCATION
from striate.stress.axes.warping import rim_colours
from striate.stress.changes import Axis, Material
from striate.types import Array, PictureArray

MOVING = (*geometry_axes("rim"), *deformation_axes("rim"), *TRUNCATION)
ALL = (*GEOMETRY, *DEFORMATION, *MOVING)
SPOTS = np.array([[30.3, 25.5], [66.0, 22.0], [48.0, 36.0], [25.0, 50.0], [70.5, 49.5]])


def material(count: int, seed: int = 0) -> Material:
    return Material(np.arange(count) * 7919 + seed, np.zeros((0, 4, 4, 3), np.uint8))


def blob(spot: Array, size_hw: tuple[int, int]) -> PictureArray:
    """A white Gaussian spot on black."""
    y, x = (np.arange(side) + 0.5 for side in size_hw)
    far = np.square(x - spot[0])[None] + np.square(y - spot[1])[:, None]
    return np.repeat(np.rint(255 * np.exp(-far / (2 * 2.5**2)))[..., None], 3, axis=2).astype(np.uint8)


def centre(picture: PictureArray) -> Array:
    weight = picture[..., 0].astype(float)
    y, x = (np.arange(side) + 0.5 for side in weight.shape)
    found: Array = np.array([(weight.sum(0) * x).sum(), (weight.sum(1) * y).sum()]) / weight.sum()
    return found


@pytest.mark.parametrize("axis", MOVING, ids=lambda axis: axis.name)
@pytest.mark.parametrize("step", [0, 2, 4])
def test_a_spot_lands_where_the_move_says(axis: Axis, step: int) -> None:
    size_hw = (72, 96)
    pictures = np.stack([blob(spot, size_hw) for spot in SPOTS])
    changed = axis.change(pictures, axis.levels[step], material(len(SPOTS)))
    assert changed.moves is not None
    looked_at = 0
    for picture, move, spot in zip(changed.pictures, changed.moves, SPOTS, strict=True):
        told = move(spot[None])[0]
        if (told < 12).any() or (told > np.array([96, 72]) - 12).any():
            continue  # partly outside: its centre of mass is no longer its middle
        # against the mean of where its parts go: a spot under a curved move is no longer round
        weights = blob(spot, size_hw)[..., 0].astype(float)
        y, x = np.nonzero(weights)
        places = move(np.stack([x, y], axis=1) + 0.5)
        areas = _areas(move, np.stack([x, y], axis=1) + 0.5)
        share = weights[y, x] * areas
        mean = (places * share[:, None]).sum(axis=0) / share.sum()
        assert np.abs(centre(picture) - mean).max() < 0.12
        assert np.abs(centre(picture) - told).max() < (1.0 if step == 4 else 0.5)
        looked_at += 1
    assert looked_at or axis.name in ("nearer", "truncation")


def _areas(move: object, points: Array) -> Array:
    """How much larger a pixel at each point becomes."""
    assert callable(move)
    right, down = np.array([[1e-3, 0], [0, 1e-3]])
    dx = (move(points + right) - move(points - right)) / 2e-3
    dy = (move(points + down) - move(points - down)) / 2e-3
    found: Array = np.abs(dx[:, 0] * dy[:, 1] - dx[:, 1] * dy[:, 0])
    return found


@pytest.mark.parametrize("axis", ALL, ids=lambda axis: axis.name)
def test_what_every_axis_promises(axis: Axis, rng: np.random.Generator) -> None:
    pictures = rng.integers(0, 256, (6, 20, 27, 3), dtype=np.uint8)
    before, whole = pictures.copy(), material(6)
    far = []
    for level in axis.levels:
        changed = axis.change(pictures, level, whole)
        assert np.array_equal(pictures, before)
        assert changed.pictures.dtype == np.uint8
        assert changed.pictures.shape == pictures.shape
        assert not np.shares_memory(changed.pictures, pictures)
        assert np.array_equal(changed.pictures, axis.change(pictures, level, whole).pictures)
        alone = axis.change(pictures[3:4], level, Material(whole.seeds[3:4], whole.others))
        assert np.array_equal(alone.pictures[0], changed.pictures[3])
        assert changed.moves is not None
        assert alone.moves is not None
        assert np.allclose(alone.moves[0](SPOTS / 4), changed.moves[3](SPOTS / 4), atol=1e-5)
        places = SPOTS / 4
        far.append(np.mean([np.hypot(*(move(places) - places).T).mean() for move in changed.moves]))
    assert axis.levels == tuple(sorted(axis.levels))
    assert np.all(np.diff(far) > 0)  # the same way at every level, only farther


@pytest.mark.parametrize("axis", ALL, ids=lambda axis: axis.name)
@pytest.mark.parametrize("size_hw", [(1, 1), (1, 400), (300, 2), (2, 3)])
def test_odd_pictures(axis: Axis, size_hw: tuple[int, int], rng: np.random.Generator) -> None:
    noise = rng.integers(0, 256, (2, *size_hw, 3), dtype=np.uint8)
    flat = np.full((2, *size_hw, 3), 90, np.uint8)
    for level in axis.levels[::2]:
        changed = axis.change(noise, level, material(2))
        assert changed.moves is not None
        assert np.isfinite(changed.moves[1](np.array([[0.0, 0.0], [500, 2]]))).all()
        assert (axis.change(flat, level, material(2)).pictures == 90).all()
        assert axis.change(noise[:0], level, material(0)).pictures.shape == (0, *size_hw, 3)


def test_a_turn_is_the_one_that_explain_makes(rng: np.random.Generator) -> None:
    noise = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
    smooth = np.asarray(cv2.GaussianBlur(noise, (0, 0), 2), np.uint8)
    rotation = next(axis for axis in GEOMETRY if axis.name == "rotation")
    seen = set()
    for level in (15.0, 90.0):
        for seed in range(8):
            found = rotation.change(smooth[None], level, material(1, seed)).pictures[0].astype(int)
            off = [np.abs(found - turned(smooth[None], sign * level)[0]).max() for sign in (1, -1)]
            assert min(off) <= (3 if level == 15 else 0)
            seen.add(int(np.argmin(off)))
    assert seen == {0, 1}


def test_a_plane_seen_from_the_side() -> None:
    """Against the camera written out: the plane's corners turned in space, then projected."""
    viewpoint = next(axis for axis in GEOMETRY if axis.name == "viewpoint")
    moves = viewpoint.change(np.zeros((40, 60, 90, 3), np.uint8), 45, material(40)).moves
    assert moves is not None
    signs = set()
    for move in moves:
        corners = move(np.array([[0.0, 0], [90, 0], [90, 60], [0, 60], [45, 30]]))
        assert np.allclose(corners[4], [45, 30])
        left, right = np.ptp(corners[[0, 3], 1]), np.ptp(corners[[1, 2], 1])
        nearer, farther = max(left, right), min(left, right)
        # sides of height 60 at 1.5 · 90 ∓ 45 · sin 45°, but for the tilt, up to 15°
        far = 135.0
        assert nearer == pytest.approx(60 * far / (far - 45 * np.sqrt(0.5)), rel=0.09)
        assert farther == pytest.approx(60 * far / (far + 45 * np.sqrt(0.5)), rel=0.09)
        signs.add(left > right)
    assert signs == {True, False}


def test_no_fine_pattern_survives_being_made_small() -> None:
    """A chequerboard of single pixels becomes an even grey, not a coarse pattern."""
    board = np.indices((64, 64)).sum(axis=0) % 2 * 255
    pictures = np.repeat(board[None, ..., None], 3, axis=3).astype(np.uint8)
    farther = next(axis for axis in GEOMETRY if axis.name == "farther")
    for level in (2, 4):
        small = farther.change(pictures, level, material(1)).pictures[0]
        side = round(64 / level)
        inner = small[32 - side // 2 :, 32 - side // 2 :][:side, :side]
        assert np.abs(inner.astype(int) - 127).max() <= 2
    viewpoint = next(axis for axis in GEOMETRY if axis.name == "viewpoint")
    assert viewpoint.change(pictures, 60, material(1)).pictures[0, 28:36, 30:34].std() < 30


def test_a_shift_by_parts_of_pixels_keeps_waves() -> None:
    """Waves of six pixels, shifted, against the same waves drawn there."""

    def waves(by: Array) -> Array:
        x = (np.arange(24) + 0.5)[None] - by[0]
        y = (np.arange(24) + 0.5)[:, None] - by[1]
        found: Array = 127 + 100 * np.sin(x * np.pi / 3) * np.sin(y * np.pi / 3)
        return found

    drawn = np.rint(waves(np.zeros(2)))[None, ..., None].repeat(3, axis=3).astype(np.uint8)
    shift = next(axis for axis in GEOMETRY if axis.name == "shift")
    changed = shift.change(drawn, 0.02, material(1))
    assert changed.moves is not None
    by = changed.moves[0](np.zeros((1, 2)))[0]
    assert np.hypot(*by) == pytest.approx(0.48)
    inner = (slice(4, -4), slice(4, -4))
    assert np.abs(changed.pictures[0, ..., 0][inner] - waves(by)[inner]).max() < 6
    assert np.abs(drawn[0, ..., 0][inner] - waves(by)[inner]).max() > 30


def test_the_colour_of_the_rim() -> None:
    picture = np.full((9, 9, 3), 200, np.uint8)
    picture[0, :3] = 0
    picture[4, 4] = 7
    assert rim_colours(picture[None])[0].tolist() == [200, 200, 200]
