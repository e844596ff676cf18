from __future__ import annotations

import contextlib
import io
import json
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.data.boxes.truth import Box, Boxes
from striate.errors import UnknownNameError
from striate.tasks.detect.metrics import DetectMeter
from striate.tasks.detect.types import Detections

NAMES = ("cat", "dog", "fox")
A, B = (0.0, 0.0, 10.0, 10.0), (100.0, 0.0, 140.0, 40.0)


def answer(*rows: tuple[str, tuple[float, ...], float], names: tuple[str, ...] = NAMES) -> Detections:
    ordered = sorted(rows, key=lambda row: -row[2])
    return Detections(
        names,
        np.array([box for _, box, _ in ordered], np.float32).reshape(-1, 4),
        np.array([score for *_, score in ordered], np.float32),
        np.array([names.index(label) for label, *_ in ordered], np.int64),
    )


def computed(predictions: list[Detections], targets: list[Boxes], **options: Any) -> dict[str, Any]:
    meter = DetectMeter(NAMES, **options)
    meter.update(predictions, targets)
    told = meter.compute()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    return told


def test_all_right() -> None:
    told = computed(
        [answer(("cat", A, 0.9), ("dog", B, 0.8)), answer()], [(Box("cat", A), Box("dog", B)), ()]
    )
    assert told["ap50"] == told["ap75"] == told["ap"] == told["ar_100"] == 1
    assert told["ap50_interval"] == [1, 1]
    assert (told["ap_small"], told["ap_medium"], told["ap_large"]) == (1, 1, None)
    assert (told["precision"], told["recall"], told["f1"], told["best_f1"]) == (1, 1, 1, 1)
    assert told["best_f1_score"] == pytest.approx(0.8)
    assert (told["pictures"], told["objects"], told["detections"]) == (2, 2, 2)
    assert told["per_class"]["fox"] == {
        **dict.fromkeys(("ap50", "ap75", "ap", "precision", "recall", "f1")),
        "objects": 0,
        "answers": 0,
    }
    assert told["confusion"]["names"] == ["cat", "dog", "fox", "background"]
    assert told["confusion"]["counts"] == [[1, 0, 0, 0], [0, 1, 0, 0], [0] * 4, [0] * 4]
    assert told["curves"]["precision50"] == {"cat": [1] * 101, "dog": [1] * 101, "fox": None}
    assert told["curves"]["recall"][:3] == [0, 0.01, 0.02]
    assert all(one == {"count": 0, "dAP50": 0} for one in told["errors"].values())
    assert told["calibration"]["answers"] == [1, 1]
    assert told["ece"] == pytest.approx(0.15)


def test_what_is_wrong_and_from_which_score() -> None:
    told = computed(
        [answer(("cat", A, 0.9), ("dog", A, 0.6), ("cat", B, 0.5), ("dog", (300, 0, 310, 9), 0.2))],
        [(Box("cat", A), Box("dog", B))],
        score_from=0.5,
    )
    assert (told["precision"], told["recall"]) == (pytest.approx(1 / 3), 0.5)
    assert told["per_class"]["dog"]["precision"] == 0
    assert told["errors"]["class"]["count"] == 2
    assert told["errors"]["background"]["count"] == 1
    assert told["most_confused"] == [
        {"truth": "dog", "answer": "cat", "count": 1},
        {"truth": "background", "answer": "dog", "count": 1},
    ]
    assert told["score_from"] == 0.5


def test_a_threshold_counts_as_detections_do() -> None:
    found = answer(("cat", A, 0.7))  # float32: a little less than 0.7
    assert len(found.above(0.7)) == 1
    assert computed([found], [(Box("cat", A),)], score_from=0.7)["recall"] == 1


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize(
    ("predictions", "targets", "ap50"),
    [
        ([], [], None),
        ([answer()], [()], None),
        ([answer(("cat", A, 0.9))], [()], None),
        ([answer()], [(Box("cat", A),)], 0.0),
        ([answer(("cat", A, 0.9))], [(Box("cat", A, crowd=True),)], None),
        ([answer(("cat", B, 0.9))], [(Box("cat", A, difficult=True), Box("cat", A))], 0.0),
    ],
)
def test_where_something_is_missing(
    predictions: list[Detections], targets: list[Boxes], ap50: float | None, full: bool
) -> None:
    told = computed(predictions, targets, full=full)
    assert told["ap50"] == ap50
    assert told["pictures"] == len(targets)


def test_difficult_objects_and_crowds_are_neither_right_nor_wrong() -> None:
    told = computed(
        [answer(("cat", A, 0.9), ("cat", B, 0.8))], [(Box("cat", A), Box("cat", B, difficult=True))]
    )
    assert (told["objects"], told["ap50"], told["precision"]) == (1, 1, 1)


def test_batches_and_their_order_of_classes_do_not_matter() -> None:
    first = answer(("dog", B, 0.8), ("cat", A, 0.3), names=("dog", "cat"))
    second = answer(("cat", A, 0.9))
    truth: list[Boxes] = [(Box("cat", A), Box("dog", B)), (Box("fox", A),)]
    meter = DetectMeter(NAMES)
    meter.update([first], truth[:1])
    meter.update([], [])
    meter.update([second], truth[1:])
    told = meter.compute()
    assert told == computed([first, second], truth)
    assert told["per_class"]["dog"]["ap50"] == 1


def test_short_is_the_numbers_of_full() -> None:
    args = [answer(("cat", A, 0.9), ("dog", A, 0.6))], [(Box("cat", A), Box("dog", B))]
    short, full = computed(*args, full=False), computed(*args)
    assert next(iter(short)) == "ap50"
    assert all(value is None or isinstance(value, int | float) for value in short.values())
    assert short == {key: full[key] for key in short}


def test_an_unknown_class_is_named() -> None:
    with pytest.raises(UnknownNameError, match="cow"):
        computed([answer()], [(Box("cow", A),)])


def test_turned_boxes_are_judged_by_their_angle() -> None:
    truth: list[Boxes] = [(Box("cat", (0, 15, 40, 25), angle_deg=90.0),)]
    upright = answer(("cat", (15, -5, 25, 45), 0.9))
    turned = Detections(
        NAMES,
        np.array([[0, 15, 40, 25]], np.float32),
        np.array([0.9], np.float32),
        np.array([0]),
        angles_deg=np.array([90.0], np.float32),
    )
    assert computed([turned], truth, oriented=True)["ap"] == 1
    assert computed([upright], truth, oriented=True)["ap50"] == 1  # 40 of 50
    assert computed([upright], truth, oriented=True)["ap"] < 1
    assert computed([upright], truth)["ap50"] == 0  # without angles


def test_many_classes_have_no_matrix_but_their_greatest_confusions() -> None:
    names = tuple(str(number) for number in range(101))
    meter = DetectMeter(names)
    meter.update([answer(("1", A, 0.9), names=names)], [(Box("0", A),)])
    told = meter.compute()
    assert told["confusion"]["counts"] is None
    assert told["most_confused"] == [{"truth": "0", "answer": "1", "count": 1}]


def bccd(root: Path) -> list[Boxes]:
    found = []
    for key in (root / "bccd/ImageSets/Main/val.txt").read_text().split():
        tree = ET.parse(root / "bccd/Annotations" / f"{key}.xml")
        rows = []
        for one in tree.iter("object"):
            sides = [
                float(one.findtext(f"bndbox/{side}", "")) for side in ("xmin", "ymin", "xmax", "ymax")
            ]
            rows.append(Box(one.findtext("name", ""), (sides[0], sides[1], sides[2], sides[3])))
        found.append(tuple(rows))
    return found


def jittered(targets: list[Boxes], names: tuple[str, ...]) -> list[Detections]:
    rng, found = np.random.default_rng(5), []
    for boxes in targets:
        truth = np.array([box.box_xyxy for box in boxes])
        rows = rng.integers(0, len(boxes), 120)
        size = np.tile(np.maximum(truth[rows, 2:] - truth[rows, :2], 1), 2)
        moved = truth[rows] + rng.normal(0, 0.12, (120, 4)) * size
        moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2])
        labels = np.array([names.index(boxes[row].label) for row in rows])
        labels[rng.random(120) < 0.1] = 0
        scores = np.round(-np.sort(-rng.random(120)), 2).astype(np.float32)
        found.append(Detections(names, moved.astype(np.float32), scores, labels.astype(np.int64)))
    return found


@pytest.mark.realdata
def test_equals_pycocotools_on_blood_cells(real_data: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco").COCO
    evaluation = pytest.importorskip("pycocotools.cocoeval").COCOeval
    names, targets = ("Platelets", "RBC", "WBC"), bccd(real_data)
    predictions = jittered(targets, names)
    truth, found = [], []
    for number, (boxes, one) in enumerate(zip(targets, predictions, strict=True)):
        for box in boxes:
            x0, y0, x1, y1 = box.box_xyxy
            row = {"id": len(truth) + 1, "image_id": number, "category_id": names.index(box.label)}
            area = (x1 - x0) * (y1 - y0)
            truth.append(row | {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": area, "iscrowd": 0})
        for (x0, y0, x1, y1), score, label in zip(
            one.boxes_xyxy.astype(float), one.scores.tolist(), one.labels.tolist(), strict=True
        ):
            box = [x0, y0, x1 - x0, y1 - y0]
            found.append({"image_id": number, "category_id": label, "bbox": box, "score": score})
    with contextlib.redirect_stdout(io.StringIO()):
        known = coco()
        known.dataset = {
            "info": {},
            "images": [{"id": number} for number in range(len(targets))],
            "categories": [{"id": number, "name": name} for number, name in enumerate(names)],
            "annotations": truth,
        }
        known.createIndex()
        tried = evaluation(known, known.loadRes(found), "bbox")
        tried.evaluate()
        tried.accumulate()
        tried.summarize()
    meter = DetectMeter(names)
    meter.update(predictions, targets)
    told = meter.compute()
    keys = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "ar_1", "ar_10", "ar_100")
    np.testing.assert_allclose([told[key] for key in keys], tried.stats[:9], rtol=0, atol=1e-6)
    table = tried.eval["precision"]
    for number, name in enumerate(names):
        mine = told["per_class"][name]
        whole = [table[:, :, number, 0, 2].mean(), *table[[0, 5], :, number, 0, 2].mean(axis=1)]
        np.testing.assert_allclose([mine["ap"], mine["ap50"], mine["ap75"]], whole, atol=1e-6)
        curve = told["curves"]["precision50"][name]
        np.testing.assert_allclose(curve, table[0, :, number, 0, 2], atol=1e-5)


@pytest.mark.realdata
def test_blood_cells_take_far_less_than_a_second(real_data: Path) -> None:
    names, targets = ("Platelets", "RBC", "WBC"), bccd(real_data)
    predictions, taken = jittered(targets, names), []
    for _ in range(3):
        began = time.process_time()
        meter = DetectMeter(names)
        meter.update(predictions, targets)
        meter.compute()
        taken.append(time.process_time() - began)
    assert min(taken) < 0.5
