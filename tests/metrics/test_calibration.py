from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.metrics.calibration import expected_calibration_error, reliability


def ece_of_guo(confidence: np.ndarray, right: np.ndarray, bins: int) -> float:
    """Written down as in Guo et al. 2017, eq. 3, bin by bin."""
    error = 0.0
    edges = np.linspace(0, 1, bins + 1)
    for low, high in pairwise(edges):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return error


@pytest.mark.parametrize("bins", [1, 5, 15])
def test_equals_the_definition_of_guo(bins: int, rng: np.random.Generator) -> None:
    confidence = rng.uniform(0.2, 1.0, 1000)
    right = rng.random(1000) < confidence**2
    expected = ece_of_guo(confidence, right, bins)
    assert expected_calibration_error(confidence, right, bins=bins) == pytest.approx(expected)


def test_by_hand() -> None:
    confidence = np.array([0.95, 0.95, 0.65, 0.65])
    right = np.array([True, True, True, False])
    # bin (.9, 1]: |1 - .95| · ½; bin (.6, .7]: |.5 - .65| · ½
    assert expected_calibration_error(confidence, right, bins=10) == pytest.approx(0.025 + 0.075)


def test_an_edge_belongs_to_the_lower_bin_also_in_float32() -> None:
    found = reliability(np.array([0.6, 0.61], dtype=np.float32), np.array([1, 0]), bins=10)
    assert found.count.tolist() == [1, 1]
    assert found.share.tolist() == [1.0, 0.0]


def test_equal_mass_bins_hold_equally_many(rng: np.random.Generator) -> None:
    confidence = rng.beta(8, 1, 103)
    found = reliability(confidence, rng.random(103) < 0.5, bins=10, by="mass")
    assert found.count.sum() == 103
    assert set(found.count.tolist()) == {10, 11}
    assert (np.diff(found.confidence) > 0).all()


def test_perfectly_calibrated_answers_have_little_error(rng: np.random.Generator) -> None:
    confidence = rng.uniform(0.5, 1, 50_000)
    right = rng.random(50_000) < confidence
    assert expected_calibration_error(confidence, right) < 0.012
    assert expected_calibration_error(confidence, right, by="mass") < 0.012
    assert expected_calibration_error(np.ones(10), np.zeros(10)) == 1.0


def test_none_is_nan_and_fewer_answers_than_bins_is_fine() -> None:
    assert np.isnan(expected_calibration_error(np.zeros(0), np.zeros(0)))
    assert expected_calibration_error(np.array([0.7]), np.array([1]), by="mass") == pytest.approx(0.3)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60), st.integers(1, 20))
def test_bounded_and_no_answer_lost(pairs: list[tuple[float, bool]], bins: int) -> None:
    confidence, right = (np.array(column) for column in zip(*pairs, strict=True))
    for by in ("width", "mass"):
        found = reliability(confidence, right, bins=bins, by=by)
        assert found.count.sum() == len(pairs)
        assert 0.0 <= found.error <= 1.0
