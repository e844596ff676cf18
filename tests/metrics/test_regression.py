import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn import metrics as sk

from striate.metrics import regression as ours

ANGLES = st.floats(-1e4, 1e4)


def test_measures_equal_scikit_learn_and_scipy(rng: np.random.Generator) -> None:
    truth = rng.normal(size=200)
    value = truth + 0.3 * rng.normal(size=200)
    assert ours.mean_absolute_error(truth, value) == pytest.approx(sk.mean_absolute_error(truth, value))
    assert ours.median_absolute_error(truth, value) == pytest.approx(
        sk.median_absolute_error(truth, value)
    )
    assert ours.max_absolute_error(truth, value) == pytest.approx(sk.max_error(truth, value))
    expected = sk.root_mean_squared_error(truth, value)
    assert ours.root_mean_squared_error(truth, value) == pytest.approx(expected)
    assert ours.r2_score(truth, value) == pytest.approx(sk.r2_score(truth, value))
    assert ours.pearson(truth, value) == pytest.approx(stats.pearsonr(truth, value).statistic)
    rounded = np.round(truth, 1)  # ties
    assert ours.spearman(rounded, value) == pytest.approx(stats.spearmanr(rounded, value).statistic)


@given(ANGLES)
def test_wrapping_keeps_the_direction(angle: float) -> None:
    wrapped = float(ours.wrap_degrees(angle))
    assert -180.0 < wrapped <= 180.0
    turns = (angle - wrapped) / 360.0
    assert turns == pytest.approx(round(turns), abs=1e-9)


def test_angles_wrap() -> None:
    truth, value = np.array([179.0, -179.0, 10.0]), np.array([-179.0, 179.0, 12.0])
    assert ours.difference(truth, value, angle=True) == pytest.approx([2.0, -2.0, 2.0])
    assert ours.mean_absolute_error(truth, value, angle=True) == pytest.approx(2.0)
    assert ours.root_mean_squared_error(truth, value, angle=True) == pytest.approx(2.0)
    assert ours.median_absolute_error(truth, value, angle=True) == pytest.approx(2.0)
    assert ours.max_absolute_error(truth, value, angle=True) == pytest.approx(2.0)


def test_circular_mean_equals_scipy(rng: np.random.Generator) -> None:
    angles = rng.normal(170, 30, 100)
    expected = stats.circmean(angles, high=180, low=-180)
    assert ours.circular_mean(angles) == pytest.approx(expected)


def test_a_shift_of_all_angles_changes_nothing(rng: np.random.Generator) -> None:
    truth = rng.normal(0, 25, 150)
    value = truth + rng.normal(0, 5, 150)
    for measure in (ours.r2_score, ours.pearson, ours.spearman, ours.mean_absolute_error):
        plain = measure(truth, value, angle=True)
        turned = measure(ours.wrap_degrees(truth + 175), ours.wrap_degrees(value + 175), angle=True)
        assert turned == pytest.approx(plain)
    # and near 0°, where nothing wraps, correlations are the ordinary ones
    assert ours.pearson(truth, value, angle=True) == pytest.approx(ours.pearson(truth, value))


def test_what_does_not_vary_is_undefined() -> None:
    same, other = np.full(7, 0.1), np.arange(7.0)
    assert np.isnan(ours.r2_score(same, other))
    assert np.isnan(ours.pearson(same, other))
    assert np.isnan(ours.pearson(other, same))
    assert np.isnan(ours.spearman(same, other))
    assert np.isnan(ours.pearson(np.ones(1), np.ones(1)))


def test_none_is_nan() -> None:
    none = np.zeros(0)
    for measure in (
        ours.mean_absolute_error,
        ours.median_absolute_error,
        ours.max_absolute_error,
        ours.root_mean_squared_error,
        ours.r2_score,
        ours.pearson,
        ours.spearman,
    ):
        assert np.isnan(measure(none, none))
    assert np.isnan(ours.circular_mean(none))
    assert np.isnan(ours.interval_coverage(none, none, none))
    assert np.isnan(ours.interval_width(none, none))


def test_intervals() -> None:
    truth, low, high = np.array([1.0, 5.0, 3.0]), np.array([0.0, 0.0, 3.0]), np.array([1.0, 4.0, 3.0])
    assert ours.within(truth, low, high).tolist() == [True, False, True]
    assert ours.interval_coverage(truth, low, high) == pytest.approx(2 / 3)
    assert ours.interval_width(low, high) == pytest.approx(5 / 3)


def test_angle_intervals_may_cross_the_seam() -> None:
    low, high = np.array([170.0, 170.0, -200.0]), np.array([190.0, 190.0, -170.0])
    inside = ours.within(np.array([-175.0, 160.0, 175.0]), low, high, angle=True)
    assert inside.tolist() == [True, False, True]


@given(arrays(np.float64, 12, elements=st.floats(-100, 100)))
def test_perfect_predictions_are_perfect(truth: np.ndarray) -> None:
    assert ours.mean_absolute_error(truth, truth, angle=True) == 0.0
    assert ours.max_absolute_error(truth, truth) == 0.0
    r2 = ours.r2_score(truth, truth)
    assert np.isnan(r2) or r2 == 1.0
