"""Suppression inside the graph, against torchvision's and as ONNX Runtime carries it out."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.ops import batched_nms

from striate.graphs import load_graph
from striate.tasks.detect.suppress import best_of


def draw(batch: int, places: int, classes: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Boxes in clusters, so that many overlap, and scores of which no two are equal."""
    generator = torch.Generator().manual_seed(seed)
    middle = torch.randint(0, 6, (batch, places, 2), generator=generator) * 20.0 + 10
    middle += torch.randn(batch, places, 2, generator=generator) * 4
    half = 8 + 6 * torch.rand(batch, places, 2, generator=generator)
    scores = torch.randperm(batch * places * classes, generator=generator).float()
    scores = (scores + 0.5) / scores.numel()
    return torch.cat([middle - half, middle + half], dim=2), scores.view(batch, places, classes)


def expected(
    boxes: Tensor,
    scores: Tensor,
    *,
    most: int,
    iou_threshold: float,
    score_threshold: float,
    agnostic: bool = False,
) -> list[tuple[float, int, tuple[float, ...]]]:
    """What stays of one picture (N, 4), (N, K), by torchvision: (score, label, box), best first."""
    places, classes = scores.shape
    labels = torch.arange(classes).expand(places, classes).flatten()
    rows = torch.arange(places)[:, None].expand(places, classes).flatten()
    flat = scores.flatten()
    if agnostic:
        real = (scores == scores.amax(dim=1, keepdim=True)).flatten() & (flat > score_threshold)
    else:
        real = flat > score_threshold
    labels, rows, flat = labels[real], rows[real], flat[real]
    groups = torch.zeros_like(labels) if agnostic else labels
    kept = batched_nms(boxes[rows], flat, groups, iou_threshold)[:most]
    return [(float(flat[i]), int(labels[i]), tuple(boxes[rows[i]].tolist())) for i in kept.tolist()]


def told(found: tuple[Any, Any, Any], row: int) -> list[tuple[float, int, tuple[float, ...]]]:
    boxes, scores, labels = (np.asarray(one[row]) for one in found)
    real = scores > 0
    return [
        (float(score), int(label), tuple(box.tolist()))
        for box, score, label in zip(boxes[real], scores[real], labels[real], strict=True)
    ]


def assert_same(
    ours: list[tuple[float, int, tuple[float, ...]]],
    theirs: list[tuple[float, int, tuple[float, ...]]],
) -> None:
    assert [one[1] for one in ours] == [one[1] for one in theirs]
    np.testing.assert_allclose([one[0] for one in ours], [one[0] for one in theirs], atol=1e-6)
    for (_, _, one), (_, _, other) in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


RULES: dict[str, dict[str, Any]] = {
    "usual": {"most": 100, "iou_threshold": 0.5, "score_threshold": 0.02},
    "strict": {"most": 100, "iou_threshold": 0.1, "score_threshold": 0.6},
    "lenient": {"most": 300, "iou_threshold": 0.9, "score_threshold": 0.0},
    "few": {"most": 5, "iou_threshold": 0.5, "score_threshold": 0.02},
    "agnostic": {"most": 100, "iou_threshold": 0.5, "score_threshold": 0.02, "agnostic": True},
}


@pytest.mark.parametrize("classes", [1, 4])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_what_stays_is_what_torchvision_keeps(rule: dict[str, Any], classes: int) -> None:
    boxes, scores = draw(3, 90, classes)
    found = best_of(boxes, scores, **rule)
    most = min(rule["most"], 90 * classes)
    assert [one.shape for one in found] == [(3, most, 4), (3, most), (3, most)]
    assert found[2].dtype == torch.int64
    for row in range(3):
        assert_same(told(found, row), expected(boxes[row], scores[row], **rule))
        assert (found[1][row].diff() <= 0).all()


def test_rows_that_are_left_over_are_zero() -> None:
    boxes, scores = draw(2, 30, 2)
    found, best, _ = best_of(boxes, scores, most=50, iou_threshold=0.2, score_threshold=0.5)
    free = best == 0
    assert free.any()
    assert (found[free] == 0).all()
    assert (best[~free] > 0.5).all()


def test_nothing_above_the_threshold_is_nothing() -> None:
    boxes, scores = draw(2, 30, 2)
    found, best, labels = best_of(boxes, scores * 0.1, most=10, iou_threshold=0.5, score_threshold=0.2)
    assert not best.any()
    assert not found.any()
    assert labels.shape == (2, 10)


def test_only_the_likeliest_places_are_considered() -> None:
    boxes, scores = draw(2, 200, 3)
    few = best_of(boxes, scores, most=50, iou_threshold=0.5, score_threshold=0.0, considered=40)
    for row in range(2):
        rows = scores[row].amax(dim=1).topk(40).indices
        rule = {"most": 50, "iou_threshold": 0.5, "score_threshold": 0.0}
        assert_same(told(few, row), expected(boxes[row, rows], scores[row, rows], **rule))


def test_equal_boxes_leave_one_and_touching_ones_both() -> None:
    boxes = torch.tensor([[[0, 0, 10, 10], [0, 0, 10, 10], [10, 0, 20, 10], [5, 5, 5, 5]]]).float()
    scores = torch.tensor([[[0.9], [0.8], [0.7], [0.6]]])
    found = best_of(boxes, scores, most=4, iou_threshold=0.5, score_threshold=0.1)
    assert [round(one[0], 3) for one in told(found, 0)] == [0.9, 0.7, 0.6]


class Suppressing(nn.Module):
    def __init__(self, **rule: Any) -> None:
        super().__init__()
        self.rule = rule

    def forward(self, boxes: Tensor, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return best_of(boxes, scores, **self.rule)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_exported_graph_keeps_the_same(rule: dict[str, Any], tmp_path: Path) -> None:
    module, path = Suppressing(**rule, considered=60), tmp_path / "best.onnx"
    names = ("boxes", "scores"), ("found", "best", "labels")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            draw(2, 90, 3),
            str(path),
            dynamo=False,
            opset_version=18,
            input_names=list(names[0]),
            output_names=list(names[1]),
            dynamic_axes={name: {0: "batch"} for name in (*names[0], *names[1])},
        )
    graph = load_graph(path)
    for batch in (1, 3):
        boxes, scores = draw(batch, 90, 3, seed=batch)
        own = module(boxes, scores)
        answers = graph({"boxes": boxes.numpy(), "scores": scores.numpy()})
        for row in range(batch):
            assert_same(told((*answers.values(),), row), told(own, row))  # type: ignore[arg-type]
            assert told(own, row)
        nothing = graph({"boxes": boxes.numpy(), "scores": np.zeros_like(scores.numpy())})
        assert not nothing["best"].any()
        assert nothing["found"].shape == answers["found"].shape
