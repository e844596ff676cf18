"""What holds of every augmentation: alike in any batch, in range, of any size, grey where grey was."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from striate.nn.augment.augmenter import Augmenter
from striate.nn.augment.compression import compress_pictures
from striate.nn.augment.filters import blur_pictures
from striate.nn.augment.presets import resolve
from striate.nn.augment.settings import AugmentSettings

SIZE_HW = (36, 52)

NEW: dict[str, dict[str, Any]] = {
    "shear": {"shear_deg": 30.0},
    "perspective": {"perspective": 0.6},
    "elastic": {"elastic": 0.05},
    "exposure": {"exposure": 2.0},
    "gamma": {"gamma": 1.0},
    "shade": {"shade": 0.9},
    "cast": {"cast": 0.5},
    "greyscale": {"greyscale": 0.5},
    "blur": {"blur": 2.0},
    "sharpen": {"sharpen": 4.0},
    "colour noise": {"colour_noise": 0.3},
    "jpeg": {"jpeg": 1.0},
    "randaugment": {"policy": "randaugment", "policy_magnitude": 30.0, "policy_ops": 4},
    "trivialaugment": {"policy": "trivialaugment"},
    "augmix": {"policy": "augmix", "policy_magnitude": 10.0},
}
NEW["everything"] = {name: value for one in NEW.values() for name, value in one.items()} | {
    "augment": "heavy",
    "mixup": 0.0,
    "cutmix": 0.0,
}


def augmenter(size_hw: tuple[int, int] = SIZE_HW, **asked: Any) -> Augmenter:
    settings = AugmentSettings.parse({"augment": "none"} | asked)
    return Augmenter(resolve(settings, size_hw=size_hw, grey=False), size_hw, seed=1)


def pictures(count: int, size_hw: tuple[int, int] = SIZE_HW) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *size_hw, 3), dtype=np.uint8)


@pytest.mark.parametrize("asked", NEW.values(), ids=NEW)
def test_a_record_is_varied_alike_in_any_batch(asked: dict[str, Any]) -> None:
    varied, pixels, indices = augmenter(**asked), pictures(9), np.arange(50, 59)
    before = pixels.copy()
    whole = varied.apply(pixels, varied.plan(1, indices))
    for chosen in ([4], [8, 0], [3, 4, 5, 6, 7]):
        some = varied.apply(pixels[chosen], varied.plan(1, indices[chosen]))
        torch.testing.assert_close(some, whole[chosen], atol=0, rtol=0)
    np.testing.assert_array_equal(pixels, before)
    again = varied.apply(pixels, varied.plan(2, indices))
    assert not torch.equal(again.float(), whole.float())


@pytest.mark.parametrize("asked", NEW.values(), ids=NEW)
@pytest.mark.parametrize("size_hw", [(1, 1), (1, 64), (64, 1), (2, 3), SIZE_HW])
def test_any_size_stays_in_range(asked: dict[str, Any], size_hw: tuple[int, int]) -> None:
    varied = augmenter(size_hw, **asked)
    found = varied.apply(pictures(6, size_hw), varied.plan(0, np.arange(6)))
    assert found.shape == (6, 3, *size_hw)
    assert torch.isfinite(found.float()).all()
    assert 0 <= float(found.min()) <= float(found.max()) <= 255
    none = varied.apply(pictures(0, size_hw), varied.plan(0, np.arange(0)))
    assert none.shape == (0, 3, *size_hw)


GOLDEN = {
    "auto": "f317b4f8197576c3",
    "light": "48543ace2bc9f2b5",
    "standard": "73455053ce44b6ce",
    "heavy": "821eddd0d3158233",
}
"""Hashes of plans, from the code before policies."""
_COLOURS = ("cast", "colour noise", "everything")


@pytest.mark.parametrize("name", [name for name in NEW if name not in _COLOURS])
def test_grey_pictures_stay_grey(name: str) -> None:
    varied = augmenter(**NEW[name])
    grey = np.repeat(pictures(12)[..., :1], 3, axis=3)
    found = varied.apply(grey, varied.plan(0, np.arange(12))).float()
    assert float((found.amax(dim=1) - found.amin(dim=1)).max()) < 1e-3


def test_present_settings_give_what_they_gave() -> None:
    """The draws of every setting that there was before policies, as they were then."""
    for name, expected in GOLDEN.items():
        settings = resolve(AugmentSettings.parse({"augment": name}), size_hw=(48, 64), grey=False)
        plan = Augmenter(settings, (48, 64), seed=3).plan(2, np.arange(5, 21))
        digest = hashlib.sha256(np.round(plan.matrix, 9).tobytes())
        for part in (plan.colour, plan.noise_std):
            digest.update(b"" if part is None else np.round(part, 9).tobytes())
        if plan.erase is not None:
            digest.update(plan.erase.box_yxyx.tobytes())
        if plan.mix is not None:
            digest.update(np.round(plan.mix.share, 5).tobytes())
        digest.update(repr(plan.noise_seeds).encode())
        assert digest.hexdigest()[:16] == expected, name
        assert (plan.steps, plan.mixture, plan.light, plan.perspective) == (None, None, None, None)


def test_blur_is_scipys() -> None:
    from scipy.ndimage import gaussian_filter

    pixels = torch.from_numpy(pictures(3)).permute(0, 3, 1, 2).float()
    sigma = np.array([0.6, 1.3, 2.0])
    found = blur_pictures(pixels, sigma, 2.0)
    for row, one in enumerate(sigma):
        for channel in range(3):
            theirs = gaussian_filter(
                pixels[row, channel].double().numpy(), one, mode="nearest", radius=6
            )
            np.testing.assert_allclose(found[row, channel], theirs, atol=2e-3)
    still = blur_pictures(pixels, np.zeros(3), 2.0)
    torch.testing.assert_close(still, pixels)


@pytest.mark.parametrize("quality", [5, 20, 50, 80, 95])
def test_jpeg_is_libjpegs(quality: int) -> None:
    """Against Pillow's encoder: as far from the original, in the same way."""
    y, x = np.mgrid[:45, :70] / 6.0
    phases = np.array([0.0, 1.0, 2.0])
    smooth = 127 + 90 * np.sin(x[..., None] + phases) * np.cos(y[..., None])
    noise = np.random.default_rng(0).normal(0, 12, smooth.shape)
    pixels = (smooth + noise).clip(0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "jpeg", quality=quality, subsampling="4:2:0")
    theirs = np.asarray(Image.open(stream), np.float64)
    tensor = torch.from_numpy(pixels)[None].permute(0, 3, 1, 2).float()
    ours = compress_pictures(tensor, np.array([float(quality)]))[0].permute(1, 2, 0).double().numpy()
    lost = np.sqrt(((theirs - pixels) ** 2).mean())
    apart = np.sqrt(((theirs - ours) ** 2).mean())
    assert apart < 0.25 * lost + 0.5
    assert np.sqrt(((ours - pixels) ** 2).mean()) == pytest.approx(lost, rel=0.1)


def test_shade_falls_in_one_direction_by_its_share() -> None:
    from striate.nn.augment.light import apply_light
    from striate.nn.augment.plan import Light

    white = torch.full((2, 3, 20, 30), 200.0)
    shade = np.array([[0.5, 1.0, 0.0], [0.8, 0.0, -1.0]])
    found = apply_light(white.clone(), Light(np.ones((2, 3)), shade, np.ones(2)))
    rows = found[0, 0]
    assert torch.allclose(rows, rows[:1].expand_as(rows))
    assert float(rows[0, 0]) == pytest.approx(200 * (1 - 0.5 * 0.5 / 30), abs=0.01)
    assert float(rows[0, -1]) == pytest.approx(200 * (1 - 0.5 * 29.5 / 30), abs=0.01)
    assert float(found[1, 0, 0, 0]) < float(found[1, 0, -1, 0])  # darkest at the top


def test_exposure_is_in_stops_and_gamma_an_exponent() -> None:
    from striate.nn.augment.light import apply_light
    from striate.nn.augment.plan import Light

    dark = torch.full((2, 3, 4, 4), 51.0)
    light = Light(np.array([[2.0, 2, 2], [1, 1, 1]]), np.zeros((2, 3)), np.array([1.0, 2.0]))
    found = apply_light(dark, light)
    assert float(found[0].mean()) == pytest.approx(102)
    assert float(found[1].mean()) == pytest.approx(255 * 0.2**2, rel=1e-4)


def test_colour_noise_leaves_brightness() -> None:
    varied = augmenter(colour_noise=0.2)
    grey = np.full((4, *SIZE_HW, 3), 128, np.uint8)
    found = varied.apply(grey, varied.plan(0, np.arange(4)))
    luma = (found * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(dim=1)
    assert float((luma - 128).abs().quantile(0.95)) < 1
    assert float(found.std()) > 3


def test_greyscale_happens_as_often_as_asked() -> None:
    varied = augmenter((2, 3), greyscale=0.3)
    found = varied.apply(pictures(3000, (2, 3)), varied.plan(0, np.arange(3000))).float()
    grey = (found.amax(dim=1) == found.amin(dim=1)).all(dim=2).all(dim=1)
    assert float(grey.float().mean()) == pytest.approx(0.3, abs=0.03)
