import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from striate.metrics import intervals as ours
from striate.metrics.classification import macro_f1


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (5, 5), (1, 2), (90, 100), (9_871, 10_000)])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_wilson_equals_scipy(hits: int, n: int, level: float) -> None:
    expected = stats.binomtest(hits, n).proportion_ci(level, method="wilson")
    low, high = ours.wilson_interval(hits, n, level=level)
    assert (float(low), float(high)) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_takes_arrays_and_knows_nothing_of_nothing() -> None:
    low, high = ours.wilson_interval(np.array([0, 3]), np.array([0, 4]))
    assert (low[0], high[0]) == (0.0, 1.0)
    assert 0 < low[1] < 0.75 < high[1] < 1


@given(st.integers(1, 300), st.floats(0, 1), st.floats(0.001, 0.4))
def test_binomial_upper_equals_scipy(n: int, share: float, delta: float) -> None:
    hits = round(share * n)
    expected = 1.0 if hits == n else stats.beta.ppf(1 - delta, hits + 1, n - hits)
    assert ours.binomial_upper(hits, n, delta=delta) == pytest.approx(expected, abs=1e-9)


def test_binomial_upper_of_nothing_and_of_much() -> None:
    assert ours.binomial_upper(0, 0, delta=0.05) == 1.0
    expected = stats.beta.ppf(0.95, 2_001, 58_000)
    assert ours.binomial_upper(2_000, 60_000, delta=0.05) == pytest.approx(expected, abs=1e-9)


def test_bootstrap_of_a_mean_agrees_with_scipy(rng: np.random.Generator) -> None:
    values = rng.exponential(size=300)
    low, high = ours.bootstrap_mean(values, resamples=4000)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.02)
    assert low < values.mean() < high


def test_bootstrap_covers_about_as_often_as_it_says(rng: np.random.Generator) -> None:
    hits = 0
    for seed in range(200):
        low, high = ours.bootstrap_mean(rng.normal(size=80), resamples=300, level=0.9, seed=seed)
        hits += low <= 0.0 <= high
    assert 0.82 <= hits / 200 <= 0.96


def test_bootstrap_of_any_statistic_equals_that_of_the_mean() -> None:
    values = np.arange(50.0)
    by_mean = ours.bootstrap_mean(values, resamples=200, seed=3)
    general = ours.bootstrap_interval(lambda rows: values[rows].mean(), 50, resamples=200, seed=3)
    assert general == pytest.approx(by_mean)
    assert by_mean == ours.bootstrap_mean(values, resamples=200, seed=3)
    assert by_mean != ours.bootstrap_mean(values, resamples=200, seed=4)


def test_strata_keep_their_sizes() -> None:
    strata = np.array([0] * 90 + [1] * 10)
    shares: list[float] = []

    def share(rows: np.ndarray) -> float:
        shares.append(float(strata[rows].mean()))
        return shares[-1]

    assert ours.bootstrap_interval(share, 100, resamples=50, strata=strata) == (0.1, 0.1)
    assert set(shares) == {0.1}
    values = np.where(strata == 1, 5.0, 1.0)
    assert ours.bootstrap_mean(values, strata=strata) == pytest.approx((1.4, 1.4))


def test_undefined_resamples_are_left_out() -> None:
    assert np.isnan(ours.bootstrap_interval(lambda rows: float("nan"), 5, resamples=10)).all()
    assert np.isnan(ours.bootstrap_interval(lambda rows: 1.0, 0)).all()
    assert np.isnan(ours.bootstrap_mean(np.zeros(0))).all()


def test_a_thousand_resamples_of_ten_thousand_pictures_are_quick(rng: np.random.Generator) -> None:
    values = rng.random(10_000)
    truth, answer = rng.integers(0, 10, 10_000), rng.integers(0, 10, 10_000)
    spent = []
    for _ in range(3):  # the best of three: other processes share the machine
        start = time.process_time()
        ours.bootstrap_mean(values)
        middle = time.process_time()
        ours.bootstrap_interval(lambda rows: macro_f1(truth[rows], answer[rows], 10), 10_000)
        spent.append((middle - start, time.process_time() - middle))
    assert min(mean for mean, _ in spent) < 0.3
    assert min(general for _, general in spent) < 1.0
