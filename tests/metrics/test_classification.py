import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from striate.metrics import classification as ours


def make_answers(n: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    scores = rng.dirichlet(np.ones(classes), n)
    scores[np.arange(n), truth] += rng.uniform(0, 1, n)
    scores /= scores.sum(axis=1, keepdims=True)
    return truth, scores.argmax(axis=1), scores


@pytest.mark.parametrize(("n", "classes"), [(1, 2), (7, 3), (400, 10), (300, 120)])
def test_measures_equal_scikit_learn(n: int, classes: int) -> None:
    truth, answer, scores = make_answers(n, classes, seed=n)
    labels = np.arange(classes)
    confusion = ours.confusion_counts(truth, answer, classes)
    assert (confusion == sk.confusion_matrix(truth, answer, labels=labels)).all()
    found = ours.class_scores(confusion)
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        truth, answer, labels=labels, zero_division=np.nan
    )
    np.testing.assert_allclose(found.precision, precision)
    np.testing.assert_allclose(found.recall, recall)
    np.testing.assert_allclose(found.f1, f1)
    assert (found.support == support).all()
    assert ours.accuracy(truth, answer) == pytest.approx(sk.accuracy_score(truth, answer))
    occurs = np.unique(np.concatenate([truth, answer]))
    for average, value in (
        ("macro", ours.mean_over_classes(found.f1)),
        ("macro", ours.macro_f1(truth, answer, classes)),
        ("weighted", ours.weighted_over_classes(found.f1, found.support)),
    ):
        expected = sk.f1_score(truth, answer, labels=occurs, average=average, zero_division=0)
        assert value == pytest.approx(expected)
    seen = np.unique(truth)
    expected = sk.recall_score(truth, answer, labels=seen, average="macro")
    assert ours.balanced_accuracy(confusion) == pytest.approx(expected)
    assert ours.log_loss(truth, scores) == pytest.approx(sk.log_loss(truth, scores, labels=labels))
    one_hot = np.eye(classes)[truth]
    assert ours.brier_score(truth, scores) == pytest.approx(((scores - one_hot) ** 2).sum(1).mean())


def test_brier_equals_scikit_learn_on_two_and_more_classes() -> None:
    for classes in (2, 5):
        truth, _, scores = make_answers(60, classes, seed=3)
        expected = sk.brier_score_loss(truth, scores, scale_by_half=False, labels=np.arange(classes))
        assert ours.brier_score(truth, scores) == pytest.approx(expected)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_top_k_equals_scikit_learn(k: int) -> None:
    truth, _, scores = make_answers(500, 12, seed=4)
    expected = sk.top_k_accuracy_score(truth, scores, k=k, labels=np.arange(12))
    assert ours.top_k_hits(truth, scores, k).mean() == pytest.approx(expected)


def test_top_1_is_accuracy_even_with_ties() -> None:
    scores = np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.2, 0.2, 0.6]], dtype=np.float32)
    truth = np.array([1, 1, 2])
    hits = ours.top_k_hits(truth, scores, 1)
    assert hits.tolist() == (scores.argmax(axis=1) == truth).tolist() == [False, True, True]
    assert ours.top_k_hits(truth, scores, 2).all()


def test_top_k_with_k_beyond_the_classes_is_always_hit() -> None:
    truth, _, scores = make_answers(20, 3)
    assert ours.top_k_hits(truth, scores, 5).all()


def test_a_class_never_seen_is_undefined_not_zero() -> None:
    found = ours.class_scores(np.array([[2, 1, 0], [0, 0, 0], [0, 3, 0]]))
    assert np.isnan(found.recall[1])  # never the truth
    assert np.isnan(found.precision[2])  # never the answer
    assert found.recall[2] == 0.0
    assert found.f1[2] == 0.0


def test_log_loss_of_a_certain_mistake_is_finite_and_that_of_scikit_learn() -> None:
    scores = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    found = ours.log_loss(np.array([1, 1]), scores)
    assert found == pytest.approx(-np.log(np.finfo(np.float32).eps) / 2)


def test_empty_is_nan_not_a_crash() -> None:
    none, scores = np.zeros(0, dtype=np.int64), np.zeros((0, 3), dtype=np.float32)
    assert np.isnan(ours.accuracy(none, none))
    assert np.isnan(ours.log_loss(none, scores))
    assert np.isnan(ours.brier_score(none, scores))
    assert np.isnan(ours.macro_f1(none, none, 3))
    confusion = ours.confusion_counts(none, none, 3)
    assert confusion.shape == (3, 3)
    assert np.isnan(ours.balanced_accuracy(confusion))


def test_most_confused_lists_mistakes_by_number() -> None:
    confusion = np.array([[50, 1, 3], [0, 9, 0], [7, 3, 5]])
    assert ours.most_confused(confusion, 3) == [(2, 0, 7), (0, 2, 3), (2, 1, 3)]
    assert confusion[0, 0] == 50  # the argument is left alone


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_renaming_the_classes_changes_no_average(pairs: list[tuple[int, int]]) -> None:
    truth, answer = np.array(pairs).T
    renamed = np.array([2, 0, 3, 1])
    first = ours.macro_f1(truth, answer, 4)
    assert 0.0 <= first <= 1.0
    assert ours.macro_f1(renamed[truth], renamed[answer], 4) == pytest.approx(first)
