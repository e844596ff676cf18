"""Proposals of a file and of a data set: what is read, counted and left out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from striate.errors import DataError, PictureError, UnknownNameError, UsageError
from striate.pictures import write
from striate.verbs.features.propose import is_one_picture, methods_from, propose_picture, propose_set
from striate.verbs.features.propose_page import write_proposal_page

BOXES = [[20, 10, 40, 30], [70, 25, 20, 40]]  # COCO: left, top, width, height


@pytest.fixture
def marked(tmp_path: Path) -> Path:
    """Three pictures of two cards in COCO form; one has no objects, one cannot be read."""
    folder = tmp_path / "marked"
    folder.mkdir()
    picture = np.full((80, 120, 3), 60, np.uint8)
    for (left, top, width, height), colour in zip(BOXES, ((220, 60, 40), (40, 90, 220)), strict=True):
        picture[top : top + height, left : left + width] = colour
    write(picture, folder / "a.png")
    write(np.full((80, 120, 3), 60, np.uint8), folder / "b.png")
    (folder / "c.png").write_bytes((folder / "a.png").read_bytes()[:60])
    annotations = [
        {"id": number, "image_id": image, "category_id": 1 + number % 2, "bbox": box, "iscrowd": crowd}
        for number, (image, box, crowd) in enumerate(
            [(1, BOXES[0], 0), (1, BOXES[1], 0), (3, BOXES[0], 0), (1, [0, 0, 120, 80], 1)]
        )
    ]
    (folder / "annotations.json").write_text(
        json.dumps(
            {
                "images": [
                    {"id": number, "file_name": name, "width": 120, "height": 80}
                    for number, name in enumerate(("a.png", "b.png", "c.png"), start=1)
                ],
                "annotations": [
                    one | {"area": one["bbox"][2] * one["bbox"][3], "segmentation": []}
                    for one in annotations
                ],
                "categories": [{"id": 1, "name": "red"}, {"id": 2, "name": "blue"}],
            }
        )
    )
    return folder


def test_a_picture(marked: Path) -> None:
    found = propose_picture(marked / "a.png", method="edge-boxes", most=20)
    told = found.to_dict()
    assert list(told) == ["path", "method", "size_hw", "seconds", "found", "boxes_xyxy", "scores"]
    assert told["size_hw"] == [80, 120]
    assert len(told["boxes_xyxy"]) == len(told["scores"]) <= 20
    assert found.plot().shape[2] == found.stages().shape[2] == 3


def test_a_data_set(marked: Path) -> None:
    told: list[tuple[str, int, int]] = []
    report = propose_set(
        marked, methods=("selective-search", "grid"), listen=lambda *one: told.append(one)
    )
    assert (report.pictures, report.objects) == (2, 2)  # without the crowd and the broken picture
    assert [one.key for one in report.problems] == ["c.png"]
    search = report.methods[0]
    assert search.curve.at(2000, 0.7) == 1
    assert {label: one.objects for label, one in search.by_label.items()} == {"blue": 1, "red": 1}
    assert told[-1] == ("grid", 2, 2)
    assert [one.key for one in report.examples] == ["a.png"]
    facts = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert facts["methods"]["selective-search"]["counts"] == [10, 100, 300, 1000, 2000]
    assert len(facts["methods"]["grid"]["average_recall"]) == 5
    assert facts["sliding_windows"] > 100


def test_few_boxes_are_the_last_count(marked: Path) -> None:
    report = propose_set(marked, most=150)
    assert report.methods[0].curve.counts == (10, 100, 150)


def test_the_page(marked: Path, tmp_path: Path) -> None:
    report = propose_set(marked, methods=("edge-boxes", "grid"))
    page = write_proposal_page(report, tmp_path / "page.html").read_text()
    for words in ("Proposals for marked", "edge-boxes", "2 of 2 found", "left out: c.png", "2 objects"):
        assert words in page
    assert "<script" not in page
    with pytest.raises(UsageError, match="exists already"):
        write_proposal_page(report, tmp_path / "page.html")


def test_methods_are_named() -> None:
    assert methods_from("grid, edge-boxes,grid") == ("grid", "edge-boxes")
    assert methods_from("all") == ("selective-search", "edge-boxes", "grid")
    with pytest.raises(UnknownNameError, match="did you mean 'edge-boxes'"):
        methods_from("edge-box")
    with pytest.raises(UsageError, match="no proposal method"):
        methods_from(" , ")


def test_what_is_a_picture(marked: Path) -> None:
    assert is_one_picture(marked / "a.png")
    assert is_one_picture("not there.jpg")  # reading it tells
    assert not is_one_picture(marked)
    assert not is_one_picture("scenes")


def test_errors(marked: Path, tmp_path: Path) -> None:
    with pytest.raises(PictureError):
        propose_picture(marked / "c.png")
    for wrong in ({"at_most": 0}, {"most": 0}):
        with pytest.raises(UsageError, match="at most 0"):
            propose_set(marked, **wrong)  # type: ignore[arg-type]
    told = json.loads((marked / "annotations.json").read_text())
    (marked / "annotations.json").write_text(json.dumps(told | {"annotations": told["annotations"][3:]}))
    with pytest.raises(DataError, match="no objects in"):
        propose_set(marked)


@pytest.mark.realdata
def test_recall_on_blood_cells(real_data: Path) -> None:
    report = propose_set(
        real_data / "bccd",
        methods=("selective-search", "edge-boxes", "grid"),
        split="validation",
        at_most=4,
    )
    search, edges, grid = (one.curve for one in report.methods)
    assert search.at(2000, 0.5) > 0.85
    assert edges.at(2000, 0.7) > 0.5
    assert min(search.average()[-1], edges.average()[-1]) > grid.average()[-1] + 0.1
