"""Policies do what the papers say, and change pixels as torchvision does."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as tv

from striate.errors import SettingError
from striate.nn.augment.augmenter import Augmenter
from striate.nn.augment.pixel_ops import apply_steps
from striate.nn.augment.policies import MOVES, PIXEL_OPS, TABLES, Steps
from striate.nn.augment.presets import POLICIES, resolve
from striate.nn.augment.settings import AugmentSettings

SIZE_HW = (40, 56)


def augmenter(size_hw: tuple[int, int] = SIZE_HW, **asked: Any) -> Augmenter:
    settings = AugmentSettings.parse({"augment": "none"} | asked)
    return Augmenter(resolve(settings, size_hw=size_hw, grey=False), size_hw, seed=7)


def changed(pictures: torch.Tensor, ops: np.ndarray, values: np.ndarray) -> torch.Tensor:
    return apply_steps(pictures, Steps(ops[None], values[None]))


def photos(count: int, size_hw: tuple[int, int] = SIZE_HW) -> np.ndarray:
    """Smooth pictures with a little noise, not using the whole range."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[: size_hw[0], : size_hw[1]] / 10.0
    phases = rng.uniform(0, 6, (count, 1, 1, 3))
    waves = 120 + 80 * np.sin(x[None, :, :, None] + phases) * np.cos(y[None, :, :, None])
    return (waves + rng.normal(0, 4, waves.shape)).clip(0, 255).astype(np.uint8)


# -- pixels -----------------------------------------------------------------------------------

REFERENCES = {
    "brightness": (tv.adjust_brightness, (0.1, 0.55, 1.0, 1.9)),
    "contrast": (tv.adjust_contrast, (0.1, 0.55, 1.0, 1.9)),
    "saturation": (tv.adjust_saturation, (0.0, 0.55, 1.0, 1.9)),
    "sharpness": (tv.adjust_sharpness, (0.1, 0.55, 1.0, 1.9)),
    "posterize": (lambda p, v: tv.posterize(p, int(v)), (1, 2, 4, 7, 8)),
    "solarize": (tv.solarize, (0, 1, 100.5, 128, 255)),
    "autocontrast": (lambda p, v: tv.autocontrast(p), (0,)),
    "equalize": (lambda p, v: tv.equalize(p), (0,)),
    "identity": (lambda p, v: p, (0,)),
}
_OTHERS: dict[str, np.ndarray] = {
    "photos": photos(3),
    "one value": np.full((2, 5, 9, 3), 77, np.uint8),
    "one pixel": np.array([[[[3, 200, 9]]]], np.uint8),
    "a row": photos(2, (1, 64)),
    "two levels": (photos(2) > 120).astype(np.uint8) * 255,
    "dark": photos(2) // 16,
}


@pytest.mark.parametrize("name", PIXEL_OPS)
@pytest.mark.parametrize("which", _OTHERS)
def test_operations_are_those_of_torchvision(name: str, which: str) -> None:
    pictures = torch.from_numpy(_OTHERS[which]).permute(0, 3, 1, 2).contiguous()
    before = pictures.clone()
    reference, values = REFERENCES[name]
    for value in values:
        ops = np.full(len(pictures), PIXEL_OPS.index(name))
        found = changed(pictures, ops, np.full(len(pictures), float(value)))
        assert found.dtype == torch.uint8
        for ours, picture in zip(found, pictures, strict=True):
            theirs = reference(picture, value)
            apart = (ours.int() - theirs.int()).abs()
            exact = name in ("posterize", "solarize", "equalize", "identity")
            assert int(apart.max()) <= (0 if exact else 1), f"{name} {value}"
            assert float((apart > 0).float().mean()) < 0.1
    assert torch.equal(pictures, before)


def test_a_batch_of_all_operations_is_each_alone() -> None:
    pictures = torch.from_numpy(photos(len(PIXEL_OPS))).permute(0, 3, 1, 2)
    ops = np.arange(len(PIXEL_OPS))
    values = np.array([0, 0.6, 1.4, 0.3, 1.8, 5, 100, 0, 0])
    found = changed(pictures, ops, values)
    for row in range(len(ops)):
        alone = changed(pictures[row : row + 1], ops[row : row + 1], values[row : row + 1])
        assert torch.equal(found[row], alone[0])


# -- what is drawn ----------------------------------------------------------------------------


def test_tables_are_those_of_torchvision() -> None:
    """Names, ranges and signs against the tables of torchvision's own classes."""
    from torchvision.transforms import v2

    ours = {"Color": "saturation"}
    references = (("randaugment", v2.RandAugment), ("trivialaugment", v2.TrivialAugmentWide))
    for policy, theirs in references:
        table = {op.name: op for op in TABLES[policy]}
        space = theirs._AUGMENTATION_SPACE
        names = {ours.get(name, re.sub(r"(?<=[a-z])(?=[XY]$)", "_", name).lower()) for name in space}
        assert set(table) == names
        for name, (magnitudes, signed) in space.items():
            op = table[ours.get(name, re.sub(r"(?<=[a-z])(?=[XY]$)", "_", name).lower())]
            assert op.signed == signed, name
            levels = magnitudes(31, 1000, 1000)
            if levels is None:
                assert (op.weak, op.strong) == (0, 0)
                continue
            side = 1 if op.pixels or not name.startswith("Translate") else 1000
            times = 255 if name == "Solarize" else 1
            ends = (times * float(levels[0]), times * float(levels[-1]))
            assert ends == pytest.approx((op.weak * side, op.strong * side), abs=1e-4), name


def test_randaugment_draws_each_operation_as_often_at_the_magnitude() -> None:
    plan = augmenter(policy="randaugment").plan(0, np.arange(4000))
    assert plan.steps is not None
    assert plan.steps.ops.shape == (2, 4000)
    counts = np.bincount(plan.steps.ops.ravel(), minlength=len(PIXEL_OPS)) / 8000
    assert counts[1:] == pytest.approx(np.full(8, 1 / 14), abs=0.012)
    assert counts[0] == pytest.approx(6 / 14, abs=0.02)  # identity, and the five that move
    factors = plan.steps.values[plan.steps.ops == PIXEL_OPS.index("contrast")]
    assert set(np.round(factors, 6)) == {1 - 0.27, 1 + 0.27}  # 0.9 · 9 / 30 to either side
    bits = plan.steps.values[plan.steps.ops == PIXEL_OPS.index("posterize")]
    assert set(bits) == {7.0}
    still = (plan.matrix == np.eye(2, 3)).all(axis=(1, 2)).mean()
    assert still == pytest.approx((9 / 14) ** 2, abs=0.03)


def test_trivialaugment_draws_one_operation_of_any_strength() -> None:
    plan = augmenter(policy="trivialaugment").plan(0, np.arange(4000))
    assert plan.steps is not None
    assert len(plan.steps.ops) == 1
    factors = plan.steps.values[plan.steps.ops == PIXEL_OPS.index("brightness")]
    assert 0.01 <= factors.min() < 0.08
    assert 1.92 < factors.max() <= 1.99
    moved = (plan.matrix != np.eye(2, 3)).any(axis=(1, 2))
    changed = plan.steps.ops[0] > 0
    assert not (moved & changed).any()


def test_augmix_is_a_convex_mixture() -> None:
    plan = augmenter(policy="augmix").plan(0, np.arange(3000))
    assert plan.mixture is not None
    mixture = plan.mixture
    assert len(mixture.chains) == 3
    np.testing.assert_allclose(mixture.own + mixture.weights.sum(axis=0), 1, atol=1e-6)
    assert float(mixture.own.mean()) == pytest.approx(0.5, abs=0.02)  # Beta(1, 1)
    assert (mixture.weights >= 0).all()
    steps = (mixture.chains[0].steps.ops > 0).sum(axis=0)
    assert steps.max() == 3
    assert float(mixture.chains[0].moved.mean()) > 0.4


def test_augmix_of_one_colour_is_that_colour() -> None:
    """Every chain leaves a plain picture as it is, but for posterize and solarize: then none."""
    settings = augmenter(policy="augmix", policy_magnitude=0.1)
    grey = np.full((20, *SIZE_HW, 3), 96, np.uint8)
    found = settings.apply(grey, settings.plan(0, np.arange(20)))
    plan = settings.plan(0, np.arange(20))
    assert plan.mixture is not None
    quiet = np.ones(20, bool)
    for chain in plan.mixture.chains:
        quiet &= ~np.isin(chain.steps.ops, [PIXEL_OPS.index("posterize")]).any(axis=0)
    assert quiet.sum() > 2
    torch.testing.assert_close(
        found[torch.from_numpy(quiet)], torch.full((int(quiet.sum()), 3, *SIZE_HW), 96.0)
    )


@pytest.mark.parametrize("policy", ["randaugment", "trivialaugment", "augmix"])
def test_the_usual_settings_are_the_papers(policy: str) -> None:
    settings = augmenter(policy=policy).settings
    assert (settings.policy_ops, settings.policy_magnitude) == POLICIES[policy]
    names = {op.name for op in TABLES[policy]}
    assert names <= {*PIXEL_OPS, *MOVES}


@pytest.mark.parametrize(
    "asked",
    [{"policy_ops": 2}, {"policy_magnitude": 5.0}, {"policy": "augmix", "policy_magnitude": 11.0}],
)
def test_settings_without_a_policy_or_beyond_it_are_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match="policy_magnitude"):
        augmenter(**asked)


@pytest.mark.parametrize("policy", ["randaugment", "trivialaugment", "augmix"])
def test_a_policy_of_no_operations_is_refused(policy: str) -> None:
    for magnitude in (None, 3.0):
        with pytest.raises(SettingError, match=f"policy_ops is 0, with which {policy} does nothing"):
            augmenter(policy=policy, policy_ops=0, policy_magnitude=magnitude)


@pytest.mark.parametrize("policy", ["randaugment", "trivialaugment", "augmix"])
def test_a_policy_laid_over_resolved_settings_is_on(policy: str) -> None:
    """What a run without a policy was trained with, and a policy on top: as if asked for at once."""
    none = augmenter(rotate_deg=5.0).settings
    assert (none.policy, none.policy_ops, none.policy_magnitude) == ("none", 0, 0.0)
    over = augmenter(**{**none.model_dump(), "policy": policy})
    assert over.settings == augmenter(augment="none", rotate_deg=5.0, policy=policy).settings
    pixels = photos(4)
    found = over.apply(pixels, over.plan(0, np.arange(4)))
    plain = Augmenter(none, SIZE_HW, seed=7)
    assert not torch.equal(found.float(), plain.apply(pixels, plain.plan(0, np.arange(4))).float())


@pytest.mark.parametrize("policy", ["randaugment", "trivialaugment", "augmix"])
@pytest.mark.parametrize(
    ("count", "limits"), [(0, {}), (5, {"_CACHED": 1}), (5, {"_CACHED": 15_000}), (5, {"_LARGE": 1})]
)
def test_how_many_are_worked_on_at_a_time_changes_nothing(
    policy: str, count: int, limits: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures larger than what is worked on, too, and none."""
    varied, pixels = augmenter(policy=policy), photos(5)[:count]
    plan = varied.plan(0, np.arange(count))
    whole = varied.apply(pixels, plan)
    assert whole.shape == (count, 3, *SIZE_HW)
    for name, limit in limits.items():
        monkeypatch.setattr(f"striate.nn.augment.augmenter.{name}", limit)
    assert torch.equal(varied.apply(pixels, plan), whole)


def test_a_magnitude_of_nothing_beside_operations_stands() -> None:
    for given in ({"policy_ops": 2}, {}):
        settings = augmenter(policy="randaugment", policy_magnitude=0.0, **given).settings
        assert (settings.policy_ops, settings.policy_magnitude) == (2, 0.0)
