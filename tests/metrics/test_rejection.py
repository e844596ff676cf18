import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.metrics.intervals import binomial_upper
from striate.metrics.rejection import (
    REJECT_ALL,
    area_under_risk_coverage,
    choose_rejection,
    risk_coverage,
)


def test_risk_coverage_by_hand() -> None:
    coverage, risk = risk_coverage(np.array([0.9, 0.5, 0.8]), np.array([False, True, True]))
    np.testing.assert_allclose(coverage, [1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(risk, [0, 1 / 2, 2 / 3])
    area = area_under_risk_coverage(np.array([0.9, 0.5, 0.8]), np.array([0, 1, 1]))
    assert area == pytest.approx(7 / 18)


@given(st.lists(st.tuples(st.sampled_from([0.2, 0.5, 0.9]), st.booleans()), min_size=1, max_size=30))
def test_the_order_of_the_records_is_of_no_consequence(pairs: list[tuple[float, bool]]) -> None:
    confidence, wrong = (np.array(column) for column in zip(*pairs, strict=True))
    _, risk = risk_coverage(confidence, wrong)
    _, turned = risk_coverage(confidence[::-1], wrong[::-1])
    np.testing.assert_allclose(risk, turned)
    assert risk[-1] == pytest.approx(wrong.mean())


def test_no_answers() -> None:
    coverage, risk = risk_coverage(np.zeros(0), np.zeros(0))
    assert len(coverage) == len(risk) == 0
    assert np.isnan(area_under_risk_coverage(np.zeros(0), np.zeros(0)))
    assert choose_rejection(np.zeros(0), np.zeros(0), max_error=0.1).threshold == REJECT_ALL


def make_answers(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    confidence = rng.uniform(0.3, 1, n)
    return confidence, rng.random(n) > confidence


def test_the_promise_is_kept_on_new_answers(rng: np.random.Generator) -> None:
    fresh_confidence, fresh_wrong = make_answers(100_000, rng)
    broken = chosen = 0
    for _ in range(150):
        confidence, wrong = make_answers(800, rng)
        found = choose_rejection(confidence, wrong, max_error=0.15, delta=0.1)
        if found.threshold < REJECT_ALL:
            chosen += 1
            broken += fresh_wrong[fresh_confidence >= found.threshold].mean() > 0.15
    assert chosen > 100  # a promise that is never made would be easy to keep
    assert broken / chosen <= 0.1


def test_the_bound_is_true_of_the_answers_accepted(rng: np.random.Generator) -> None:
    confidence, wrong = make_answers(2000, rng)
    found = choose_rejection(confidence, wrong, max_error=0.2)
    accepted = confidence >= found.threshold
    assert found.coverage == pytest.approx(accepted.mean())
    assert wrong[accepted].mean() < found.error_bound <= 0.2
    assert found.error_bound >= binomial_upper(int(wrong[accepted].sum()), accepted.sum(), delta=0.05)


def test_a_perfect_small_set_is_accepted_as_soon_as_it_can_be() -> None:
    # 0.95^n <= 0.05 from n = 59 on
    right = np.zeros(100, dtype=bool)
    for n, threshold in ((58, REJECT_ALL), (59, 0.7), (100, 0.7)):
        found = choose_rejection(np.full(n, 0.7), right[:n], max_error=0.05)
        assert found.threshold == pytest.approx(threshold)


def test_equal_confidences_stand_or_fall_together() -> None:
    confidence = np.array([0.9] * 300 + [0.6] * 100)
    wrong = np.array([False] * 300 + [True] * 100)
    found = choose_rejection(confidence, wrong, max_error=0.05)
    assert found.threshold == pytest.approx(0.9)
    assert found.coverage == pytest.approx(0.75)


def test_hopeless_answers_are_all_rejected(rng: np.random.Generator) -> None:
    found = choose_rejection(rng.random(500), np.ones(500, dtype=bool), max_error=0.1)
    assert found.threshold == REJECT_ALL > 1
    assert found.coverage == 0.0


def test_each_of_the_tests_gets_its_share_of_the_doubt(rng: np.random.Generator) -> None:
    found = choose_rejection(rng.random(1000), np.zeros(1000, dtype=bool), max_error=0.05)
    assert found.coverage == 1.0
    assert found.error_bound == pytest.approx(binomial_upper(0, 1000, delta=0.05 / 16))
