"""The mistakes that docs/deck_errors.md corrects, one test each."""

from __future__ import annotations

import numpy as np
import pytest

from striate.arithmetic.activations import relu, sigmoid, softmax
from striate.arithmetic.backpropagation import Convolution
from striate.arithmetic.convolution import correlate2d
from striate.arithmetic.gradient_check import check_gradient
from striate.arithmetic.losses import cross_entropy, cross_entropy_gradient
from striate.arithmetic.similarity import (
    cosine,
    inverted_verification_gradient,
    verification_gradient,
)
from striate.arithmetic.svd import decompose
from striate.features.kernels import KERNELS
from striate.types import check_picture

TRUTH = np.array([0.0, 1.0, 0.0])
SURE, WRONG = np.array([0.1, 0.8, 0.1]), np.array([0.8, 0.1, 0.1])


def test_1_cross_entropy_has_a_minus_sign() -> None:
    assert 0 < cross_entropy(TRUTH, SURE) < cross_entropy(TRUTH, WRONG)
    without = [float((TRUTH * np.log(answer)).sum()) for answer in (SURE, WRONG)]
    assert without[1] < without[0] < 0  # made small, this would seek the wrong answer
    slope = cross_entropy_gradient(TRUTH, SURE)
    assert check_gradient(lambda p: cross_entropy(TRUTH, p), slope, SURE).passed
    assert not check_gradient(lambda p: cross_entropy(TRUTH, p), -slope, SURE).passed


def test_1_an_argument_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TypeError, match="filter_size"):
        Convolution(np.ones((1, 1, 3, 3)), np.zeros(1), filter_size=3)  # type: ignore[call-arg]


def test_2_the_inverted_verification_loss_drives_the_same_apart() -> None:
    one, other, same = np.array([[1.0, 0.0]]), np.array([[1.0, 1.0]]), np.array([1])
    before = cosine(one, other).item()
    for gradient, better in ((verification_gradient, True), (inverted_verification_gradient, False)):
        by_one, by_other = gradient(one, other, same)
        after = cosine(one - 0.1 * by_one, other - 0.1 * by_other).item()
        assert (after > before) is better


def test_3_the_laplacian_is_not_the_identity() -> None:
    plane = np.random.default_rng(0).uniform(0, 255, (6, 7))
    inner = plane[1:-1, 1:-1]
    np.testing.assert_allclose(correlate2d(plane, KERNELS["identity"].values), inner)
    laplacian = KERNELS["laplacian"].values
    assert laplacian.tolist() == [[0, 1, 0], [1, -4, 1], [0, 1, 0]]
    assert not np.allclose(correlate2d(plane, laplacian), inner)
    np.testing.assert_allclose(correlate2d(np.full((5, 5), 90.0), laplacian), 0)  # even ground


def test_3_a_blur_needs_its_sixteenth() -> None:
    even = np.full((5, 5), 90.0)
    blur = KERNELS["gaussian-blur"]
    np.testing.assert_allclose(correlate2d(even, blur.values), 90)
    np.testing.assert_allclose(correlate2d(even, blur.weights), 16 * 90)


def test_3_softmax_is_not_for_several_labels() -> None:
    scores = np.array([4.0, 4.0, -4.0])  # two things are there
    assert (sigmoid(scores) > 0.9).tolist() == [True, True, False]
    assert softmax(scores).max() < 0.5  # they compete
    assert softmax(scores).sum() == pytest.approx(1)


def test_3_relu_does_not_preserve_its_input() -> None:
    assert relu(np.array([-3.0, -1, 0, 2])).tolist() == [0, 0, 0, 2]


def test_4_a_decomposition_is_unique_up_to_signs_and_ties() -> None:
    found = decompose(np.array([[3.0, 0, 0], [0, 2, 0], [0, 0, 2]]))
    assert found.ties == ((1, 2),)
    signs = type(found)(-found.k, found.s, -found.d)
    swapped = type(found)(found.k[:, [0, 2, 1]], found.s, found.d[[0, 2, 1]])
    for other in (signs, swapped):
        assert not np.array_equal(other.k, found.k)
        np.testing.assert_allclose(other.matrix, found.matrix)
        assert found.same_as(other)


def test_5_a_pixel_is_at_most_255() -> None:
    with pytest.raises(OverflowError):
        np.array([[261]], dtype=np.uint8)
    with pytest.raises(ValueError, match="uint8"):
        check_picture(np.full((2, 2, 3), 261))
