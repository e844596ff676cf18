from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.pictures import write
from striate.verbs.explain.stages import FILES

_path = Path(__file__).parent.parent / "verbs" / "test_explain_stages.py"
_spec = importlib.util.spec_from_file_location("striate_stages_verbs", _path)
assert _spec is not None
assert _spec.loader is not None
verbs = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = verbs
_spec.loader.exec_module(verbs)

stand_in, shot = verbs.stand_in, verbs.shot
Call = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, stand_in: object) -> Path:
    folder: Path = verbs.region_run(tmp_path / "insects").folder
    return folder


def test_stages(striate: Call, run: Path, shot: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("explain", "stages", run, shot, "--out", out)
    said = striate(*words)
    assert said.code == 0
    assert "3 regions were proposed." in said.out
    assert "too far left by 0.22 of its width" in said.out
    assert "stages.html" in said.err
    assert all((out / name).is_file() for name in FILES)
    again = striate(*words)
    assert again.code == 2
    assert "exists already" in again.err
    found = striate(*words, "--overwrite", "--json")
    assert found.code == 0
    (line,) = found.lines
    assert line["detections"][0]["looks_until_good"] == 2
    assert line["report"] == str(out / "stages.html")
    written = json.loads((out / "stages.json").read_text())
    assert {name: value for name, value in line.items() if name not in ("out", "report")} == written


def test_fewer_regions_are_drawn(striate: Call, run: Path, shot: Path, tmp_path: Path) -> None:
    for most in (1, 2):
        words = ("explain", "stages", run, shot, "--most", most, "--out", tmp_path / str(most))
        assert striate(*words).code == 0
    one, two = ((tmp_path / name / FILES[0]).read_bytes() for name in "12")
    assert one != two


def test_what_cannot_be_shown_is_refused(
    striate: Call, run: Path, tmp_path: Path, shot: Path, stand_in: object
) -> None:
    out = ("--out", tmp_path / "out")
    assert striate("explain", "stages", run, shot).code == 2
    assert striate("explain", "stages", run, tmp_path / "none.png", *out).code == 3
    other = verbs.region_run(tmp_path / "fcos", method="fcos").folder
    found = striate("explain", "stages", other, shot, *out, "--json")
    assert found.code == 2
    assert "faster-rcnn" in found.lines[0]["error"]["expected"]
    assert not (tmp_path / "out").exists()


def test_a_small_picture(striate: Call, run: Path, tmp_path: Path) -> None:
    tiny = write(np.full((1, 3, 3), 90, np.uint8), tmp_path / "tiny.png")
    assert striate("explain", "stages", run, tiny, "--out", tmp_path / "out", "--json").code == 0
