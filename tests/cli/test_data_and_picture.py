from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.pictures import read, write

Call = Callable[..., Any]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    values = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    return write(values, tmp_path / "small.png")


def test_the_embedded_sets(striate: Call) -> None:
    lines = striate("data", "list", "--json").lines
    assert {"digits", "faces-or-not"} <= {line["name"] for line in lines}
    assert all(line["labels"] or line["values"] or line["boxes"] for line in lines)
    assert "digits" in striate("data", "list").out


def test_an_embedded_set_as_files(striate: Call, tmp_path: Path) -> None:
    found = striate("data", "write", "faces-or-not", tmp_path / "faces", "--json")
    assert found.lines == [{"folder": str(tmp_path / "faces"), "pictures": 200}]
    assert sorted(path.name for path in (tmp_path / "faces").iterdir()) == ["face", "other"]
    assert read(next((tmp_path / "faces/face").iterdir())).shape == (25, 25, 3)
    found = striate("data", "write", "faces-or-not", tmp_path / "faces")
    assert found.code == 2
    assert striate("data", "write", "digit", tmp_path / "d").err.count("digits") == 2


def test_scenes_with_their_factors(striate: Call, tmp_path: Path) -> None:
    words = ("--n", 2, "--size-hw", 32, 40, "--classes", "car,tree", "--weather", "foggy")
    found = striate("data", "scenes", tmp_path / "s", *words, "--json")
    assert found.lines == [{"folder": str(tmp_path / "s"), "pictures": 2}]
    pictures = sorted((tmp_path / "s/pictures").iterdir())
    assert [read(path).shape for path in pictures] == [(32, 40, 3)] * 2
    found = striate("data", "scenes", tmp_path / "t", "--weather", "fogy")
    assert found.code == 2
    assert "foggy" in found.err
    assert striate("data", "scenes", tmp_path / "t", "--clutter", "2").code == 2


def test_the_grid(striate: Call, picture: Path, tmp_path: Path) -> None:
    found = striate("picture", "grid", picture, "--channels", "rgb", "--json")
    assert found.lines[0]["values"] == read(picture).tolist()
    text = striate("picture", "grid", picture, "--region", 1, 2, 1, 2, "--channels", "rgb").out
    assert "21  24" in text
    assert striate("picture", "grid", picture, "--out", tmp_path / "g.png").code == 0
    assert read(tmp_path / "g.png").size > 0
    assert striate("picture", "grid", picture, "--region", 0, 0, 9, 9).code == 2
    assert striate("picture", "grid", picture, "--out", tmp_path / "g.png").code == 2


def test_flattening(striate: Call, picture: Path, tmp_path: Path) -> None:
    found = striate("picture", "flatten", picture, "--json").lines[0]
    assert (found["side_pairs"], found["stacked_pairs"], found["stacked_distance"]) == (16, 15, 5)
    assert striate("picture", "flatten", picture, "--pixel", 1, 2, "--out", tmp_path / "f.png").code == 0
    assert striate("picture", "flatten", picture, "--pixel", 9, 9, "--out", tmp_path / "h.png").code == 2
    assert "touching" in striate("picture", "flatten", picture).out


def test_dimensions(striate: Call, picture: Path, tmp_path: Path) -> None:
    found = striate("picture", "dimensions", picture, "--nodes", 1024, "--json").lines[0]
    assert (found["dimensions"], found["first_layer_weights"]) == (60, 61440)
    assert (
        striate("picture", "dimensions", picture, "--channels", 1, "--json").lines[0]["dimensions"] == 20
    )
    assert striate("picture", "dimensions", picture, "--nodes", 0).code == 2
    assert striate("picture", "dimensions", tmp_path / "gone.png").code == 3
