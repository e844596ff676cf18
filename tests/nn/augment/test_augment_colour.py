from __future__ import annotations

import colorsys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional as reference

from striate.nn.augment.colour import LUMA, apply_colour, colour_matrix

NEUTRAL = np.array([1.0, 1.0, 1.0, 0.0])


def _pictures(low: int = 80, high: int = 150) -> torch.Tensor:
    """Mid-tones, so that nothing is clipped and the single steps can be compared."""
    return torch.from_numpy(
        np.random.default_rng(3).uniform(low, high, (2, 3, 9, 13)).astype(np.float32)
    )


def _only(position: int, value: float) -> np.ndarray:
    colour = NEUTRAL.copy()
    colour[position] = value
    return np.tile(colour, (2, 1))


def test_neutral_changes_nothing() -> None:
    torch.testing.assert_close(apply_colour(_pictures(), _only(0, 1.0)), _pictures(), atol=1e-3, rtol=0)


@pytest.mark.parametrize("factor", [0.0, 0.6, 1.5])
def test_brightness_equals_torchvision(factor: float) -> None:
    expected = reference.adjust_brightness(_pictures() / 255, factor) * 255
    torch.testing.assert_close(apply_colour(_pictures(), _only(0, factor)), expected, atol=1e-3, rtol=0)


def test_brightness_clips_like_torchvision() -> None:
    expected = reference.adjust_brightness(_pictures() / 255, 2.5) * 255
    found = apply_colour(_pictures(), _only(0, 2.5))
    assert found.max() == 255
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize("factor", [0.0, 0.7, 1.4])
def test_contrast_equals_torchvision(factor: float) -> None:
    """torchvision's grey weights are rounded (.2989): a thousandth of 255 apart."""
    expected = reference.adjust_contrast(_pictures() / 255, factor) * 255
    torch.testing.assert_close(apply_colour(_pictures(), _only(1, factor)), expected, atol=0.06, rtol=0)


@pytest.mark.parametrize("factor", [0.0, 0.7, 1.6])
def test_saturation_equals_torchvision(factor: float) -> None:
    expected = reference.adjust_saturation(_pictures() / 255, factor) * 255
    torch.testing.assert_close(apply_colour(_pictures(), _only(2, factor)), expected, atol=0.06, rtol=0)


def test_all_together_equal_the_chain() -> None:
    colour = np.tile([1.1, 0.8, 1.3, 0.0], (2, 1))
    chain = reference.adjust_brightness(_pictures() / 255, 1.1)
    chain = reference.adjust_saturation(reference.adjust_contrast(chain, 0.8), 1.3) * 255
    torch.testing.assert_close(apply_colour(_pictures(), colour), chain, atol=0.1, rtol=0)


@given(st.floats(-1, 1), st.floats(0, 255))
def test_hue_keeps_grey_and_luma(turns: float, level: float) -> None:
    matrix = colour_matrix(np.array([[1.0, 1.0, 1.0, turns]]))[0][0]
    np.testing.assert_allclose(matrix @ np.full(3, level), level, atol=1e-3)
    rgb = np.array([200.0, 30.0, 90.0])
    np.testing.assert_allclose(np.array(LUMA) @ matrix @ rgb, np.array(LUMA) @ rgb, atol=1e-3)


def test_hue_turns_add_up_to_a_full_circle() -> None:
    third = colour_matrix(np.array([[1.0, 1.0, 1.0, 1 / 3]]))[0][0]
    np.testing.assert_allclose(third @ third @ third, np.eye(3), atol=1e-6)


@pytest.mark.parametrize("turns", [-0.1, 0.05, 0.15])
def test_hue_goes_the_way_torchvision_goes(turns: float) -> None:
    """HSV and YIQ are different circles: the same direction, and about the same angle."""
    for pixel in ([180.0, 90.0, 90.0], [90.0, 160.0, 120.0], [100.0, 90.0, 150.0]):
        rgb = torch.tensor(pixel).view(1, 3, 1, 1)
        pair = (
            apply_colour(rgb, np.array([[1.0, 1.0, 1.0, turns]])) / 255,
            reference.adjust_hue(rgb / 255, turns),
            rgb / 255,
        )
        found, expected, before = (colorsys.rgb_to_hsv(*one.flatten().tolist())[0] for one in pair)
        moved, wanted = ((hue - before + 0.5) % 1 - 0.5 for hue in (found, expected))
        assert 0.5 < moved / wanted < 1.8


def test_a_picture_does_not_depend_on_its_batch() -> None:
    pictures = torch.from_numpy(
        np.random.default_rng(0).uniform(0, 255, (7, 3, 31, 45)).astype(np.float32)
    )
    colour = np.random.default_rng(1).uniform(0.5, 1.5, (7, 4))
    whole = apply_colour(pictures, colour)
    for i in range(7):
        assert torch.equal(apply_colour(pictures[i : i + 1], colour[i : i + 1])[0], whole[i])
