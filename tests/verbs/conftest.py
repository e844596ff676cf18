"""Runs that are trained by hand: graphs of a few operators whose answer is known on sight."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from striate.pictures import write
from striate.runs.folder import RunWriter
from striate.runs.header import RunHeader
from striate.runs.run import Run
from striate.task import task_type

SIZE_HW = (6, 8)
NAMES = ("red", "green", "blue")
PURE = {"red": (230, 20, 10), "green": (30, 220, 15), "blue": (5, 25, 240)}


def graph_bytes(kind: str, *, metadata: dict[str, str]) -> bytes:
    """uint8 (B, 6, 8, 3) → "classify": softmax(mean colour / 25); "regress": mean red and green."""
    pictures = helper.make_tensor_value_info("pictures", TensorProto.UINT8, ["batch", *SIZE_HW, 3])
    axes = numpy_helper.from_array(np.array([1, 2], np.int64), "axes")
    steps = [
        helper.make_node("Cast", ["pictures"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats", "axes"], ["means"], keepdims=0),
    ]
    if kind == "classify":
        extra = numpy_helper.from_array(np.array(25.0, np.float32), "scale")
        steps += [
            helper.make_node("Div", ["means", "scale"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ]
        outputs = [("logits", 3), ("probabilities", 3)]
    else:
        extra = numpy_helper.from_array(np.array([0, 1], np.int64), "columns")
        steps.append(helper.make_node("Gather", ["means", "columns"], ["values"], axis=1))
        outputs = [("values", 2)]
    shaped = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", k]) for name, k in outputs
    ]
    graph = helper.make_graph(steps, "tiny", [pictures], shaped, [axes, extra])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _facts(kind: str, reject_threshold: float | None) -> dict[str, Any]:
    base: dict[str, Any] = {"model": "small-cnn", "size_hw": SIZE_HW, "fit": "squash", "channels": 3}
    if kind == "classify":
        more = {"reject_threshold": reject_threshold} if reject_threshold is not None else {}
        return {**base, "names": NAMES, "counts": (5, 5, 5), **more}
    return {
        **base,
        "names": ("redness", "greenness"),
        "is_angle": (False, False),
        "mean": (100.0, 100.0),
        "scale": (50.0, 50.0),
        "middle": (100.0, 100.0),
        "coverage": 0.9,
        "radius": (10.0, 20.0),
    }


def build_run(
    folder: Path, kind: str, *, reject_threshold: float | None, trained_on: list[bytes] | None
) -> Run:
    """A sealed run of `kind` in `folder`."""
    facts = _facts(kind, reject_threshold)
    metadata = {
        "task": kind,
        "names": json.dumps(facts["names"]),
        "input_hw": json.dumps(SIZE_HW),
        "weights_licence": "none: made by hand",
        "striate": "0.1.0",
    }
    kind_of = task_type(kind)
    task = kind_of(kind_of.config_type.parse({}), kind_of.facts_type.parse(facts))
    header = RunHeader.parse(
        {
            "striate_version": "0.1.0",
            "created": "2026-11-20T09:30:00+00:00",
            "task": kind,
            "config": {},
            "facts": facts,
            "train": {},
            "plan": {},
            "data": {
                "name": "colours",
                "layout": "class folders",
                "fingerprint": "ab" * 32,
                "counts": {"train": 15},
                "names": facts["names"],
            },
            "graphs": {"main": "graphs/main.onnx"},
            "metrics": {"validation": task.meter().compute()},
            "versions": {"python": "3.11"},
            "machine": {"cpu": "none", "cores": 2, "memory_bytes": 0, "os": "none"},
        }
    )
    with RunWriter.begin(folder) as writer:
        writer.save("graphs/main.onnx", graph_bytes(kind, metadata=metadata))
        if trained_on is not None:
            rows = [
                {"key": str(n), "split": "train", "sha256": hashlib.sha256(data).hexdigest()}
                for n, data in enumerate(trained_on)
            ]
            writer.save("data.json", json.dumps({"pictures": rows, "problems": []}).encode())
        return writer.seal(header)


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Run]:
    """`make_run("classify" | "regress", name="run", reject_threshold=None, trained_on=None)`."""

    def make(
        kind: str = "classify",
        *,
        name: str = "run",
        reject_threshold: float | None = None,
        trained_on: list[bytes] | None = None,
    ) -> Run:
        return build_run(tmp_path / name, kind, reject_threshold=reject_threshold, trained_on=trained_on)

    return make


@pytest.fixture
def coloured(tmp_path: Path) -> Path:
    """Class folders red/, green/ and blue/ of two PNGs each, and one file that is no picture."""
    root = tmp_path / "colours"
    for name, rgb in PURE.items():
        (root / name).mkdir(parents=True)
        for number in range(2):
            picture = np.full((10 + number, 23, 3), rgb, np.uint8)
            write(picture, root / name / f"{number}.png")
    (root / "green" / "broken.jpg").write_bytes(b"not a picture at all")
    return root


RED_CUBE = """mtllib p.mtl
v -1 -1 -1
v 1 -1 -1
v 1 1 -1
v -1 1 -1
v -1 -1 1
v 1 -1 1
v 1 1 1
v -1 1 1
usemtl red
f 5 6 7 8
f 4 3 2 1
f 1 5 8 4
usemtl blue
f 8 7 3 4
f 1 2 6 5
f 2 3 7 6
"""


def write_cube(folder: Path) -> Path:
    """A cube with its paints: red before, behind and on its right; blue above, below and on its left."""
    (folder / "p.mtl").write_text("newmtl red\nKd 1 0 0\nnewmtl blue\nKd 0 0 1\n")
    path = folder / "red.obj"
    path.write_text(RED_CUBE)
    return path


@pytest.fixture
def cube(tmp_path: Path) -> Path:
    """The file of `write_cube`."""
    return write_cube(tmp_path)
