"""Which layout it is; dlib, DOTA; names that must not lead outside."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from striate.data.boxes.read import is_boxes, read_boxes
from striate.data.boxes.truth import Box
from striate.errors import LayoutError, UnknownNameError

from .boxes_corpus import annotation, coco, picture, text, voc, voc_object


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


# -- dlib, DOTA, corners -------------------------------------------------------------------------------


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
