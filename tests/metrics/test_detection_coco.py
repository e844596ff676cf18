from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.metrics.detection import matching
from striate.metrics.detection.precision import average, interpolated, measure
from striate.metrics.detection.tables import Found, Truth, overlaps, sort_found, sort_truth
from striate.types import Array


@dataclass(frozen=True)
class Scene:
    """Truths and answers of some pictures, unsorted."""

    pictures: int
    classes: int
    truth: tuple[Array, Array, Array, Array]  # pictures, labels, boxes, crowd
    found: tuple[Array, Array, Array, Array]  # pictures, labels, boxes, scores


def make_scene(
    seed: int,
    *,
    pictures: int = 12,
    classes: int = 3,
    objects: int = 60,
    answers: int = 300,
    crowd: float = 0.1,
    ties: int | None = None,
) -> Scene:
    """Answers scattered about the objects, of many sizes; with `ties`, so many different scores, and
    boxes on whole pixels, so that overlaps tie too."""
    rng = np.random.default_rng(seed)
    where = rng.integers(0, pictures, objects)
    labels = rng.integers(0, classes, objects)
    corner, size = rng.uniform(0, 300, (objects, 2)), rng.lognormal(3.6, 0.9, (objects, 2))
    source = rng.integers(0, max(objects, 1), answers if objects else 0)
    noise = rng.normal(0, 0.15, (len(source), 4))
    moved = corner[source] + noise[:, :2] * size[source]
    grown = size[source] * np.exp(noise[:, 2:])
    swapped = np.where(
        rng.random(len(source)) < 0.8, labels[source], rng.integers(0, classes, len(source))
    )
    scores = rng.random(len(source))
    if ties:
        scores = np.round(scores * ties) / ties
        corner, size, moved, grown = (np.round(one) for one in (corner, size, moved, grown))
    truth = np.concatenate([corner, corner + size], axis=1).astype(np.float32)
    found = np.concatenate([moved, moved + grown], axis=1).astype(np.float32)
    return Scene(
        pictures,
        classes,
        (where, labels, truth, rng.random(objects) < crowd),
        (where[source], swapped, found, scores.astype(np.float32)),
    )


def tables(scene: Scene) -> tuple[Found, Truth]:
    return sort_found(*scene.found), sort_truth(*scene.truth)


def coco_tables(scene: Scene) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The same in COCO's form."""

    def wh(box: Array) -> list[float]:
        x0, y0, x1, y1 = (float(side) for side in box)
        return [x0, y0, x1 - x0, y1 - y0]

    rows = [
        {
            "id": number + 1,
            "image_id": int(picture) + 1,
            "category_id": int(label) + 1,
            "bbox": wh(box),
            "area": wh(box)[2] * wh(box)[3],
            "iscrowd": int(crowd),
        }
        for number, (picture, label, box, crowd) in enumerate(zip(*scene.truth, strict=True))
    ]
    truth = {
        "info": {},
        "images": [{"id": number + 1} for number in range(scene.pictures)],
        "categories": [{"id": number + 1, "name": str(number)} for number in range(scene.classes)],
        "annotations": rows,
    }
    found = [
        {
            "image_id": int(picture) + 1,
            "category_id": int(label) + 1,
            "bbox": wh(box),
            "score": float(score),
        }
        for picture, label, box, score in zip(*scene.found, strict=True)
    ]
    return truth, found


def reference(scene: Scene, package: str) -> tuple[Array, Array]:
    """COCO's twelve numbers, and its table of precision (T, 101, K, A, M), with −1 as NaN."""
    if package == "pycocotools":
        coco = pytest.importorskip("pycocotools.coco").COCO
        evaluation = pytest.importorskip("pycocotools.cocoeval").COCOeval
    else:
        module = pytest.importorskip("faster_coco_eval")
        coco, evaluation = module.COCO, module.COCOeval_faster
    truth, found = coco_tables(scene)
    with contextlib.redirect_stdout(io.StringIO()):
        known = coco()
        known.dataset = truth
        known.createIndex()
        tried = evaluation(known, known.loadRes(found), "bbox")
        tried.evaluate()
        tried.accumulate()
        tried.summarize()
    stats, table = np.array(tried.stats[:12], float), np.array(tried.eval["precision"], float)
    return np.where(stats < 0, np.nan, stats), np.where(table < 0, np.nan, table)


def ours(scene: Scene) -> tuple[Array, Array]:
    found, truth = tables(scene)
    pairs = overlaps(found, truth, floor=0.5)
    measured = measure(found, truth, matching.match(found, truth, pairs), scene.classes)
    table = measured.precision
    stats = [
        average(table[..., 0]),
        average(table[0, ..., 0]),
        average(table[5, ..., 0]),
        *(average(table[..., size]) for size in (1, 2, 3)),
        *(average(measured.recall_of_few[..., most]) for most in range(3)),
        *(average(measured.recall[..., size]) for size in (1, 2, 3)),
    ]
    return np.array(stats), table


def assert_equal(scene: Scene, package: str) -> None:
    stats, table = ours(scene)
    their_stats, their_table = reference(scene, package)
    np.testing.assert_allclose(stats, their_stats, rtol=0, atol=1e-6)
    # every class, threshold, size and recall
    np.testing.assert_allclose(table, their_table[..., 2], rtol=0, atol=1e-6)


HARD = {
    "plain": make_scene(1, crowd=0),
    "crowds": make_scene(2, crowd=0.4),
    "only crowds": make_scene(3, crowd=1),
    "ties": make_scene(4, ties=4),
    "one score": make_scene(5, ties=1),
    "over 100 of a class": make_scene(6, pictures=2, classes=2, objects=20, answers=900, ties=50),
    "many empty pictures": make_scene(7, pictures=200),
    "many classes": make_scene(8, classes=40, objects=90),
    "one object": make_scene(9, pictures=1, classes=1, objects=1, answers=5, crowd=0),
    "crowded picture": make_scene(10, pictures=1, classes=1, objects=300, answers=1000, ties=20),
}


@pytest.mark.parametrize("package", ["pycocotools", "faster_coco_eval"])
@pytest.mark.parametrize("name", HARD)
def test_equals_the_reference(name: str, package: str) -> None:
    assert_equal(HARD[name], package)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    pictures=st.integers(1, 6),
    classes=st.integers(1, 4),
    objects=st.integers(1, 25),
    answers=st.integers(1, 120),
    crowd=st.sampled_from([0.0, 0.3, 0.9]),
    ties=st.sampled_from([None, 1, 3, 10]),
)
def test_equals_pycocotools_on_anything(seed: int, **shape: Any) -> None:
    assert_equal(make_scene(seed, **shape), "pycocotools")


def test_an_object_without_area_is_missed() -> None:
    flat = np.array([[10, 10, 10, 30], [50, 50, 90, 90]], np.float32)
    zero, both = np.zeros(2, np.int64), np.zeros(2, bool)
    scene = Scene(1, 1, (zero, zero, flat, both), (zero, zero, flat, np.array([0.9, 0.8], np.float32)))
    assert_equal(scene, "pycocotools")


def test_order_of_pictures_and_answers_does_not_matter() -> None:
    scene, rng = make_scene(11), np.random.default_rng(0)
    mixed_truth, mixed = rng.permutation(60), rng.permutation(300)
    other = Scene(
        scene.pictures,
        scene.classes,
        tuple(column[mixed_truth] for column in scene.truth),  # type: ignore[arg-type]
        tuple(column[mixed] for column in scene.found),  # type: ignore[arg-type]
    )
    np.testing.assert_array_equal(ours(scene)[0], ours(other)[0])


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found, truth = tables(make_scene(12))
    whole = overlaps(found, truth, floor=0.1)
    monkeypatch.setattr("striate.metrics.detection.tables._CHUNK", 17)
    parts = overlaps(found, truth, floor=0.1)
    for one, other in ((whole.found, parts.found), (whole.truth, parts.truth), (whole.iou, parts.iou)):
        np.testing.assert_array_equal(one, other)


def test_precision_by_hand() -> None:
    # right, wrong, right of 4 objects: precision 1 up to recall 1/4, 2/3 up to 2/4, then nothing
    curve = interpolated(np.array([1, 0, 1], bool), np.ones(3, bool), 4)
    np.testing.assert_allclose(curve, [1.0] * 26 + [2 / 3] * 25 + [0.0] * 50)


def test_an_answer_that_does_not_count_costs_nothing() -> None:
    right, counted = np.array([0, 1], bool), np.array([0, 1], bool)
    np.testing.assert_allclose(interpolated(right, counted, 1), 1)
