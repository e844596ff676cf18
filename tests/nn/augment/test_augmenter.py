from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from striate.nn.augment.affine import warp_points
from striate.nn.augment.augmenter import Augmenter
from striate.nn.augment.plan import Mix
from striate.nn.augment.presets import resolve
from striate.nn.augment.settings import AugmentSettings
from striate.pictures.resize import PAD_GREY

SIZE_HW = (36, 50)
OFF = AugmentSettings(augment="none")
_OUTLINE = [[0, 0], [SIZE_HW[1], 0], [SIZE_HW[1], SIZE_HW[0]], [0, SIZE_HW[0]]]


def _augmenter(size_hw: tuple[int, int] = SIZE_HW, **asked: object) -> Augmenter:
    settings = OFF.model_copy(update=asked)
    return Augmenter(resolve(settings, size_hw=size_hw, grey=False), size_hw, seed=11)


def _pixels(count: int, size_hw: tuple[int, int] = SIZE_HW) -> np.ndarray:
    """Smooth pictures: noise would hide small misplacements."""
    y, x = np.mgrid[: size_hw[0], : size_hw[1]] / 10.0
    phases = np.random.default_rng(0).uniform(0, 6, (count, 1, 1, 3))
    return (127 + 100 * np.sin(x[None, :, :, None] + phases) * np.cos(y[None, :, :, None])).astype(
        np.uint8
    )


def _mixed(targets: torch.Tensor, mix: Mix | None) -> torch.Tensor:
    """Labels as the loss sees them: `share` of a picture's own, the rest of its partner's."""
    assert mix is not None
    own = torch.from_numpy(mix.share)[:, None]
    return targets * own + targets[torch.from_numpy(mix.partner)] * (1 - own)


EVERYTHING = {
    "flip": "both",
    "crop": 0.3,
    "translate": 0.1,
    "rotate_deg": 30.0,
    "scale": 0.2,
    "colour": 0.4,
    "noise": 0.1,
    "erase": 0.5,
}


@pytest.mark.parametrize("asked", [EVERYTHING, {"flip": "horizontal", "translate": 0.125, "erase": 0.5}])
def test_a_record_is_varied_alike_in_any_batch(asked: dict[str, object]) -> None:
    augmenter, pixels, indices = _augmenter(**asked), _pixels(9), np.arange(100, 109)
    whole = augmenter.apply(pixels, augmenter.plan(2, indices))
    for chosen in ([4], [8, 0], [3, 4, 5, 6]):
        some = augmenter.apply(pixels[chosen], augmenter.plan(2, indices[chosen]))
        assert torch.equal(some, whole[chosen])
    again = augmenter.apply(pixels, augmenter.plan(3, indices))
    assert not torch.equal(again, whole)


@pytest.mark.parametrize("asked", [{"mixup": 0.4}, {"cutmix": 1.0}, {"mixup": 0.4, "cutmix": 1.0}])
def test_an_even_slice_mixes_as_the_whole_batch(asked: dict[str, object]) -> None:
    augmenter, pixels, indices = _augmenter(**asked), _pixels(12), np.arange(12) * 7
    targets = torch.eye(12)
    plan = augmenter.plan(0, indices)
    whole, labels = augmenter.apply(pixels, plan), _mixed(targets, plan.mix)
    for start, stop in ((0, 4), (4, 12)):
        part = augmenter.plan(0, indices[start:stop])
        found = augmenter.apply(pixels[start:stop], part)
        torch.testing.assert_close(found.float(), whole[start:stop].float(), atol=0, rtol=0)
        assert torch.equal(_mixed(targets[start:stop], part.mix), labels[start:stop])


@pytest.mark.parametrize("asked", [{"translate": 0.3}, {"translate": 0.3, "rotate_deg": 30.0}])
def test_a_grey_border_shows_nothing_twice(asked: dict[str, object]) -> None:
    """White pictures: what was moved in is the grey of padding, or, reflected, white again."""
    white, indices = np.full((12, *SIZE_HW, 3), 255, np.uint8), np.arange(12)
    found = {}
    for border in ("reflect", "grey"):
        augmenter = _augmenter(border=border, **asked)
        plan = augmenter.plan(0, indices)
        assert plan.reflect == (border == "reflect")
        found[border] = augmenter.apply(white, plan).float()
    assert (found["reflect"] > 254.9).all()
    assert (found["grey"] > PAD_GREY - 0.1).all()
    kept = found["grey"] > 254.9
    grey = found["grey"] < PAD_GREY + 0.1
    assert 0.3 < float(kept.float().mean()) < 0.95
    assert float((kept | grey).float().mean()) > 0.9  # but for the edges in between
    plan = augmenter.plan(0, indices)
    corners = warp_points(_OUTLINE, plan.matrix)  # (B, 4, 2)
    low, high = corners.min(axis=1), corners.max(axis=1)
    seen = torch.nonzero(kept[:, 0])  # rows (picture, y, x)
    for picture in range(12):
        places = seen[seen[:, 0] == picture][:, [2, 1]].numpy()
        assert (places >= np.maximum(low[picture], 0) - 1).all()
        assert (places + 1 <= np.minimum(high[picture], SIZE_HW[::-1]) + 1).all()


def test_nothing_asked_nothing_changed() -> None:
    augmenter, pixels = _augmenter(), _pixels(3)
    before = pixels.copy()
    found = augmenter.apply(pixels, augmenter.plan(0, np.arange(3)))
    assert found.dtype == torch.uint8
    np.testing.assert_array_equal(found.permute(0, 2, 3, 1), pixels)
    np.testing.assert_array_equal(pixels, before)


def test_the_input_is_never_changed() -> None:
    augmenter, pixels = _augmenter(**EVERYTHING, mixup=0.2), _pixels(4)
    before = pixels.copy()
    tensor = torch.from_numpy(pixels)
    augmenter.apply(tensor, augmenter.plan(0, np.arange(4)))
    np.testing.assert_array_equal(pixels, before)


def test_values_stay_in_range_and_finite() -> None:
    augmenter = _augmenter(
        **(EVERYTHING | {"colour": 1.0, "noise": 1.0, "crop": 0.9, "rotate_deg": 180.0})
    )
    found = augmenter.apply(_pixels(16), augmenter.plan(0, np.arange(16)))
    assert found.shape == (16, 3, *SIZE_HW)
    assert torch.isfinite(found).all()
    assert 0 <= found.min() <= found.max() <= 255


def test_flips_happen_half_of_the_time_and_only_as_asked() -> None:
    indices = np.arange(4000)
    for flip, expected in (
        ("horizontal", (True, False)),
        ("vertical", (False, True)),
        ("both", (True, True)),
    ):
        matrix = _augmenter(flip=flip).plan(0, indices).matrix
        for axis in range(2):
            share = (matrix[:, axis, axis] < 0).mean()
            assert share == pytest.approx(0.5, abs=0.03) if expected[axis] else share == 0
    assert (_augmenter(flip="none").plan(0, indices).matrix[:, 0, 0] > 0).all()


def test_shifts_are_whole_and_evenly_spread() -> None:
    plan = _augmenter((32, 32), translate=0.125).plan(0, np.arange(9000))
    assert plan.whole_pixels
    for axis in range(2):
        values, counts = np.unique(plan.matrix[:, axis, 2], return_counts=True)
        np.testing.assert_array_equal(values, np.arange(-4, 5))
        assert stats.chisquare(counts).pvalue > 1e-4


def test_crops_stay_inside_the_picture() -> None:
    """The corners of the result show points of the original, none of its reflection."""
    from striate.nn.augment.affine import invert_affine

    plan = _augmenter(crop=0.4).plan(0, np.arange(2000))
    corners = np.array([[0.0, 0.0], [SIZE_HW[1], SIZE_HW[0]]])
    seen = warp_points(corners[None], invert_affine(plan.matrix))
    assert seen.min() >= -1e-9
    assert (seen[:, :, 0].max(), seen[:, :, 1].max()) <= (SIZE_HW[1] + 1e-9, SIZE_HW[0] + 1e-9)
    sides = (seen[:, 1] - seen[:, 0]) / [SIZE_HW[1], SIZE_HW[0]]
    assert 0.6 < sides.min() < 0.61
    assert 0.99 < sides.max() <= 1


def test_erasing_overwrites_its_share_with_one_grey() -> None:
    augmenter, pixels = _augmenter(erase=0.25), np.zeros((2000, 20, 24, 3), np.uint8)
    augmenter = _augmenter((20, 24), erase=0.25)
    plan = augmenter.plan(0, np.arange(2000))
    assert plan.erase is not None
    found = augmenter.apply(pixels, plan)
    box, grey = plan.erase.box_yxyx, plan.erase.grey
    erased = (box[:, 2] > box[:, 0]) & (grey > 0)
    assert (box[:, 2] > box[:, 0]).mean() == pytest.approx(0.25, abs=0.03)
    for i in np.flatnonzero(erased)[:50]:
        y0, x0, y1, x1 = box[i]
        expected = np.zeros((3, 20, 24), np.uint8)
        expected[:, y0:y1, x0:x1] = grey[i]
        np.testing.assert_array_equal(found[i], expected)
    assert not found[torch.from_numpy(~erased)].any()
    areas = ((box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1]))[box[:, 2] > box[:, 0]] / 480
    assert 0.005 < areas.min() < areas.max() < 0.36


def test_mixup_blends_pixels_as_labels() -> None:
    augmenter = _augmenter((4, 5), mixup=1.0)
    pixels = np.zeros((6, 4, 5, 3), np.uint8)
    pixels[1::2] = 200
    plan = augmenter.plan(0, np.arange(6))
    assert plan.mix is not None
    found = augmenter.apply(pixels, plan)
    labels = _mixed(torch.tensor([[0.0], [1.0]] * 3), plan.mix)
    torch.testing.assert_close(found[:, 0, 0, 0], labels[:, 0] * 200, atol=1e-3, rtol=0)
    assert len(np.unique(plan.mix.share)) == 6


def test_cutmix_pastes_the_area_that_the_label_says() -> None:
    augmenter = _augmenter((16, 20), cutmix=1.0)
    pixels = np.zeros((8, 16, 20, 3), np.uint8)
    pixels[1::2] = 100
    plan = augmenter.plan(0, np.arange(8))
    assert plan.mix is not None
    found = augmenter.apply(pixels, plan)
    assert found.dtype == torch.uint8
    labels = _mixed(torch.tensor([[0.0], [1.0]] * 4), plan.mix)
    torch.testing.assert_close(found[:, 0].float().mean(dim=(1, 2)) / 100, labels[:, 0])


def test_an_odd_record_out_stays_itself() -> None:
    for asked in ({"mixup": 1.0}, {"cutmix": 1.0}, {"mixup": 1.0, "cutmix": 1.0}):
        augmenter, pixels = _augmenter(**asked), _pixels(3)
        plan = augmenter.plan(0, np.arange(3))
        assert plan.mix is not None
        assert plan.mix.share[2] == 1
        np.testing.assert_array_equal(
            augmenter.apply(pixels, plan)[2].permute(1, 2, 0).numpy().astype(np.uint8), pixels[2]
        )


def test_noise_has_the_planned_strength() -> None:
    augmenter = _augmenter((60, 60), noise=0.1)
    pixels = np.full((12, 60, 60, 3), 128, np.uint8)
    plan = augmenter.plan(0, np.arange(12))
    assert plan.noise_std is not None
    found = augmenter.apply(pixels, plan)
    np.testing.assert_allclose(found.std(dim=(1, 2, 3)), plan.noise_std, rtol=0.05, atol=0.01)
    assert 0 <= plan.noise_std.min() < plan.noise_std.max() <= 25.5


def test_a_read_only_memory_map_is_accepted(tmp_path: Path) -> None:
    np.save(tmp_path / "pixels.npy", _pixels(4))
    mapped = np.load(tmp_path / "pixels.npy", mmap_mode="r")
    augmenter = _augmenter(flip="horizontal")
    found = augmenter.apply(mapped[1:3], augmenter.plan(0, np.arange(2)))
    expected = augmenter.apply(_pixels(4)[1:3], augmenter.plan(0, np.arange(2)))
    assert torch.equal(found, expected)


def test_other_sizes_and_dtypes_are_refused() -> None:
    augmenter = _augmenter()
    plan = augmenter.plan(0, np.arange(2))
    with pytest.raises(ValueError, match=r"expected uint8 \(2, 36, 50, 3\)"):
        augmenter.apply(_pixels(3), plan)
    with pytest.raises(ValueError, match="float32"):
        augmenter.apply(_pixels(2).astype(np.float32), plan)
