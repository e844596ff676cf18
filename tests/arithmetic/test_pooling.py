from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from striate.arithmetic.pooling import (
    avg_pool2d,
    avg_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
)
from striate.errors import UsageError

two = st.tuples


@settings(max_examples=80, deadline=None)
@given(
    two(st.integers(1, 7), st.integers(1, 7)),
    two(st.integers(1, 4), st.integers(1, 4)),
    two(st.integers(1, 3), st.integers(1, 3)),
    st.booleans(),
)
def test_both_are_torch_s(
    size_hw: tuple[int, int], taps: tuple[int, int], stride: tuple[int, int], padded: bool
) -> None:
    padding = (taps[0] // 2, taps[1] // 2) if padded else (0, 0)
    assume(all(n + 2 * p >= f for n, p, f in zip(size_hw, padding, taps, strict=True)))
    x = np.random.default_rng(1).integers(-3, 3, (2, 3, *size_hw)).astype(float)  # with many ties
    plan: dict[str, Any] = {"stride": stride, "padding": padding}
    for own, back, theirs in (
        (max_pool2d, max_pool2d_backward, F.max_pool2d),
        (avg_pool2d, avg_pool2d_backward, F.avg_pool2d),
    ):
        tensor = torch.tensor(x, requires_grad=True)
        expected = theirs(tensor, taps, **plan)
        found = own(x, taps, **plan, fit="floor")
        np.testing.assert_allclose(found, expected.detach().numpy())
        upstream = np.arange(found.size, dtype=float).reshape(found.shape)
        expected.backward(torch.tensor(upstream))
        assert tensor.grad is not None
        np.testing.assert_allclose(back(upstream, x, taps, **plan, fit="floor"), tensor.grad.numpy())


def test_by_hand() -> None:
    x = np.array([[[[1.0, 3, 2, 0], [4, 2, 0, 6]]]])
    assert max_pool2d(x, 2).tolist() == [[[[4, 6]]]]
    assert avg_pool2d(x, 2).tolist() == [[[[2.5, 2]]]]
    gradient = max_pool2d_backward(np.array([[[[1.0, 10]]]]), x, 2)
    assert gradient.tolist() == [[[[0, 0, 0, 0], [1, 0, 0, 10]]]]
    assert (max_pool2d(-x, 2, padding=1) <= 0).all()
    assert (max_pool2d(-x - 1, 2, padding=1) < 0).all()  # padding never wins


@pytest.mark.parametrize("pool", [max_pool2d, avg_pool2d])
def test_what_cannot_be_is_said(pool: Any) -> None:
    with pytest.raises(UsageError, match=r"does not fit.*2\.5.*stride 1"):
        pool(np.ones((1, 1, 5, 4)), 2)
    with pytest.raises(UsageError, match="larger than"):
        pool(np.ones((1, 1, 1, 1)), 2)
    with pytest.raises(UsageError, match="at most half"):
        pool(np.ones((1, 1, 4, 4)), 2, padding=2)
    with pytest.raises(UsageError, match="batch, channels"):
        pool(np.ones((4, 4)), 2)
    with pytest.raises(UsageError, match="that of the output"):
        max_pool2d_backward(np.ones((1, 1, 1, 2)), np.ones((1, 1, 4, 4)), 2)
