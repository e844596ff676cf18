"""Learners against scikit-learn's own, and their graphs against themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate.baselines.learners import LEARNING
from striate.baselines.linear import PATH
from striate.baselines.names import FEATURES, LEARNERS, is_baseline, parse_baseline
from striate.baselines.solution import Scale
from striate.baselines.trees import _floor32
from striate.baselines.truth import Truth
from striate.errors import UnknownNameError, UsageError
from striate.features.vectors.registry import VECTORS
from striate.features.vectors.writer import GraphWriter
from striate.graphs import OnnxGraph

KINDS = ("classes", "labels", "columns")


def never() -> bool:
    return False


def at_once() -> bool:
    return True


def problem(kind: Any, *, outputs: int = 3, count: int = 240, seed: int = 0) -> tuple[Any, Truth]:
    """Vectors (N, 12) and truths that depend on them, with noise."""
    rng = np.random.default_rng(seed)
    world = np.random.default_rng(7)
    x = (rng.normal(size=(count, 12)) * world.uniform(0.3, 3, 12)).astype(np.float32)
    scores = x @ world.normal(size=(12, outputs)) + rng.normal(size=(count, outputs))
    values = {
        "classes": scores.argmax(axis=1),
        "labels": (scores > 0).astype(np.int64),
        "columns": (scores / scores.std(axis=0)).astype(np.float32),
    }[kind]
    return x, Truth(kind, values, outputs, np.ones(count))


def by_graph(solution: Any, x: Any, outputs: int) -> Any:
    """Scores by ONNX Runtime, for vectors that enter as pixels of one row."""
    graph = GraphWriter((1, 4))
    floats = graph.add("Cast", ["pictures"], {"to": 1})
    vectors = graph.add("Reshape", [floats, graph.integers(-1, 12)])
    graph.add("Identity", [solution.write(graph, vectors)], name="scores")
    pictures = x.astype(np.uint8).reshape(-1, 1, 4, 3)
    return OnnxGraph(graph.model({"scores": outputs}))({"pictures": pictures})["scores"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("learner", LEARNERS)
def test_every_learner_learns_and_its_graph_answers_alike(learner: str, kind: Any) -> None:
    if kind not in LEARNERS[learner]:
        with pytest.raises(UsageError, match="cannot learn"):
            parse_baseline(f"hog+{learner}", kind=kind)
        return
    x, truth = problem(kind)
    held, held_truth = problem(kind, count=120, seed=1)
    fit = LEARNING[learner]
    solution = fit(x, truth, held, held_truth, seed=0, done=never)
    nothing = Truth(kind, held_truth.values, 3, held_truth.weights).loss(np.zeros((120, 3)))
    assert held_truth.loss(solution.scores(held)) < 0.75 * nothing
    whole = np.random.default_rng(3).integers(0, 9, (50, 12)).astype(np.float32)
    expected = solution.scores(whole)
    found = by_graph(solution, whole, 3)
    np.testing.assert_allclose(found, expected, atol=2e-3, rtol=1e-3)
    again = fit(x, truth, held, held_truth, seed=0, done=never)
    assert np.array_equal(by_graph(again, whole, 3), found)
    assert solution.said


@pytest.mark.parametrize("learner", LEARNERS)
def test_two_classes_one_label_one_number_and_no_time(learner: str) -> None:
    for kind, outputs in (("classes", 2), ("labels", 1), ("columns", 1)):
        if kind not in LEARNERS[learner]:
            continue
        x, truth = problem(kind, outputs=outputs, count=40)
        if kind == "classes":
            truth = Truth(kind, truth.values % 2, 2, truth.weights)
        empty = truth.take(np.zeros(0, np.int64))
        solution = LEARNING[learner](x, truth, x[:0], empty, seed=0, done=at_once)
        whole = np.random.default_rng(3).integers(0, 9, (20, 12)).astype(np.float32)
        found = by_graph(solution, whole, outputs)
        np.testing.assert_allclose(found, solution.scores(whole), atol=2e-3, rtol=1e-3)


def test_logistic_regression_is_scikit_learns() -> None:
    from sklearn.linear_model import LogisticRegression

    x, truth = problem("classes", count=400)
    solution = LEARNING["logistic"](x, truth, *problem("classes", seed=1), seed=0, done=never)
    penalty = float(solution.said.split()[1].rstrip(","))
    assert penalty in PATH
    scale = Scale.of(x)
    reference = LogisticRegression(C=1 / (penalty * len(x)), tol=1e-8, max_iter=2000)
    reference.fit(scale.apply(x), truth.values)
    expected = reference.decision_function(scale.apply(x))
    found = solution.scores(x)
    np.testing.assert_allclose(
        found - found.mean(axis=1, keepdims=True),
        expected - expected.mean(axis=1, keepdims=True),
        atol=0.05,
    )


def test_support_vector_machine_is_liblinears() -> None:
    from sklearn.svm import LinearSVC

    x, truth = problem("classes", count=400)
    solution = LEARNING["svm"](x, truth, *problem("classes", seed=1), seed=0, done=never)
    penalty = float(solution.said.split()[1].rstrip(","))
    scale = Scale.of(x)
    # LIBLINEAR sums the losses, and penalises the bias unless it is large
    reference = LinearSVC(
        C=1 / (penalty * len(x)), dual=False, intercept_scaling=1e3, tol=1e-8, max_iter=5000
    )
    reference.fit(scale.apply(x), truth.values)
    np.testing.assert_allclose(
        solution.scores(x), reference.decision_function(scale.apply(x)), atol=0.03, rtol=0.02
    )


def test_ridge_is_scikit_learns() -> None:
    from sklearn.linear_model import Ridge

    x, truth = problem("columns", count=400)
    solution = LEARNING["ridge"](x, truth, *problem("columns", seed=1), seed=0, done=never)
    penalty = float(solution.said.split()[1].rstrip(","))
    scale = Scale.of(x)
    reference = Ridge(alpha=penalty * len(x)).fit(scale.apply(x), truth.values)
    np.testing.assert_allclose(solution.scores(x), reference.predict(scale.apply(x)), atol=0.01)


def test_weights_count() -> None:
    x, truth = problem("classes", count=200)
    heavy = np.where(truth.values == 0, 50.0, 1.0)
    weighted = Truth("classes", truth.values, 3, heavy)
    for learner in ("logistic", "svm", "forest", "boosting", "mlp"):
        arguments = {"seed": 0, "done": never}
        held = problem("classes", seed=1)
        plain = LEARNING[learner](x, truth, *held, **arguments).scores(held[0]).argmax(axis=1)
        loud = LEARNING[learner](x, weighted, *held, **arguments).scores(held[0]).argmax(axis=1)
        assert (loud == 0).sum() >= (plain == 0).sum(), learner


def test_a_class_without_a_picture_is_never_the_answer() -> None:
    x, truth = problem("classes", count=90)
    truth = Truth("classes", np.where(truth.values == 1, 2, truth.values), 3, truth.weights)
    for learner in ("forest", "boosting"):
        solution = LEARNING[learner](x, truth, x, truth, seed=0, done=never)
        whole = np.random.default_rng(3).integers(0, 9, (20, 12)).astype(np.float32)
        np.testing.assert_allclose(by_graph(solution, whole, 3), solution.scores(whole), atol=1e-3)


def test_thresholds_keep_their_side_in_float32() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    rounded = _floor32(values)
    assert (rounded <= values).all()
    near = values.astype(np.float32)
    assert ((near <= values) == (near <= rounded)).all()


def test_names() -> None:
    assert is_baseline("hog+svm")
    assert not is_baseline("resnet18")
    assert str(parse_baseline("hog + colour+forest")) == "hog+colour+forest"
    assert set(FEATURES) == set(VECTORS)
    assert set(LEARNERS) == set(LEARNING)
    with pytest.raises(UnknownNameError, match="learner 'hog'"):
        parse_baseline("svm+hog")
    with pytest.raises(UnknownNameError, match="feature 'hogg'"):
        parse_baseline("hogg+svm")
    with pytest.raises(UsageError, match="twice"):
        parse_baseline("hog+hog+svm")
