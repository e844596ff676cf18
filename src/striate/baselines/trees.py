"""Forests and boosted trees, fitted by scikit-learn and written as one ONNX tree ensemble."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from striate.baselines.solution import Budget
from striate.baselines.truth import Truth
from striate.features.vectors.writer import GraphWriter
from striate.types import Array

__all__ = ["Ensemble", "fit_boosting", "fit_forest"]

_TREES, _TREES_A_TIME, _LEAVES = 200, 20, 2000
_ROUNDS, _ROUNDS_A_TIME, _RATE = 300, 10, 0.1
_PATIENCE = 3
_COLUMNS_A_SPLIT = 400
"""Columns that a split of boosting looks at, at most: the rest is drawn anew for each."""
_SURE = 1e-3
"""Shares of votes nearer to 0 or 1 than this say no more than this."""


@dataclass(frozen=True, slots=True)
class _Tree:
    """One tree as arrays with a row a node; `left` is −1 at a leaf. `values` (nodes, K)."""

    column: Array
    threshold: Array
    left: Array
    right: Array
    values: Array


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Trees whose leaves' values are summed, and what becomes of the sum."""

    trees: Sequence[_Tree]
    base: Array
    becomes: Literal["scores", "log", "logit"]
    reference: Callable[[Array], Array]
    said: str

    def scores(self, vectors: Array) -> Array:
        """(N, K), by scikit-learn."""
        return self.reference(vectors)

    def write(self, graph: GraphWriter, vectors: str) -> str:
        """The nodes."""
        attributes = _attributes(self.trees, self.base)
        total = graph.add("TreeEnsembleRegressor", [vectors], attributes, domain="ai.onnx.ml")
        if self.becomes == "scores":
            return total
        share = graph.combine("Min", graph.combine("Max", total, _SURE), 1 - _SURE)
        if self.becomes == "log":
            return graph.add("Log", [share])
        rest = graph.combine("Sub", graph.constant(1.0), share)
        return graph.combine("Sub", graph.add("Log", [share]), graph.add("Log", [rest]))


def fit_forest(
    vectors: Array, truth: Truth, held: Array, held_truth: Truth, *, seed: int, done: Budget
) -> Ensemble:
    """A random forest (Breiman 2001) of up to 200 trees; scores are the log of the share of votes."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    del held, held_truth  # more trees never hurt: there is nothing to choose
    kind: type[Any] = RandomForestRegressor if truth.kind == "columns" else RandomForestClassifier
    forest = kind(
        n_estimators=0,
        max_features=0.33 if truth.kind == "columns" else "sqrt",
        min_samples_leaf=3 if truth.kind == "columns" else 1,
        max_leaf_nodes=_LEAVES,
        warm_start=True,
        n_jobs=-1,
        random_state=seed,
    )
    targets = truth.values.ravel() if truth.outputs == 1 else truth.values
    while forest.n_estimators < _TREES and not (forest.n_estimators and done()):
        forest.set_params(n_estimators=forest.n_estimators + _TREES_A_TIME)
        forest.fit(vectors, targets, sample_weight=truth.weights)
    count = forest.n_estimators
    trees = [_from_forest(one.tree_, truth, forest) for one in forest.estimators_]
    trees = [_Tree(t.column, t.threshold, t.left, t.right, t.values / count) for t in trees]
    becomes: Literal["scores", "log", "logit"] = (
        "scores" if truth.kind == "columns" else "log" if truth.kind == "classes" else "logit"
    )

    def reference(x: Array) -> Array:
        if truth.kind == "columns":
            return np.asarray(forest.predict(x)).reshape(len(x), truth.outputs)
        votes = _votes(forest, x, truth)
        share: Array = np.clip(votes, _SURE, 1 - _SURE)
        logs: Array = np.log(share)
        return logs if truth.kind == "classes" else logs - np.log(1 - share)

    said = f"{count} trees of up to {_LEAVES} leaves"
    return Ensemble(trees, np.zeros(truth.outputs), becomes, reference, said)


def _votes(forest: Any, x: Array, truth: Truth) -> Array:
    """Share of votes (N, K) for each class or label; 0 for what training never saw."""
    found = forest.predict_proba(x)
    if truth.kind == "classes":
        votes = np.zeros((len(x), truth.outputs))
        votes[:, forest.classes_] = found
        return votes
    columns = found if isinstance(found, list) else [found]
    known = forest.classes_ if isinstance(found, list) else [forest.classes_]
    return np.stack(
        [
            one[:, list(seen).index(1)] if 1 in seen else np.zeros(len(x))
            for one, seen in zip(columns, known, strict=True)
        ],
        axis=1,
    )


def _from_forest(tree: Any, truth: Truth, forest: Any) -> _Tree:
    raw = np.asarray(tree.value)  # (nodes, outputs, classes)
    if truth.kind == "columns":
        values = raw[:, :, 0]
    else:
        raw = raw / np.maximum(raw.sum(axis=2, keepdims=True), 1e-12)
        values = np.zeros((len(raw), truth.outputs))
        if truth.kind == "classes":
            values[:, forest.classes_] = raw[:, 0]
        else:
            known = forest.classes_ if raw.shape[1] > 1 else [forest.classes_]
            for label, seen in enumerate(known):
                values[:, label] = raw[:, label, list(seen).index(1)] if 1 in seen else 0.0
    return _Tree(tree.feature, tree.threshold, tree.children_left, tree.children_right, values)


def fit_boosting(
    vectors: Array, truth: Truth, held: Array, held_truth: Truth, *, seed: int, done: Budget
) -> Ensemble:
    """Gradient boosting on binned features (Friedman 2001; Ke et al. 2017), stopped by held-out loss."""
    columns = [truth] if truth.kind == "classes" else [_column(truth, k) for k in range(truth.outputs)]
    helds = (
        [held_truth]
        if truth.kind == "classes"
        else [_column(held_truth, k) for k in range(truth.outputs)]
    )
    models = [
        _boost(vectors, one, held, other, seed=seed, done=done)
        for one, other in zip(columns, helds, strict=True)
    ]
    trees: list[_Tree] = []
    base = np.zeros(truth.outputs)
    for index, model in enumerate(models):
        if model is None:  # only one value in training: that value, surely
            base[index] = _constant(columns[index])
            continue
        where = [index] if truth.kind != "classes" else _places(model, truth)
        base[where] += np.asarray(model._baseline_prediction).reshape(-1)
        for layer in model._predictors:
            trees += [
                _from_boosting(one.nodes, k, truth.outputs) for one, k in zip(layer, where, strict=True)
            ]

    def reference(x: Array) -> Array:
        found = np.tile(base, (len(x), 1))
        for index, model in enumerate(models):
            if model is None:
                continue
            where = [index] if truth.kind != "classes" else _places(model, truth)
            raw = np.asarray(model._raw_predict(np.asarray(x, np.float64)))
            found[:, where] = raw.reshape(len(x), len(where))
        return found

    rounds = [model.n_iter_ for model in models if model is not None]
    said = f"{len(trees)} trees, {max(rounds, default=0)} rounds by held-out loss"
    return Ensemble(trees, base, "scores", reference, said)


def _places(model: Any, truth: Truth) -> list[int]:
    """The outputs that a classifier's raw scores are for: of two classes it scores only the second."""
    known = [int(one) for one in model.classes_]
    return known[1:] if len(known) == 2 else known


def _column(truth: Truth, index: int) -> Truth:
    return Truth(truth.kind, truth.values[:, index], 1, truth.weights)


def _constant(truth: Truth) -> float:
    """The score of an output whose truth never varies."""
    if truth.kind == "columns":
        return float(truth.values.mean()) if len(truth) else 0.0
    return 7.0 if len(truth) and truth.values[0] else -7.0


def _boost(x: Array, truth: Truth, held: Array, held_truth: Truth, *, seed: int, done: Budget) -> Any:
    """A fitted scikit-learn model with the rounds that did best on held-out pictures; None where the
    truth has one value."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    if len(np.unique(truth.values)) < 2:
        return None
    kind: type[Any] = (
        HistGradientBoostingRegressor if truth.kind == "columns" else HistGradientBoostingClassifier
    )
    model = kind(
        learning_rate=_RATE,
        max_iter=1,
        max_leaf_nodes=15,
        min_samples_leaf=max(2, min(20, len(x) // 50)),
        max_features=min(1.0, _COLUMNS_A_SPLIT / x.shape[1]),
        early_stopping=False,
        warm_start=True,
        random_state=seed,
    )
    best, best_rounds, rises = float("inf"), 1, 0
    rounds = 0
    while rounds < _ROUNDS and rises < _PATIENCE and not (rounds and done()):
        rounds += _ROUNDS_A_TIME
        model.set_params(max_iter=rounds)
        model.fit(x, truth.values, sample_weight=truth.weights)
        loss = _held_loss(model, held, held_truth)
        if loss < best or np.isnan(loss):
            best, best_rounds, rises = loss, rounds, 0
        else:
            rises += 1
    del model._predictors[best_rounds:]
    return model


def _held_loss(model: Any, held: Array, held_truth: Truth) -> float:
    if not len(held_truth):
        return float("nan")
    raw = np.asarray(model._raw_predict(np.asarray(held, np.float64)))
    if held_truth.kind == "columns":
        return float(np.square(raw.ravel() - held_truth.values).mean())
    if raw.shape[1] == 1:
        sign = np.where(held_truth.values == model.classes_[-1], -1.0, 1.0)
        return float(np.logaddexp(0, sign * raw[:, 0]).mean())
    at = np.searchsorted(model.classes_, held_truth.values)
    at = np.minimum(at, len(model.classes_) - 1)
    shifted = raw - raw.max(axis=1, keepdims=True)
    chosen = shifted[np.arange(len(raw)), at]
    return float((np.log(np.exp(shifted).sum(axis=1)) - chosen).mean())


def _from_boosting(nodes: Any, place: int, outputs: int) -> _Tree:
    leaf = nodes["is_leaf"].astype(bool)
    values = np.zeros((len(nodes), outputs))
    values[:, place] = nodes["value"]
    left = np.where(leaf, -1, nodes["left"].astype(np.int64))
    return _Tree(
        nodes["feature_idx"].astype(np.int64),
        nodes["num_threshold"],
        left,
        nodes["right"].astype(np.int64),
        values,
    )


def _attributes(trees: Sequence[_Tree], base: Array) -> dict[str, Any]:
    """The attributes of ONNX's TreeEnsembleRegressor."""
    sizes = [len(tree.left) for tree in trees]
    tree_ids = np.repeat(np.arange(len(trees)), sizes)
    node_ids = np.concatenate([np.arange(size) for size in sizes])
    left = np.concatenate([tree.left for tree in trees])
    right = np.concatenate([tree.right for tree in trees])
    leaf = left < 0
    values = np.concatenate([tree.values for tree in trees])
    rows, outputs = np.nonzero((values != 0) & leaf[:, None])
    if not len(rows):  # the format wants at least one
        rows, outputs = np.flatnonzero(leaf)[:1], np.zeros(1, np.int64)
    return {
        "n_targets": len(base),
        "aggregate_function": "SUM",
        "base_values": base.astype(np.float32).tolist(),
        "nodes_treeids": tree_ids.tolist(),
        "nodes_nodeids": node_ids.tolist(),
        "nodes_featureids": np.where(leaf, 0, np.concatenate([t.column for t in trees])).tolist(),
        "nodes_values": np.where(
            leaf, 0.0, _floor32(np.concatenate([t.threshold for t in trees]))
        ).tolist(),
        "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        "nodes_truenodeids": np.where(leaf, 0, left).tolist(),
        "nodes_falsenodeids": np.where(leaf, 0, right).tolist(),
        "target_treeids": tree_ids[rows].tolist(),
        "target_nodeids": node_ids[rows].tolist(),
        "target_ids": outputs.tolist(),
        "target_weights": values[rows, outputs].astype(np.float32).tolist(),
    }


def _floor32(values: Array) -> Array:
    """The largest float32 not above each float64: what a float32 is compared with stays the same."""
    near = values.astype(np.float32)
    return np.where(near > values, np.nextafter(near, np.float32(-np.inf)), near)
