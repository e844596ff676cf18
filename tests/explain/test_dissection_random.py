from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from striate.explain.dissection_random import randomised
from striate.explain.inside import Inside


def two_convolutions(made: Any, rng: np.random.Generator) -> bytes:
    first = rng.normal(size=(8, 3, 3, 3)).astype(np.float32) / 255
    second = rng.normal(size=(6, 8, 3, 3)).astype(np.float32)
    steps = [
        ("Conv", {"weights": [first, np.ones(8, np.float32)], "pads": [1] * 4, "name": "/n/a/Conv"}),
        ("Relu", {"name": "/n/b/Relu"}),
        ("Conv", {"weights": [second], "pads": [1] * 4, "name": "/n/c/Conv"}),
        ("GlobalAveragePool", {}),
        ("Flatten", {}),
        ("Gemm", {"weights": [np.ones((6, 2), np.float32)], "out": "logits"}),
    ]
    data: bytes = made.graph_of(steps, (12, 10), outputs=["logits"])
    return data


def test_all_weights_are_new_and_channels_are_settled(made: Any, rng: np.random.Generator) -> None:
    data = two_convolutions(made, rng)
    pixels = rng.integers(0, 256, (16, 12, 10, 3), dtype=np.uint8)
    fresh = randomised(data, pixels, seed=3)
    before, after = (onnx.load_model_from_string(one).graph for one in (data, fresh))
    old = {one.name: numpy_helper.to_array(one) for one in before.initializer}
    new = {one.name: numpy_helper.to_array(one) for one in after.initializer}
    for name, values in old.items():
        assert new[name].shape == values.shape
        assert not np.allclose(new[name], values)
    inside = Inside(fresh, threads=1)
    for name in ("a", "c"):
        values = inside.watch([inside.layer(name)])(pixels)[name]
        np.testing.assert_allclose(values.mean(axis=(0, 2, 3)), 0, atol=1e-3)
        np.testing.assert_allclose(values.std(axis=(0, 2, 3)), 1, atol=1e-3)


def test_the_seed_decides(made: Any, rng: np.random.Generator) -> None:
    data = two_convolutions(made, rng)
    pixels = rng.integers(0, 256, (4, 12, 10, 3), dtype=np.uint8)
    assert randomised(data, pixels, seed=1) == randomised(data, pixels, seed=1)
    assert randomised(data, pixels, seed=1) != randomised(data, pixels, seed=2)


def test_what_is_not_looked_at_is_not_settled(made: Any, rng: np.random.Generator) -> None:
    data = two_convolutions(made, rng)
    pixels = rng.integers(0, 256, (4, 12, 10, 3), dtype=np.uint8)
    inside = Inside(data, threads=1)
    fresh = Inside(randomised(data, pixels, until=[inside.layer("b").tensor]), threads=1)
    values = fresh.watch([fresh.layer("c")])(pixels)["c"]
    assert abs(float(values.std()) - 1) > 1e-3


def test_a_constant_channel_does_not_divide_by_zero(made: Any, rng: np.random.Generator) -> None:
    data = two_convolutions(made, rng)
    fresh = Inside(randomised(data, np.zeros((2, 12, 10, 3), np.uint8)), threads=1)
    values = fresh.watch([fresh.layer("c")])(np.full((1, 12, 10, 3), 255, np.uint8))["c"]
    assert np.isfinite(values).all()
