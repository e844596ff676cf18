import json
import time

import numpy as np
import pytest

from striate.tasks.classify.types import Classification

NAMES = ("cat", "dog", "<b>owl</b>")


def make(probabilities: list[float], labels: tuple[str, ...] = ("dog",), **rest: bool) -> Classification:
    return Classification(NAMES, np.array(probabilities, np.float32), labels, **rest)


def test_the_json_contract() -> None:
    found = make([0.2, 0.7, 0.1], known=False).to_dict()
    assert list(found) == ["label", "score", "scores", "known"]
    assert found == {
        "label": "dog",
        "score": 0.7,
        "scores": {"cat": 0.2, "dog": 0.7, "<b>owl</b>": 0.1},
        "known": False,
    }
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_scores_of_a_thousand_classes_still_sum_to_one(rng: np.random.Generator) -> None:
    names = tuple(map(str, range(1000)))
    found = Classification(names, rng.dirichlet(np.ones(1000)).astype(np.float32), ("3",))
    assert sum(found.to_dict()["scores"].values()) == pytest.approx(1.0, abs=1e-5)


def test_many_labels() -> None:
    found = make([0.6, 0.55, 0.0], ("dog", "<b>owl</b>"), multi_label=True)
    assert found.label == "dog"
    assert found.score == found.to_dict()["score"] == 0.55  # that of the label, not of "cat"
    assert found.to_dict()["labels"] == ["dog", "<b>owl</b>"]
    none = make([0.3, 0.2, 0.1], (), multi_label=True)
    assert none.label is None
    assert none.to_dict()["label"] is None
    assert none.score == 0.3


def test_top() -> None:
    found = make([0.25, 0.5, 0.25])
    assert found.top(2) == [("dog", 0.5), ("cat", 0.25)]
    assert len(found.top(9)) == 3


@pytest.mark.parametrize(
    "probabilities",
    [[0.5, 0.5], [0.5, 0.6, 0.1], [-0.1, 1.0, 0.1], [np.nan, 0.5, 0.5], [np.inf, 0, 0], [0.0, 0.0, 0.0]],
)
def test_what_is_no_distribution_is_refused(probabilities: list[float]) -> None:
    with pytest.raises(ValueError, match="probabilities must"):
        make(probabilities)


def test_other_wrong_forms_are_refused() -> None:
    with pytest.raises(ValueError, match="float32"):
        Classification(NAMES, np.array([0.2, 0.7, 0.1]), ("dog",))
    with pytest.raises(ValueError, match="one label"):
        make([0.2, 0.7, 0.1], ())
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        make([0.2, 1.7, 0.1], multi_label=True)
    assert make([0.9, 0.9, 0.9], multi_label=True).score == pytest.approx(0.9)


def test_frozen() -> None:
    with pytest.raises(AttributeError):
        make([0.2, 0.7, 0.1]).known = False  # type: ignore[misc]


def test_html_escapes_names_and_tells_what_is_unknown() -> None:
    html = make([0.2, 0.7, 0.1], known=False)._repr_html_()
    assert "<b>owl" not in html
    assert "&lt;b&gt;owl" in html
    assert "unknown" in html
    assert "70.0 %" in html
    assert "unknown" not in make([0.2, 0.7, 0.1])._repr_html_()
    assert "http" not in html  # nothing is fetched


def test_sixty_thousand_are_made_within_a_second(rng: np.random.Generator) -> None:
    rows = rng.dirichlet(np.ones(10), 60_000).astype(np.float32)
    names = tuple("abcdefghij")
    assert any(_seconds(names, rows) < 1.0 for _ in range(3))  # others share the machine


def _seconds(names: tuple[str, ...], rows: np.ndarray) -> float:
    start = time.process_time()
    made = [Classification(names, row, ("a",)) for row in rows]
    assert len(made) == 60_000
    return time.process_time() - start
