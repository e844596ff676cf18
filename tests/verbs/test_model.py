from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import striate
from striate.errors import MissingExtraError, PictureError, RunError, UnknownNameError
from striate.pictures import write
from striate.runs.run import Run
from striate.verbs.model import Answer, load

RED = np.full((9, 31, 3), (230, 20, 10), np.uint8)
MakeRun = Callable[..., Run]


def test_every_form_of_a_picture_gives_one_answer(make_run: MakeRun, tmp_path: Path) -> None:
    model = load(make_run())
    path = write(RED, tmp_path / "red.png")
    with path.open("rb") as file:
        forms = [RED, path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes()), file]
        answers = [model.predict(form).to_dict() for form in forms]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["label"] == "red"
    # softmax of mean / 25, worked by hand
    logits = np.array([230, 20, 10]) / 25
    expected = np.exp(logits) / np.exp(logits).sum()
    assert answers[0]["score"] == pytest.approx(expected[0], rel=1e-5)


def test_a_list_gives_a_list(make_run: MakeRun, tmp_path: Path) -> None:
    model = load(make_run())
    path = write(RED, tmp_path / "red.png")
    blue = np.full((4, 2, 3), (5, 25, 240), np.uint8)
    assert [one.to_dict()["label"] for one in model.predict([path, blue, RED] * 9)] == [
        "red",
        "blue",
        "red",
    ] * 9
    assert model.predict([]) == []
    assert [one.to_dict()["label"] for one in model.predict((blue,))] == ["blue"]


def test_bad_pictures_raise(make_run: MakeRun, tmp_path: Path) -> None:
    model = load(make_run())
    with pytest.raises(PictureError, match=r"gone\.png"):
        model.predict(tmp_path / "gone.png")
    with pytest.raises(PictureError, match=r"gone\.png"):
        model.predict([RED, tmp_path / "gone.png"])
    with pytest.raises(ValueError, match="uint8"):
        model.predict(RED.astype(np.float32))
    with pytest.raises(TypeError):
        model.predict(3)  # type: ignore[call-overload]


def test_files_in_order_with_errors_in_place(make_run: MakeRun, coloured: Path, tmp_path: Path) -> None:
    model = load(make_run())
    given = [coloured, tmp_path / "gone.jpg"]
    answers = list(model.predict_files(given, batch_size=2, workers=2))
    assert [os.path.relpath(answer.path, tmp_path) for answer in answers] == [
        *(f"colours/{name}/{n}.png" for name in ("blue",) for n in (0, 1)),
        *(f"colours/green/{n}" for n in ("0.png", "1.png", "broken.jpg")),
        *(f"colours/red/{n}.png" for n in (0, 1)),
        "gone.jpg",
    ]
    labels = [None if answer.result is None else answer.to_dict()["label"] for answer in answers]
    assert labels == ["blue", "blue", "green", "green", None, "red", "red", None]
    assert "error" in answers[4].to_dict()
    assert list(answers[4].to_dict()) == ["path", "error"]


def test_one_path_is_enough(make_run: MakeRun, coloured: Path) -> None:
    assert len(list(load(make_run()).predict_files(coloured / "red"))) == 2


def test_a_name_that_is_not_utf8_is_escaped_in_the_answer() -> None:
    answer = Answer(os.fsdecode(b"caf\xe9\xff.jpg"), None, PictureError("x", "y", remedy="z"))
    assert answer.to_dict()["path"] == r"caf\xe9\xff.jpg"


def test_threads_may_share_a_model(make_run: MakeRun) -> None:
    model = load(make_run())
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(model.predict, [RED] * 40))
    assert {answer.to_dict()["label"] for answer in answers} == {"red"}


def test_openvino_answers_alike(make_run: MakeRun, coloured: Path) -> None:
    pytest.importorskip("openvino")
    run = make_run()
    ours, theirs = load(run), load(run, backend="openvino")
    for own, other in zip(ours.predict_files(coloured), theirs.predict_files(coloured), strict=True):
        if own.result is None or other.result is None:
            assert own.result is other.result is None
            continue
        scores, others = own.to_dict()["scores"], other.to_dict()["scores"]
        assert [scores[name] for name in scores] == pytest.approx(
            [others[name] for name in scores], abs=1e-5
        )
    assert theirs.predict(RED).to_dict()["label"] == "red"


AFTER_OPENVINO = """
import gc, os, signal, sys
from striate.verbs.model import load
first, second = (load(sys.argv[1], backend="openvino") for _ in range(2))
first.predict(sys.argv[2]), second.predict(sys.argv[2])
del first
gc.collect()
del second
gc.collect()
signal.signal(signal.SIGINT, lambda number, frame: print("heard"))
os.kill(os.getpid(), signal.SIGINT)
"""


def test_a_signal_after_openvino_is_heard(make_run: MakeRun, tmp_path: Path) -> None:
    # with AMX its CPU plugin moves the signal stack, and frees it; two in turn leave it dangling
    pytest.importorskip("openvino")
    words = [str(make_run().folder), str(write(RED, tmp_path / "red.png"))]
    script = [sys.executable, "-X", "faulthandler", "-c", AFTER_OPENVINO, *words]
    done = subprocess.run(script, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "heard\n"), done.stderr


def test_regression(make_run: MakeRun) -> None:
    found = load(make_run("regress")).predict(RED).to_dict()
    assert found["values"] == pytest.approx({"redness": 230.0, "greenness": 20.0}, abs=1e-3)
    assert found["intervals"]["greenness"] == pytest.approx([0.0, 40.0], abs=1e-3)


def test_what_a_model_tells_of_itself(make_run: MakeRun) -> None:
    model = striate.load(make_run().folder)
    assert model.names == ("red", "green", "blue")
    assert model.task.name == "classify"
    assert model.header.data.name == "colours"
    assert "run" in repr(model)


def test_bad_runs(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    with pytest.raises(UnknownNameError, match="onnxruntime"):
        load(run, backend="onxruntime")  # type: ignore[arg-type]
    with pytest.raises(RunError, match="no run"):
        load(tmp_path / "nothing")
    graph = run.folder / "graphs/main.onnx"
    data = bytearray(graph.read_bytes())
    data[len(data) // 2] ^= 1
    graph.write_bytes(data)
    with pytest.raises(RunError, match="sha256"):
        load(run.folder).predict(RED)


def test_openvino_missing_is_told(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openvino", None)
    with pytest.raises(MissingExtraError, match=r"striate\[openvino\]"):
        load(make_run(), backend="openvino").predict(RED)
