"""Part models as the graph of a detector: the same answers as the search in NumPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest

from striate.features.parts import Component, Effort, PartsModel, PartsSettings, train_parts
from striate.features.parts.cells import DEPTH, cells
from striate.features.parts.graph import Pyramid, write_cells, write_fits
from striate.features.parts.layout import bare, silent, with_parts
from striate.features.parts.search import fit, levels
from striate.features.vectors.resized import write_resized
from striate.features.vectors.writer import GraphWriter
from striate.graphs import OnnxGraph
from striate.pictures import resize
from striate.tasks.detect.agreement import detection_differences
from striate.tasks.detect.config import DetectFacts, Nms
from striate.tasks.detect.parts import Pace, objects_by_class, rehearsed
from striate.tasks.detect.parts_graph import (
    ClassParts,
    found_by_numpy,
    score_of,
    write_parts_graph,
)
from striate.types import Array, Picture

SIZE_HW = (72, 104)


def noise(size_hw: tuple[int, int], seed: int) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (*size_hw, 3), dtype=np.uint8)


def flat_with_edges(size_hw: tuple[int, int]) -> Picture:
    """Large areas of one colour, where one wrong bit would be a gradient."""
    picture = np.full((*size_hw, 3), (200, 180, 90), np.uint8)
    picture[size_hw[0] // 3 :, size_hw[1] // 2 :] = (20, 60, 200)
    return picture


def component(size: tuple[int, int], parts: int, seed: int) -> Component:
    """Filters of noise whose scores are about -1 to 1."""
    rng = np.random.default_rng(seed)
    cut = with_parts(
        replace(bare(size), root=rng.normal(0, 0.3, (*size, DEPTH)).astype(np.float32)), parts
    )
    prices = rng.uniform((-0.05, 0.01, -0.05, 0.01), (0.05, 0.1, 0.05, 0.1), (parts, 4))
    return replace(
        cut,
        parts=rng.normal(0, 0.15, cut.parts.shape).astype(np.float32),
        prices=prices.astype(np.float32),
        corners=rng.normal(0, 0.05, cut.corners.shape).astype(np.float32),
        bias=-0.3,
    )


def class_parts(label: int, seed: int, *, parts: int = 3, views: int = 2) -> ClassParts:
    """Two views of different shape."""
    every = tuple(component((4 + view, 5 - view), parts, seed + view) for view in range(views))
    model = PartsModel(f"kind {label}", every, (("",) * parts,) * views, 1.0)
    return ClassParts(label, model, (1.0, 0.75, 0.5))


def facts(nms: Nms = "per-class", *, most: int = 60, threshold: float = 0.3) -> DetectFacts:
    return DetectFacts(
        method="parts",
        model="hog-parts",
        names=("ant", "bee"),
        size_hw=SIZE_HW,
        nms=nms,
        max_detections=most,
        score_threshold=threshold,
    )


def run_one(graph: GraphWriter, value: str, shape: tuple[int, ...], picture: Picture) -> Array:
    made = graph.model_of_each({"out": (value, np.float32, shape)})
    found: Array = OnnxGraph(made)({"pictures": picture[None]})["out"][0]
    return found


@pytest.mark.parametrize("to_hw", [(72, 104), (144, 208), (97, 131), (40, 59), (13, 18)])
def test_pictures_are_resized_to_the_last_bit(to_hw: tuple[int, int]) -> None:
    graph = GraphWriter(SIZE_HW)
    whole = graph.add("Cast", [graph.planes()], {"to": 6})
    made = graph.add("Cast", [write_resized(graph, whole, SIZE_HW, to_hw)], {"to": 1})
    graph_of_all = OnnxGraph(graph.model_of_each({"out": (made, np.float32, (1, 3, *to_hw))}))
    pictures = np.stack([noise(SIZE_HW, 1), flat_with_edges(SIZE_HW)])
    for picture, found in zip(pictures, graph_of_all({"pictures": pictures})["out"], strict=True):
        assert (found[0].transpose(1, 2, 0) == resize(picture, to_hw)).all()


def test_a_sixth_is_the_smallest() -> None:
    graph = GraphWriter(SIZE_HW)
    with pytest.raises(ValueError, match="sixth"):
        write_resized(graph, "any", SIZE_HW, (8, 10))


@pytest.mark.parametrize("size_hw", [SIZE_HW, (8, 8), (17, 83)])
def test_cells_are_those_of_numpy(size_hw: tuple[int, int]) -> None:
    for picture in (noise(size_hw, 2), flat_with_edges(size_hw)):
        graph = GraphWriter(size_hw)
        made = write_cells(graph, graph.planes(), size_hw)
        shape = (1, DEPTH, size_hw[0] // 8, size_hw[1] // 8)
        found = run_one(graph, made, shape, picture)[0]
        np.testing.assert_allclose(found.transpose(1, 2, 0), cells(picture), atol=2e-6)


@pytest.mark.parametrize("parts", [0, 3])
def test_every_place_scores_as_in_numpy(parts: int) -> None:
    model = class_parts(0, 5, parts=parts).model
    picture, scales = noise(SIZE_HW, 3), (1.3, 0.8, 0.5)
    graph = GraphWriter(SIZE_HW)
    scores, boxes, count = write_fits(Pyramid(graph), model.components, scales)
    found = OnnxGraph(
        graph.model_of_each(
            {"scores": (scores, np.float32, (count,)), "boxes": (boxes, np.float32, (4, count))}
        )
    )({"pictures": picture[None]})
    fits = [
        fit(level, one) for level in levels(picture, scales, parts=parts > 0) for one in model.components
    ]
    wanted = np.concatenate([one.total.ravel() for one in fits])
    np.testing.assert_allclose(found["scores"][0], wanted, atol=2e-5)
    places = [[axis.ravel() for axis in np.indices(one.total.shape)] for one in fits]
    corners = np.concatenate([one.objects(*at) for one, at in zip(fits, places, strict=True)])
    np.testing.assert_allclose(found["boxes"][0].T, corners, atol=1e-3)


def test_the_graph_answers_as_detect_parts() -> None:
    about = facts()
    models = [class_parts(0, 11), class_parts(1, 21)]
    graph = OnnxGraph(write_parts_graph(models, about))
    pictures = np.stack([noise(SIZE_HW, seed) for seed in range(3)])
    answers = graph({"pictures": pictures})
    assert {name: array.shape for name, array in answers.items()} == {
        "boxes": (3, 60, 4),
        "scores": (3, 60),
        "labels": (3, 60),
    }
    assert (np.diff(answers["scores"], axis=1) <= 0).all()
    for row, picture in enumerate(pictures):
        own = found_by_numpy(models, picture, about)
        assert (own["scores"] > 0).sum() > 5
        assert set(own["labels"][own["scores"] > 0].tolist()) == {0, 1}
        one = {name: array[row : row + 1] for name, array in answers.items()}
        apart = detection_differences(own, one, about)
        assert apart["unpaired"] == 0
        assert apart["scores"] < 1e-3
        assert apart["boxes"] * max(SIZE_HW) < 0.5


def test_an_empty_answer_and_no_picture() -> None:
    graph = OnnxGraph(write_parts_graph([class_parts(1, 11)], facts(threshold=0.99, most=7)))
    answers = graph({"pictures": flat_with_edges(SIZE_HW)[None]})
    assert (answers["scores"] == 0).all()
    assert answers["boxes"].shape == (1, 7, 4)


def test_settling_overlaps() -> None:
    picture = noise(SIZE_HW, 8)[None]
    twins = [replace(class_parts(0, 11), label=label) for label in (0, 1)]
    counts = {}
    kinds: tuple[Nms, ...] = ("per-class", "agnostic", "soft")
    for nms in kinds:
        graph = OnnxGraph(write_parts_graph(twins, facts(nms, most=300)))
        counts[nms] = int((graph({"pictures": picture})["scores"] > 0).sum())
    assert counts["per-class"] == 2 * counts["agnostic"]  # twins overlap wholly
    assert counts["soft"] > counts["per-class"]


def test_scores_are_one_half_where_a_model_says_yes() -> None:
    assert score_of(np.array([0.0])).tolist() == [0.5]
    assert (np.diff(score_of(np.linspace(-3, 3, 9))) > 0).all()


def test_classes_with_too_few_objects_are_left_out() -> None:
    boxes = np.tile(np.array([10.0, 10, 40, 40]), (5, 2, 1))
    labels = np.array([[0, 1], [0, -1], [0, -1], [0, -1], [1, -1]])
    boxes[1, 0] = (10, 10, 12, 40)  # too thin to show parts
    found = objects_by_class(boxes, labels, facts())
    assert found == []
    boxes[1, 0] = (10, 10, 30, 40)
    (one,) = objects_by_class(boxes, labels, facts())
    assert (one.label, one.name, len(one.every)) == (0, "ant", 4)


def test_pace_follows_the_time() -> None:
    boxes = np.tile(np.array([20.0, 20, 60, 56]), (40, 1, 1))
    (one,) = objects_by_class(boxes, np.zeros((40, 1), np.int64), facts())
    pixels = [noise(SIZE_HW, seed) for seed in range(40)]
    model = rehearsed(one, facts(), enlarge=1.0, interval=2)
    assert max(model.scales) <= 1.0 * 2**0.5
    free = Pace.of(one, pixels, model, seconds=None, enlarge=1.0, threads=1)
    assert (free.objects, free.pictures, free.rounds) == (40, 40, 3)
    hurried = Pace.of(one, pixels, model, seconds=0.0, enlarge=1.0, threads=1)
    assert (hurried.objects, hurried.pictures, hurried.rounds) == (24, 6, 1)


def test_effort_ends_early_with_a_model_that_is_whole() -> None:
    pictures = []
    boxes = []
    for seed in range(8):
        picture = noise(SIZE_HW, seed) // 8 + 100
        picture[20:52, 24:64] = 220
        pictures.append(picture.astype(np.uint8))
        boxes.append(np.array([[24.0, 20, 64, 52]]))
    settings = PartsSettings(parts=2, cells=20, rounds=1, enlarge=1.0)
    effort = Effort(objects=6, pictures=3, done=lambda: True)
    model = train_parts(pictures, boxes, settings=settings, effort=effort)
    assert model.parts == 2
    assert not model.components[0].parts.any()  # nothing was learnt of them
    assert model.components[0].root.any()
    still = silent(component((4, 4), 2, 1))
    level = next(levels(pictures[0], [1.0], parts=True))
    seen = fit(level, still)
    assert not seen.dx.any()
    assert not seen.parts.any()


def test_the_file_holds_one_scan() -> None:
    made = onnx.load_from_string(write_parts_graph([class_parts(0, 1)], facts()))
    assert [node.op_type for node in made.graph.node] == ["Scan"]
