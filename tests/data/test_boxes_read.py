from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from striate.data.boxes.read import is_boxes, read_boxes
from striate.data.boxes.truth import Box
from striate.data.dataset import Dataset
from striate.errors import LayoutError, UnknownNameError

from .boxes_corpus import annotation, coco, picture, text, voc, voc_object

Boxes = tuple[Box, ...]


def only_problem(dataset: Dataset[Boxes], kind: str) -> tuple[str, int | None, str]:
    assert [problem.kind for problem in dataset.problems] == [kind]
    problem = dataset.problems[0]
    assert problem.repair
    return problem.key, problem.line, problem.reason


# -- COCO ---------------------------------------------------------------------------------------------


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


# -- Pascal VOC ---------------------------------------------------------------------------------------


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


# -- YOLO ---------------------------------------------------------------------------------------------


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


# -- tables -------------------------------------------------------------------------------------------


def test_tables_of_edges_extents_and_without_a_header(tmp_path: Path) -> None:
    tables = {
        "1": "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,40,30,cat,1,2,11,12\n",
        "2": "label;image;x;y;width;height\ncat;a.png;1;2;10;10\n",
        "3": "# path, edges, class\na.png,1,2,11,12,cat\nb.png,,,,,\n",
        "4": "ImageID,XMin,XMax,YMin,YMax,LabelName\na,0.025,0.275,0.0666666667,0.4,cat\n",
    }
    for name, content in tables.items():
        picture(tmp_path / name / "a.png")
        picture(tmp_path / name / "b.png")
        text(tmp_path / name / "boxes.csv", "\ufeff" + content.replace("\n", "\r\n"))
        dataset = read_boxes(tmp_path / name)
        np.testing.assert_allclose(dataset.records[0].target[0].box_xyxy, (1, 2, 11, 12), atol=1e-6)
        assert dataset.names == ("cat",)
        assert not dataset.problems
        assert len(dataset) == (2 if name == "3" else 1)


def test_rows_of_a_table_that_are_wrong(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.png")
    picture(tmp_path / "images" / "b.png")
    rows = [
        "path,xmin,ymin,xmax,ymax,label,split",
        "images/a.png,1,1,5,5,cat,train",
        "images/gone.png,1,1,5,5,cat,train",
        "images/a.png,1,1,5,5,,train",
        "// a comment",
        "images/a.png,1,1,5",
        "images/a.png,1,1,q,5,cat,train",
        "images/a.png,1,1,5,5,cat,val",
        "images/b.png,,,,,,valid",
        "images/b.png,1,1,9,9,dog,sometimes",
        "../../a.png,8,8,9,9,dog,train",
    ]
    text(tmp_path / "boxes.csv", "\n".join(rows))
    dataset = read_boxes(tmp_path)
    told = [(problem.kind, problem.line) for problem in dataset.problems]
    assert told == [
        ("annotation-broken", 6),
        ("picture-missing", 3),
        ("annotation-broken", 4),
        ("annotation-broken", 7),
        ("picture-twice", 8),
        ("split-unknown", 10),
        ("picture-twice", 10),
        ("box-duplicate", 8),
    ]
    assert [record.split for record in dataset] == ["train", "validation"]
    assert len(dataset.records[0].target) == 2  # a name that leads outside is found by its last part


def test_several_tables_must_be_splits(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    for name in ("one.csv", "two.csv"):
        text(tmp_path / name, "a.png,1,2,11,12,cat\n")
    with pytest.raises(LayoutError, match="several tables with boxes"):
        read_boxes(tmp_path)
    assert len(read_boxes(tmp_path / "one.csv")) == 1
    text(tmp_path / "train.csv", "a.png,1,2,11,12,cat\n")
    assert read_boxes(tmp_path).splits == ("train",)


# -- dlib, DOTA, corners ------------------------------------------------------------------------------


def test_dlib(tmp_path: Path) -> None:
    picture(tmp_path / "faces" / "a.png")
    image = (
        "<image file='faces\\a.png'><box top='2' left='1' width='10' height='20'/>\n"
        "<box top='2' left='1' width='5' height='5' ignore='1'><label>dog</label>"
        "<part name='00' x='3' y='4'/></box>\n<box top='2' left='' width='5' height='5'/></image>"
        "<image file='gone.png'/>"
    )
    text(tmp_path / "testing.xml", f"<dataset><images>\n{image}</images></dataset>")
    dataset = read_boxes(tmp_path, repair=False)
    assert dataset.records[0].target == (
        Box("object", (1, 2, 11, 22)),
        Box("dog", (1, 2, 6, 7), crowd=True, extras=(("part 00", "3 4"),)),
    )
    assert dataset.splits == ("test",)
    assert [(p.kind, p.line) for p in dataset.problems] == [
        ("annotation-broken", 4),
        ("picture-missing", 4),
    ]


def test_dota_with_heads_difficult_and_corners_that_are_no_rectangle(tmp_path: Path) -> None:
    for split in ("train", "val"):
        picture(tmp_path / split / "images" / "P1.png", (100, 100))
        lines = [
            "imagesource:GoogleEarth",
            "gsd:0.14",
            "10 10 30 10 30 20 10 20 small-vehicle 0",
            "50 30 70 50 60 60 40 40 ship 1",
            "10 70 30 72 29 85 8 80 plane 2",
            "10 70 30 72 29 85 plane 2",
        ]
        text(tmp_path / split / "labelTxt" / "P1.txt", "\r\n".join(lines))
    picture(tmp_path / "val" / "images" / "P2.png", (100, 100))
    dataset = read_boxes(tmp_path, repair=False)
    upright, turned, odd = dataset.records[0].target
    assert upright == Box("small-vehicle", (10, 10, 30, 20))
    assert turned.difficult
    assert turned.angle_deg == 45
    side = (turned.box_xyxy[2] - turned.box_xyxy[0], turned.box_xyxy[3] - turned.box_xyxy[1])
    np.testing.assert_allclose(side, (800**0.5, 200**0.5), atol=1e-5)
    np.testing.assert_allclose(np.add(turned.box_xyxy[:2], turned.box_xyxy[2:]) / 2, (55, 45))
    assert odd.extras == (("quad", "10 70 30 72 29 85 8 80"),)
    assert dataset.splits == ("train", "validation")
    kinds = [(problem.kind, problem.key, problem.line) for problem in dataset.problems]
    assert kinds == [
        ("annotation-broken", "train/labelTxt/P1.txt", 6),
        ("annotation-broken", "val/labelTxt/P1.txt", 6),
        ("picture-unlabelled", "val/images/P2.png", None),
    ]


def test_the_smallest_rectangle_around_four_corners_is_opencvs(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    from striate.features.opencv import cv2_module

    cv2 = cv2_module()
    picture(tmp_path / "images" / "a.png", (100, 100))
    quads = [rng.integers(20, 80, (4, 2)) for _ in range(40)]
    rows = [f"{' '.join(map(str, quad.ravel()))} ship 0" for quad in quads]
    text(tmp_path / "labelTxt" / "a.txt", "\n".join(rows))
    boxes = read_boxes(tmp_path, repair=False).records[0].target
    assert len(boxes) == 40
    for quad, box in zip(quads, boxes, strict=True):
        (_, _), (width, height), _ = cv2.minAreaRect(quad.astype(np.float32))
        x0, y0, x1, y1 = box.box_xyxy
        assert (x1 - x0) * (y1 - y0) == pytest.approx(width * height, rel=1e-3, abs=1e-2)


# -- which layout -------------------------------------------------------------------------------------


def test_nothing_several_and_unknown_layouts(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="does not exist"):
        read_boxes(tmp_path / "nowhere")
    with pytest.raises(LayoutError, match="no boxes that are understood; it holds no files"):
        read_boxes(tmp_path)
    picture(tmp_path / "cat" / "a.png")
    with pytest.raises(LayoutError, match="no boxes that are understood"):
        read_boxes(tmp_path)
    assert not is_boxes(tmp_path)
    with pytest.raises(UnknownNameError, match="'coco'"):
        read_boxes(tmp_path, layout="cocoa")
    coco(tmp_path, [annotation(1, [1, 1, 5, 5])])
    voc(tmp_path / "train" / "a.xml", voc_object("cat", 2, 2, 20, 20))
    assert is_boxes(tmp_path)
    with pytest.raises(LayoutError, match=r"2 ways: coco .* voc"):
        read_boxes(tmp_path)
    assert read_boxes(tmp_path, layout="voc").layout.startswith("Pascal VOC")
    assert read_boxes(tmp_path / "annotations" / "instances_train.json").layout.startswith("COCO")
    with pytest.raises(LayoutError, match="has no boxes"):
        read_boxes("digits")


def test_a_thousand_boxes_and_a_picture_of_1_by_4000(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.png", (1, 4000))
    lines = [f"0 {(i + 0.5) / 1000:.6f} 0.5 0.001 1" for i in range(1000)]
    text(tmp_path / "labels" / "a.txt", "\n".join(lines))
    text(tmp_path / "classes.txt", "pixel\n")
    dataset = read_boxes(tmp_path)
    assert not dataset.problems
    edges = np.array([box.box_xyxy for box in dataset.records[0].target])
    assert (edges == np.array([(4 * i, 0, 4 * i + 4, 1) for i in range(1000)])).all()


def test_links_and_names_never_lead_outside(tmp_path: Path) -> None:
    picture(tmp_path / "outside" / "secret.png")
    root = tmp_path / "set"
    images = [
        {"id": 1, "file_name": "../outside/secret.png"},
        {"id": 2, "file_name": str(tmp_path / "outside" / "secret.png")},
        {"id": 3, "file_name": "link.png"},
    ]
    coco(root, [], images=images)
    os.symlink(tmp_path / "outside" / "secret.png", root / "train" / "link.png")  # noqa: PTH211
    dataset = read_boxes(root)
    assert len(dataset) == 0
    assert Counter(problem.kind for problem in dataset.problems) == {
        "picture-missing": 3,
        "link-outside": 1,
    }


def test_scenes_have_boxes_around_what_is_seen() -> None:
    from striate.data.scenes.origin import SceneOrigin
    from striate.data.scenes.records import scenes_dataset

    dataset = scenes_dataset("boxes", n=20)
    assert set(dataset.splits) == {"train", "validation", "test"}
    for record in dataset.records[:3]:
        assert isinstance(record.origin, SceneOrigin)
        scene = record.origin.scene()
        assert [box.label for box in record.target] == list(scene.names)
        np.testing.assert_array_equal([b.box_xyxy for b in record.target], scene.boxes_xyxy)


@pytest.mark.realdata
def test_bccd(real_data: Path) -> None:
    dataset = read_boxes(real_data / "bccd")
    assert Counter(record.split for record in dataset) == {"train": 205, "validation": 87}
    assert dataset.names == ("Platelets", "RBC", "WBC")
    told = [(p.kind, p.key, p.line) for p in dataset.problems]
    assert told == [
        ("box-empty", "Annotations/BloodImage_00343.xml", 55),
        ("box-empty", "Annotations/BloodImage_00338.xml", 163),
    ]
    counts = Counter(box.label for record in dataset for box in record.target)
    assert counts == {"RBC": 3348, "WBC": 301, "Platelets": 292}


@pytest.mark.realdata
def test_dlib_faces(real_data: Path) -> None:
    dataset = read_boxes(real_data / "dlib_faces")
    assert Counter(record.split for record in dataset) == {"train": 4, "test": 5}
    assert {p.kind for p in dataset.problems} == {"file-not-read"}
