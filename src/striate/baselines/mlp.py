"""A perceptron with one hidden layer, fitted by scikit-learn, stopped by held-out loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.baselines.solution import Budget, Dense, Scale
from striate.baselines.truth import Truth
from striate.types import Array

__all__ = ["fit_mlp"]

_HIDDEN, _EPOCHS, _PATIENCE = 256, 60, 6


def fit_mlp(
    vectors: Array, truth: Truth, held: Array, held_truth: Truth, *, seed: int, done: Budget
) -> Dense:
    """256 hidden nodes with ReLU, Adam, the epoch with the best held-out loss."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    scale = Scale.of(vectors)
    x, held_x = scale.apply(vectors), scale.apply(held)
    kind: type[Any] = MLPRegressor if truth.kind == "columns" else MLPClassifier
    batch = int(np.clip(len(x) // 50, 8, 128))
    model = kind(
        hidden_layer_sizes=(_HIDDEN,), alpha=1e-3, batch_size=min(batch, len(x)), random_state=seed
    )
    best: list[tuple[Array, Array]] = []
    best_loss, best_epoch, epoch = float("inf"), 0, 0
    # its targets: indices of classes, a column a label, or a column a number
    targets = truth.values.ravel() if truth.values.ndim == 2 and truth.outputs == 1 else truth.values
    while epoch < _EPOCHS and epoch - best_epoch <= _PATIENCE and not (epoch and done()):
        _one_epoch(model, x, targets, truth, first=epoch == 0)
        epoch += 1
        layers = _layers(model, truth)
        loss = held_truth.loss(Dense(layers).scores(held_x))
        if loss < best_loss or np.isnan(loss):
            best, best_loss, best_epoch = layers, loss, epoch
    said = f"{_HIDDEN} hidden nodes, epoch {best_epoch} of {epoch}"
    return Dense.folded(best, scale, said)


def _one_epoch(model: Any, x: Array, targets: Array, truth: Truth, *, first: bool) -> None:
    if truth.kind == "columns":
        model.partial_fit(x, targets, sample_weight=truth.weights)
        return
    known = np.arange(truth.outputs) if truth.kind == "classes" else np.arange(max(2, truth.outputs))
    if truth.kind == "labels" and truth.outputs == 1:
        known = np.arange(2)
    model.partial_fit(x, targets, classes=known if first else None, sample_weight=truth.weights)


def _layers(model: Any, truth: Truth) -> list[tuple[Array, Array]]:
    """Copies of (outputs, inputs) weights and biases; of two classes both get a score."""
    layers = [(w.T.copy(), b.copy()) for w, b in zip(model.coefs_, model.intercepts_, strict=True)]
    weight, bias = layers[-1]
    if truth.kind == "classes" and len(bias) < truth.outputs:
        layers[-1] = (np.concatenate([0 * weight, weight]), np.concatenate([0 * bias, bias]))
    return layers
