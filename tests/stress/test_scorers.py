"""Scores of passes, against the tasks' own meters and figures worked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate.data.boxes.truth import Box
from striate.errors import UsageError
from striate.metrics.calibration import expected_calibration_error
from striate.stress.resamples import ends, resamples_for
from striate.stress.scoring import scorer_of
from striate.task import Task, task_type
from striate.tasks.classify.types import Classification
from striate.tasks.detect.types import Detections
from striate.tasks.regress.types import Regression


def made(kind: str, facts: dict[str, Any]) -> Task[Any, Any]:
    found = task_type(kind)
    return found(found.config_type.parse({}), found.facts_type.parse(facts))


def classify(*, many: bool = False) -> Task[Any, Any]:
    facts = {"model": "small-cnn", "names": ("a", "b", "c"), "counts": (5, 5, 5), "size_hw": (8, 8),
             "fit": "squash", "channels": 3, "multi_label": many}  # fmt: skip
    return made("classify", facts)


def regress(*names: str, middle: tuple[float, ...] = ()) -> Task[Any, Any]:
    zeros = (0.0,) * len(names)
    facts = {"model": "small-cnn", "names": names, "is_angle": (False,) * len(names), "mean": zeros,
             "scale": (1.0,) * len(names), "middle": middle or zeros, "size_hw": (8, 8), "fit": "squash",
             "channels": 3, "coverage": 0.9}  # fmt: skip
    return made("regress", facts)


def said(names: tuple[str, ...], row: np.ndarray[Any, Any], *, many: bool = False) -> Classification:
    if many:
        labels = tuple(name for name, share in zip(names, row, strict=True) if share > 0.5)
    else:
        labels = (names[int(row.argmax())],)
    return Classification(names, row.astype(np.float32), labels, multi_label=many)


def test_classes_agree_with_the_meter(rng: np.random.Generator) -> None:
    task = classify()
    names = ("a", "b", "c")
    rows = rng.dirichlet((1, 1, 1), 200)
    results = [said(names, row) for row in rows]
    truths = [(names[int(at)],) for at in rng.integers(0, 3, 200)]
    scorer = scorer_of(task, truths, resamples_for(200, seed=0))
    found = scorer.judge(results, truths)
    meter = task.meter()
    meter.update(results, truths)
    metrics = meter.compute()
    assert found.headline.value == pytest.approx(metrics["accuracy"])
    low, high = ends(found.headline.draws)
    assert [low, high] == pytest.approx(metrics["accuracy_interval"], abs=0.02)
    ece = found.more["ece"]
    assert ece.value == pytest.approx(metrics["ece"], abs=1e-6)
    assert ends(ece.draws)[0] <= ece.value <= ends(ece.draws)[1]
    assert found.more["overconfidence"].value == pytest.approx(
        float(np.mean(rows.max(axis=1))) - metrics["accuracy"], abs=1e-6
    )
    assert 1 / 3 <= scorer.chance < 0.5
    assert scorer.words(results[0]).startswith(results[0].label)
    assert not scorer.fallen(found, found).any()
    np.testing.assert_allclose(
        scorer.support(results, results), rows.max(axis=1).astype(np.float32), rtol=1e-6
    )


def test_ece_of_a_resample_is_that_of_its_pictures(rng: np.random.Generator) -> None:
    """Against the plain function on the drawn pictures; the draws are shifted as a whole."""
    truths = [("a",) if one else ("b",) for one in rng.random(60) < 0.6]
    rows = rng.dirichlet((2, 1, 1), 60)
    results = [said(("a", "b", "c"), row) for row in rows]
    resamples = resamples_for(60, seed=4)
    found = scorer_of(classify(), truths, resamples).judge(results, truths)
    times = resamples.counts[:40].astype(int)
    plain = [
        expected_calibration_error(np.repeat(found.sureness, one), np.repeat(found.marks, one))
        for one in times
    ]
    draws = found.more["ece"].draws[:40]
    np.testing.assert_allclose(draws - draws.mean(), plain - np.mean(plain), atol=2e-3)


def test_several_labels() -> None:
    names = ("a", "b", "c")
    truths = [("a", "b"), ()]
    task = classify(many=True)
    rows = np.array([[0.9, 0.8, 0.1], [0.2, 0.7, 0.1]])
    results = [said(names, row, many=True) for row in rows]
    scorer = scorer_of(task, truths, resamples_for(2, seed=0))
    found = scorer.judge(results, truths)
    assert found.marks.tolist() == [1.0, 0.0]
    np.testing.assert_allclose(found.sureness, [0.8, 0.7], rtol=1e-6)
    assert scorer.truth(()) == "nothing"


def numbers(names: tuple[str, ...], row: Any) -> Regression:
    values = np.asarray(row, np.float64)
    return Regression(names, values, values - 1, values + 1, (False,) * len(names))


def test_one_number_in_its_unit() -> None:
    truths = [(1.0,), (-3.0,), (2.0,)]
    scorer = scorer_of(regress("x"), truths, resamples_for(3, seed=0))
    assert scorer.chance == pytest.approx(2.0)  # of always guessing 0
    results = [numbers(("x",), [value]) for value in (1.5, -3.0, 5.0)]
    found = scorer.judge(results, truths)
    assert found.headline.value == pytest.approx(3.5 / 3)
    assert found.more["coverage"].value == pytest.approx(2 / 3)
    assert found.marks.tolist() == pytest.approx([-0.5, 0.0, -3.0])
    worse = scorer.judge([numbers(("x",), [10.0])] * 3, truths)
    assert scorer.fallen(found, worse).tolist() == [True, True, False]


def test_several_numbers_as_a_share_of_guessing() -> None:
    truths = [(1.0, 100.0), (-1.0, -100.0)]
    scorer = scorer_of(regress("x", "y"), truths, resamples_for(2, seed=0))
    assert scorer.chance == 1.0
    found = scorer.judge([numbers(("x", "y"), [0.0, 0.0])] * 2, truths)
    assert found.headline.value == pytest.approx(1.0)
    half = scorer.judge([numbers(("x", "y"), one) for one in ((1.0, 0.0), (-1.0, 0.0))], truths)
    assert half.headline.value == pytest.approx(0.5)
    assert half.more["mae of y"].value == pytest.approx(100)


def test_two_runs_for_numbers_are_held_against_one_guess() -> None:
    """Trained on other values, and with the targets in another order; equal answers, equal errors."""
    truths = [(1.0, 100.0), (-1.0, -100.0)]
    first = regress("x", "y")
    other = regress("y", "x", middle=(900.0, 5.0))
    ours = scorer_of(first, truths, resamples_for(2, seed=0))
    swapped = [row[::-1] for row in truths]
    theirs = scorer_of(other, swapped, resamples_for(2, seed=0), first)
    one = ours.judge([numbers(("x", "y"), (1.0, 50.0))] * 2, truths).headline.value
    two = theirs.judge([numbers(("y", "x"), (50.0, 1.0))] * 2, swapped).headline.value
    assert one == pytest.approx(two)
    alone = scorer_of(other, swapped, resamples_for(2, seed=0))
    assert alone.judge([numbers(("y", "x"), (50.0, 1.0))] * 2, swapped).headline.value < one / 2


def detector() -> Task[Any, Any]:
    facts = {"method": "fcos", "model": "small-cnn", "names": ("a", "b"), "counts": (4, 4),
             "size_hw": (64, 64), "show_from": 0.5}  # fmt: skip
    return made("detect", facts)


def boxes(rows: list[tuple[float, float, float, float]], scores: list[float]) -> Detections:
    count = len(rows)
    return Detections(
        ("a", "b"),
        np.array(rows, np.float32).reshape(count, 4),
        np.array(scores, np.float32),
        np.zeros(count, np.int64),
    )


def test_boxes_agree_with_the_meter(rng: np.random.Generator) -> None:
    task = detector()
    truths, results = [], []
    for _ in range(25):
        corner = rng.uniform(0, 30, 2)
        own = (*corner, *(corner + 20))
        truths.append((Box("a", tuple(float(one) for one in own)),))  # type: ignore[arg-type]
        near = np.array(own) + rng.normal(0, 3, 4)
        scores = sorted(rng.random(2).tolist(), reverse=True)
        results.append(boxes([tuple(near.tolist()), (40, 40, 60, 60)], scores))  # type: ignore[list-item]
    resamples = resamples_for(25, seed=0, most=200)
    scorer = scorer_of(task, truths, resamples)
    found = scorer.judge(results, truths)
    meter = task.meter()
    meter.update(results, truths)
    metrics = meter.compute()
    assert found.headline.value == pytest.approx(metrics["ap50"])
    assert ends(found.headline.draws) == pytest.approx(metrics["ap50_interval"], abs=0.05)
    assert found.more["f1"].value == pytest.approx(metrics["f1"])
    assert found.marks.min() >= 0
    assert found.marks.max() <= 1
    nothing = scorer.judge([boxes([], [])] * 25, truths)
    assert nothing.headline.value == 0
    assert scorer.fallen(found, nothing).sum() == (found.marks > 0.5).sum()


def test_ap50_of_a_resample_is_that_of_its_pictures() -> None:
    """A picture drawn twice counts as two pictures do."""
    truths = [(Box("a", (0, 0, 10, 10)),), (Box("a", (0, 0, 10, 10)),)]
    results = [boxes([(0, 0, 10, 10)], [0.9]), boxes([(30, 30, 40, 40)], [0.8])]
    resamples = resamples_for(2, seed=0, most=200)
    draws = scorer_of(detector(), truths, resamples).judge(results, truths).headline.draws
    for row, (first, second) in enumerate(resamples.counts.tolist()):
        expected = {2: 1.0, 1: 51 / 101, 0: 0.0}[int(first)]
        assert draws[row] == pytest.approx(expected), (first, second)


def test_pictures_without_objects() -> None:
    truths: list[Any] = [(), ()]
    scorer = scorer_of(detector(), truths, resamples_for(2, seed=0, most=50))
    found = scorer.judge([boxes([], []), boxes([(0, 0, 5, 5)], [0.9])], truths)
    assert np.isnan(found.headline.value)
    assert found.marks.tolist() == [1.0, 0.0]


def test_a_task_without_a_scorer() -> None:
    class Other:
        name = "caption"

    with pytest.raises(UsageError, match="caption"):
        scorer_of(Other(), [], resamples_for(1, seed=0))  # type: ignore[arg-type]


def test_few_pictures_are_never_sure() -> None:
    from striate.stress.curves import estimate

    truths = [(Box("a", (0, 0, 10, 10)),)] * 3
    scorer = scorer_of(detector(), truths, resamples_for(3, seed=0, most=50))
    found = estimate(scorer.judge([boxes([], [])] * 3, truths).headline)
    assert (found.value, found.low) == (0, 0)
    assert found.high > 0.5
    names = ("a", "b", "c")
    sure = said(names, np.array([0.9, 0.05, 0.05]))
    scorer = scorer_of(classify(), [("a",)], resamples_for(1, seed=0))
    judged = scorer.judge([sure], [("a",)])
    assert estimate(judged.headline).low < 0.25
    ece = estimate(judged.more["ece"])
    assert ece.low < ece.value < 0.5 < ece.high
    numbers_of = scorer_of(regress("x"), [(1.0,), (-1.0,)], resamples_for(2, seed=0))
    error = estimate(
        numbers_of.judge([numbers(("x",), [one]) for one in (1.0, -1.0)], [(1.0,), (-1.0,)]).headline
    )
    assert error.low == error.value == 0
    assert error.high > 0.5
