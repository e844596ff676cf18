from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge

from striate.nn.heads import PATH, solve_binary, solve_logistic, solve_ridge


def clouds(rng: np.random.Generator, n: int, d: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    labels = rng.integers(0, k, n)
    centres = rng.normal(0, 1.0, (k, d))
    return centres[labels] + rng.normal(0, 1.5, (n, d)) * rng.uniform(0.1, 10, d), labels


def test_logistic_head_is_the_optimum_scikit_learn_finds(rng: np.random.Generator) -> None:
    x, y = clouds(rng, 400, 12, 4)
    held_x, held_y = x[:100], y[:100]
    x, y = x[100:], y[100:]
    found = solve_logistic(
        torch.tensor(x), torch.tensor(y), 4, torch.tensor(held_x), torch.tensor(held_y)
    )
    mean, std = x.mean(0), x.std(0)
    # our objective: mean loss + λ/2 |W|²  ⇔  scikit-learn's C = 1 / (n λ)
    reference = LogisticRegression(C=1 / (len(x) * found.regularisation), max_iter=10_000, tol=1e-10)
    reference.fit((x - mean) / std, y)
    ours = torch.softmax(torch.tensor(held_x).float() @ found.weight.T + found.bias, 1).numpy()
    theirs = reference.predict_proba((held_x - mean) / std)
    np.testing.assert_allclose(ours, theirs, atol=2e-3)
    losses = dict(found.path)
    assert found.validation_loss == min(losses.values())
    assert set(losses) <= set(PATH)


def test_ridge_head_equals_scikit_learn(rng: np.random.Generator) -> None:
    x = rng.normal(0, [1.0, 5.0, 0.1, 2.0, 3.0], (200, 5))
    y = x @ rng.normal(size=(5, 2)) + rng.normal(0, 0.5, (200, 2)) + 7
    found = solve_ridge(
        torch.tensor(x[50:]), torch.tensor(y[50:]), torch.tensor(x[:50]), torch.tensor(y[:50])
    )
    mean, std = x[50:].mean(0), x[50:].std(0)
    reference = Ridge(alpha=150 * found.regularisation).fit((x[50:] - mean) / std, y[50:])
    ours = x[:50] @ found.weight.double().numpy().T + found.bias.double().numpy()
    np.testing.assert_allclose(ours, reference.predict((x[:50] - mean) / std), atol=1e-4)


def test_binary_head_separates_what_can_be_separated(rng: np.random.Generator) -> None:
    x = rng.normal(size=(300, 4))
    y = np.stack([x[:, 0] > 0, x[:, 1] + x[:, 2] > 0], axis=1)
    found = solve_binary(
        torch.tensor(x[100:]), torch.tensor(y[100:]), torch.tensor(x[:100]), torch.tensor(y[:100])
    )
    answers = (torch.tensor(x[:100]).float() @ found.weight.T + found.bias).numpy() > 0
    assert (answers == y[:100]).mean() > 0.95


@pytest.mark.parametrize("held", [0, 3])
def test_constant_features_and_little_or_nothing_held_out(held: int) -> None:
    x = torch.ones(10, 3)
    y = torch.tensor([0, 1] * 5)
    found = solve_logistic(x, y, 2, x[:held], y[:held])
    assert torch.isfinite(found.weight).all()
    assert torch.isfinite(found.bias).all()
