from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate.errors import DataError, UnknownNameError, UsageError
from striate.explain.inside import Inside
from striate.explain.operators import Operator, taps


def small_net(made: Any) -> list[Any]:
    rng = np.random.default_rng(0)
    return [
        made.conv(rng.normal(size=(4, 3, 3)), pads=[1] * 4, name="/net/body/stem/Conv"),
        ("Relu", {"name": "/net/body/act/Relu"}),
        ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2], "name": "/net/neck/pool/MaxPool"}),
        ("Flatten", {"name": "/net/Flatten"}),
        (
            "Gemm",
            {"weights": [rng.normal(size=(4 * 3 * 4, 5)).astype(np.float32)], "name": "/net/head/Gemm",
             "out": "logits"},
        ),
    ]  # fmt: skip


def test_layers_by_readable_names(made: Any, inside_of: Any) -> None:
    inside = inside_of(small_net(made), (6, 8))
    assert [(one.name, one.kind, one.shape) for one in inside.layers] == [
        ("body.stem", "conv", (4, 6, 8)),
        ("body.act", "relu", (4, 6, 8)),
        ("neck.pool", "maxpool", (4, 3, 4)),
        ("features", "features", (48,)),
        ("logits", "dense", (5,)),
    ]
    assert inside.size_hw == (6, 8)
    assert inside.features.name == "features"
    assert inside.layer("stem") is inside.layer("body.stem")
    assert [one.name for one in inside.layers if one.is_activation] == ["body.act"]
    assert inside.layer("backbone.model.body.act").name == "body.act"  # as torch calls it
    assert inside.layer("backbone.body").name == "body.act"  # the last in it
    assert inside.layer("body").name == "body.act"
    for unknown in ("polo", "backbone.nix", "backbone.", "other.body", "backbone.typo.body", "bod", ""):
        with pytest.raises(UnknownNameError, match=r"neck\.pool"):
            inside.layer(unknown)


def test_values_are_those_of_the_graph(made: Any, inside_of: Any, rng: np.random.Generator) -> None:
    inside = inside_of(small_net(made), (6, 8))
    pixels = rng.integers(0, 256, (5, 6, 8, 3), dtype=np.uint8)
    act, pool = inside.layer("act"), inside.layer("pool")
    found = inside.watch([pool, act])(pixels)
    assert found["body.act"].shape == (5, 4, 6, 8)
    assert found["body.act"].min() == 0
    pooled = found["body.act"].reshape(5, 4, 3, 2, 4, 2).max(axis=(3, 5))
    np.testing.assert_array_equal(found["neck.pool"], pooled)
    parts = [values["neck.pool"] for _, values in inside.watch([pool]).each(pixels)]
    np.testing.assert_array_equal(np.concatenate(parts), pooled)


def test_what_is_not_watched_is_not_computed(made: Any, inside_of: Any) -> None:
    steps = small_net(made)
    steps[-1][1]["weights"] = [np.zeros((7, 5), np.float32)]  # does not fit: fails where it is run
    data = made.graph_of(steps, (6, 8))
    inside = Inside(data, threads=1)
    stem = inside._graph(["t0"])
    assert stem.output_names == ("t0",)


def test_units(made: Any, inside_of: Any) -> None:
    inside = inside_of(small_net(made), (6, 8))
    unit = inside.unit("stem:3")
    assert (unit.name, unit.channel, unit.place) == ("body.stem:3", 3, (3, 4))
    assert inside.unit("body.stem:0@5,7").place == (5, 7)
    assert inside.unit("body.stem:0@5,7").name == "body.stem:0@5,7"
    assert inside.unit("logits:4").place == (0, 0)
    for wrong in ("stem", "stem:x", "stem:4", "stem:0@6,0", "stem:0@1", ":1", "stem:-1"):
        with pytest.raises(UsageError) as caught:
            inside.unit(wrong)
        assert caught.value.expected
    with pytest.raises(UnknownNameError):
        inside.unit("stm:0")


def test_written_out_activations_are_one_layer(inside_of: Any, made: Any) -> None:
    one = np.float32(1.0)
    steps = [
        made.conv([np.ones((1, 1))], name="/m/conv/Conv", out="x"),
        ("Div", {"weights": [np.float32(2**0.5)], "name": "/m/act/Div"}),
        ("Erf", {"name": "/m/act/Erf"}),
        ("Add", {"weights": [one], "name": "/m/act/Add", "out": "a"}),
        ("Mul", {"of": "x", "more": ["a"], "name": "/m/act/Mul"}),
        ("Mul", {"weights": [np.float32(0.5)], "name": "/m/act/Mul_1", "out": "g"}),
        ("Sigmoid", {"name": "/m/last/Sigmoid", "out": "s"}),
        ("Mul", {"of": "g", "more": ["s"], "name": "/m/last/Mul", "out": "silu"}),
        ("Add", {"more": ["g"], "name": "/m/Add"}),
        ("ReduceMean", {"weights": [np.array([2, 3])], "keepdims": 0, "name": "/m/mean/ReduceMean",
                        "out": "answer"}),
    ]  # fmt: skip
    inside = inside_of(steps, (3, 5))
    kinds = [(one.name, one.kind, one.tensor) for one in inside.layers]
    assert kinds == [
        ("conv", "conv", "x"),
        ("act.gelu", "gelu", "g"),
        ("last.silu", "silu", "silu"),
        ("add", "add", "t8"),
        ("answer", "global avgpool", "answer"),
    ]
    grey = np.full((1, 3, 5, 3), 255, np.uint8)
    found = inside.watch([inside.layer("act.gelu")])(grey)["act.gelu"]
    assert found[0, 0, 0, 0] == pytest.approx(0.8413447, abs=1e-4)


def test_channels_that_lie_last_are_turned(inside_of: Any, made: Any) -> None:
    steps = [
        made.conv([np.eye(3), np.ones((3, 3))], name="/m/conv/Conv"),
        ("Transpose", {"perm": [0, 2, 3, 1], "name": "/m/Transpose"}),
        ("MatMul", {"weights": [np.eye(2, 4, dtype=np.float32)], "name": "/m/fc/MatMul"}),
    ]
    inside = inside_of(steps, (6, 9))
    dense = inside.layers[-1]
    assert (dense.kind, dense.shape, dense.transposed) == ("dense", (4, 4, 7), True)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 6, 9, 3), dtype=np.uint8)
    found = inside.watch(inside.layers)(pixels)
    np.testing.assert_allclose(found[dense.name][:, :2], found["conv"], rtol=1e-5)


def test_graphs_of_another_form_are_refused(made: Any) -> None:
    data = made.graph_of([("Relu", {})], (4, 4))
    import onnx

    model = onnx.load_model_from_string(data)
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "h"
    with pytest.raises(DataError, match="pictures"):
        Inside(model.SerializeToString())


def test_an_output_behind_an_identity_keeps_its_name() -> None:
    nodes = [
        Operator("Gemm", "", ("pictures", "w"), ("v",)),
        Operator("Identity", "", ("v",), ("logits",)),
        Operator("Softmax", "", ("logits",), ("probabilities",)),
    ]
    found = [(one.name, one.kind) for one in taps(nodes, "pictures", ["logits", "probabilities"])]
    assert found == [("logits", "dense"), ("probabilities", "output")]
