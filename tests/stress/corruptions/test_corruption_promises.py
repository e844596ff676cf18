"""What holds for every corruption: shape, determinism, independence of the batch, any size, errors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from skimage import data

from striate.errors import UnknownNameError, UsageError
from striate.stress.changes import Material
from striate.stress.corruptions import (
    ALEXNET,
    COMMON,
    CORRUPTIONS,
    EXTRA_CORRUPTIONS,
    NAMES,
    Baseline,
    CorruptionName,
    corrupt,
    described_severities,
    mce_against,
    mean_corruption_error,
)
from striate.stress.corruptions.tables import parameter_set_of
from striate.types import PictureArray

every_corruption = pytest.mark.parametrize("name", NAMES)


def photos(count: int, height: int, width: int) -> PictureArray:
    whole = data.astronaut()
    return np.stack(
        [whole[20 * n : 20 * n + 2 * height : 2, 40 : 40 + 2 * width : 2] for n in range(count)]
    )


@every_corruption
@pytest.mark.parametrize("size_hw", [(32, 32), (50, 37), (130, 120)])
def test_a_picture_depends_on_its_seed_and_on_nothing_else(
    name: CorruptionName, size_hw: tuple[int, int]
) -> None:
    pictures = photos(7, *size_hw)
    seeds = np.array([3, 1, 4, 1, 5, 9, 2**40])
    kept = pictures.copy()
    whole = corrupt(pictures, name, 3, seeds)
    assert whole.dtype == np.uint8
    assert whole.shape == pictures.shape
    assert np.array_equal(pictures, kept)
    assert np.array_equal(whole, corrupt(pictures, name, 3, seeds))
    backwards = corrupt(pictures[::-1], name, 3, seeds[::-1])
    assert np.array_equal(whole, backwards[::-1])
    assert np.array_equal(whole[2:3], corrupt(pictures[2:3], name, 3, seeds[2:3]))


@every_corruption
def test_many_small_pictures_in_pieces_are_the_same_as_one_by_one(name: CorruptionName) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (100, 32, 32, 3)).astype(np.uint8)
    seeds = np.arange(100)
    whole = corrupt(pictures, name, 5, seeds)
    for one in (0, 84, 85, 99):
        alone = corrupt(pictures[one : one + 1], name, 5, seeds[one : one + 1])
        assert np.array_equal(whole[one], alone[0])


@pytest.mark.parametrize("name", ["fog", "elastic_transform"])
def test_threads_are_as_many_as_asked_for_and_change_nothing(
    name: CorruptionName, monkeypatch: pytest.MonkeyPatch
) -> None:
    from striate.stress.corruptions import apply as module

    asked: list[int] = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, most: int) -> None:
            asked.append(most)
            super().__init__(most)

    monkeypatch.setattr(module, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(module, "usable_cores", lambda: 5)
    pictures = np.random.default_rng(0).integers(0, 256, (600, 32, 32, 3)).astype(np.uint8)
    seeds = np.arange(600)  # eight pieces
    alone = corrupt(pictures, name, 2, seeds, threads=1)
    axis = next(one for one in CORRUPTIONS if one.name == name)
    measured = axis.change(pictures, 2.0, Material(seeds, pictures)).pictures
    assert asked == []  # the workers of the stress card are threads enough
    assert np.array_equal(alone, measured)
    for threads, most in ((3, 3), (None, 5), (64, 7)):
        assert np.array_equal(alone, corrupt(pictures, name, 2, seeds, threads=threads))
        assert asked.pop() == most
    assert np.array_equal(alone[:50], corrupt(pictures[:50], name, 2, seeds[:50]))
    assert asked == []  # one piece


@every_corruption
@pytest.mark.parametrize("size_hw", [(1, 1), (1, 400), (400, 1), (3, 5), (33, 90)])
@pytest.mark.parametrize("severity", [1, 5])
def test_any_size_is_taken(name: CorruptionName, size_hw: tuple[int, int], severity: int) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, *size_hw, 3)).astype(np.uint8)
    for which in (None, "imagenet", "tiny-imagenet", "cifar"):
        found = corrupt(pictures, name, severity, np.arange(2), parameters=which)
        assert found.shape == pictures.shape


@every_corruption
@pytest.mark.parametrize("value", [0, 255])
def test_even_pictures_are_taken(name: CorruptionName, value: int) -> None:
    pictures = np.full((2, 40, 30, 3), value, np.uint8)
    assert corrupt(pictures, name, 4, np.arange(2)).shape == pictures.shape


@every_corruption
def test_no_pictures_are_no_pictures(name: CorruptionName) -> None:
    nothing = np.zeros((0, 32, 32, 3), np.uint8)
    assert corrupt(nothing, name, 1, np.zeros(0, np.int64)).shape == nothing.shape


@every_corruption
def test_severity_5_is_farther_from_the_picture_than_severity_1(name: CorruptionName) -> None:
    if name in ("saturate", "elastic_transform"):
        pytest.skip("the published severities of this one change in kind")
    pictures = photos(2, 150, 150).astype(float)
    away = [
        np.abs(corrupt(pictures.astype(np.uint8), name, severity, np.arange(2)) - pictures).mean()
        for severity in (1, 5)
    ]
    assert away[1] > away[0] > 0


def test_what_cannot_be_is_told() -> None:
    pictures, seeds = photos(2, 40, 40), np.arange(2)
    with pytest.raises(UnknownNameError, match=r"did you mean 'gaussian_noise'"):
        corrupt(pictures, "gausian_noise", 1, seeds)  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="unknown parameter set 'mnist'"):
        corrupt(pictures, "fog", 1, seeds, parameters="mnist")  # type: ignore[arg-type]
    for severity in (0, 6):
        with pytest.raises(UsageError, match="from 1 to 5"):
            corrupt(pictures, "fog", severity, seeds)
    with pytest.raises(UsageError, match="one seed a picture"):
        corrupt(pictures, "fog", 1, np.arange(3))
    with pytest.raises(UsageError, match=r"uint8 \(B, h, w, 3\)"):
        corrupt(pictures.astype(np.float32), "fog", 1, seeds)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="at least 1 × 1"):
        corrupt(pictures[:, :0], "fog", 1, seeds)


def test_the_constants_are_those_of_the_nearest_size() -> None:
    assert [parameter_set_of((side, side)) for side in (1, 28, 32, 45, 46, 64, 119, 120, 224, 900)] == [
        *["cifar"] * 4,
        *["tiny-imagenet"] * 3,
        *["imagenet"] * 3,
    ]
    assert parameter_set_of((1, 400)) == "cifar"


def test_axes_are_the_corruptions() -> None:
    assert tuple(axis.name for axis in CORRUPTIONS) == COMMON
    assert len({axis.title for axis in (*CORRUPTIONS, *EXTRA_CORRUPTIONS)}) == 19
    pictures, seeds = photos(2, 40, 40), np.arange(2)
    material = Material(seeds, pictures)
    for axis, name in zip((*CORRUPTIONS, *EXTRA_CORRUPTIONS), NAMES, strict=True):
        changed = axis.change(pictures, axis.levels[2], material)
        assert np.array_equal(changed.pictures, corrupt(pictures, name, 3, seeds))
        assert (changed.moves is None) == (name != "elastic_transform")
        meaning, values = described_severities(name, "imagenet")
        assert meaning
        assert len(values) == 5


def test_mce_is_a_mean_of_shares() -> None:
    same = {name: [ALEXNET.errors[name]] * 5 for name in COMMON}
    assert mean_corruption_error(same, ALEXNET, clean=ALEXNET.clean).mce == pytest.approx(1)
    half = {name: [error / 2 for error in errors] for name, errors in same.items()}
    found = mce_against(half, same, title="the other", clean=0.1, other_clean=0.2)
    assert found.mce == pytest.approx(0.5)
    fog = ALEXNET.errors["fog"]
    assert found.relative_by_corruption["fog"] == pytest.approx((fog / 2 - 0.1) / (fog - 0.2))
    assert found.statement == "mCE 50.0 % of the errors of the other"
    assert found.to_dict()["relative_mce"] == found.relative_mce
    assert mce_against(half, same, title="the other").relative_mce is None


def test_mce_of_resnet_50_is_that_of_the_paper() -> None:
    """Table 1: CE of ResNet-50 by corruption, and mCE 76.7 %."""
    shares = dict(zip(COMMON, (80, 82, 83, 75, 89, 78, 80, 78, 75, 66, 57, 71, 85, 77, 77), strict=True))
    errors = {name: [ALEXNET.errors[name] * share / 100] * 5 for name, share in shares.items()}
    assert mean_corruption_error(errors, ALEXNET).mce == pytest.approx(0.767, abs=0.003)


def test_mce_refuses_what_it_cannot_divide() -> None:
    errors = {name: [0.5] * 5 for name in COMMON}
    with pytest.raises(UsageError, match="under fog are None"):
        mean_corruption_error({name: errors[name] for name in COMMON if name != "fog"}, ALEXNET)
    with pytest.raises(UsageError, match="five numbers"):
        mean_corruption_error(errors | {"snow": [0.5, 1.5, 0.5, 0.5, 0.5]}, ALEXNET)
    perfect = Baseline("a perfect run", dict.fromkeys(COMMON, 0.5) | {"frost": 0.0})
    with pytest.raises(UsageError, match="makes no error under frost"):
        mean_corruption_error(errors, perfect)
