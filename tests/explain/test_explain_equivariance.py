from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from striate.explain.equivariance import measure_motion, motion_shifts


@pytest.fixture
def pictures(rng: np.random.Generator) -> np.ndarray:
    """Spots of light well inside the picture, so that no edge is ever met."""
    found = np.zeros((6, 32, 48, 3), np.uint8)
    for one in found:
        one[12:20, 18:28] = rng.integers(0, 256, (8, 10, 1), dtype=np.uint8)
    return found


def test_convolutions_move_along_and_pooling_stays(
    inside_of: Callable[..., Any], made: Any, pictures: np.ndarray
) -> None:
    steps = [
        made.conv([made.gabor(90.0, side=5, spread=1.5)], pads=[2] * 4, name="/m/conv/Conv"),
        ("MaxPool", {"kernel_shape": [4, 4], "strides": [4, 4], "name": "/m/pool/MaxPool"}),
        ("GlobalMaxPool", {"name": "/m/top/GlobalMaxPool"}),
    ]
    inside = inside_of(steps, (32, 48))
    conv, pool, top = measure_motion(inside, inside.layers, pictures)
    assert (conv.stride, pool.stride, top.stride) == (1, 4, None)
    assert conv.shifts == (1, 2, 4, 8, 16)
    np.testing.assert_allclose(conv.along, 1.0, atol=1e-6)
    assert conv.along_at_stride == pytest.approx(1.0)
    assert pool.along_at_stride == pytest.approx(1.0)
    assert pool.along[0] < 0.99  # a quarter of its step
    assert conv.still[2] < 0.5
    np.testing.assert_allclose(top.still, 1.0, atol=1e-6)  # the spot never leaves
    assert top.along_at_stride is None
    assert np.isnan(top.along).all()
    assert top.to_dict()["moves_along"] == [None] * 5


def test_a_dense_layer_on_places_is_not_equivariant(
    inside_of: Callable[..., Any], made: Any, pictures: np.ndarray, rng: np.random.Generator
) -> None:
    places = rng.normal(size=(1, 1, 32, 48)).astype(np.float32)
    steps = [
        made.conv([np.ones((1, 1))], name="/m/conv/Conv", out="x"),
        ("Mul", {"weights": [places]}),
        ("Relu", {"name": "/m/act/Relu"}),
    ]
    inside = inside_of(steps, (32, 48))
    (found,) = measure_motion(inside, [inside.layers[-1]], pictures)
    assert found.along_at_stride is not None
    assert found.along_at_stride < 0.8


def test_what_does_not_vary_has_no_correlation(inside_of: Callable[..., Any], made: Any) -> None:
    inside = inside_of([made.conv([np.ones((3, 3))], pads=[1] * 4, name="/m/c/Conv")], (6, 6))
    even = np.full((3, 6, 6, 3), 9, np.uint8)
    steps = [made.conv([np.zeros((3, 3))], pads=[1] * 4, name="/m/c/Conv")]
    dead = inside_of(steps, (6, 6))
    (found,) = measure_motion(dead, dead.layers, even)
    assert np.isnan(found.still).all()
    assert found.along_at_stride is None
    (edges,) = measure_motion(inside, inside.layers, even)
    assert edges.still[0] == pytest.approx(1.0)


def test_shifts() -> None:
    assert motion_shifts(32) == (1, 2, 4, 8, 16)
    assert motion_shifts(7) == (1, 2)
    assert motion_shifts(1) == (1,)
