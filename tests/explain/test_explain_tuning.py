from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.explain.tuning import (
    Curve,
    above_blank,
    half_width,
    modulation,
    peak_angle,
    selectivity,
    span_at_half,
)

TURNS = np.arange(24) * 7.5


def bump(peak_deg: float, sharpness: float, turns: np.ndarray = TURNS) -> np.ndarray:
    """A von Mises curve over 180°."""
    return np.exp(sharpness * (np.cos(2 * np.deg2rad(turns - peak_deg)) - 1))


@given(st.floats(0, 179.9), st.floats(0.5, 8))
def test_the_peak_is_found_between_samples(peak: float, sharpness: float) -> None:
    found = peak_angle(bump(peak, sharpness))
    assert abs((found - peak + 90) % 180 - 90) < 0.5


@pytest.mark.parametrize("sharpness", [1.0, 2.0, 6.0])
def test_half_width_of_a_known_curve(sharpness: float) -> None:
    exact = np.rad2deg(np.arccos(1 + np.log(0.5) / sharpness)) / 2
    assert half_width(bump(60.0, sharpness)) == pytest.approx(exact, abs=0.6)


def test_no_half_width_where_nothing_falls_to_half() -> None:
    assert half_width(np.array([1.0, 0.9, 0.8, 0.9])) is None
    assert half_width(np.ones(8)) is None


def test_half_width_of_a_triangle_by_hand() -> None:
    # peak 4 at 45°, half 2 is reached exactly one step away on each side
    assert half_width(np.array([2.0, 4.0, 2.0, 0.0])) == pytest.approx(45.0)


@given(st.integers(0, 23), st.floats(0.2, 6))
def test_selectivity_does_not_depend_on_the_angle(shift: int, sharpness: float) -> None:
    curve = bump(0.0, sharpness)
    assert selectivity(np.roll(curve, shift)) == pytest.approx(selectivity(curve), abs=1e-9)


def test_selectivity_is_the_ratio_of_bessel_functions() -> None:
    from scipy.special import i0, i1

    assert selectivity(bump(20.0, 2.0)) == pytest.approx(i1(2.0) / i0(2.0), abs=1e-6)
    assert np.isnan(selectivity(np.zeros(4)))


def test_a_curve_of_silence() -> None:
    found = Curve.of(TURNS, np.zeros(24))
    assert (found.peak_deg, found.half_width_deg, found.selectivity) == (None, None, None)
    assert found.to_dict()["responses"] == [0.0] * 24
    assert Curve.of(TURNS, bump(30.0, 2.0), silent=True).peak_deg is None


def test_span_at_half() -> None:
    offsets = np.arange(5.0)
    assert span_at_half(offsets, np.array([0.0, 1.0, 2.0, 1.0, 0.0])) == 2.0
    assert span_at_half(offsets, np.array([2.0, 0.0, 0.0, 0.0, 2.0])) == pytest.approx(1.0)
    assert span_at_half(offsets, np.ones(5)) == 4.0
    assert span_at_half(offsets, np.zeros(5)) == 0.0


def test_modulation_of_simple_and_complex() -> None:
    phases = np.arange(8) * np.pi / 4
    assert modulation(np.cos(phases)) == pytest.approx(np.pi / 2, rel=0.1)  # half of a cosine
    assert modulation(np.ones(8)) == pytest.approx(0.0, abs=1e-9)
    assert modulation(-np.ones(8)) is None


def test_above_blank() -> None:
    assert above_blank(np.array([1.0, 3.0], np.float32), 2.0).tolist() == [0.0, 1.0]
