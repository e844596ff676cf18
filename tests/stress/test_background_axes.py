"""Backgrounds change, objects do not; and who says where objects are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from striate.data.boxes.truth import Box
from striate.data.dataset import Record
from striate.data.meshes import solids_dataset
from striate.data.scenes import scenes_dataset
from striate.errors import DataError, UsageError
from striate.pictures.resize import fit
from striate.pictures.write import write
from striate.stress.axes.background import BACKGROUND, CLUTTER
from striate.stress.axes.occlusion import OCCLUSION
from striate.stress.changes import Axis, Material
from striate.stress.objects import MaskFolder, known_objects, object_mask, usable_axes
from striate.types import Array, Picture, PictureArray, SizeHW

NAMED = {axis.name: axis for axis in BACKGROUND}


def made(count: int, size_hw: tuple[int, int]) -> tuple[PictureArray, Material]:
    rng = np.random.default_rng(count)
    pictures = rng.integers(0, 256, (count, *size_hw, 3), dtype=np.uint8)
    others = rng.integers(0, 256, (7, *size_hw, 3), dtype=np.uint8)
    masks = np.zeros((count, *size_hw), bool)
    masks[:, size_hw[0] // 4 : size_hw[0] * 3 // 4, size_hw[1] // 4 : size_hw[1] * 3 // 4] = True
    return pictures, Material(np.arange(count) + 100, others, masks)


@pytest.mark.parametrize("axis", BACKGROUND, ids=lambda axis: axis.name)
def test_the_object_stays_and_the_background_goes(axis: Axis) -> None:
    pictures, material = made(8, (40, 60))
    assert material.masks is not None
    before, off = pictures.copy(), []
    for level in axis.levels:
        changed = axis.change(pictures, level, material)
        assert np.array_equal(pictures, before)
        assert changed.moves is None
        assert np.array_equal(changed.pictures[:, 12:28, 18:42], pictures[:, 12:28, 18:42])
        differs = np.abs(changed.pictures.astype(int) - pictures)[~material.masks]
        off.append(differs.mean())
        part = Material(material.seeds[2:3], material.others, material.masks[2:3])
        alone = axis.change(pictures[2:3], level, part).pictures[0]
        assert np.array_equal(alone, changed.pictures[2])
    assert np.all(np.diff(off) > 0)
    assert off[0] > 0


@pytest.mark.parametrize("axis", BACKGROUND, ids=lambda axis: axis.name)
@pytest.mark.parametrize("size_hw", [(1, 1), (1, 400), (300, 2)])
def test_odd_pictures_of_background(axis: Axis, size_hw: tuple[int, int]) -> None:
    pictures, material = made(3, size_hw)
    assert material.masks is not None
    for masks in (np.zeros_like(material.masks), np.ones_like(material.masks)):
        for others in (material.others, material.others[:0], np.zeros((1, 5, 9, 3), np.uint8)):
            found = axis.change(pictures, axis.levels[-1], Material(material.seeds, others, masks))
            assert found.pictures.shape == pictures.shape
            if masks.all() or (axis is not CLUTTER and not masks.any()):
                assert np.array_equal(found.pictures, pictures)
    nobody = Material(material.seeds[:0], material.others, material.masks[:0])
    assert axis.change(pictures[:0], axis.levels[0], nobody).pictures.shape == (0, *size_hw, 3)


def test_what_is_behind_is_what_is_said() -> None:
    pictures, material = made(6, (40, 40))
    plain = NAMED["background-plain"].change(pictures, 1.0, material).pictures
    assert material.masks is not None
    for row in range(6):
        mean = pictures[row][~material.masks[row]].mean(axis=0)
        assert np.abs(plain[row, :4] - mean).max() <= 0.51
    other = NAMED["background-other"].change(pictures, 1.0, material).pictures
    for row in range(6):
        enlarged = [
            cv2.resize(
                one[down : down + 20, right : right + 20], (40, 40), interpolation=cv2.INTER_CUBIC
            )
            for one in material.others
            for down in (0, 20)
            for right in (0, 20)
        ]
        assert sum(np.array_equal(one[:5], other[row, :5]) for one in enlarged) == 1


def test_edges_are_soft() -> None:
    pictures = np.full((1, 60, 60, 3), 200, np.uint8)
    masks = np.zeros((1, 60, 60), bool)
    masks[:, 20:40, 20:40] = True
    black = Material(np.arange(1), np.zeros((1, 60, 60, 3), np.uint8), masks)
    row = NAMED["background-other"].change(pictures, 1.0, black).pictures[0, 30, :, 0]
    assert row[:17].max() == 0
    assert (row[23:37] == 200).all()
    assert np.all(np.diff(row[15:25].astype(int)) >= 0)
    assert len(set(row[17:23].tolist())) > 3


def test_clutter_grows_piece_by_piece() -> None:
    pictures, material = made(5, (64, 64))
    assert material.masks is not None
    last = np.zeros((5, 64, 64), bool)
    shares = []
    for level in CLUTTER.levels:
        found = (CLUTTER.change(pictures, level, material).pictures != pictures).any(axis=3)
        assert not (last & ~found).sum() > 20  # a later piece may, by luck, look as the picture did
        assert not (found & material.masks).any()
        shares.append(found.mean())
        last = found
    assert 0.002 < shares[0] < 0.05
    assert 0.15 < shares[-1] < 0.5


class Still:
    """A picture that is there."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture

    def read(self, at_least_hw: SizeHW | None = None) -> Picture:
        return self.picture

    def content_hash(self) -> str:
        return ""


def bounds(mask: Array) -> list[int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return [int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1]


@pytest.mark.parametrize("how", ["pad", "squash", "crop"])
def test_scenes_know_their_object(how: str) -> None:
    record = scenes_dataset("class", n=10).records[0]
    picture = record.origin.read()
    prepared = fit(picture, (64, 96), how=how)  # type: ignore[arg-type]
    mask = object_mask(record, prepared)
    assert mask is not None
    assert mask.shape == (64, 96)
    scene = record.origin.scene()  # type: ignore[attr-defined]
    box = scene.boxes_xyxy[scene.main].reshape(2, 2) * prepared.scale_yx[::-1] + prepared.offset_yx[::-1]
    wanted = np.clip(box.ravel(), 0, [96, 64, 96, 64])
    assert np.abs(np.array(bounds(mask)) - wanted).max() <= 1
    assert known_objects([record]) == "exact"


def test_solids_know_their_object() -> None:
    record = solids_dataset("class", n=8).records[3]
    mask = object_mask(record, fit(record.origin.read(), (64, 64), how="squash"))
    assert mask is not None
    np.testing.assert_array_equal(mask, record.origin.rendered().mask)  # type: ignore[attr-defined]
    assert known_objects([record]) == "exact"


def test_streets_show_all_their_objects() -> None:
    record = scenes_dataset("boxes", n=12).records[3]
    prepared = fit(record.origin.read(), (128, 160), how="pad")
    mask = object_mask(record, prepared)
    assert mask is not None
    assert len(record.target) > 1
    for box in record.target:
        x0, y0, x1, y1 = (round(edge) for edge in box.box_xyxy)
        assert mask[y0:y1, x0:x1].any()
    assert known_objects([record]) == "exact"


def test_boxes_say_where_objects_may_be() -> None:
    picture = np.zeros((40, 80, 3), np.uint8)
    upright, turned = Box("a", (10, 4, 30, 14)), Box("a", (50, 15, 70, 25), angle_deg=90)
    record = Record("a", Still(picture), (upright, turned))
    prepared = fit(picture, (80, 80), how="pad")
    mask = object_mask(record, prepared)
    assert mask is not None
    assert bounds(mask[:, :40]) == [10, 24, 30, 34]
    assert bounds(mask[:, 40:]) == [15, 30, 25, 50]
    assert known_objects([record, Record("b", Still(picture), ())]) == "boxes"
    assert known_objects([record, Record("b", Still(picture), ("cat",))]) == "nothing"


def test_a_label_says_nothing() -> None:
    record = Record("a", Still(np.zeros((4, 4, 3), np.uint8)), ("cat",))
    assert object_mask(record, fit(record.origin.read(), (4, 4))) is None
    assert known_objects([record]) == "nothing"
    assert known_objects([]) == "nothing"


def test_masks_in_a_folder(tmp_path: Path) -> None:
    folder = MaskFolder(tmp_path)
    mask = np.zeros((40, 60, 3), np.uint8)
    mask[10:20, 30:50] = (0, 0, 1)
    (tmp_path / "train").mkdir()
    write(mask, tmp_path / "train" / "one.png")
    picture = np.zeros((40, 60, 3), np.uint8)
    record = Record("train/one.jpg", Still(picture), ("cat",))
    assert known_objects([record], folder) == "exact"
    found = object_mask(record, fit(picture, (40, 60)), folder)
    assert found is not None
    assert bounds(found) == [30, 10, 50, 20]
    half = object_mask(record, fit(picture[::2, ::2], (20, 30)), folder)  # decoded smaller
    assert half is not None
    assert bounds(half) == [15, 5, 25, 10]
    with pytest.raises(DataError, match="60 × 40 pixels, its picture 50 × 40"):
        object_mask(record, fit(picture[:, :50], (40, 50)), folder)
    with pytest.raises(DataError, match="no mask for train/two"):
        folder.mask("train/two.jpg", (40, 60))
    with pytest.raises(UsageError, match="is no folder"):
        MaskFolder(tmp_path / "absent")


def test_axes_are_left_out_with_a_reason() -> None:
    axes = (*BACKGROUND, *OCCLUSION)
    kept, left_out = usable_axes(axes, "exact")
    assert kept == axes
    assert not left_out
    kept, left_out = usable_axes(axes, "boxes")
    assert CLUTTER in kept
    assert len(left_out) == 3
    assert all("masks" in reason for _, reason in left_out)
    kept, left_out = usable_axes(axes, "nothing")
    assert kept == OCCLUSION
    assert all("guess" in reason for _, reason in left_out)
