from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from striate.data.boxes.read import read_boxes

Striate = Callable[..., Any]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    root = tmp_path / "set"
    root.mkdir()
    for name in ("a", "b"):
        noise = np.random.default_rng(ord(name)).integers(0, 256, (40, 60, 3), dtype=np.uint8)
        Image.fromarray(noise).save(root / f"{name}.png")
    rows = ["path,xmin,ymin,xmax,ymax,label", "a.png,1,2,30,35,cat", "a.png,5,5,5,9,cat", "b.png,,,,,"]
    (root / "boxes.csv").write_text("\n".join(rows) + "\n")
    return root


def test_convert_and_back(striate: Striate, table: Path, tmp_path: Path) -> None:
    there = striate("data", "convert", table, "--to", "yolo", "--out", tmp_path / "yolo")
    assert there.code == 0
    assert "Written as yolo" in there.out
    assert "boxes     2 (cat 2)" in there.out
    assert "boxes.csv line 3: the box (cat) has no area" in there.out
    assert f"striate data check {tmp_path / 'yolo'}" in " ".join(there.err.split())
    back = striate("data", "convert", tmp_path / "yolo", "--to=csv", "--out", tmp_path / "csv", "--json")
    (said,) = back.lines
    assert said["boxes"] == 2
    assert said["kinds"] == {"box-empty": 1}
    assert back.err == ""
    assert read_boxes(tmp_path / "csv").targets == read_boxes(table).targets


def test_convert_refuses_with_the_exit_code_of_the_kind(
    striate: Striate, table: Path, tmp_path: Path
) -> None:
    assert striate("data", "convert", table, "--to", "word", "--out", tmp_path / "x").code == 2
    assert striate("data", "convert", table, "--to", "coco", "--out", table / "x").code == 2
    nothing = striate(
        "data", "convert", tmp_path / "no", "--to", "coco", "--out", tmp_path / "x", "--json"
    )
    assert nothing.code == 3
    assert nothing.lines[0]["error"]["kind"] == "LayoutError"


def test_check_understands_boxes(striate: Striate, table: Path) -> None:
    found = striate("data", "check", table)
    assert found.code == 3
    assert "boxes      1, 0.5 a picture, at most 1; 1 pictures have none" in found.out
    assert "error: box-empty × 1\n  boxes.csv line 3:" in found.out
    (said,) = striate("data", "check", table, "--json").lines
    assert said["objects"]["total"] == 1
    assert said["problems"][0]["line"] == 3
    refused = striate("data", "check", table, "--fix")
    assert refused.code == 2
    assert "--repair" in refused.err
