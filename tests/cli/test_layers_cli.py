"""`striate layers` as it is typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Call = Callable[..., Any]


def test_a_typed_list_is_counted(striate: Call) -> None:
    found = striate("layers", "32x32x3 conv10 5x5 p2", "--json")
    assert found.code == 0
    said = json.loads(found.out)
    assert (said["output"], said["params"]) == ("32x32x10", 760)
    assert said["layers"][0]["params_each"] == 76
    shown = striate("layers", "32x32x3 conv6 5x5")
    assert "28×28×6" in shown.out
    assert "(5·5·3)·6+6 = 456" in shown.out


def test_what_does_not_fit_is_refused_with_what_does(striate: Call) -> None:
    found = striate("layers", "7x7x1 conv1 3x3 s3")
    assert found.code == 2
    assert "(7−3)/3+1 = 2.33" in found.err
    assert "padding 1 (→ 3)" in found.err
    floored = striate("layers", "7x7x1 conv1 3x3 s3", "--floor", "--json")
    assert json.loads(floored.out)["output"] == "2x2x1"


@pytest.mark.parametrize(
    "typed",
    [
        "5x5x1 conv1 9x9",
        "8x8x1 conv1 3x3 s0",
        "8x8x1 convv1 3x3",
        "8x8x3 conv4 3x3 g2",
        "8x8x1 conv1 3x3 p-1",
        "0x8x1 conv1 3x3",
        "8x8x1 dense 0",
        "conv10 5x5",
        "8x8x1 conv1 3x3 x7",
        "no-such-network-at-all",
    ],
)
def test_what_cannot_be_is_a_users_error(striate: Call, typed: str) -> None:
    found = striate("layers", typed)
    assert found.code == 2
    assert found.err.startswith("error: ")
    assert "Traceback" not in found.err


def test_the_padding_is_solved(striate: Call) -> None:
    found = striate("layers", "7x7x1 conv1 5x5 s2 p?", "--json")
    assert found.code == 0
    asked = striate("layers", "--solve", "F=5, S=2, P=?", "--json")
    assert asked.code == 0
    assert {one["padding"] for one in json.loads(asked.out)["solutions"]} >= {2}


def test_presets_units_and_drawings(striate: Call, tmp_path: Path) -> None:
    deck = json.loads(striate("layers", "deck-cnn", "--input", "28x28x1", "--json").out)
    assert deck["params"] == 1_668_490
    unit = json.loads(
        striate("layers", "32x32x3 conv10 5x5 p2 conv10 5x5 p2", "--unit", "conv2:3,4", "--json").out
    )
    assert unit["params"] == 760 + 2510
    for name in ("net.png", "net.html"):
        drawn = striate("layers", "resnet18", "--out", str(tmp_path / name))
        assert drawn.code == 0
        assert (tmp_path / name).stat().st_size > 1000
        again = striate("layers", "resnet18", "--out", str(tmp_path / name))
        assert again.code == 2
    assert "http-equiv" in (tmp_path / "net.html").read_text()
    assert "<script src" not in (tmp_path / "net.html").read_text()


def test_a_run_and_its_graph_are_read(striate: Call, tmp_path: Path) -> None:
    from striate.verbs.train import train

    train("digits", out=tmp_path / "run", model="hog+logistic")
    said = json.loads(striate("layers", str(tmp_path / "run"), "--json").out)
    assert said["input_hwc"] == [8, 8, 3]
    assert said["output_shape"] == [10]
    assert said["params"] >= 324 * 10 + 10
    file = json.loads(striate("layers", str(tmp_path / "run/graphs/main.onnx"), "--json").out)
    assert file["params"] == said["params"]
    (tmp_path / "bad.onnx").write_bytes(np.random.default_rng(0).bytes(100))
    assert striate("layers", str(tmp_path / "bad.onnx")).code in (2, 3)
    assert striate("layers", str(tmp_path / "none.onnx")).code in (2, 3)
