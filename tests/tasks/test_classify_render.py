import numpy as np
import pytest

from striate.tasks.classify.render import answer_text, render_classification
from striate.tasks.classify.types import Classification

NAMES = ("cat", "dog", "größer 猫")


def make(values: list[float], labels: tuple[str, ...], **rest: bool) -> Classification:
    return Classification(NAMES, np.array(values, np.float32), labels, **rest)


def test_words() -> None:
    assert answer_text(make([0.2, 0.7, 0.1], ("dog",))) == "dog 70.0 %"
    assert answer_text(make([0.4, 0.3, 0.3], ("cat",), known=False)) == "unknown (perhaps cat, 40.0 %)"
    assert answer_text(make([0.9, 0.8, 0.1], ("cat", "dog"), multi_label=True)) == "cat, dog"
    assert answer_text(make([0.1, 0.1, 0.1], (), multi_label=True)) == "none of the labels"


@pytest.mark.parametrize("size_hw", [(1, 1), (9, 40), (300, 120)])
def test_a_drawing_leaves_the_picture_alone(size_hw: tuple[int, int], rng: np.random.Generator) -> None:
    picture = rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    before = picture.copy()
    drawn = render_classification(picture, make([1.0, 0.0, 0.0], ("cat",)))
    assert (picture == before).all()
    assert drawn.shape[0] > size_hw[0]
    assert drawn.shape[1] > size_hw[1]
    assert not np.array_equal(drawn, render_classification(picture, make([0.0, 1.0, 0.0], ("dog",))))
