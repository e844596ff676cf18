"""evaluate, export and doctor on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from striate.runs.run import Run

Call = Callable[..., Any]
MakeRun = Callable[..., Run]


def test_evaluate(striate: Call, make_run: MakeRun, coloured: Path, tmp_path: Path) -> None:
    run = make_run(trained_on=[(coloured / "red/0.png").read_bytes()])
    found = striate("evaluate", run.folder, coloured, "--json")
    assert (found.code, found.err, len(found.lines)) == (0, "", 1)
    line = found.lines[0]
    assert {"accuracy", "accuracy_interval", "top5", "ece", "per_class"} <= set(line)
    assert (line["pictures"], line["seen_in_training"], len(line["problems"])) == (6, 1, 1)
    page = tmp_path / "page.html"
    found = striate("evaluate", run.folder, coloured, "--report", page)
    assert "accuracy" in found.out
    assert "1 of these pictures" in found.err
    assert "broken.jpg" in found.err
    assert "<html" in page.read_text("utf-8")
    assert striate("evaluate", run.folder, coloured, "--report", page).code == 2


def test_evaluate_numbers(striate: Call, make_run: MakeRun, coloured: Path) -> None:
    table = coloured / "truth.csv"
    table.write_text("file,redness,greenness\nred/0.png,230,20\nblue/1.png,15,25\n", "utf-8")
    line = striate("evaluate", make_run("regress").folder, table, "--json").lines[0]
    assert {"mae", "rmse", "r2", "coverage"} <= set(line)


def test_evaluate_refuses(striate: Call, make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    assert striate("evaluate", run.folder, tmp_path / "nowhere").code == 3
    assert striate("evaluate", run.folder, "digits", "--split", "tset").code == 2
    found = striate("evaluate", run.folder, "faces-or-not", "--json")
    assert found.code == 3
    assert "face" in json.dumps(found.lines[0]["error"])


def test_export(striate: Call, make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    found = striate("export", run.folder, "--format", "onnx", "--out", tmp_path / "m.onnx")
    assert found.code == 0, found.err
    assert "red, green, blue" in found.out
    assert "uint8 (batch, 6, 8, 3)" in found.out
    found = striate("export", run.folder, "--out", tmp_path / "m.onnx", "--json")
    assert found.lines[0]["differences"] == {"logits": 0.0, "probabilities": 0.0}
    assert striate("export", run.folder, "--out", tmp_path / "m.zip").code == 2


def test_doctor(striate: Call) -> None:
    found = striate("doctor", "--json")
    assert found.code == 0
    assert found.lines[0]["healthy"] is True
    rows = [line.split("\t") for line in striate("doctor").out.splitlines()]
    assert sorted({row[0] for row in rows} | {"note"}) == ["good", "note"]
    assert "onnxruntime" in {row[1] for row in rows}
