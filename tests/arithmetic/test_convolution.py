from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d as scipy_convolve
from scipy.signal import correlate2d as scipy_correlate

from striate.arithmetic.convolution import (
    conv2d,
    conv2d_backward,
    conv_transpose2d,
    conv_transpose2d_backward,
    convolve2d,
    correlate2d,
)
from striate.arithmetic.gradient_check import check_gradient
from striate.arithmetic.windows import window
from striate.errors import UsageError
from striate.types import Array

two = st.tuples
PLANS = st.fixed_dictionaries(
    {
        "stride": two(st.integers(1, 3), st.integers(1, 3)),
        "padding": two(st.integers(0, 2), st.integers(0, 2)),
        "dilation": two(st.integers(1, 2), st.integers(1, 2)),
        "groups": st.integers(1, 3),
    }
)


def close(found: Array, expected: torch.Tensor | None) -> None:
    assert expected is not None
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-9, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(PLANS, two(st.integers(1, 8), st.integers(1, 8)), two(st.integers(1, 4), st.integers(1, 4)))
def test_forward_and_backward_are_torch_s(
    plan: dict[str, Any], size_hw: tuple[int, int], kernel_hw: tuple[int, int]
) -> None:
    spans = [d * (f - 1) + 1 for d, f in zip(plan["dilation"], kernel_hw, strict=True)]
    assume(all(n + 2 * p >= s for n, p, s in zip(size_hw, plan["padding"], spans, strict=True)))
    rng, groups = np.random.default_rng(3), plan["groups"]
    x = rng.normal(size=(2, 2 * groups, *size_hw))
    weight, bias = rng.normal(size=(3 * groups, 2, *kernel_hw)), rng.normal(size=3 * groups)
    tensors = [torch.tensor(one, requires_grad=True) for one in (x, weight, bias)]
    expected = F.conv2d(*tensors, **plan)
    close(conv2d(x, weight, bias, **plan, fit="floor"), expected)
    upstream = rng.normal(size=expected.shape)
    expected.backward(torch.tensor(upstream))
    found = conv2d_backward(upstream, x, weight, **plan, fit="floor")
    for slope, tensor in zip((found.x, found.weight, found.bias), tensors, strict=True):
        close(slope, tensor.grad)


@settings(max_examples=60, deadline=None)
@given(
    PLANS,
    two(st.integers(1, 5), st.integers(1, 5)),
    two(st.integers(1, 4), st.integers(1, 4)),
    two(st.integers(0, 2), st.integers(0, 2)),
)
def test_transposed_is_torch_s(
    plan: dict[str, Any],
    size_hw: tuple[int, int],
    kernel_hw: tuple[int, int],
    more: tuple[int, int],
) -> None:
    limits = [max(s, d) for s, d in zip(plan["stride"], plan["dilation"], strict=True)]
    assume(all(extra < limit for extra, limit in zip(more, limits, strict=True)))
    sides = [
        (n - 1) * s - 2 * p + d * (f - 1) + extra + 1
        for n, s, p, d, f, extra in zip(
            size_hw, plan["stride"], plan["padding"], plan["dilation"], kernel_hw, more, strict=True
        )
    ]
    assume(min(sides) >= 1)
    rng, groups = np.random.default_rng(4), plan["groups"]
    x = rng.normal(size=(2, 2 * groups, *size_hw))
    weight, bias = rng.normal(size=(2 * groups, 3, *kernel_hw)), rng.normal(size=3 * groups)
    tensors = [torch.tensor(one, requires_grad=True) for one in (x, weight, bias)]
    expected = F.conv_transpose2d(*tensors, **plan, output_padding=more)
    close(conv_transpose2d(x, weight, bias, **plan, output_padding=more), expected)
    upstream = rng.normal(size=expected.shape)
    expected.backward(torch.tensor(upstream))
    found = conv_transpose2d_backward(upstream, x, weight, **plan, output_padding=more)
    for slope, tensor in zip((found.x, found.weight, found.bias), tensors, strict=True):
        close(slope, tensor.grad)


def test_gradients_pass_the_check(rng: np.random.Generator) -> None:
    x, weight = rng.normal(size=(1, 2, 5, 4)), rng.normal(size=(2, 2, 3, 2))
    upstream = rng.normal(size=(1, 2, 2, 3))
    plan: dict[str, Any] = {"stride": (2, 1), "padding": (0, 0)}
    found = conv2d_backward(upstream, x, weight, **plan)
    assert check_gradient(
        lambda a: float((upstream * conv2d(a, weight, **plan)).sum()), found.x, x
    ).passed
    assert check_gradient(
        lambda a: float((upstream * conv2d(x, a, **plan)).sum()), found.weight, weight
    ).passed


@settings(deadline=None)
@given(two(st.integers(1, 7), st.integers(1, 7)), two(st.integers(1, 4), st.integers(1, 4)))
def test_the_two_convolutions(size_hw: tuple[int, int], kernel_hw: tuple[int, int]) -> None:
    assume(all(n >= f for n, f in zip(size_hw, kernel_hw, strict=True)))
    rng = np.random.default_rng(5)
    plane, kernel = rng.normal(size=size_hw), rng.normal(size=kernel_hw)
    np.testing.assert_allclose(correlate2d(plane, kernel), scipy_correlate(plane, kernel, "valid"))
    np.testing.assert_allclose(convolve2d(plane, kernel), scipy_convolve(plane, kernel, "valid"))


def test_the_deck_s_sum_by_hand() -> None:
    plane, kernel = np.array([[2.0, 0], [1, 3]]), np.array([[1.0, 0], [0, 0]])
    assert conv2d(plane[None, None], kernel[None, None], np.ones(1)).item() == 2 * 1 + 0 * 0 + 1
    assert correlate2d(plane, kernel).item() == 2
    assert convolve2d(plane, kernel).item() == 3  # turned by 180° the 1 meets the 3


def test_transposed_stamps() -> None:
    found = conv_transpose2d(np.array([[[[1.0, 2]]]]), np.ones((1, 1, 2, 2)), stride=2)
    np.testing.assert_array_equal(found[0, 0], [[1, 1, 2, 2], [1, 1, 2, 2]])
    x, weight = np.random.default_rng(0).normal(size=(2, 1, 1, 5, 5))
    forward = conv2d(x, weight[..., :3, :3])
    back = conv2d_backward(forward, x, weight[..., :3, :3]).x
    np.testing.assert_allclose(conv_transpose2d(forward, weight[..., :3, :3]), back)


def test_padding_keeps_the_size() -> None:
    for side in (3, 5, 7):
        found = conv2d(np.ones((1, 1, 9, 6)), np.ones((1, 1, side, side)), padding="same")
        assert found.shape == (1, 1, 9, 6)
    x, kernel = np.ones((1, 1, 9, 9)), np.ones((1, 1, 3, 3))
    assert conv2d(x, kernel, padding="same", dilation=2).shape == (1, 1, 9, 9)
    assert conv2d(x, kernel, padding="valid").shape == (1, 1, 7, 7)
    assert conv2d(np.ones((0, 1, 3, 3)), kernel).shape == (0, 1, 1, 1)


@pytest.mark.parametrize(("stride", "side"), [(1, 5), (2, 3)])
def test_the_sizes_of_the_deck(stride: int, side: int) -> None:
    assert window((7, 7), (3, 3), stride=stride).output_hw == (side, side)


ONE = np.ones((1, 1, 7, 7))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: window((7, 7), (3, 3), stride=3), r"does not fit.*\(7−3\)/3\+1 = 2\.33"),
        (
            lambda: window((7, 7), (3, 3), stride=3),
            r"are stride 2 .* or 4 .*padding 1 .*side 6 .* or 9",
        ),
        (lambda: window((9, 7), (9, 3), stride=(1, 3)), "the width of 7"),
        (lambda: conv2d(ONE, np.ones((1, 1, 8, 3))), "larger than the height of 7.*at most 7.*padding"),
        (lambda: conv2d(ONE, np.ones((1, 1, 3, 3)), dilation=4), "over 9 by dilation 4.*larger"),
        (lambda: conv2d(ONE, np.ones((1, 1, 4, 3)), padding="same"), "no middle.*1.5 rows.*odd"),
        (lambda: conv2d(ONE, np.ones((1, 1, 3, 3)), padding="same", stride=2), "stride 1"),
        (lambda: conv2d(ONE, np.ones((1, 1, 3, 3)), padding="sane"), "'same' or 'valid'"),  # type: ignore[arg-type]
        (lambda: conv2d(ONE, np.ones((1, 1, 3, 3)), padding=-1), "whole number from 0"),
        (lambda: conv2d(ONE, np.ones((1, 1, 3, 3)), stride=0), "whole number from 1"),
        (lambda: conv2d(ONE, np.ones((1, 1, 3, 3)), stride=1.5), "whole number"),  # type: ignore[arg-type]
        (lambda: conv2d(ONE, np.ones((1, 2, 3, 3))), "input of 1 channels"),
        (lambda: conv2d(ONE, np.ones((1, 1, 3, 3)), groups=0), "groups was given 0"),
        (lambda: conv2d(ONE, np.ones((1, 1, 3, 3)), np.ones(2)), "one for each output"),
        (lambda: conv2d(ONE[0], np.ones((1, 1, 3, 3))), "four dimensions"),
        (
            lambda: conv2d_backward(np.ones((1, 1, 5, 4)), ONE, np.ones((1, 1, 3, 3))),
            "that of the output",
        ),
        (lambda: conv_transpose2d(ONE, np.ones((2, 1, 3, 3))), "input of 1 channels"),
        (lambda: conv_transpose2d(ONE, np.ones((1, 1, 3, 3)), output_padding=1), "less than the stride"),
        (lambda: conv_transpose2d(ONE[..., :1, :1], np.ones((1, 1, 3, 3)), padding=2), "less padding"),
        (lambda: correlate2d(np.ones(3), np.ones((1, 1))), "two dimensions"),
    ],
)
def test_what_cannot_be_is_said(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        call()
