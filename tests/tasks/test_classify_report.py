from collections.abc import Callable

import numpy as np
import pytest

from striate.figures import Bars, Figure, Gallery, Lines, Matrix, Section, Table
from striate.task import Evidence
from striate.tasks.classify.config import ClassifyConfig, ClassifyFacts
from striate.tasks.classify.task import Classify

NAMES = ("a", "b", "c")
Make = Callable[..., tuple[list[Section], Classify]]


def facts_of(**rest: object) -> ClassifyFacts:
    values = {"model": "m", "names": NAMES, "size_hw": (12, 9), "fit": "crop", "channels": 3}
    return ClassifyFacts.parse({**values, **rest})


def figure_of(sections: list[Section], title: str) -> Figure:
    return next(one for section in sections for one in section.figures if one.title == title)


@pytest.fixture
def make_sections(make_dataset) -> Make:  # type: ignore[no-untyped-def]
    def make(targets: list[tuple[str, ...]], logits: np.ndarray, facts: ClassifyFacts):  # type: ignore[no-untyped-def]
        task = Classify(ClassifyConfig(multi_label=facts.multi_label), facts)
        predictions = task.decode({"logits": logits}, [])
        meter = task.meter()
        meter.update(predictions, targets)
        metrics = meter.compute()
        evidence = Evidence(make_dataset(targets, facts.names), predictions, metrics)
        return task.sections(evidence), task

    return make


def test_mistakes_are_shown_surest_first(make_sections: Make) -> None:
    targets = [("a",), ("b",), ("c",), ("a",)]
    logits = np.array([[5, 0, 0], [2, 0, 0], [4, 0, 0], [0.2, 0, 0]], np.float32)
    sections, _ = make_sections(targets, logits, facts_of(counts=(2, 1, 1)))
    wrong = figure_of(sections, "Sure and wrong")
    assert isinstance(wrong, Gallery)
    assert [item.title for item in wrong.items] == ["c, taken for a", "b, taken for a"]
    assert "set/00002" in wrong.items[0].note
    assert {item.tone for item in wrong.items} == {"bad"}
    unsure = figure_of(sections, "Least sure")
    assert isinstance(unsure, Gallery)
    assert [item.tone for item in unsure.items] == ["good", "bad", "bad", "good"]
    assert "50.0 %" in sections[0].intro  # both the accuracy and the baseline


def test_bars_begin_with_the_weakest_class_and_have_whiskers(make_sections: Make) -> None:
    targets = [("a",)] * 3 + [("b",)] * 2
    logits = np.eye(3, dtype=np.float32)[[0, 0, 0, 1, 2]] * 3
    sections, _ = make_sections(targets, logits, facts_of())
    bars = figure_of(sections, "Found, class by class")
    assert isinstance(bars, Bars)
    assert list(bars.names) == ["b", "a"]  # c has no pictures
    assert list(bars.values) == [0.5, 1.0]
    assert bars.low is not None
    assert bars.high is not None
    for low, value, high in zip(bars.low, bars.values, bars.high, strict=True):
        assert low < value <= high
    table = figure_of(sections, "Each class in numbers")
    assert isinstance(table, Table)
    assert table.rows[2] == ("c", "0.0 %", "–", "0.0 %", 0)


def test_reliability_shows_the_probabilities_before_the_temperature(make_sections: Make) -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 200)
    logits = (rng.normal(0, 3, (200, 3)) + 3 * np.eye(3)[truth]).astype(np.float32)
    targets = [(NAMES[k],) for k in truth]
    sections, _ = make_sections(targets, logits, facts_of(temperature=4.0))
    lines = figure_of(sections, "Said and true")
    assert isinstance(lines, Lines)
    assert lines.diagonal
    after, before = lines.curves
    assert before.name == "before the temperature of 4.00"
    plain, _ = make_sections(targets, logits, facts_of())
    expected = figure_of(plain, "Said and true")
    assert isinstance(expected, Lines)
    assert len(expected.curves) == 1
    np.testing.assert_allclose(before.x, expected.curves[0].x, atol=1e-4)
    np.testing.assert_allclose(before.y, expected.curves[0].y)
    assert max(after.x) < max(before.x)


def test_many_classes_get_a_list_in_place_of_a_matrix(make_sections: Make) -> None:
    names = tuple(f"c{k:02}" for k in range(40))
    logits = np.zeros((80, 40), np.float32)
    logits[:, 3] = 1
    targets = [(names[k % 40],) for k in range(80)]
    sections, _ = make_sections(targets, logits, facts_of(names=names))
    table = figure_of(sections, "Most often confused")
    assert isinstance(table, Table)
    assert table.rows[0] == ("c00", "c03", 2)
    bars = figure_of(sections, "Found, class by class")
    assert isinstance(bars, Bars)
    assert len(bars.names) == 30
    assert "30 weakest of 40" in bars.caption
    few, _ = make_sections([("a",)], np.array([[1, 0, 0]], np.float32), facts_of())
    assert isinstance(figure_of(few, "What is taken for what"), Matrix)


@pytest.mark.parametrize(
    ("threshold", "told"),
    [(0.8, "Answers below 80.0 % are marked unknown"), (2.0, "every answer is marked")],
)
def test_the_promise_is_told(threshold: float, told: str, make_sections: Make) -> None:
    logits = np.array([[3, 0, 0], [0, 0.5, 0]], np.float32)
    facts = facts_of(reject_threshold=threshold, reject_error=0.02)
    sections, _ = make_sections([("a",), ("b",)], logits, facts)
    assert told in sections[-1].intro


def test_label_sections(make_sections: Make) -> None:
    targets = [("a", "b"), (), ("c",)]
    logits = np.array([[3, -3, 3], [-3, -3, -3], [-3, -3, 3]], np.float32)
    sections, task = make_sections(targets, logits, facts_of(multi_label=True))
    worst = figure_of(sections, "Worst mistakes")
    assert isinstance(worst, Gallery)
    assert [item.title for item in worst.items] == ["missed b; wrongly c"]
    bars = figure_of(sections, "Ranked right, label by label")
    assert isinstance(bars, Bars)
    assert list(bars.names) == ["b", "c", "a"] or bars.values[0] <= bars.values[-1]
    table = figure_of(sections, "Each label in numbers")
    assert isinstance(table, Table)
    assert len(table.rows[0]) == len(table.columns)
    assert "Mean average precision" in sections[0].intro
    assert task.facts.multi_label


def test_summaries(make_dataset) -> None:  # type: ignore[no-untyped-def]
    names = tuple("abcdefgh")
    for multi in (False, True):
        facts = facts_of(names=names, multi_label=multi, counts=(1,) * 8, reject_threshold=0.9)
        task = Classify(ClassifyConfig(multi_label=multi), facts)
        meter = task.meter()
        logits = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32)
        meter.update(task.decode({"logits": logits}, []), [("a",)] * 30)
        told = dict(task.summary(meter.compute()))
        assert told["pictures"] == "30"
        assert ("top-5 accuracy" in told) is not multi
        assert ("accepted" in told) is not multi
        assert dict(task.summary(task.meter().compute()))["pictures"] == "0"  # nothing yet: no crash
