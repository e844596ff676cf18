"""R-CNN's second stage: what is solved on fixed vectors of regions, and how often it looks."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from striate.engine.export import check_parity, write_graph
from striate.errors import SettingError
from striate.graphs import load_graph
from striate.ops.boxes import iou_xyxy
from striate.tasks.detect.config import DetectConfig
from striate.tasks.detect.methods import gathered
from striate.tasks.detect.methods.gathered import Regions, regions_of
from striate.tasks.detect.methods.margins import fit_machine, platt
from striate.tasks.detect.methods.regions import Rcnn
from striate.tasks.detect.methods.solved import ridge, solve_boxes, solve_classes
from striate.types import Array

MakeDetection = Callable[..., Any]
CPU = torch.device("cpu")


def ended(work: Generator[float, None, Any]) -> Any:
    """What a piece of work returns; the shares that it yields only rise, and stay within 1."""
    shares = [0.0]
    while True:
        try:
            shares.append(next(work))
        except StopIteration as end:
            assert shares == sorted(shares)
            assert shares[-1] <= 1
            return end.value


# -- a sigmoid for margins, a machine, a ridge ----------------------------------------------------------


def test_platt_finds_the_sigmoid_that_margins_were_drawn_by() -> None:
    rng = np.random.default_rng(0)
    margins = rng.normal(0, 2, 20_000)
    right = rng.random(20_000) < 1 / (1 + np.exp(-(1.7 * margins - 0.8)))
    assert platt(margins, right) == pytest.approx((1.7, -0.8), rel=0.06)


@pytest.mark.parametrize(
    ("margins", "right"),
    [([-1.0, 2.0], [True, True]), ([-1.0, 2.0], [False, False]), ([], []), ([3.0, -3.0], [False, True])],
    ids=["all", "none", "empty", "upside down"],
)
def test_platt_leaves_margins_alone_where_it_cannot_know(
    margins: list[float], right: list[bool]
) -> None:
    assert platt(np.array(margins), np.array(right, bool)) == (1.0, 0.0)


def test_platt_stays_finite_where_all_is_parted() -> None:
    slope, shift = platt(np.array([-2.0, -1.0, 1.0, 2.0]), np.array([False, False, True, True]))
    assert 0 < slope < 10
    assert abs(shift) < 1


def clouds(rng: np.random.Generator, good: int, bad: int) -> tuple[Array, Array]:
    """Vectors (R, 6), the first `good` of them around 2 in two dimensions, and which those are."""
    vectors = rng.normal(0, 1, (good + bad, 6)).astype(np.float32)
    vectors[:good, :2] += 3
    return vectors, np.arange(good + bad) < good


def test_a_machine_tells_objects_from_all_else() -> None:
    vectors, good = clouds(np.random.default_rng(1), 60, 7000)
    every = np.ones(len(vectors), bool)
    found = fit_machine(
        vectors, positives=good, likely=~every, negatives=~good, judged=every, right=good
    )
    scores = 1 / (1 + np.exp(-(vectors @ found.weight + found.bias)))
    assert found.rounds > 1  # 2 000 negatives were not there at first
    assert found.weight.dtype == np.float32
    assert scores[good].min() > np.median(scores[~good])
    assert scores[good].mean() > 0.6
    assert scores[~good].mean() < 0.01
    assert scores.sum() == pytest.approx(60, rel=0.15)  # scores are shares of right ones


def test_likely_regions_help_out_where_objects_are_few() -> None:
    vectors, good = clouds(np.random.default_rng(2), 40, 400)
    one = np.arange(len(vectors)) == 0
    every = np.ones(len(vectors), bool)

    def parted(likely: Array) -> float:
        machine = fit_machine(
            vectors, positives=one, likely=likely, negatives=~good, judged=every, right=good
        )
        margins = vectors @ machine.weight
        return float((margins[good][:, None] > margins[~good][None]).mean())

    assert parted(good) > parted(~every)
    nothing = fit_machine(
        vectors, positives=~every, likely=~every, negatives=every, judged=every, right=good
    )
    assert (nothing.weight == 0).all()
    assert 1 / (1 + np.exp(-nothing.bias)) < 1e-6


@pytest.mark.parametrize("shape", [(300, 5), (12, 40)], ids=["tall", "wide"])
def test_ridge_is_scikit_learns(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    vectors = (rng.normal(0, 3, shape) + 5).astype(np.float32)
    wanted = rng.normal(2, 1, (shape[0], 4))
    spread = vectors.std(axis=0)
    weight, bias = ridge(vectors, wanted, 0.1)
    reference = Ridge(alpha=0.1 * shape[0]).fit(vectors / spread, wanted)
    np.testing.assert_allclose(weight, reference.coef_ / spread, atol=2e-4)
    np.testing.assert_allclose(vectors @ weight.T + bias, reference.predict(vectors / spread), atol=2e-3)


def test_ridge_bears_constant_vectors() -> None:
    weight, bias = ridge(np.ones((6, 3), np.float32), np.arange(6.0)[:, None], 1e-4)
    np.testing.assert_allclose(weight, 0, atol=1e-6)
    np.testing.assert_allclose(bias, 2.5)


# -- vectors of regions ---------------------------------------------------------------------------------


def gathered_from(made: Any, **how: Any) -> tuple[Any, Regions]:
    module = made.network()
    return module, ended(regions_of(module, made.pixels, made.batch.targets, device=CPU, **how))


def test_with_little_time_evenly_fewer_regions_serve(
    make_detection: MakeDetection, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_detection("rcnn", (2, 0, 5, 1, 1, 3))
    clock = iter([0.0, 1.0])  # the pictures that are tried take a second: all of them, here
    monkeypatch.setattr(gathered, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    _, few = gathered_from(made, seconds=0.25)
    _, every = gathered_from(made)
    assert few.of == every.of == len(every)
    assert len(few) == pytest.approx(0.25 * len(every), abs=6)
    assert few.truth.any()
    kept = {tuple(one) for one in every.boxes_xyxy.tolist()}
    assert {tuple(one) for one in few.boxes_xyxy.tolist()} <= kept


def test_regions_are_objects_and_proposals(make_detection: MakeDetection) -> None:
    made = make_detection("rcnn", (2, 0, 5, 1, 1, 3))
    module, regions = gathered_from(made)
    proposals = made.batch.targets["proposals"].numpy()
    real = (proposals[..., 2:] > proposals[..., :2]).all(axis=2)
    assert len(regions) == regions.of == real.sum() + 12
    assert regions.truth.sum() == 12
    np.testing.assert_array_equal(regions.boxes_xyxy[2 : 2 + real[0].sum()], proposals[0][real[0]])
    np.testing.assert_array_equal(regions.boxes_xyxy[regions.truth], regions.nearest_xyxy[regions.truth])
    assert (regions.overlaps[regions.truth, regions.label[regions.truth]] > 0.999).all()
    empty = slice(2 + real[0].sum(), 2 + real[0].sum() + real[1].sum())
    assert (regions.label[empty] == -1).all()
    assert not regions.overlaps[empty].any()
    # five pictures have objects; the fifth is held out
    assert regions.held.sum() == real[5].sum() + 3
    assert regions.held[-1]
    row = 2 + 3
    truth, labels = made.batch.targets["boxes"][0].numpy(), made.batch.targets["labels"][0].numpy()
    shared = iou_xyxy(regions.boxes_xyxy[row : row + 1], truth[labels >= 0])[0]
    assert regions.overlaps[row].max() == pytest.approx(shared.max())
    with torch.no_grad():  # the vector is what the network sees of this region alone
        rois = torch.tensor([[0.0, *regions.boxes_xyxy[row]]])
        pictures = module.normalise(made.batch.pixels[:1])
        alone = module.head.vectors_of(module.backbone, pictures, rois).numpy()
    np.testing.assert_allclose(regions.vectors[row], alone[0], atol=1e-4)


def test_only_regions_near_objects_are_asked_for(make_detection: MakeDetection) -> None:
    _, regions = gathered_from(make_detection("rcnn", (2, 0, 5)), near_only=True)
    assert 7 <= len(regions) == len(regions.vectors)
    assert (regions.overlaps.max(axis=1) > 0.6).all()
    assert not regions.held.any()  # too few pictures to hold one out


def test_vectors_are_thinned_to_what_fits(
    make_detection: MakeDetection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathered, "_MOST_REGIONS", 60)
    made = make_detection("rcnn", (2, 1, 5), classifier="svm")
    module, regions = gathered_from(made)
    assert 60 <= len(regions) <= 66 < regions.of
    assert len(regions.vectors) == len(regions.overlaps) == len(regions.held) == len(regions)
    told = ended(made.recipe.finish(module, made.pixels, made.batch.targets, device=CPU))
    assert told[0].startswith(f"of {regions.of} regions")


def test_pictures_without_any_object_solve_nothing(make_detection: MakeDetection) -> None:
    made = make_detection("rcnn", (0, 0))
    module = made.network()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    assert ended(made.recipe.finish(module, made.pixels, made.batch.targets, device=CPU)) == []
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


# -- boxes ----------------------------------------------------------------------------------------------


def shifted(head: Rcnn, count: int = 60) -> Regions:
    """Regions of class 0 beside their objects, and vectors that tell by how much."""
    rng = np.random.default_rng(4)
    low = rng.uniform(5, 40, (count, 2))
    true_xyxy = np.concatenate([low, low + rng.uniform(15, 25, (count, 2))], 1).astype(np.float32)
    move = rng.uniform(-2, 2, (count, 2)).astype(np.float32)
    boxes = true_xyxy + np.tile(move, 2)
    with torch.no_grad():
        deltas = head.regions.box_coder.encode_single(
            torch.from_numpy(true_xyxy), torch.from_numpy(boxes)
        )
    vectors = np.zeros((count, head.shapes[0].channels), np.float32)
    vectors[:, :4] = deltas.numpy()
    overlaps = np.zeros((count, 3), np.float32)
    overlaps[:, 0] = 0.8
    flags = np.zeros(count, bool)
    return Regions(
        vectors,
        boxes,
        overlaps,
        true_xyxy,
        np.zeros(count, int),
        flags,
        np.arange(count) % 5 == 0,
        count,
    )


def test_boxes_are_solved_where_that_is_better(make_detection: MakeDetection) -> None:
    head = make_detection("rcnn").network().head
    regions, layer = shifted(head), head.regions.box_predictor.bbox_pred
    before = layer.weight.detach().clone()
    (told,) = solve_boxes(head, regions)
    assert "1 of 1 class" in told
    assert not torch.equal(layer.weight[4:8], before[4:8])
    others = [row for row in range(16) if row not in range(4, 8)]
    assert torch.equal(layer.weight[others], before[others])
    with torch.no_grad():
        deltas = layer(torch.from_numpy(regions.vectors))[:, 4:8]
        moved = head.regions.box_coder.decode_single(deltas, torch.from_numpy(regions.boxes_xyxy))
    np.testing.assert_allclose(moved.numpy(), regions.nearest_xyxy, atol=0.2)


def test_boxes_that_are_learnt_better_stay(make_detection: MakeDetection) -> None:
    head = make_detection("rcnn").network().head
    regions, layer = shifted(head), head.regions.box_predictor.bbox_pred
    with torch.no_grad():
        layer.weight[4:8], layer.bias[4:8] = 0.0, 0.0
        layer.weight[4:8, :4] = torch.eye(4)
    before = layer.weight.detach().clone()
    assert "no better" in solve_boxes(head, regions)[0]
    assert torch.equal(layer.weight, before)


def test_too_few_regions_leave_boxes_as_they_are(make_detection: MakeDetection) -> None:
    head = make_detection("rcnn").network().head
    few = shifted(head, 18)
    assert "too few" in solve_boxes(head, few)[0]
    nothing_held = replace(shifted(head), held=np.zeros(60, bool))
    assert "too few" in solve_boxes(head, nothing_held)[0]


# -- classes, and the whole -----------------------------------------------------------------------------


def test_machines_take_the_place_of_the_softmax(make_detection: MakeDetection, tmp_path: Path) -> None:
    made = make_detection("rcnn", (3, 0, 5), classifier="svm")
    module = made.network().eval()
    with torch.no_grad():
        logits = torch.tensor([[0.0, 1.0, -1.0, 2.0]])
        torch.testing.assert_close(module.head.scores(logits), logits.softmax(dim=1))
    told = ended(made.recipe.finish(module, made.pixels, made.batch.targets, device=CPU))
    assert any("support vector machines for 3 classes" in one for one in told)
    torch.testing.assert_close(module.head.scores(logits), logits.sigmoid())
    with torch.no_grad():  # what an untrained network sees is nearly the same everywhere: tell it apart
        layer = module.head.regions.box_predictor.cls_score
        layer.weight.normal_(std=60.0)
        seen = made.recipe.outputs(module, made.batch.pixels, made.more())["region_scores"].numpy()
    assert ((seen >= 0) & (seen <= 1)).all()
    assert np.ptp(seen[:, :20]) > 0.3
    source, path = made.recipe.graphs(module)["main"], tmp_path / "main.onnx"
    write_graph(source, path, input_hw=(64, 96), metadata={})
    check_parity(made.recipe, source, path, made.pixels)  # raises where they differ
    told_by_graph = load_graph(path)(made.recipe.feeds(made.pixels))["region_scores"]
    np.testing.assert_allclose(told_by_graph[:, :500], seen[:, :500], atol=1e-3)  # of the first look
    fresh = made.network(seed=1).eval()
    fresh.load_state_dict(module.state_dict())  # that machines were fitted is in the weights
    assert float(fresh.head.fitted) == 1.0


def test_machines_rank_right_regions_first(make_detection: MakeDetection) -> None:
    head = make_detection("rcnn", classifier="svm").network().head
    rng = np.random.default_rng(5)
    count, width = 900, head.shapes[0].channels
    label = rng.integers(-1, 3, count)
    vectors = rng.normal(0, 1, (count, width)).astype(np.float32)
    overlaps = np.zeros((count, 3), np.float32)
    for one in range(3):
        vectors[label == one, one] += 8
        overlaps[label == one, one] = 0.9
    boxes = np.tile(np.array([0, 0, 9, 9], np.float32), (count, 1))
    held = np.arange(count) % 5 == 0
    regions = Regions(vectors, boxes, overlaps, boxes, label, label >= 0, held, count)
    ended(solve_classes(head, regions))
    with torch.no_grad():
        logits = head.regions.box_predictor.cls_score(torch.from_numpy(vectors))
        scores = head.scores(logits)[:, 1:].numpy()
    assert (scores[label >= 0].argmax(axis=1) == label[label >= 0]).mean() > 0.99
    assert scores[label == -1].max(axis=1).mean() < 0.1


def test_the_softmax_stays_as_trained(make_detection: MakeDetection) -> None:
    made = make_detection("rcnn", (3, 2, 1, 2, 4))
    module = made.network()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    ended(made.recipe.finish(module, made.pixels, made.batch.targets, device=CPU))
    changed = {
        name for name, value in module.state_dict().items() if not torch.equal(value, before[name])
    }
    assert all("bbox_pred" in name for name in changed)


def test_other_methods_have_no_second_stage(make_detection: MakeDetection) -> None:
    made = make_detection("fast-rcnn")
    assert ended(made.recipe.finish(made.network(), made.pixels, made.batch.targets, device=CPU)) == []


# -- looks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("looks", [1, 2, 4])
def test_later_looks_see_where_boxes_were_moved_to(make_detection: MakeDetection, looks: int) -> None:
    made = make_detection("rcnn", looks=looks)
    assert made.recipe.known.looks == looks
    module = made.network().eval()
    with torch.no_grad():
        found = made.recipe.outputs(module, made.batch.pixels, made.more())
    assert found["regions"].shape == (3, 500 + 50 * (looks - 1), 4)
    for look in range(1, looks):
        before = slice(0, 500) if look == 1 else slice(450 + 50 * (look - 1), 450 + 50 * look)
        now = slice(450 + 50 * look, 500 + 50 * look)
        best, label = found["region_scores"][0, before].max(dim=1)
        moved = found["region_boxes"][0, before][best.topk(50).indices, label[best.topk(50).indices]]
        torch.testing.assert_close(found["regions"][0, now], moved)


def test_choices_that_cannot_be_are_refused() -> None:
    for name, value in (("classifier", "forest"), ("looks", 0), ("looks", 6)):
        with pytest.raises(SettingError, match=name):
            DetectConfig.parse({name: value})
