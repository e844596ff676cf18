import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special

from striate.errors import RunError
from striate.tasks.classify.config import ClassifyFacts
from striate.tasks.classify.decode import answers_from, probabilities_from, sigmoid, softmax

WILD = arrays(np.float32, (4, 3), elements=st.floats(-(2.0**100), 2.0**100, width=32))


def facts_of(**rest: object) -> ClassifyFacts:
    values = {"model": "m", "names": ("a", "b", "c"), "size_hw": (8, 8), "fit": "crop", "channels": 3}
    return ClassifyFacts.parse({**values, **rest})


def test_softmax_and_sigmoid_equal_scipy(rng: np.random.Generator) -> None:
    z = rng.normal(0, 30, (50, 7))
    np.testing.assert_allclose(softmax(z), special.softmax(z, axis=-1), rtol=1e-12)
    np.testing.assert_allclose(sigmoid(z), special.expit(z), rtol=1e-12)


@settings(max_examples=40)
@given(WILD)
def test_any_finite_logits_give_a_distribution(logits: np.ndarray) -> None:
    for found in answers_from({"logits": logits}, facts_of()):
        assert float(found.probabilities.sum()) == pytest.approx(1.0, abs=1e-5)
    for found in answers_from({"logits": logits}, facts_of(multi_label=True)):
        assert ((found.probabilities >= 0) & (found.probabilities <= 1)).all()


def test_the_graphs_own_probabilities_win_over_the_temperature() -> None:
    logits = np.log(np.array([[0.2, 0.7, 0.1]], np.float32))
    given_by_graph = np.array([[0.6, 0.3, 0.1]], np.float32)
    facts = facts_of(temperature=3.0)
    found = probabilities_from({"logits": logits, "probabilities": given_by_graph}, facts)
    np.testing.assert_array_equal(found, given_by_graph)
    cooled = probabilities_from({"logits": logits}, facts)
    np.testing.assert_allclose(cooled, special.softmax(logits / 3, axis=1), rtol=1e-6)


def test_rejection() -> None:
    outputs = {
        "probabilities": np.array([[0.5, 0.3, 0.2], [0.8, 0.1, 0.1], [0.7, 0.2, 0.1]], np.float32)
    }
    known = [found.known for found in answers_from(outputs, facts_of(reject_threshold=0.7))]
    assert known == [False, True, True]  # the threshold itself is accepted
    exact = float(np.float32(0.8))
    assert [a.known for a in answers_from(outputs, facts_of(reject_threshold=exact))][1]
    assert not any(found.known for found in answers_from(outputs, facts_of(reject_threshold=2.0)))
    assert all(found.known for found in answers_from(outputs, facts_of()))
    assert answers_from(outputs, facts_of(reject_threshold=0.7))[0].label == "a"  # the best guess stays


def test_labels_have_their_own_thresholds_and_come_best_first() -> None:
    outputs = {"probabilities": np.array([[0.4, 0.6, 0.5], [0.1, 0.1, 0.1]], np.float32)}
    facts = facts_of(multi_label=True, thresholds=(0.3, 0.7, 0.5))
    assert [found.labels for found in answers_from(outputs, facts)] == [("c", "a"), ()]
    plain = answers_from(outputs, facts_of(multi_label=True))
    assert plain[0].labels == ("b", "c")


def test_no_pictures_no_answers() -> None:
    none = {"logits": np.zeros((0, 3), np.float32)}
    assert answers_from(none, facts_of()) == []
    assert answers_from(none, facts_of(multi_label=True)) == []


@pytest.mark.parametrize(
    ("outputs", "told"),
    [
        ({"values": np.zeros((1, 3))}, "no output 'logits' but values"),
        ({"logits": np.zeros((1, 4))}, "3 columns"),
        ({"logits": np.zeros(3)}, "3 columns"),
        ({"logits": np.array([[0.0, np.nan, 1.0]])}, "not finite"),
        ({"probabilities": np.array([[np.inf, 0.0, 1.0]])}, "not finite"),
    ],
)
def test_a_graph_of_another_kind_is_told_apart(outputs: dict[str, np.ndarray], told: str) -> None:
    with pytest.raises(RunError, match=told):
        answers_from(outputs, facts_of())
