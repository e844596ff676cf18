from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.arithmetic.activations import sigmoid, softmax
from striate.arithmetic.box_losses import box_l2, iou, iou_gradient, iou_loss, jaccard, multitask
from striate.arithmetic.formulae import FORMULAE, check_formula, formula
from striate.arithmetic.gradient_check import check_gradient, numeric_gradient
from striate.arithmetic.losses import (
    binary_cross_entropy,
    binary_cross_entropy_gradient,
    binary_cross_entropy_of_logits,
    binary_cross_entropy_of_logits_gradient,
    categorical_cross_entropy,
    cross_entropy,
    cross_entropy_gradient,
    log_softmax,
    mean_squared_error,
    one_hot,
)
from striate.arithmetic.similarity import (
    cosine,
    inverted_verification,
    inverted_verification_gradient,
    pairwise_hinge,
    pairwise_hinge_gradient,
    triplet,
    triplet_gradient,
    verification,
    verification_gradient,
)
from striate.arithmetic.svd import decompose, singular_value_gradient
from striate.errors import UnknownNameError, UsageError
from striate.types import Array

Tensor = torch.Tensor


def torch_iou(truth: Tensor, boxes: Tensor) -> Tensor:
    sides = torch.minimum(truth[:, 2:], boxes[:, 2:]) - torch.maximum(truth[:, :2], boxes[:, :2])
    both = sides.clamp(min=0).prod(-1)
    areas = sum((one[:, 2:] - one[:, :2]).prod(-1) for one in (truth, boxes))
    return (1 - both / (areas - both)).mean()


def squared(one: Tensor, other: Tensor) -> Tensor:
    return ((one - other) ** 2).sum(-1)


def cos(one: Tensor, other: Tensor) -> Tensor:
    return F.cosine_similarity(one, other, dim=-1, eps=0)


TORCH: dict[str, Callable[..., Tensor]] = {
    "softmax": lambda z: torch.softmax(z, -1),
    "cross-entropy": lambda y, p: -(y * p.log()).sum(-1).mean(),
    "mse": lambda y, p: F.mse_loss(p, y),
    "bce": lambda y, p: F.binary_cross_entropy(p, y),
    "categorical-cross-entropy": lambda y, z: F.cross_entropy(z, y),
    "box-l2": lambda y, p: F.mse_loss(p, y, reduction="sum") / len(y),
    "multitask": lambda y, z, b, p: F.cross_entropy(z, y) + squared(b, p).mean(),
    "iou": torch_iou,
    "verification": lambda a, b, same: F.cosine_embedding_loss(a, b, 2 * same - 1),
    "inverted-verification": lambda a, b, same: torch.where(same > 0, cos(a, b), 1 - cos(a, b)).mean(),
    "pairwise-hinge": lambda q, g, b: (0.5 - cos(q, g) + cos(q, b)).relu().mean(),
    "triplet": lambda a, p, n: (squared(a, p) - squared(a, n) + 0.2).relu().mean(),
    "svd": torch.linalg.svdvals,
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", FORMULAE)
def test_every_gradient_passes_the_check(name: str, seed: int) -> None:
    arguments = formula(name).example(np.random.default_rng(seed))
    for argument, check in check_formula(name, *arguments).items():
        assert check.passed, f"{name}, {argument}: {check}"


@pytest.mark.parametrize("name", FORMULAE)
def test_every_value_and_gradient_is_torch_s(name: str) -> None:
    one = formula(name)
    arguments = one.example(np.random.default_rng(7))
    tensors = [torch.tensor(values) for values in arguments]
    for place in one.by:
        tensors[place].requires_grad_(True)
    expected = TORCH[name](*tensors)
    np.testing.assert_allclose(one.value(*arguments), expected.detach().numpy(), rtol=1e-6, atol=1e-8)
    gradient = one.gradient(*arguments)
    for place, slope in zip(
        one.by, gradient if isinstance(gradient, tuple) else (gradient,), strict=True
    ):
        size = max(expected.numel(), 1)
        rows = [
            torch.autograd.grad(part, tensors[place], retain_graph=True)[0].numpy()
            for part in expected.reshape(-1)
        ]
        shape = (*expected.shape, *arguments[place].shape)
        np.testing.assert_allclose(slope, np.stack(rows[:size]).reshape(shape), rtol=1e-6, atol=1e-8)


def test_a_wrong_gradient_fails_the_check() -> None:
    truth, predicted = np.array([1.0, 0.0]), np.array([0.7, 0.3])
    right = cross_entropy_gradient(truth, predicted)

    def loss(p: Array) -> float:
        return cross_entropy(truth, p)

    assert check_gradient(loss, right, predicted).passed
    assert not check_gradient(loss, -right, predicted).passed  # the slide's missing minus
    assert not check_gradient(loss, right + np.array([0, 1e-4]), predicted).passed
    found = check_gradient(loss, right * np.nan, predicted)
    assert not found.passed
    assert "FAILS" in str(found)
    with pytest.raises(UsageError, match="shape"):
        check_gradient(loss, right[:1], predicted)
    assert check_gradient(lambda x: x.sum(), np.zeros(0), np.zeros(0)).passed
    assert numeric_gradient(lambda x: x**2, np.zeros((0, 2))).shape == (0, 2, 0, 2)


def test_formulae_are_told() -> None:
    assert set(TORCH) == set(FORMULAE)
    for one in FORMULAE.values():
        assert one.statement
        assert one.source
    with pytest.raises(UnknownNameError, match="did you mean 'triplet'"):
        formula("triplets")


# -- cross-entropy ----------------------------------------------------------------------------


def test_cross_entropy_by_hand() -> None:
    truth = np.array([0.0, 1.0, 0.0])
    assert cross_entropy(truth, np.array([0.25, 0.5, 0.25])) == pytest.approx(np.log(2))
    assert cross_entropy(truth, truth) == 0
    better, worse = np.array([0.1, 0.8, 0.1]), np.array([0.8, 0.1, 0.1])
    assert 0 < cross_entropy(truth, better) < cross_entropy(truth, worse)  # so the minus belongs there
    assert cross_entropy(truth, np.array([1.0, 0.0, 0.0])) == np.inf
    assert cross_entropy_gradient(truth, np.array([1.0, 0.0, 0.0]))[1] == -np.inf
    assert binary_cross_entropy(np.array([1.0, 0.0]), np.array([1.0, 0.0])) == 0
    assert np.isfinite(binary_cross_entropy_gradient(np.ones(1), np.ones(1))).all()


@settings(deadline=None)
@given(st.floats(-900, 900), st.sampled_from([0.0, 1.0, 0.3]))
def test_from_logits_it_is_always_finite(logit: float, truth: float) -> None:
    y, z = np.array([truth]), np.array([logit])
    value = binary_cross_entropy_of_logits(y, z)
    expected = F.binary_cross_entropy_with_logits(torch.tensor(z), torch.tensor(y)).item()
    assert value == pytest.approx(expected, abs=1e-12)
    np.testing.assert_allclose(binary_cross_entropy_of_logits_gradient(y, z), sigmoid(z) - y)


def test_the_three_forms_agree(rng: np.random.Generator) -> None:
    logits, labels = 3 * rng.normal(size=(2, 5, 4)), rng.integers(0, 4, (2, 5))
    shares = softmax(logits)
    value = categorical_cross_entropy(labels, logits)
    assert value == pytest.approx(cross_entropy(one_hot(labels, 4), shares))
    np.testing.assert_allclose(np.exp(log_softmax(logits)), shares)
    assert np.isfinite(log_softmax(np.array([1e4, -1e4]))).all()
    two = rng.normal(size=6)
    both = np.stack([two, np.zeros(6)], axis=-1)
    assert categorical_cross_entropy(np.zeros(6, int), both) == pytest.approx(
        binary_cross_entropy_of_logits(np.ones(6), two)
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mean_squared_error(np.zeros(3), np.zeros(4)), r"truth \(3,\), predicted \(4,\)"),
        (lambda: mean_squared_error(np.zeros((0, 3)), np.zeros((0, 3))), "at least one number"),
        (lambda: cross_entropy(np.ones(2), np.array([0.5, 1.5])), "probabilities, from 0 to 1"),
        (lambda: cross_entropy(np.ones(2), np.array([0.5, np.nan])), "probabilities"),
        (lambda: categorical_cross_entropy(np.array([3]), np.zeros((1, 3))), "from 0 to 2"),
        (lambda: categorical_cross_entropy(np.array([0.5]), np.zeros((1, 3))), "whole numbers"),
        (
            lambda: categorical_cross_entropy(np.zeros(2, int), np.zeros((1, 3))),
            "one label for each row",
        ),
        (lambda: box_l2(np.zeros((2, 3)), np.zeros((2, 3))), "four numbers a box"),
        (lambda: iou(np.array([2.0, 0, 1, 1]), np.zeros(4)), "left, top, right, bottom"),
        (lambda: jaccard(np.ones(2), np.ones(3)), "one shape"),
        (lambda: cosine(np.zeros(3), np.ones(3)), "length 0"),
        (lambda: verification(np.ones((2, 3)), np.ones((2, 3)), np.array([1])), "for each pair"),
        (lambda: verification(np.ones(3), np.ones(3), np.array(2)), "0 or 1"),
        (lambda: triplet(np.ones(3), np.ones(3), np.ones(3), margin=-1), "from 0"),
        (lambda: pairwise_hinge(np.ones(3), np.ones(3), np.ones(3), margin=np.nan), "from 0"),
        (lambda: decompose(np.zeros(3)), "rows and columns"),
        (lambda: decompose(np.full((2, 2), np.nan)), "finite"),
        (lambda: decompose(np.eye(2)).truncated(3), "1 to 2"),
        (lambda: singular_value_gradient(np.eye(2)), "all different"),
    ],
)
def test_what_cannot_be_is_said(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        call()


# -- boxes ------------------------------------------------------------------------------------


def test_iou_by_hand() -> None:
    box = np.array([0.0, 0, 2, 2])
    others = np.array([[0.0, 0, 2, 2], [1, 1, 3, 3], [2, 0, 4, 2], [5, 5, 6, 6], [1, 1, 1, 1]])
    found = iou(np.broadcast_to(box, others.shape), others)
    np.testing.assert_allclose(found, [1, 1 / 7, 0, 0, 0])
    assert iou(np.ones(4), np.ones(4)) == 0  # two points
    apart = iou_gradient(box, others[3])
    assert (apart == 0).all()  # IoU cannot say where to go
    assert (iou_gradient(np.ones(4), np.ones(4)) == 0).all()
    step = box - 0.1 * -iou_gradient(box, others[1])
    assert iou_loss(others[1], step) < iou_loss(others[1], box)


@settings(deadline=None)
@given(st.tuples(*[st.floats(-20, 20)] * 4), st.tuples(*[st.floats(0, 9)] * 4))
def test_iou_is_a_symmetric_share(starts: tuple[float, ...], sizes: tuple[float, ...]) -> None:
    corners = np.array(starts).reshape(2, 2)
    one, other = np.concatenate([corners, corners + np.array(sizes).reshape(2, 2)], axis=-1)
    found = float(iou(one, other))
    assert 0 <= found <= 1 + 1e-9
    assert found == pytest.approx(float(iou(other, one)))


def test_where_edges_coincide_the_subgradient_is_torch_s() -> None:
    truth, box = np.array([[0.0, 0, 2, 2]]), np.array([[0.0, 0.5, 2, 3]])
    tensor = torch.tensor(box, requires_grad=True)
    torch_iou(torch.tensor(truth), tensor).backward()
    assert tensor.grad is not None
    np.testing.assert_allclose(formula("iou").gradient(truth, box), tensor.grad.numpy())


def test_jaccard() -> None:
    one, other = np.array([1, 1, 0, 0]), np.array([0, 1, 1, 0])
    assert jaccard(one, other) == pytest.approx(1 / 3)
    assert jaccard(np.zeros(3), np.zeros(3)) == 1
    tall = np.zeros((4, 6), bool)
    tall[0:2, 0:3] = True
    moved = np.roll(tall, 1, axis=1)
    assert jaccard(tall, moved) == pytest.approx(
        float(iou(np.array([0.0, 0, 3, 2]), np.array([1.0, 0, 4, 2])))
    )


def test_the_multitask_sum_is_a_sum() -> None:
    labels, logits = np.array([1]), np.array([[0.0, 0.0]])
    truth, box = np.array([[0.0, 0, 1, 1]]), np.array([[0.5, 0, 1, 1]])
    assert multitask(labels, logits, truth, box) == pytest.approx(np.log(2) + 0.25)
    assert multitask(labels, logits, truth, box, weight=2) == pytest.approx(np.log(2) + 0.5)


# -- vectors ----------------------------------------------------------------------------------


def test_verification_brings_the_same_together_and_its_inversion_drives_them_apart() -> None:
    one, other, same = np.array([[1.0, 0.0]]), np.array([[1.0, 1.0]]), np.array([1])
    before = cosine(one, other)[0]

    def after(gradient: Callable[..., tuple[Array, Array]]) -> float:
        by_one, by_other = gradient(one, other, same)
        return float(cosine(one - 0.1 * by_one, other - 0.1 * by_other)[0])

    assert after(verification_gradient) > before
    assert after(inverted_verification_gradient) < before
    identical = verification(one, one, same), inverted_verification(one, one, same)
    assert identical == pytest.approx((0, 1))  # the inverted form is worst where it should be best
    assert verification(one, other, np.array([0]), margin=0.8) == 0


def test_hinge_and_triplet_rest_when_all_is_well() -> None:
    query, good, bad = np.array([1.0, 0.0]), np.array([1.0, 0.1]), np.array([-1.0, 0.0])
    assert pairwise_hinge(query, good, bad) == 0
    assert all((slope == 0).all() for slope in pairwise_hinge_gradient(query, good, bad))
    assert pairwise_hinge(query, bad, good, margin=0.5) == pytest.approx(
        0.5 + 1 + float(cosine(query, good))
    )
    assert triplet(query, good, bad) == 0
    assert all((slope == 0).all() for slope in triplet_gradient(query, good, bad))
    assert triplet(query, query, query, margin=0.3) == pytest.approx(0.3)
    assert triplet(np.zeros(2), np.array([3.0, 4]), np.array([0.0, 2]), margin=1) == 25 - 4 + 1


# -- singular values --------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_a_decomposition_gives_its_matrix_back(rows: int, columns: int, seed: int) -> None:
    matrix = np.random.default_rng(seed).normal(size=(rows, columns)).round(1)
    found = decompose(matrix)
    np.testing.assert_allclose(found.matrix, matrix, atol=1e-12)
    np.testing.assert_allclose(found.k.T @ found.k, np.eye(min(rows, columns)), atol=1e-12)
    np.testing.assert_allclose(found.d @ found.d.T, np.eye(min(rows, columns)), atol=1e-12)
    np.testing.assert_allclose(found.s, np.linalg.svd(matrix, compute_uv=False), atol=1e-12)
    assert (np.diff(found.s) <= 0).all()


def test_it_is_unique_up_to_signs_and_ties(rng: np.random.Generator) -> None:
    matrix = rng.normal(size=(4, 3))
    found = decompose(matrix)
    flipped = type(found)(found.k * [1, -1, 1], found.s, found.d * np.array([[1], [-1], [1]]))
    assert found.same_as(flipped)
    np.testing.assert_array_equal(
        decompose(flipped.matrix).k.round(9), found.k.round(9)
    )  # one sign is chosen
    assert not found.same_as(type(found)(found.k * [1, -1, 1], found.s, found.d))
    assert not found.same_as(decompose(matrix + 1e-3))
    assert not found.same_as(decompose(matrix.T))

    tied = decompose(np.diag([3.0, 2.0, 2.0]))
    assert tied.ties == ((1, 2),)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    k, d = tied.k.copy(), tied.d.copy()
    k[:, 1:], d[1:] = k[:, 1:] @ turn, turn.T @ d[1:]
    turned = type(tied)(k, tied.s, d)
    np.testing.assert_allclose(turned.matrix, tied.matrix, atol=1e-12)
    assert tied.same_as(turned)
    assert not np.allclose(np.abs(turned.k), np.abs(tied.k))


def test_rank_and_truncation() -> None:
    matrix = np.outer([1.0, 2, 3], [1, 0, 1, 1]) + 0.01 * np.outer([3.0, 0, -1], [0, 1, 0, 0])
    found = decompose(matrix)
    assert (found.rank, len(found.s)) == (2, 3)
    np.testing.assert_allclose(found.truncated(2).matrix, matrix, atol=1e-12)
    assert np.linalg.norm(found.truncated(1).matrix - matrix) == pytest.approx(found.s[1])
    assert decompose(np.zeros((2, 3))).rank == 0
    assert decompose(np.zeros((2, 3))).same_as(decompose(np.zeros((2, 3))))
