"""YOLO: its nestings, its lines, its data.yaml."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from striate.data.boxes.read import read_boxes
from striate.data.boxes.truth import Box

from .boxes_corpus import only_problem, picture, text


def test_yolo_in_both_nestings_and_with_few_digits(tmp_path: Path) -> None:
    for root, forms in ((tmp_path / "1", "{0}/train"), (tmp_path / "2", "train/{0}")):
        for name in "abc":
            picture(root / forms.format("images") / f"{name}.png", (480, 640))
        text(root / forms.format("labels") / "a.txt", "\ufeff1 0.512500 0.5 0.5 0.333333\r\n\r\n# x\r\n")
        text(root / forms.format("labels") / "b.txt", "")
        text(root / "data.yaml", f"train: ../{forms.format('images')}\nnc: 2\nnames: ['cat', dog]\n")
        dataset = read_boxes(root)
        assert dataset.names == ("cat", "dog")
        assert dataset.records[0].target == (Box("dog", (168, 160, 488, 320)),)
        assert [record.target for record in dataset.records[1:]] == [(), ()]
        assert [record.split for record in dataset] == ["train"] * 3
        assert only_problem(dataset, "picture-unlabelled")[0].endswith("c.png")
        assert dataset.problems[0].severity == "note"


def test_yolo_lines_that_are_wrong(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.png")
    picture(tmp_path / "images" / "d.png")
    lines = [
        "0 0.5 0.5 0.2 0.2",
        "7 0.5 0.5 0.2 0.2",
        "0 0.5 0.5 0.2",
        "0 0.5 nan 0.2 0.2",
        "0 0.5 0.5 0 0.2",
        "0 0.5 0.5 0.2 0.2",
        "0 0.95 0.5 0.2 0.2",
        "x 0.5 0.5 0.2 0.2",
        "-1 0.5 0.5 0.2 0.2",
        "0 0.1 0.1 0.5 0.1 0.5 0.6",  # a polygon
    ]
    text(tmp_path / "labels" / "a.txt", "\n".join(lines))
    text(tmp_path / "labels" / "gone.txt", lines[0])
    text(tmp_path / "labels" / "d.txt", "0 0.5 0.5 0.2 0.2 0.1 0.3 0.4 0.1\n")
    text(tmp_path / "classes.txt", "cat\ndog\n")
    dataset = read_boxes(tmp_path, layout="yolo")
    told = {(problem.kind, problem.key, problem.line) for problem in dataset.problems}
    assert told == {
        ("class-unknown", "labels/a.txt", 2),
        ("annotation-broken", "labels/a.txt", 3),
        ("annotation-broken", "labels/a.txt", 4),
        ("box-empty", "labels/a.txt", 5),
        ("box-duplicate", "labels/a.txt", 6),
        ("box-outside", "labels/a.txt", 7),
        ("annotation-broken", "labels/a.txt", 8),
        ("annotation-broken", "labels/a.txt", 9),
        ("picture-missing", "labels/gone.txt", None),
    }
    edges = [box.box_xyxy for box in dataset.records[0].target]
    assert edges == [(16, 12, 24, 18), (34, 12, 40, 18), (4, 3, 20, 18)]


@pytest.mark.parametrize(
    ("yaml", "names"),
    [
        ("names: {0: a, 1: 'b: c'}", ("a", "b: c")),
        ('names:\n  0: a\n  1: "b # c"  # last\n', ("a", "b # c")),
        ("names:\n- a\n- 'it''s'\n", ("a", "it's")),
        ("names: [a,\n  b,\n  c]\n", ("a", "b", "c")),
    ],
)
def test_names_in_data_yaml(tmp_path: Path, yaml: str, names: tuple[str, ...]) -> None:
    picture(tmp_path / "images" / "train" / "a.png")
    text(tmp_path / "labels" / "train" / "a.txt", "1 0.5 0.5 0.2 0.2\n")
    text(tmp_path / "data.yaml", f"# made by hand\npath: .\ntrain: images/train\nval:\n{yaml}")
    dataset = read_boxes(tmp_path)
    assert dataset.names == names
    assert dataset.records[0].target[0].label == names[1]


def test_lists_of_pictures_and_unnamed_classes(tmp_path: Path) -> None:
    for name in "abc":
        picture(tmp_path / "images" / f"{name}.png")
        text(tmp_path / "labels" / f"{name}.txt", "2 0.5 0.5 0.2 0.2\n")
    text(tmp_path / "train.txt", "./images/a.png\n// no\nimages/b.png\n/etc/passwd\n")
    text(tmp_path / "val.txt", "images/c.png\n")
    text(tmp_path / "data.yaml", "train: train.txt\nval: [val.txt]\nnames:\n")
    dataset = read_boxes(tmp_path)
    assert [record.split for record in dataset] == ["train", "train", "validation"]
    assert dataset.names == ("0", "1", "2")
    assert Counter(problem.kind for problem in dataset.problems) == {
        "picture-missing": 1,
        "class-unnamed": 1,
    }


def test_an_unreadable_yaml_or_picture(tmp_path: Path) -> None:
    text(tmp_path / "images" / "a.png", b"no picture")
    text(tmp_path / "labels" / "a.txt", "0 0.5 0.5 0.2 0.2\n")
    text(tmp_path / "data.yaml", "train: images\nnames: [a]\n")
    dataset = read_boxes(tmp_path)
    assert only_problem(dataset, "picture-unreadable")[0] == "labels/a.txt"
