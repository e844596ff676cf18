import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from striate.metrics import multilabel as ours


def make_labels(n: int, labels: int, seed: int, *, decimals: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.random((n, labels)) < 0.4
    return truth, np.round(np.clip(rng.random((n, labels)) * 0.7 + 0.3 * truth, 0, 1), decimals)


@pytest.mark.parametrize("decimals", [1, 6])
def test_rank_measures_equal_scikit_learn_with_and_without_ties(decimals: int) -> None:
    truth, scores = make_labels(200, 5, seed=1, decimals=decimals)
    for label in range(5):
        y, s = truth[:, label], scores[:, label]
        assert ours.average_precision(y, s) == pytest.approx(sk.average_precision_score(y, s))
        assert ours.auroc(y, s) == pytest.approx(sk.roc_auc_score(y, s))


def test_set_measures_equal_scikit_learn() -> None:
    truth, scores = make_labels(150, 6, seed=2)
    answer = scores >= 0.5
    assert ours.micro_f1(truth, answer) == pytest.approx(sk.f1_score(truth, answer, average="micro"))
    assert ours.subset_accuracy(truth, answer) == pytest.approx(sk.accuracy_score(truth, answer))
    assert ours.hamming_loss(truth, answer) == pytest.approx(sk.hamming_loss(truth, answer))
    found = ours.label_scores(truth, answer)
    precision, recall, f1, support = sk.precision_recall_fscore_support(truth, answer)
    np.testing.assert_allclose(found.precision, precision)
    np.testing.assert_allclose(found.recall, recall)
    np.testing.assert_allclose(found.f1, f1)
    assert (found.support == support).all()


def test_undefined_without_positives_or_negatives() -> None:
    scores = np.array([0.1, 0.9])
    assert np.isnan(ours.average_precision(np.array([False, False]), scores))
    assert np.isnan(ours.auroc(np.array([False, False]), scores))
    assert np.isnan(ours.auroc(np.array([True, True]), scores))
    assert np.isnan(ours.best_f1_threshold(np.array([False, False]), scores))
    assert np.isnan(ours.subset_accuracy(np.zeros((0, 2)), np.zeros((0, 2))))
    assert np.isnan(ours.hamming_loss(np.zeros((0, 2)), np.zeros((0, 2))))
    assert np.isnan(ours.micro_f1(np.zeros((3, 2)), np.zeros((3, 2))))


def test_average_precision_by_hand() -> None:
    # ranks of positives 1 and 3: (1/1 + 2/3) / 2
    truth, scores = np.array([1, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.1])
    assert ours.average_precision(truth, scores) == pytest.approx(5 / 6)


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0])),
        min_size=1,
        max_size=30,
    )
)
def test_best_threshold_beats_every_other(pairs: list[tuple[bool, float]]) -> None:
    truth, scores = (np.array(column) for column in zip(*pairs, strict=True))
    threshold = ours.best_f1_threshold(truth, scores)
    if not truth.any():
        assert np.isnan(threshold)
        return
    best = ours.micro_f1(truth, scores >= threshold)
    for other in np.linspace(0, 1, 41):
        assert best >= ours.micro_f1(truth, scores >= other) - 1e-12


def test_best_threshold_lies_between_the_scores_it_parts() -> None:
    truth, scores = np.array([0, 0, 1, 1]), np.array([0.1, 0.3, 0.5, 0.9])
    assert ours.best_f1_threshold(truth, scores) == pytest.approx(0.4)
    assert ours.best_f1_threshold(np.array([1, 1]), np.array([0.4, 0.6])) == pytest.approx(0.2)


def test_interval_of_the_mean_average_precision_is_that_of_plain_resampling() -> None:
    truth, scores = make_labels(60, 3, seed=5, decimals=1)  # with ties
    rng = np.random.default_rng(0)
    plain = []
    for drawn in rng.integers(0, 60, (200, 60)):
        each = [ours.average_precision(truth[drawn, k], scores[drawn, k]) for k in range(3)]
        plain.append(np.mean(each))
    expected = np.quantile(plain, [0.025, 0.975])
    assert ours.bootstrap_mean_average_precision(truth, scores) == pytest.approx(expected)


def test_interval_without_pictures_or_positives_is_undefined() -> None:
    assert np.isnan(
        ours.bootstrap_mean_average_precision(np.zeros((0, 3), bool), np.zeros((0, 3)))
    ).all()
    assert np.isnan(
        ours.bootstrap_mean_average_precision(np.zeros((5, 2), bool), np.zeros((5, 2)))
    ).all()
