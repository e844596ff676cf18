"""Graphs made by hand, whose units are known on sight, and runs of them."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from striate.explain.inside import Inside
from striate.runs.run import Run
from striate.types import Array, SizeHW

_spec = importlib.util.spec_from_file_location(
    "striate_tests_verbs_conftest_of_explain", Path(__file__).parent.parent / "verbs" / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
_verbs = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _verbs
_spec.loader.exec_module(_verbs)

make_run, coloured = _verbs.make_run, _verbs.coloured

Step = tuple[str, dict[str, Any]]


def graph_of(
    steps: Sequence[Step], size_hw: SizeHW, *, outputs: Sequence[str] = (), open_batch: bool = True
) -> bytes:
    """uint8 (B, h, w, 3) → float (B, 3, h, w) → the steps, one after the other.

    A step is an operator and its attributes; "weights" are arrays that become further inputs, "name" is
    the node's, "out" the name of its tensor, "of" its first input where that is not the step before.
    """
    batch = "batch" if open_batch else 1
    pictures = helper.make_tensor_value_info("pictures", TensorProto.UINT8, [batch, *size_hw, 3])
    nodes = [
        helper.make_node("Cast", ["pictures"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["turned"], perm=[0, 3, 1, 2]),
    ]
    stored, last = [], "turned"
    for number, (kind, given) in enumerate(steps):
        attributes = dict(given)
        weights = attributes.pop("weights", [])
        out, name = attributes.pop("out", f"t{number}"), attributes.pop("name", "")
        inputs = [attributes.pop("of", last), *attributes.pop("more", [])]
        for index, one in enumerate(weights):
            stored.append(numpy_helper.from_array(np.asarray(one), f"w{number}.{index}"))
            inputs.append(f"w{number}.{index}")
        nodes.append(helper.make_node(kind, inputs, [out], name=name, **attributes))
        last = out
    shown = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs or [last]]
    graph = helper.make_graph(nodes, "made", [pictures], shown, stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return bytes(model.SerializeToString())


def filters(planes: Sequence[Array]) -> Array:
    """Kernels (K, 3, F, F) that weigh the grey of a picture, 0 to 1, by each plane (F, F)."""
    return np.stack([np.stack([plane] * 3) / (3 * 255) for plane in planes]).astype(np.float32)


def gabor(angle_deg: float, *, side: int = 15, period: float = 6.0, spread: float = 3.0) -> Array:
    """An even Gabor filter whose stripes run along `angle_deg`, without answer to an even picture."""
    middle = (side - 1) / 2
    y, x = np.mgrid[:side, :side] - middle
    turn = np.deg2rad(angle_deg)
    across = x * np.sin(turn) + y * np.cos(turn)
    envelope = np.exp(-(x**2 + y**2) / (2 * spread**2))
    wave = np.cos(2 * np.pi * across / period)
    return envelope * (wave - (envelope * wave).sum() / envelope.sum())


def disc(*, side: int = 15, spread: float = 2.5) -> Array:
    """A round spot without a preferred angle, without answer to an even picture."""
    middle = (side - 1) / 2
    y, x = np.mgrid[:side, :side] - middle
    inner, outer = (np.exp(-(x**2 + y**2) / (2 * s**2)) for s in (spread / 1.6, spread))
    return inner / inner.sum() - outer / outer.sum()


def conv(planes: Sequence[Array], **attributes: Any) -> Step:
    return "Conv", {"weights": [filters(planes)], **attributes}


@pytest.fixture
def inside_of() -> Callable[..., Inside]:
    """`inside_of(steps, (h, w), outputs=())`: the layers of a graph made by hand."""

    def make(steps: Sequence[Step], size_hw: SizeHW, **options: Any) -> Inside:
        return Inside(graph_of(steps, size_hw, **options), threads=1)

    return make


@pytest.fixture
def made() -> Any:
    """The makers of this file: graph_of, gabor, disc, conv, filters."""
    return sys.modules[__name__]


@pytest.fixture
def gabor_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A sealed classifier of 24 × 20 pictures: Gabors at 0, 60 and 120°, the strongest answer wins."""
    size_hw = (24, 20)
    steps: list[Step] = [
        conv([gabor(0), gabor(60), gabor(120)], pads=[7] * 4, name="/net/conv/Conv"),
        ("Relu", {"name": "/net/act/Relu"}),
        ("GlobalMaxPool", {"name": "/net/pool/GlobalMaxPool"}),
        ("Flatten", {"name": "/net/flat/Flatten"}),
        ("Gemm", {"weights": [np.eye(3, dtype=np.float32)], "name": "/net/head/Gemm", "out": "logits"}),
        ("Softmax", {"axis": 1, "out": "probabilities"}),
    ]

    def stored(kind: str, *, metadata: dict[str, str]) -> bytes:
        model = onnx.load_model_from_string(
            graph_of(steps, size_hw, outputs=["logits", "probabilities"])
        )
        for key, value in metadata.items():
            model.metadata_props.add(key=key, value=value)
        return bytes(model.SerializeToString())

    monkeypatch.setattr(_verbs, "SIZE_HW", size_hw)
    monkeypatch.setattr(_verbs, "graph_bytes", stored)
    found: Run = _verbs.build_run(
        tmp_path / "gabors", "classify", reject_threshold=None, trained_on=None
    )
    return found
