"""Occlusion hides what it says, truncation pushes out what it says."""

from __future__ import annotations

import numpy as np
import pytest

from striate.stress.axes.occlusion import OCCLUSION, occlusion_axes, top_share
from striate.stress.axes.truncation import TRUNCATION
from striate.stress.changes import Axis, Material
from striate.types import Array, PictureArray

NAMED = {axis.name: axis for axis in OCCLUSION}


def made(count: int, size_hw: tuple[int, int], seed: int = 0) -> tuple[PictureArray, Material]:
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 256, (count, *size_hw, 3), dtype=np.uint8)
    others = rng.integers(0, 256, (5, *size_hw, 3), dtype=np.uint8)
    heat = rng.random((count, *size_hw), np.float32)
    return pictures, Material(np.arange(count) * 31 + seed, others, None, heat)


def hidden(axis: Axis, pictures: PictureArray, level: float, material: Material) -> Array:
    changed = axis.change(pictures, level, material)
    assert changed.moves is None
    found: Array = (changed.pictures != pictures).any(axis=3)
    return found


@pytest.mark.parametrize("axis", OCCLUSION, ids=lambda axis: axis.name)
def test_hides_its_share_and_more_at_each_level(axis: Axis) -> None:
    pictures, material = made(12, (48, 64))
    before, last = pictures.copy(), np.zeros((12, 48, 64), bool)
    for level in axis.levels:
        found = hidden(axis, pictures, level, material)
        assert np.array_equal(pictures, before)
        shares = found.mean(axis=(1, 2))
        # noise may equal what hides it here and there; rows and columns are whole
        assert np.abs(shares - level).max() < 0.02
        assert (last & ~found).sum(axis=(1, 2)).max() <= 64 * 2
        assert material.heat is not None
        part = Material(material.seeds[5:7], material.others, None, material.heat[5:7])
        alone = axis.change(pictures[5:7], level, part).pictures
        assert np.array_equal(alone, axis.change(pictures, level, material).pictures[5:7])
        last = found
    assert len({one.tobytes() for one in last}) > 1 or axis.name == "hedge"


@pytest.mark.parametrize("axis", [*OCCLUSION, *TRUNCATION], ids=lambda axis: axis.name)
@pytest.mark.parametrize("size_hw", [(1, 1), (1, 400), (300, 2)])
def test_odd_pictures_of_occlusion(axis: Axis, size_hw: tuple[int, int]) -> None:
    pictures, material = made(3, size_hw)
    none = Material(material.seeds, material.others[:0], None, np.zeros((3, *size_hw), np.float32))
    for level in axis.levels:
        assert axis.change(pictures, level, material).pictures.shape == pictures.shape
        assert axis.change(pictures, level, none).pictures.dtype == np.uint8
        nobody = Material(none.seeds[:0], none.others, None, np.zeros((0, *size_hw)))
        assert axis.change(pictures[:0], level, nobody).pictures.shape == (0, *size_hw, 3)


def test_a_rectangle_is_one_and_keeps_to_the_frame() -> None:
    pictures, material = made(40, (40, 60))
    for level in (0.1, 0.6):
        for mask in hidden(NAMED["rectangle"], pictures, level, material):
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            box = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            assert box.mean() > 0.98
            assert box.size == pytest.approx(level * 2400, rel=0.08)


def test_what_hides_is_what_is_said() -> None:
    pictures, material = made(4, (30, 30))
    mask = hidden(NAMED["rectangle"], pictures, 0.3, material)
    changed = NAMED["rectangle"].change(pictures, 0.3, material).pictures
    for row in range(4):
        mean = pictures[row].mean(axis=(0, 1))
        assert np.abs(changed[row][mask[row]] - mean).max() <= 0.5
    blobs = NAMED["blobs"].change(pictures, 0.45, material).pictures
    for row in range(4):
        like = [(blobs[row] == other).all(axis=2).mean() for other in material.others]
        assert max(like) == pytest.approx(0.45, abs=0.01)
    bars = NAMED["bars"].change(pictures, 0.2, material).pictures
    dark = (bars == (52, 56, 62)).all(axis=3)
    assert (dark.all(axis=1) == dark.any(axis=1)).all()  # whole columns
    hedge = hidden(NAMED["hedge"], pictures, 0.3, material)
    assert hedge[:, -4:].all()
    assert not hedge[:, :8].any()


def test_blobs_never_show_the_picture_itself() -> None:
    pictures, material = made(5, (16, 16))
    same = Material(material.seeds, pictures, None, material.heat)
    changed = NAMED["blobs"].change(pictures, 0.6, same).pictures
    assert ((changed != pictures).any(axis=3).mean(axis=(1, 2)) > 0.55).all()


def test_the_hottest_is_hidden_first_and_the_coldest_in_the_control() -> None:
    pictures, material = made(3, (20, 20))
    y, x = np.indices((20, 20))
    heat = np.exp(-((y - 6) ** 2 + (x - 13) ** 2) / 30).astype(np.float32)
    material = Material(material.seeds, material.others, None, np.repeat(heat[None], 3, axis=0))
    hot = hidden(NAMED["hide-hottest"], pictures, 0.2, material)
    cold = hidden(NAMED["hide-coldest"], pictures, 0.2, material)
    assert heat[hot[0]].min() >= heat[~hot[0]].max() - 1e-5
    assert heat[cold[0]].max() <= heat[~cold[0]].min() + 1e-5
    assert NAMED["hide-hottest"].needs_heat
    even = Material(material.seeds, material.others, None, np.zeros((3, 20, 20), np.float32))
    same = hidden(NAMED["hide-hottest"], pictures, 0.3, even)
    assert same.mean(axis=(1, 2)) == pytest.approx(0.3, abs=0.01)
    assert not np.array_equal(same[0], same[1])


def test_the_largest_share() -> None:
    values = np.array([[[3.0, 1, 2, 0]], [[0.0, 0, 5, 0]]])
    assert top_share(values, 0.5)[0, 0].tolist() == [True, False, True, False]
    assert top_share(values, 0.5).sum() == 4
    assert not top_share(values, 0.1).any()
    assert top_share(values, 1).all()


def test_truncation_pushes_out_the_share_of_the_object() -> None:
    pictures, material = made(40, (50, 80))
    masks = np.zeros((40, 50, 80), bool)
    masks[:, 15:40, 20:60] = True
    masks[:, 20:25, 20:30] = False
    axis = TRUNCATION[0]
    for known, edges in ((masks, {(0, 1)}), (None, {(0, 1), (0, -1), (1, 0), (-1, 0)})):
        for level in axis.levels:
            changed = axis.change(pictures, level, Material(material.seeds, material.others, known))
            assert changed.moves is not None
            ways: set[tuple[int, ...]] = set()
            for row, move in enumerate(changed.moves):
                by = move(np.zeros((1, 2)))[0]
                ways.add(tuple(np.sign(by).astype(int).tolist()))
                y, x = np.nonzero(masks[row] if known is not None else np.ones((50, 80)))
                places = move(np.stack([x, y], axis=1) + 0.5)
                inside = ((places > 0) & (places < (80, 50))).all(axis=1)
                assert 1 - inside.mean() == pytest.approx(level, abs=0.025)
                there = np.floor(places[inside]).astype(int)
                kept = pictures[row][y[inside], x[inside]]
                assert np.array_equal(changed.pictures[row][there[:, 1], there[:, 0]], kept)
            assert ways == edges  # the object is nearest to the lower one


def test_patches_show_no_other_thing_where_things_are_to_be_found() -> None:
    pictures, material = made(4, (30, 30))
    plain = next(one for one in occlusion_axes(placed=True) if one.name == "blobs")
    changed = plain.change(pictures, 0.45, material).pictures
    for row in range(4):
        mask = (changed[row] != pictures[row]).any(axis=2)
        assert mask.mean() == pytest.approx(0.45, abs=0.01)
        assert np.abs(changed[row][mask] - pictures[row].mean(axis=(0, 1))).max() <= 0.5
    assert [one.name for one in occlusion_axes(placed=True)] == [one.name for one in OCCLUSION]
