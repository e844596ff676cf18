from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from striate.errors import PictureError, UsageError
from striate.pictures import read, write
from striate.tasks.detect.types import Detections
from striate.verbs.model import Answer
from striate.verbs.predict.choice import Choice, pick
from striate.verbs.predict.files import CocoFile, CsvDetections, DrawnDetections, YoloFolder
from striate.verbs.predict.outputs import FreeNames, own_folder, shown_path
from striate.verbs.predict.sheet import RankedSheet, crop_of

NAMES = ("cat", 'a "dog"')


def found(scores: list[float], *, turned: bool = False) -> Detections:
    count = len(scores)
    boxes = [[10 + 5 * row, 20, 30 + 5 * row, 60] for row in range(count)]
    return Detections(
        NAMES,
        np.asarray(boxes, np.float32).reshape(-1, 4),
        np.asarray(scores, np.float32),
        np.arange(count) % 2,
        np.full(count, 90, np.float32) if turned else None,
    )


@pytest.fixture
def answers(tmp_path: Path) -> list[Answer]:
    """A picture with two finds, one with none, one that is broken."""
    paths = [tmp_path / "a/x.png", tmp_path / "b/x.jpg", tmp_path / "b/broken.png"]
    for path in paths[:2]:
        path.parent.mkdir()
        write(np.full((80, 200, 3), 90, np.uint8), path)
    broken = PictureError(str(paths[2]), "it is cut off", remedy="get it again")
    return [
        Answer(str(paths[0]), found([0.9, 0.25]), None),
        Answer(str(paths[1]), found([]), None),
        Answer(str(paths[2]), None, broken),
    ]


def test_choice() -> None:
    many = found([0.9, 0.6, 0.4, 0.1])
    assert [len(Choice(0.5).told(many)), len(Choice(0.5).shown(many))] == [4, 2]
    assert [len(Choice(0.5, 0.3).told(many)), len(Choice(0.5, 0.3).shown(many))] == [3, 3]
    assert [len(Choice(0.5, None, 1).told(many)), len(Choice(0.5, None, 3).shown(many))] == [1, 2]
    assert pick(many, np.array([2, 0])).scores.tolist() == pytest.approx([0.9, 0.4])
    for wrong in (-0.1, 1.5):
        with pytest.raises(UsageError, match="--min-score"):
            Choice(0.5, wrong)


def test_coco(answers: list[Answer], tmp_path: Path) -> None:
    file = CocoFile(tmp_path / "found.json", NAMES)
    for answer in answers:
        file.add(answer)
    assert not (tmp_path / "found.json").exists()
    file.close()
    whole = json.loads((tmp_path / "found.json").read_text("utf-8"))
    assert [(one["id"], one["width"], one["height"]) for one in whole["images"]] == [
        (1, 200, 80), (2, 200, 80),
    ]  # fmt: skip
    assert [one["name"] for one in whole["categories"]] == list(NAMES)
    assert whole["annotations"][1] == {
        "id": 2, "image_id": 1, "category_id": 2, "bbox": [15.0, 20.0, 20.0, 40.0], "area": 800.0,
        "iscrowd": 0, "score": 0.25,
    }  # fmt: skip


def test_coco_annotations_are_a_results_list(answers: list[Answer], tmp_path: Path) -> None:
    pycocotools = pytest.importorskip("pycocotools.coco")
    file = CocoFile(tmp_path / "found.json", NAMES)
    for answer in answers:
        file.add(answer)
    file.close()
    truth = pycocotools.COCO(str(tmp_path / "found.json"))
    results = truth.loadRes(json.loads((tmp_path / "found.json").read_text("utf-8"))["annotations"])
    assert len(results.getAnnIds()) == 2


def test_coco_of_turned_boxes(tmp_path: Path) -> None:
    write(np.full((80, 200, 3), 90, np.uint8), tmp_path / "x.png")
    file = CocoFile(tmp_path / "found.json", NAMES)
    file.add(Answer(str(tmp_path / "x.png"), found([0.9], turned=True), None))
    file.close()
    one = json.loads((tmp_path / "found.json").read_text("utf-8"))["annotations"][0]
    assert one["angle"] == 90
    assert one["bbox"] == [10, 20, 20, 40]
    assert one["segmentation"] == [[40, 30, 40, 50, 0, 50, 0, 30]]


def test_yolo(answers: list[Answer], tmp_path: Path) -> None:
    folder = YoloFolder(tmp_path / "yolo", NAMES)
    for answer in answers:
        folder.add(answer)
    folder.close()
    lines = (tmp_path / "yolo/labels/x.txt").read_text().splitlines()
    assert lines == [
        "0 0.100000 0.500000 0.100000 0.500000 0.900000",
        "1 0.125000 0.500000 0.100000 0.500000 0.250000",
    ]
    assert (tmp_path / "yolo/labels/x-2.txt").read_text() == ""
    assert sorted(path.name for path in (tmp_path / "yolo/labels").iterdir()) == ["x-2.txt", "x.txt"]
    assert (tmp_path / "yolo/data.yaml").read_text() == 'names:\n  0: "cat"\n  1: "a \\"dog\\""\n'


def test_yolo_of_turned_boxes(tmp_path: Path) -> None:
    write(np.full((80, 200, 3), 90, np.uint8), tmp_path / "x.png")
    folder = YoloFolder(tmp_path / "yolo", NAMES)
    folder.add(Answer(str(tmp_path / "x.png"), found([0.9], turned=True), None))
    words = (tmp_path / "yolo/labels/x.txt").read_text().split()
    assert [float(word) for word in words] == pytest.approx(
        [0, 0.2, 0.375, 0.2, 0.625, 0, 0.625, 0, 0.375, 0.9]
    )


def test_csv_has_a_row_for_each(answers: list[Answer], tmp_path: Path) -> None:
    table = CsvDetections(tmp_path / "found.csv")
    for answer in answers:
        table.add(answer)
    assert not (tmp_path / "found.csv").exists()
    table.close()
    with (tmp_path / "found.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["path", "label", "score", "left", "top", "right", "bottom", "error"]
    assert [row["label"] for row in rows] == ["cat", 'a "dog"', "", ""]
    assert (rows[0]["left"], rows[0]["bottom"]) == ("10.0", "60.0")
    assert "cut off" in rows[3]["error"]
    assert not list(tmp_path.glob(".*"))


def test_drawn_copies(answers: list[Answer], tmp_path: Path) -> None:
    drawn = DrawnDetections(tmp_path / "out", Choice(0.5))
    for answer in answers:
        drawn.add(answer)
    drawn.close()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["x.jpg", "x.png"]
    marked = read(tmp_path / "out/x.png")
    assert (marked[21:59, 10:12] != 90).any()
    assert (marked[61:, :] == 90).all()


def test_own_folder(tmp_path: Path) -> None:
    assert own_folder(tmp_path / "new", "--out") == tmp_path / "new"
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="is a file"):
        own_folder(tmp_path / "file", "--out", overwrite=True)
    with pytest.raises(UsageError, match="not empty"):
        own_folder(tmp_path, "--out")
    assert own_folder(tmp_path, "--out", overwrite=True) == tmp_path


def test_free_names() -> None:
    names = FreeNames()
    assert [names.free(path, ".png") for path in ("a/x.jpg", "b/X.png", "x.gif", "y.z.png")] == [
        "x.png", "X-2.png", "x-3.png", "y.z.png",
    ]  # fmt: skip
    assert shown_path(b"caf\xe9.png".decode("utf-8", "surrogateescape")) == "caf\\xe9.png"


# -- the ranked sheet ---------------------------------------------------------------------------


def test_sheet_page(answers: list[Answer], tmp_path: Path) -> None:
    sheet = RankedSheet(tmp_path / "pages/sheet.html", "What <it> found", NAMES, Choice(0.5))
    for answer in answers:
        sheet.add(answer)
    sheet.close()
    page = (tmp_path / "pages/sheet.html").read_text("utf-8")
    assert "What &lt;it&gt; found" in page
    assert page.count("<img") == 2
    assert 'href="../a/x.png#xywh=10,20,20,40"' in page
    assert page.index("0.90") < page.index("Below 0.50") < page.index("0.25")
    assert "a &quot;dog&quot;" in page
    assert "http" not in page.replace("http-equiv", "")


def test_sheet_is_ranked_and_capped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("striate.verbs.predict.sheet._LIKELY", 3)
    sheet = RankedSheet(tmp_path / "sheet.html", "t", NAMES, Choice(0.1))
    for number, score in enumerate((0.5, 0.9, 0.3, 0.7, 0.7)):
        path = tmp_path / f"p{number}.png"
        write(np.full((80, 200, 3), 90, np.uint8), path)
        sheet.add(Answer(str(path), found([score]), None))
    sheet.close()
    page = (tmp_path / "sheet.html").read_text("utf-8")
    order = [page.index(f"<bdi>p{number}.png") for number in (1, 3, 4)]
    assert order == sorted(order)
    assert page.count("<img") == 3
    assert "The best 3 of 5." in page


def test_sheet_of_nothing(tmp_path: Path) -> None:
    for name in ("sheet.html", "sheet.png"):
        sheet = RankedSheet(tmp_path / name, "t", NAMES, Choice(0.5))
        sheet.close()
    assert "Nothing was found" in (tmp_path / "sheet.html").read_text("utf-8")
    assert read(tmp_path / "sheet.png").shape[2] == 3


def test_contact_sheet(answers: list[Answer], tmp_path: Path) -> None:
    sheet = RankedSheet(tmp_path / "sheet.png", "t", NAMES, Choice(0.2))
    for answer in answers:
        sheet.add(answer)
    sheet.close()
    assert read(tmp_path / "sheet.png").shape[1] > 2 * 192


@pytest.mark.parametrize("box", [[0, 0, 1, 1], [195, 75, 260, 120], [0, 0, 200, 80], [50, 30, 50, 30]])
@pytest.mark.parametrize("turned", [False, True])
def test_crops_of_any_box(box: list[float], turned: bool) -> None:
    one = Detections(
        NAMES,
        np.array([box], np.float32),
        np.array([0.5], np.float32),
        np.array([0]),
        np.array([40], np.float32) if turned else None,
    )
    crop = crop_of(np.full((80, 200, 3), 90, np.uint8), one, 0, "x.png", 0)
    assert 100 < max(crop.picture.shape[:2]) <= 400
    assert crop.box_xyxy == tuple(box)
