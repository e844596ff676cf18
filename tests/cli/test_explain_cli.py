from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from striate.cli.commands import COMMANDS
from striate.pictures import read
from striate.runs.run import Run

Call = Callable[..., Any]


@pytest.fixture
def run(make_run: Callable[..., Run]) -> Path:
    return make_run().folder


def test_the_family_is_listed(striate: Call) -> None:
    found = striate("explain").out
    assert all(word in found for word in ("tuning", "invariance", "boundary"))
    assert "dimension" in striate("data").out
    for name in COMMANDS:
        if name.startswith("explain ") or name == "data dimension":
            assert striate(*name.split(), "--help").code == 0


def test_tuning(striate: Call, run: Path, tmp_path: Path) -> None:
    listed = striate("explain", "tuning", run, "--list", "--json").lines
    assert [one["layer"] for one in listed] == ["logits", "probabilities"]
    assert "logits:2" in striate("explain", "tuning", run, "--list").err
    found = striate("explain", "tuning", run, "--unit", "logits:1", "--step", 45, "--json").lines
    assert found[0]["units"][0]["unit"] == "logits:1"
    assert found[0]["report"] is None
    out = tmp_path / "out"
    words = ("explain", "tuning", run, "--unit", "logits:0", "--step", 45, "--out", out)
    said = striate(*words)
    assert said.code == 0
    assert "logits:0 answers most" in said.out
    assert str(out / "report.html") in said.err
    again = striate(*words)
    assert again.code == 2
    assert "exists already" in again.err
    assert striate(*words, "--overwrite").code == 0
    wrong = striate("explain", "tuning", run, "--unit", "logit:0", "--json")
    assert wrong.code == 2
    assert "logits" in wrong.lines[0]["error"]["expected"]


def test_invariance(striate: Call, run: Path, coloured: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = striate("explain", "invariance", run, coloured, "--out", out, "--json")
    assert found.code == 0
    assert found.lines[0]["steady"]["rotation"] == [-135.0, 180.0]  # a mean colour does not turn
    assert json.loads((out / "invariance.json").read_text())["pictures"] == 6
    said = striate("explain", "invariance", run, coloured, "--border", "grey", "--at-most", 4)
    assert "Shifted sideways" in said.out
    assert "moving pictures" in said.err
    assert striate("explain", "invariance", run, coloured, "--border", "black").code == 2


def test_boundary(striate: Call, run: Path, coloured: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.png"
    words = ("explain", "boundary", run, coloured, "--grid", 8)
    said = striate(*words, "--out", out)
    assert said.code == 0
    assert "green" in said.out
    assert "changes" not in said.out
    assert read(out).shape[1] == 1168
    assert striate(*words, "--out", out).code == 2
    through = [coloured / name / "0.png" for name in ("red", "green", "blue")]
    found = striate(
        "explain", "boundary", run, "--through", *through, "--grid", 4, "--json",
        "--out", tmp_path / "y.png",
    )  # fmt: skip
    assert [one["answer"] for one in found.lines[0]["corners"]] == ["red", "green", "blue"]
    assert striate("explain", "boundary", run, "--out", tmp_path / "z.png").code == 2
    assert striate(*words, "--plane", "features", "--out", tmp_path / "f.png").code == 0


def test_dimension(striate: Call, run: Path, coloured: Path, tmp_path: Path) -> None:
    found = striate("data", "dimension", "digits", "--at-most", 60, "--out", tmp_path / "d")
    assert found.code == 0
    assert "Your 60 pictures of 64 numbers" in found.out
    assert (tmp_path / "d" / "dimension.json").is_file()
    line = striate("data", "dimension", "digits", "--at-most", 60, "--json").lines[0]
    assert line["found"]["pixels"]["two_nn"]["value"] > 2
    few = striate("data", "dimension", coloured)
    assert few.code == 3
    assert "differ" in few.err
    assert striate("data", "dimension", "digits", "--layer", "x").code == 2
