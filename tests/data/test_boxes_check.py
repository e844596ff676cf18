from __future__ import annotations

from pathlib import Path

import pytest

from striate.data.boxes.truth import Box
from striate.data.check import check
from striate.types import Split

from .boxes_corpus import annotation, coco, made, picture, text, voc, voc_object


def box(label: str, x0: float, y0: float, x1: float, y1: float) -> Box:
    return Box(label, (x0, y0, x1, y1))


def test_counts_are_of_objects_and_problems_of_reading_come_first(tmp_path: Path) -> None:
    rows = [annotation(i, [i, 1, 12, 15]) for i in range(11)] + [annotation(99, [5, 5, 0, 4])]
    coco(tmp_path, rows)
    report = check(tmp_path)
    assert report.counts == {"train": {"cat": 11, "dog": 0}}
    assert report.problems[0].kind == "box-empty"
    assert report.problems[0].line is not None
    assert not report.ok
    assert report.objects == (11, 0)
    said = report.to_dict()
    assert said["objects"] == {"total": 11, "mean": 5.5, "most": 11, "pictures_without": 1}
    assert report.kinds()["class-unused"] == 1


def test_classes_that_train_lacks_or_has_too_few_of(tmp_path: Path) -> None:
    splits: dict[str, Split | None] = {"a.png": "train", "b.png": "validation", "c.png": "test"}
    dataset = made(
        tmp_path,
        {
            "a.png": (*(box("cat", i, 0, i + 10, 20) for i in range(12)), box("dog", 0, 0, 9, 9)),
            "b.png": (box("owl", 1, 1, 20, 20),),
            "c.png": (),
        },
        splits=splits,
    )
    found = {problem.kind: problem for problem in check(dataset).problems}
    assert found["not-in-train"].severity == "error"
    assert found["not-in-train"].key == "owl"
    assert "dog (1)" in found["few-objects"].reason
    assert "mostly-empty" not in found


def test_tiny_long_crowded_and_doubled_boxes(tmp_path: Path) -> None:
    many = tuple(
        box("cat", i % 300, i // 300 * 10, i % 300 + 10, i // 300 * 10 + 10) for i in range(301)
    )
    dataset = made(
        tmp_path,
        {
            "a.png": (box("cat", 0, 0, 3, 20), box("cat", 50, 50, 350, 59)),
            "b.png": many,
            "c.png": (
                box("cat", 0, 0, 100, 100),
                box("cat", 1, 0, 100, 100),
                box("dog", 0, 0, 100, 100),
            ),
        },
        size_hw=(200, 400),
    )
    found = {problem.kind: problem for problem in check(dataset).problems}
    assert found["box-tiny"].key == "a.png"
    assert found["box-tiny"].reason.startswith("1 boxes in 1 pictures")
    assert found["box-long"].key == "a.png"
    assert "301 boxes" in found["many-boxes"].reason
    assert found["box-near-duplicate"].key == "c.png"
    assert "a pair of cat" in found["box-near-duplicate"].reason


def test_copies_across_splits_tell_their_boxes(tmp_path: Path) -> None:
    for split, extra in (("train", ""), ("valid", voc_object("cat", 20, 2, 30, 20))):
        picture(tmp_path / split / "same.png")
        voc(tmp_path / split / "same.xml", voc_object("cat", 2, 2, 15, 20), extra)
    report = check(tmp_path)
    (conflict,) = [problem for problem in report.problems if problem.kind == "label-conflict"]
    assert "1 cat and 2 cat (in train and validation)" in conflict.reason


def test_pictures_without_any_box_are_no_error(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.png")
    text(tmp_path / "labels" / "a.txt", "")
    text(tmp_path / "data.yaml", "train: images\nnames: [cat]\n")
    report = check(tmp_path)
    assert len(report.dataset) == 1
    assert report.dataset.targets == [()]


@pytest.mark.realdata
def test_bccd(real_data: Path) -> None:
    report = check(real_data / "bccd")
    assert report.counts["train"] == {"Platelets": 209, "RBC": 2381, "WBC": 214}
    assert report.counts["validation"] == {"Platelets": 83, "RBC": 967, "WBC": 87}
    assert [problem.kind for problem in report.problems if problem.severity == "error"] == [
        "box-empty"
    ] * 2
