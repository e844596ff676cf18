from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.cli.predict import paths_from
from striate.pictures import read, write
from striate.runs.run import Run

Call = Callable[..., Any]
MakeRun = Callable[..., Run]


def test_json_lines_as_promised(striate: Call, make_run: MakeRun, coloured: Path) -> None:
    run = make_run()
    found = striate("predict", run.folder, coloured, "--json")
    assert found.code == 3  # one file is no picture
    assert found.err == ""
    assert [list(line) for line in found.lines] == [
        ["path", "error"] if "broken" in line["path"] else ["path", "label", "score", "scores", "known"]
        for line in found.lines
    ]
    assert len(found.lines) == 7
    for line in found.lines:
        if "error" not in line:
            assert line["label"] == Path(line["path"]).parent.name
            assert line["score"] == max(line["scores"].values())
            assert line["known"] is True


def test_json_of_a_regressor(striate: Call, make_run: MakeRun, coloured: Path) -> None:
    run = make_run("regress")
    found = striate("predict", run.folder, coloured / "red", "--json")
    assert found.code == 0
    assert [list(line) for line in found.lines] == [["path", "values", "intervals"]] * 2
    assert found.lines[0]["values"] == pytest.approx({"redness": 230, "greenness": 20}, abs=1e-3)


def test_unknown(striate: Call, make_run: MakeRun, coloured: Path) -> None:
    run = make_run(reject_threshold=0.9999)
    found = striate("predict", run.folder, coloured / "red/0.png", "--json")
    assert found.lines[0]["known"] is False
    assert striate("predict", run.folder, coloured / "red/0.png").out.split("\t")[1] == "unknown"


def test_pipes_get_tab_separated_rows(striate: Call, make_run: MakeRun, coloured: Path) -> None:
    found = striate("predict", make_run().folder, coloured / "red", coloured / "green")
    assert found.code == 3
    rows = [line.split("\t") for line in found.out.splitlines()]
    assert [row[1] for row in rows] == ["red", "red", "green", "green"]
    assert all(0.9 < float(row[2]) <= 1 for row in rows)
    assert "broken.jpg" in found.err
    found = striate("predict", make_run("regress", name="r").folder, coloured / "red/0.png")
    assert found.out.split("\t")[1:] == ["230.0", "20.0", "220.0", "240.0", "0.0", "40.0\n"]


def test_top(striate: Call, make_run: MakeRun, coloured: Path) -> None:
    run = make_run()
    found = striate("predict", run.folder, coloured / "red/0.png", "--json", "--top", 2)
    assert list(found.lines[0]["scores"]) == ["red", "green"]
    assert striate("predict", run.folder, coloured, "--top", 0).code == 2


def test_nothing_to_do(striate: Call, make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    (tmp_path / "empty").mkdir()
    assert striate("predict", run.folder).code == 2
    found = striate("predict", run.folder, tmp_path / "empty", "--json")
    assert found.code == 3
    assert "no pictures" in found.lines[0]["error"]["what"]
    found = striate("predict", run.folder, tmp_path / "*.png", "--json")
    assert found.code == 3
    assert "*.png" in found.lines[0]["error"]
    assert striate("predict", tmp_path / "nothing", "x.png").code == 3


def test_a_name_that_is_not_utf8(striate: Call, make_run: MakeRun, coloured: Path) -> None:
    name = os.fsdecode(b"caf\xe9\xff\x1b[31m.png")
    (coloured / "red/0.png").rename(coloured / "red" / name)
    run = make_run()
    found = striate("predict", run.folder, coloured / "red", "--json")
    assert found.lines[1]["path"].endswith("caf\\xe9\\xff\x1b[31m.png")
    found = striate("predict", run.folder, coloured / "red")
    assert "caf\\xe9\\xff\\x1b[31m.png" in found.out
    assert "\x1b" not in found.out


def test_a_list_on_stdin(
    striate: Call, make_run: MakeRun, coloured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = f"{coloured}/red/1.png\n\n{coloured}/blue\n".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(listed)))
    found = striate("predict", make_run().folder, "-", "--json")
    assert [line["label"] for line in found.lines] == ["red", "blue", "blue"]


def test_paths_between_nulls() -> None:
    assert list(paths_from(["a", "\0stdin", "b"], io.BytesIO(b"x y\0caf\xe9\0"))) == [
        "a", "x y", os.fsdecode(b"caf\xe9"), "b",
    ]  # fmt: skip
    assert list(paths_from(["\0stdin"], io.BytesIO(b"1\r\n2"))) == ["1", "2"]


def test_csv(striate: Call, make_run: MakeRun, coloured: Path, tmp_path: Path) -> None:
    run, table = make_run(), tmp_path / "answers.csv"
    assert striate("predict", run.folder, coloured, "--csv", table).code == 3
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "path", "label", "score", "scores.red", "scores.green", "scores.blue", "known", "error",
    ]  # fmt: skip
    assert [row["label"] for row in rows] == ["blue", "blue", "green", "green", "", "red", "red"]
    assert "broken.jpg" in rows[4]["error"]
    before = table.read_bytes()
    assert striate("predict", run.folder, coloured / "red", "--csv", table).code == 2
    assert table.read_bytes() == before
    assert striate("predict", run.folder, coloured / "red", "--csv", table, "--overwrite").code == 0
    assert len(table.read_text("utf-8").splitlines()) == 3
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_csv_that_starts_with_errors(
    striate: Call, make_run: MakeRun, coloured: Path, tmp_path: Path
) -> None:
    bad, good = coloured / "green/broken.jpg", coloured / "red/0.png"
    striate("predict", make_run("regress").folder, bad, good, "--csv", tmp_path / "a.csv")
    lines = (tmp_path / "a.csv").read_text("utf-8").splitlines()
    assert lines[0] == (
        "path,values.redness,values.greenness,intervals.redness.low,intervals.redness.high,"
        "intervals.greenness.low,intervals.greenness.high,error"
    )
    assert len(lines) == 3
    striate("predict", make_run(name="x").folder, bad, "--csv", tmp_path / "b.csv")
    assert (tmp_path / "b.csv").read_text("utf-8").startswith("path,error\n")


def test_annotated_copies(striate: Call, make_run: MakeRun, coloured: Path) -> None:
    run, out = make_run(), coloured / "drawn"
    before = {path: path.read_bytes() for path in coloured.rglob("*") if path.is_file()}
    assert striate("predict", run.folder, coloured, "--annotate", out, "--json").code == 3
    assert {path: path.read_bytes() for path in before} == before
    assert sorted(path.name for path in out.iterdir()) == [
        "0-2.png", "0-3.png", "0.png", "1-2.png", "1-3.png", "1.png",
    ]  # fmt: skip
    assert read(out / "0.png").shape[2] == 3
    found = striate("predict", run.folder, coloured, "--annotate", out)
    assert found.code == 2
    assert "not empty" in found.err


def test_a_wrong_run_says_which_there_are(striate: Call, make_run: MakeRun, tmp_path: Path) -> None:
    make_run(name="mine")
    found = striate("predict", tmp_path / "mien", "x.png")
    assert found.code == 3
    assert "mine" in found.err


def test_a_changed_graph_is_refused(striate: Call, make_run: MakeRun, coloured: Path) -> None:
    run = make_run()
    graph = run.folder / "graphs/main.onnx"
    graph.write_bytes(graph.read_bytes()[:-1] + b"\0")
    found = striate("predict", run.folder, coloured, "--json")
    assert found.code == 3
    assert "sha256" in json.dumps(found.lines[-1])


def test_many_sizes_and_orders(striate: Call, make_run: MakeRun, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    (tmp_path / "p").mkdir()
    for number in range(40):
        picture = rng.integers(0, 256, (*rng.integers(1, 40, 2), 3), dtype=np.uint8)
        write(picture, tmp_path / f"p/{number:02}.png")
    found = striate("predict", make_run().folder, tmp_path / "p", "--json", "--threads", 3)
    assert [Path(line["path"]).stem for line in found.lines] == [f"{n:02}" for n in range(40)]
