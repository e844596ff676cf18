from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
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


def weights_of(data: bytes) -> dict[str, Any]:
    graph = onnx.load_model_from_string(data).graph
    return {one.name: numpy_helper.to_array(one) for one in graph.initializer}


def test_all_weights_are_new_and_channels_are_settled(made: Any, rng: np.random.Generator) -> None:
    data = two_convolutions(made, rng)
    pixels = rng.integers(0, 256, (16, 12, 10, 3), dtype=np.uint8)
    fresh = randomised(data, pixels, seed=3)
    old, new = weights_of(data), weights_of(fresh)
    for name, values in old.items():
        assert new[name].shape == values.shape
        assert not np.allclose(new[name], values)
    inside = Inside(fresh, threads=1)
    for name in ("a", "c"):
        values = inside.watch([inside.layer(name)])(pixels)[name]
        np.testing.assert_allclose(values.mean(axis=(0, 2, 3)), 0, atol=1e-3)
        np.testing.assert_allclose(values.std(axis=(0, 2, 3)), 1, atol=1e-3)


def test_scales_and_shifts_start_anew_but_not_what_prepares(made: Any, rng: np.random.Generator) -> None:
    def some(*shape: int) -> Any:
        return rng.normal(2.0, 1.0, shape).astype(np.float32)

    steps = [
        ("Sub", {"weights": [some(1, 3, 1, 1)]}),  # w0: what prepares the picture
        ("Mul", {"weights": [some(1, 3, 1, 1)]}),
        ("Conv", {"weights": [some(4, 3, 3, 3)], "pads": [1] * 4}),
        ("InstanceNormalization", {"weights": [some(4), some(4)]}),
        ("Mul", {"weights": [some(4, 1, 1)]}),  # w4: a scale
        ("Add", {"weights": [some(1, 4, 1, 1)]}),
        ("Add", {"weights": [some(1, 4, 12, 10)]}),  # w6: where things lie
        ("Mul", {"weights": [np.float32(0.5)]}),
        ("LayerNormalization", {"weights": [some(10), some(10)], "axis": -1}),
        ("LayerNormalization", {"weights": [some(10)], "axis": -1}),
        ("PRelu", {"weights": [some(4, 1, 1)]}),
    ]
    data = made.graph_of(steps, (12, 10))
    pixels = rng.integers(0, 256, (4, 12, 10, 3), dtype=np.uint8)
    old, new = weights_of(data), weights_of(randomised(data, pixels, seed=1))
    for name in ("w0.0", "w1.0", "w7.0"):
        np.testing.assert_array_equal(new[name], old[name])
    anew = {"w3.0": 1, "w3.1": 0, "w4.0": 1, "w5.0": 0, "w8.0": 1, "w8.1": 0, "w9.0": 1, "w10.0": 0.25}
    for name, value in anew.items():
        assert (new[name] == value).all(), name
    assert 0.015 < new["w6.0"].std() < 0.025
    for name, values in old.items():
        assert new[name].shape == values.shape


def shared(made: Any, rng: np.random.Generator, edit: Any) -> tuple[bytes, Any]:
    """Three convolutions, fresh and settled, after `edit` of the graph's nodes by name."""
    kernels = [rng.normal(size=(3, 3, 3, 3)).astype(np.float32) for _ in range(3)]
    steps = [
        ("Conv", {"weights": [one, np.ones(3, np.float32)], "pads": [1] * 4, "name": f"/n/{name}/Conv"})
        for name, one in zip("abc", kernels, strict=True)
    ]
    model = onnx.load_model_from_string(made.graph_of(steps, (12, 10)))
    edit({one.name.split("/")[2]: one for one in model.graph.node if one.name})
    pixels = rng.integers(0, 256, (8, 12, 10, 3), dtype=np.uint8)
    return randomised(model.SerializeToString(), pixels, seed=1), pixels


def channels_of(data: bytes, name: str, pixels: Any) -> tuple[Any, Any]:
    inside = Inside(data, threads=1)
    values = inside.watch([layer := inside.layer(name)])(pixels)[layer.name]
    return values.mean(axis=(0, 2, 3)), values.std(axis=(0, 2, 3))


def test_a_bias_of_several_convolutions_is_settled_for_each(made: Any, rng: np.random.Generator) -> None:
    def edit(nodes: Any) -> None:
        nodes["b"].input[2] = nodes["a"].input[2]  # as exporters store equal ones once

    fresh, pixels = shared(made, rng, edit)
    for name in "ab":
        mean, spread = channels_of(fresh, name, pixels)
        np.testing.assert_allclose(mean, 0, atol=1e-3)
        np.testing.assert_allclose(spread, 1, atol=1e-3)


@pytest.mark.parametrize("biased", [True, False])
def test_a_kernel_of_several_convolutions_is_settled_once(
    made: Any, rng: np.random.Generator, biased: bool
) -> None:
    def edit(nodes: Any) -> None:
        for name in "ab":
            del nodes[name].input[1 if name == "b" else 2 :]
            if name == "b":
                nodes["b"].input.append(nodes["a"].input[1])
        if biased:
            for name in "ab":
                nodes[name].input.append("w0.1")

    fresh, pixels = shared(made, rng, edit)
    mean, spread = channels_of(fresh, "a", pixels)
    np.testing.assert_allclose(mean, 0, atol=1e-3)
    np.testing.assert_allclose(spread, 1, atol=1e-3)
    nodes = onnx.load_model_from_string(fresh).graph.node
    first, second = (list(one.input[1:]) for one in nodes if one.name in ("/n/a/Conv", "/n/b/Conv"))
    assert len(first) == 2
    assert first == second


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
