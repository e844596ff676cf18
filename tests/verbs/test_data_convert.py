from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.data.boxes.read import read_boxes
from striate.errors import LabelError, LayoutError, UnknownNameError, UsageError
from striate.verbs.data.convert import convert


@pytest.fixture
def yolo(tmp_path: Path) -> Path:
    """Two pictures in two splits; one box is empty and one reaches outside."""
    root = tmp_path / "set"
    for split, name in (("train", "a"), ("val", "b")):
        (root / "images" / split).mkdir(parents=True)
        (root / "labels" / split).mkdir(parents=True)
        noise = np.random.default_rng(ord(name)).integers(0, 256, (30, 40, 3), dtype=np.uint8)
        Image.fromarray(noise).save(root / "images" / split / f"{name}.png")
    (root / "labels/train/a.txt").write_text("0 0.5 0.5 0.5 0.5\n1 0.5 0.5 0 0.1\n1 0.9 0.5 0.4 0.2\n")
    (root / "labels/val/b.txt").write_text("")
    (root / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [cat, dog]\n")
    return root


def test_what_was_written_is_told(yolo: Path, tmp_path: Path) -> None:
    seen: list[int] = []
    done = convert(yolo, tmp_path / "out", to="coco", on_progress=seen.append)
    assert seen == [1, 2]
    said = done.to_dict()
    json.dumps(said)
    assert (said["pictures"], said["boxes"]) == (2, 3)
    assert said["splits"] == {"train": 1, "validation": 1}
    assert said["counts"] == {"cat": 1, "dog": 2}
    assert said["kinds"] == {"box-empty": 1, "box-outside": 1}
    assert [one["line"] for one in said["problems"]] == [2, 3]
    assert read_boxes(tmp_path / "out", repair=False).targets == read_boxes(yolo, repair=False).targets


def test_repair_writes_what_training_uses(yolo: Path, tmp_path: Path) -> None:
    convert(yolo, tmp_path / "out", to="voc", repair=True)
    dataset = read_boxes(tmp_path / "out")
    assert not dataset.problems
    assert dataset.targets == read_boxes(yolo).targets


def test_it_refuses(yolo: Path, tmp_path: Path) -> None:
    before = sorted(yolo.rglob("*"))
    with pytest.raises(UnknownNameError, match="did you mean 'coco'"):
        convert(yolo, tmp_path / "out", to="cocos")
    for inside in (yolo, yolo / "new"):
        with pytest.raises(UsageError, match="inside"):
            convert(yolo, inside, to="coco")
    with pytest.raises(LayoutError):
        convert(tmp_path / "nowhere", tmp_path / "out", to="coco")
    (yolo / "labels/train/a.txt").write_text("0 0.5 0.2 0.7 0.5 0.5 0.8 0.3 0.5\n")
    with pytest.raises(LabelError, match="--to yolo-obb"):
        convert(yolo, tmp_path / "out", to="voc", layout="yolo-obb")
    assert sorted(yolo.rglob("*")) == before
    assert not (tmp_path / "out").exists()
