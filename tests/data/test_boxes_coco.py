"""COCO, as it is written and as it is got wrong."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from striate.data.boxes.read import read_boxes
from striate.data.boxes.truth import Box

from .boxes_corpus import annotation, coco, only_problem, picture, text


def test_coco_is_read_with_its_splits_and_negatives(tmp_path: Path) -> None:
    coco(tmp_path, [annotation(7, [1, 2, 10.5, 20]), annotation(8, [0, 0, 5, 5], category_id=2)])
    picture(tmp_path / "val" / "a.png")  # the same name in another split
    images = [{"id": 5, "file_name": "a.png", "height": 30, "width": 40}]
    coco(
        tmp_path,
        [annotation(1, [3, 4, 5, 6], image_id=5, iscrowd=1)],
        images=images,
        name="annotations/instances_val.json",
    )
    dataset = read_boxes(tmp_path)
    assert not dataset.problems
    assert dataset.names == ("cat", "dog")
    assert [(r.key, r.split) for r in dataset] == [
        ("train/a.png", "train"),
        ("train/b.png", "train"),
        ("val/a.png", "validation"),
    ]
    cat, dog = dataset.records[0].target
    assert cat == Box("cat", (1, 2, 11.5, 22))
    assert dog.label == "dog"
    assert dataset.records[1].target == ()
    assert dataset.records[2].target == (Box("cat", (3, 4, 8, 10), crowd=True),)


def test_coco_boxes_are_those_of_pycocotools(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    tools = pytest.importorskip("pycocotools.coco")
    rows = []
    for number in range(1, 60):
        x, y = (float(value) for value in rng.uniform(0, (20, 15)))
        w, h = (float(value) for value in rng.uniform(1, (20, 15)))
        category = int(rng.integers(1, 3))
        picture_id = int(rng.integers(1, 3))
        rows.append(annotation(number, [x, y, w, h], image_id=picture_id, category_id=category))
    path = coco(tmp_path, rows)
    truth = tools.COCO(str(path))
    capsys.readouterr()
    dataset = read_boxes(tmp_path)
    for picture_id, record in enumerate(dataset, 1):
        loaded = truth.loadAnns(truth.getAnnIds(imgIds=[picture_id]))
        assert len(loaded) == len(record.target) > 5
        for one, box in zip(loaded, record.target, strict=True):
            x, y, w, h = one["bbox"]
            np.testing.assert_allclose(box.box_xyxy, (x, y, x + w, y + h), rtol=1e-15, atol=1e-12)
            assert box.label == truth.loadCats(one["category_id"])[0]["name"]


def test_sums_are_those_of_the_decimals_in_the_file(tmp_path: Path) -> None:
    coco(tmp_path, [annotation(1, [0.1, 0.7, 0.2, 0.1])])
    assert read_boxes(tmp_path).records[0].target[0].box_xyxy == (0.1, 0.7, 0.3, 0.8)


@pytest.mark.parametrize(
    ("bbox", "kind", "severity", "kept"),
    [
        ([5, 5, 0, 4], "box-empty", "error", None),
        ([10, 12, -4, -6], "box-flipped", "warning", (6, 6, 10, 12)),
        ([30, 20, 20, 20], "box-outside", "warning", (30, 20, 40, 30)),
        ([-3.5, 0, 8, 8], "box-outside", "warning", (0, 0, 4.5, 8)),
        ([50, 50, 5, 5], "box-outside", "error", None),
        ([1, 2, 3], "annotation-broken", "error", None),
        ("1 2 3 4", "annotation-broken", "error", None),
        ([1, 2, float("nan"), 4], "annotation-broken", "error", None),
        ([1, 2, float("inf"), 4], "annotation-broken", "error", None),
        ([1, 2, 1e30, 4], "annotation-broken", "error", None),
        ([1, 2, None, 4], "annotation-broken", "error", None),
        ([1, 2, True, 4], "annotation-broken", "error", None),
    ],
)
def test_wrong_boxes_are_told_with_file_and_line(
    tmp_path: Path, bbox: object, kind: str, severity: str, kept: tuple[float, ...] | None
) -> None:
    path = coco(tmp_path, [annotation(1, [1, 1, 5, 5]), annotation(77, bbox)])
    dataset = read_boxes(tmp_path)
    key, line, reason = only_problem(dataset, kind)
    assert dataset.problems[0].severity == severity
    assert key == "annotations/instances_train.json"
    assert "77" in reason
    assert line is not None
    assert '"id": 77' in "".join(path.read_text().splitlines()[line - 1 : line + 1])
    assert [box.box_xyxy for box in dataset.records[0].target[1:]] == ([kept] if kept else [])


def test_without_repair_boxes_stay_as_they_were_said(tmp_path: Path) -> None:
    boxes = [[5, 5, 0, 4], [10, 12, -4, -6], [-3.5, 0, 8, 8], [1, 1, 5, 5], [1, 1, 5, 5]]
    coco(tmp_path, [annotation(i, box, keypoints=[1, 2]) for i, box in enumerate(boxes)])
    dataset = read_boxes(tmp_path, repair=False)
    found = [box.box_xyxy for box in dataset.records[0].target]
    assert found == [(5, 5, 5, 9), (10, 12, 6, 6), (-3.5, 0, 4.5, 8), (1, 1, 6, 6), (1, 1, 6, 6)]
    assert dataset.records[0].target[0].extras == (("keypoints", "[1, 2]"),)
    mended = read_boxes(tmp_path)
    assert mended.problems == dataset.problems
    assert Counter(problem.kind for problem in mended.problems) == {
        "box-empty": 1,
        "box-flipped": 1,
        "box-outside": 1,
        "box-duplicate": 1,
    }
    assert len(mended.records[0].target) == 3
    assert not mended.records[0].target[0].extras


def test_coco_ids_that_lead_nowhere(tmp_path: Path) -> None:
    rows = [
        annotation(1, [1, 1, 5, 5], image_id=9),
        annotation(2, [1, 1, 5, 5], category_id=9),
        annotation(3, [2, 2, 5, 5]),
        annotation(3, [3, 3, 5, 5]),
        {"id": 4},
    ]
    images = [
        {"id": 1, "file_name": "a.png", "height": 30, "width": 40},
        {"id": 1, "file_name": "b.png"},
        {"id": 3, "file_name": "gone.png"},
        {"id": 4, "file_name": "../../../etc/passwd"},
        {"file_name": "b.png"},
        {"id": 6, "file_name": "sub/../a.png", "height": 30, "width": 40},
    ]
    categories = [{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}, {"id": 2, "name": " "}, 5]
    coco(tmp_path, rows, images=images, categories=categories)
    dataset = read_boxes(tmp_path)
    kinds = Counter(problem.kind for problem in dataset.problems)
    assert kinds == {
        "picture-twice": 2,  # the id, and the same file under another id
        "picture-missing": 2,
        "annotation-broken": 5,  # no image 9, id 4 has nothing, picture without id, two categories
        "class-unknown": 1,
        "class-duplicate": 1,
        "id-duplicate": 1,
    }
    assert [box.box_xyxy[0] for box in dataset.records[0].target] == [2, 3]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"images": 3', "[" * 100_000, '{"a": NaN}', "\0"])
def test_a_file_that_is_no_coco_is_told(tmp_path: Path, content: str) -> None:
    picture(tmp_path / "a.png")
    path = text(tmp_path / "instances_train.json", content)
    dataset = read_boxes(tmp_path)
    assert only_problem(dataset, "annotation-broken")[0] == path.name


def test_roboflow_coco(tmp_path: Path) -> None:
    for folder in ("train", "valid"):
        picture(tmp_path / folder / "a.jpg")
        document = {
            "images": [{"id": 0, "file_name": "a.jpg", "height": 30, "width": 40}],
            "annotations": [{"id": 0, "image_id": 0, "category_id": 1, "bbox": [1, 2, 3, 4]}],
            "categories": [{"id": 0, "name": "things"}, {"id": 1, "name": "cell"}],
        }
        text(tmp_path / folder / "_annotations.coco.json", json.dumps(document))
    dataset = read_boxes(tmp_path)
    assert [(r.key, r.split) for r in dataset] == [
        ("train/a.jpg", "train"),
        ("valid/a.jpg", "validation"),
    ]
    assert not dataset.problems
    one = read_boxes(tmp_path / "valid" / "_annotations.coco.json")  # a file that is named
    assert [record.key for record in one] == ["a.jpg"]
