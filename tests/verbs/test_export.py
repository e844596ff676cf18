from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

import striate
from striate.errors import MissingExtraError, RunError, SettingError, UnknownNameError, UsageError
from striate.graphs import load_graph
from striate.runs.run import Run
from striate.verbs import export as module

MakeRun = Callable[..., Run]


def test_the_file_stands_alone_and_answers_alike(
    make_run: MakeRun, coloured: Path, tmp_path: Path
) -> None:
    run = make_run()
    found = striate.export(run.folder, tmp_path / "far/m.onnx", pictures=[coloured / "red/0.png"])
    assert found.files == (str(tmp_path / "far/m.onnx"),)
    assert found.compared_on == 8 + 8 + 1
    assert found.differences == {"logits": 0.0, "probabilities": 0.0}
    session = onnxruntime.InferenceSession(found.files[0], providers=["CPUExecutionProvider"])
    (entrance,) = session.get_inputs()
    assert (entrance.type, entrance.shape[1:]) == ("tensor(uint8)", [6, 8, 3])
    picture = np.full((1, 6, 8, 3), (30, 220, 15), np.uint8)
    (probabilities,) = session.run(["probabilities"], {"pictures": picture})
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["names"])[int(probabilities[0].argmax())] == "green"
    assert metadata["task"] == "classify"
    assert json.loads(json.dumps(found.to_dict()))["metadata"]["names"] == ["red", "green", "blue"]


def test_what_we_exported_may_be_replaced_and_nothing_else(make_run: MakeRun, tmp_path: Path) -> None:
    run, out = make_run(), tmp_path / "m.onnx"
    striate.export(run.folder, out)
    striate.export(run.folder, out)
    for foreign in (b"mine", _foreign_onnx()):
        out.write_bytes(foreign)
        with pytest.raises(UsageError, match="exists already"):
            striate.export(run.folder, out)
        assert out.read_bytes() == foreign
    striate.export(run.folder, out, overwrite=True)
    assert out.read_bytes() == (run.folder / "graphs/main.onnx").read_bytes()


def _foreign_onnx() -> bytes:
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    other = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    node = onnx.helper.make_node("Neg", ["x"], ["y"])
    graph = onnx.helper.make_graph([node], "other", [value], [other])
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=10
    )
    data: bytes = model.SerializeToString()
    return data


def test_a_file_that_answers_otherwise_never_appears(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def altered(source: Path, target: Path) -> None:
        model = onnx.load(source)
        scale = next(one for one in model.graph.initializer if one.name == "scale")
        scale.CopyFrom(numpy_helper.from_array(np.array(26.0, np.float32), "scale"))
        onnx.save(model, target)

    monkeypatch.setattr(module.shutil, "copyfile", altered)
    with pytest.raises(RunError, match="differs"):
        striate.export(make_run().folder, tmp_path / "out/m.onnx")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("kind", ["classify", "regress"])
def test_openvino(make_run: MakeRun, tmp_path: Path, kind: str) -> None:
    pytest.importorskip("openvino")
    run, out = make_run(kind), tmp_path / "m.xml"
    found = striate.export(run.folder, out, format="openvino")
    assert [Path(file).name for file in found.files] == ["m.xml", "m.bin"]
    assert all(difference <= found.tolerance for difference in found.differences.values())
    feeds = {"pictures": np.full((2, 6, 8, 3), (30, 220, 15), np.uint8)}
    own = load_graph(run.folder / "graphs/main.onnx")(feeds)
    other = load_graph(out, backend="openvino")(feeds)
    assert set(own) == set(other)
    for name, values in own.items():
        np.testing.assert_allclose(other[name], values, rtol=1e-4, atol=1e-4)
    assert b"red" in out.read_bytes()  # names are in the file
    striate.export(run.folder, out, format="openvino")  # ours may be replaced
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.bin", "m.xml", "run"]
    out.write_text("<mine/>")
    with pytest.raises(UsageError, match="exists already"):
        striate.export(run.folder, out, format="openvino")


def test_wrong_wishes(make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run()
    with pytest.raises(SettingError, match=r"\.onnx"):
        striate.export(run.folder, tmp_path / "m.pt")
    with pytest.raises(UnknownNameError, match="openvino"):
        striate.export(run.folder, tmp_path / "m.onnx", format="tflite")  # type: ignore[arg-type]
    (tmp_path / "m.onnx").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        striate.export(run.folder, tmp_path / "m.onnx")
    monkeypatch.setitem(__import__("sys").modules, "openvino", None)
    with pytest.raises(MissingExtraError, match=r"striate\[openvino\]"):
        striate.export(run.folder, tmp_path / "m.xml", format="openvino")


def test_a_damaged_run_is_not_exported(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    graph = run.folder / "graphs/main.onnx"
    graph.write_bytes(graph.read_bytes() + b" ")
    with pytest.raises(RunError):
        striate.export(run.folder, tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()
