"""Pascal VOC: pixels counted from one, lists, XML that is broken or clever."""

from __future__ import annotations

from pathlib import Path

import pytest

from striate.data.boxes.read import read_boxes
from striate.data.boxes.truth import Box

from .boxes_corpus import only_problem, picture, text, voc, voc_object


def test_voc_counts_from_one_and_its_last_pixel_belongs_to_the_box(tmp_path: Path) -> None:
    picture(tmp_path / "JPEGImages" / "a.png")
    more = "<difficult>1</difficult><pose>Left</pose>"
    voc(tmp_path / "Annotations" / "a.xml", voc_object("cat", 1, 1, 40, 30, more))
    dataset = read_boxes(tmp_path)
    assert dataset.records[0].target == (Box("cat", (0, 0, 40, 30), difficult=True),)
    assert not dataset.problems


def test_voc_lists(tmp_path: Path) -> None:
    for name in "abcde":
        picture(tmp_path / "JPEGImages" / f"{name}.png")
        if name != "d":
            voc(tmp_path / "Annotations" / f"{name}.xml", voc_object("cat", 2, 2, 20, 20))
    lists = tmp_path / "ImageSets" / "Main"
    text(lists / "train.txt", "\ufeff# by hand\r\na  \r\n\r\nb\r\n")
    text(lists / "val.txt", "c\nb\nd\nz\n")
    text(lists / "trainval.txt", "a\nb\nc\n")
    text(lists / "cat_train.txt", "a 1\nb -1\n")
    dataset = read_boxes(tmp_path)
    assert [(r.key, r.split) for r in dataset] == [
        ("JPEGImages/a.png", "train"),
        ("JPEGImages/b.png", "train"),
        ("JPEGImages/c.png", "validation"),
    ]
    told = {problem.kind: (problem.key, problem.line) for problem in dataset.problems}
    assert told == {
        "picture-twice": ("ImageSets/Main/val.txt", 2),
        "picture-unlabelled": ("ImageSets/Main/val.txt", 3),
        "picture-missing": ("ImageSets/Main/val.txt", 4),
        "picture-unlisted": ("Annotations/e.xml", None),
    }


def test_voc_zero_area_and_zero_based_boxes(tmp_path: Path) -> None:
    picture(tmp_path / "train" / "a.png")
    voc(
        tmp_path / "train" / "a.xml",
        voc_object("cat", 5, 5, 5, 5),
        voc_object("cat", 0, 0, 10, 10),
        voc_object("cat", 0, 3, 10, 10),
        voc_object("cat", 20, 8, 10, 4),
        voc_object("cat", "x", 8, 10, 4),
        "<object><name>dog</name></object>",
        "<object></object>",
    )
    dataset = read_boxes(tmp_path)
    kinds = [(problem.kind, problem.line) for problem in dataset.problems]
    assert kinds == [
        ("annotation-broken", 8),
        ("annotation-broken", 9),
        ("annotation-broken", 10),
        ("box-empty", 4),
        ("box-flipped", 7),
        ("counts-from-zero", None),
    ]
    assert "x 5 to 5, y 5 to 5" in dataset.problems[3].reason
    assert dataset.problems[5].severity == "note"
    edges = [box.box_xyxy for box in dataset.records[0].target]
    assert edges == [(0, 0, 10, 10), (0, 2, 10, 10), (9, 3, 20, 8)]
    assert dataset.splits == ("train",)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<annotation>",
        b"not xml",
        b'<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>',
        b"<annotation>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</annotation>",
        b'<?xml version="1.0" encoding="nonsense"?><annotation/>',
        b"<other/>",
        b"<annotation>\xff</annotation>",
    ],
)
def test_xml_that_is_broken_or_clever_is_refused(tmp_path: Path, content: bytes) -> None:
    for name in "ab":
        picture(tmp_path / f"{name}.png")
    voc(tmp_path / "a.xml", voc_object("cat", 2, 2, 20, 20))
    text(tmp_path / "b.xml", content)
    dataset = read_boxes(tmp_path)
    assert only_problem(dataset, "annotation-broken")[0] == "b.xml"
    assert len(dataset) == 1


def test_stated_sizes_that_differ_from_the_picture(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    voc(tmp_path / "a.xml", voc_object("cat", 2, 2, 20, 20), size_hw=(60, 80))
    picture(tmp_path / "b.jpg", (30, 40), exif=6)  # upright it is 40 high and 30 wide
    voc(tmp_path / "b.xml", voc_object("cat", 2, 2, 20, 20), size_hw=(30, 40))
    picture(tmp_path / "c.jpg", (30, 40), exif=6)
    voc(tmp_path / "c.xml", voc_object("cat", 2, 2, 20, 40), size_hw=(40, 30))
    picture(tmp_path / "d.png")
    voc(tmp_path / "d.xml", voc_object("cat", 2, 2, 20, 20), size_hw=(0, 0))
    dataset = read_boxes(tmp_path)
    told = [(problem.kind, problem.key, problem.line) for problem in dataset.problems]
    assert told == [("size-differs", "a.xml", 3), ("size-not-upright", "b.xml", 3)]
    assert dataset.records[2].origin.read().shape == (40, 30, 3)
