"""R-CNN's second stage: classifiers and box adjustment solved on fixed vectors of regions.

As in Girshick et al. 2014, section 2.3 and appendices B and C: when the network has been fine-tuned,
its vectors of all regions are computed once. Linear support vector machines are fitted to them with
hard negatives, and each class learns by ridge regression how its boxes must move.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping

import numpy as np
import torch
from torch import Tensor

from striate.tasks.detect.methods.gathered import NEAR, Regions, regions_of
from striate.tasks.detect.methods.margins import Machine, fit_machine
from striate.tasks.detect.methods.regions import Rcnn
from striate.tasks.detect.network import Detector
from striate.types import Array

__all__ = ["ridge", "solve_boxes", "solve_classes", "solve_regions"]

_RIGHT, _APART = 0.5, 0.3
"""A region that overlaps an object by half has found it; one below `_APART` is a negative."""
_LOOKING = 0.6
"""Share of the time that computing vectors takes; the rest is solving."""
_LEAST = 20
"""A class with fewer regions near its objects keeps its learnt boxes."""
_RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Candidates of the ridge, per region, on vectors of unit variance."""


def solve_regions(
    detector: Detector,
    pixels: Array,
    encoded: Mapping[str, Tensor],
    *,
    device: torch.device,
    seconds: float | None = None,
) -> Generator[float, None, list[str]]:
    """Solve what can be of a trained R-CNN, in place; what is worth telling.

    `pixels` uint8 (N, H, W, 3); `encoded`: their truths and proposals, as the recipe encodes them. With
    the classifier "softmax" only the boxes are solved. Yields the share that is done. `seconds`: what it
    may take; with little, fewer regions serve.
    """
    head = detector.head
    assert isinstance(head, Rcnn)
    apart = head.judged_apart
    allowed = None if seconds is None else seconds * _LOOKING
    regions = yield from regions_of(
        detector, pixels, encoded, device=device, near_only=not apart, seconds=allowed
    )
    if not len(regions):
        return []
    told = []
    if len(regions) < regions.of:
        told.append(f"of {regions.of} regions an even {len(regions)} serve to solve what follows")
    told += solve_boxes(head, regions)
    yield _LOOKING + 0.1
    return told + ((yield from solve_classes(head, regions)) if apart else [])


# -- boxes --------------------------------------------------------------------------------------------


def solve_boxes(head: Rcnn, regions: Regions) -> list[str]:
    """Ridge regression of the box adjustment, class by class; it replaces what the network learnt where
    boxes of held-out pictures come to overlap their objects by more."""
    near = regions.overlaps.max(axis=1, initial=0.0) > NEAR
    layer = head.regions.box_predictor.bbox_pred
    learnt: list[float] = []
    solved: list[float] = []
    better = 0
    for label in range(len(head.facts.names)):
        own = near & (regions.label == label)
        fitted, held = (
            np.flatnonzero(own & ~regions.held),
            np.flatnonzero(own & regions.held & ~regions.truth),
        )
        if len(fitted) < _LEAST or len(held) < _LEAST // 4:
            continue
        rows = slice(4 * (label + 1), 4 * (label + 2))
        before = _overlap(head, regions, held, layer.weight[rows], layer.bias[rows])
        tried = [(*_solution(head, regions, fitted, one), one) for one in _RIDGES]
        after, chosen = max((_overlap(head, regions, held, w, b), one) for w, b, one in tried)
        learnt.append(before)
        solved.append(max(before, after))
        if after > before:
            better += 1
            weight, bias = _solution(head, regions, np.flatnonzero(own), chosen)
            with torch.no_grad():
                layer.weight[rows], layer.bias[rows] = weight.to(layer.weight), bias.to(layer.bias)
    if not solved:
        return ["too few regions lie near objects to solve the box adjustment: it stays as trained"]
    return [_told_of_boxes(better, len(solved), float(np.mean(learnt)), float(np.mean(solved)))]


def _told_of_boxes(better: int, tried: int, learnt: float, solved: float) -> str:
    classes = "class" if tried == 1 else "classes"
    if not better:
        return f"ridge regression moves boxes no better than the network learnt to ({tried} {classes})"
    return (
        f"box adjustment solved by ridge regression for {better} of {tried} {classes}: boxes of "
        f"held-out training pictures overlap their objects by {solved:.3f} rather than {learnt:.3f}"
    )


def _solution(head: Rcnn, regions: Regions, rows: Array, strength: float) -> tuple[Tensor, Tensor]:
    """Weight (4, D) and bias (4,) that move the regions at `rows` to their objects."""
    boxes, true_xyxy = (
        torch.from_numpy(one[rows]) for one in (regions.boxes_xyxy, regions.nearest_xyxy)
    )
    wanted = head.regions.box_coder.encode_single(true_xyxy, boxes).numpy()
    weight, bias = ridge(regions.vectors[rows], wanted, strength)
    return torch.from_numpy(weight), torch.from_numpy(bias)


def ridge(vectors: Array, wanted: Array, strength: float) -> tuple[Array, Array]:
    """Weight (T, D) and bias (T,), float32, that make `wanted` (N, T) of `vectors` (N, D): least squares
    plus N·`strength` times the squared weights on vectors of unit variance."""
    features, targets = vectors.astype(np.float64), wanted.astype(np.float64)
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    scaled = (features - mean) / spread
    gram = scaled.T @ scaled
    gram[np.diag_indices_from(gram)] += max(strength, 1e-9) * len(scaled)
    middle = targets.mean(axis=0)
    weight = np.linalg.solve(gram, scaled.T @ (targets - middle)).T / spread  # (T, D)
    return weight.astype(np.float32), (middle - weight @ mean).astype(np.float32)


@torch.no_grad()
def _overlap(head: Rcnn, regions: Regions, rows: Array, weight: Tensor, bias: Tensor) -> float:
    """Mean overlap of the regions at `rows` with their objects once they have been moved."""
    vectors = torch.from_numpy(regions.vectors[rows])
    boxes, true_xyxy = regions.boxes_xyxy[rows], regions.nearest_xyxy[rows]
    deltas = vectors @ weight.float().cpu().T + bias.float().cpu()
    moved = head.regions.box_coder.decode_single(deltas, torch.from_numpy(boxes)).numpy()
    low, high = np.maximum(moved[:, :2], true_xyxy[:, :2]), np.minimum(moved[:, 2:], true_xyxy[:, 2:])
    shared = np.maximum(high - low, 0).prod(axis=1)
    areas = (moved[:, 2:] - moved[:, :2]).prod(axis=1) + (true_xyxy[:, 2:] - true_xyxy[:, :2]).prod(
        axis=1
    )
    return float((shared / np.maximum(areas - shared, 1e-9)).mean())


# -- classes ------------------------------------------------------------------------------------------


def solve_classes(head: Rcnn, regions: Regions) -> Generator[float, None, list[str]]:
    """A support vector machine a class instead of the softmax; a sigmoid makes scores of margins.

    Yields the share that is done.
    """
    held = regions.held if regions.held.any() else np.ones(len(regions), bool)
    learnt = _judged(head, regions.vectors[held])
    machines: list[Machine] = []
    names = head.facts.names
    for label in range(len(names)):
        overlaps = regions.overlaps[:, label]
        fitted = ~regions.held
        machines.append(
            fit_machine(
                regions.vectors,
                positives=fitted & regions.truth & (regions.label == label),
                likely=fitted & (overlaps >= 0.7),
                negatives=fitted & (overlaps < _APART),
                judged=held,
                right=overlaps[held] >= _RIGHT,
            )
        )
        yield _LOOKING + 0.1 + (0.9 - _LOOKING) * (label + 1) / len(names)
    _write(head, machines)
    scores = _judged(head, regions.vectors[held])
    right = regions.overlaps[held] >= _RIGHT
    before, after = (_mean_precision(one, right) for one in (learnt, scores))
    rounds = max(one.rounds for one in machines)
    return [
        f"support vector machines for {len(names)} classes, fitted in up to {rounds} rounds: average "
        f"precision of regions {after:.3f} on held-out training pictures, {before:.3f} by softmax"
    ]


def _write(head: Rcnn, machines: list[Machine]) -> None:
    layer = head.regions.box_predictor.cls_score
    with torch.no_grad():
        layer.weight[0], layer.bias[0] = 0.0, 0.0
        for row, one in enumerate(machines, start=1):
            layer.weight[row] = torch.from_numpy(one.weight).to(layer.weight)
            layer.bias[row] = one.bias
        head.fitted.fill_(1.0)


@torch.no_grad()
def _judged(head: Rcnn, vectors: Array) -> Array:
    """Scores (R, K) as the head gives them."""
    layer = head.regions.box_predictor.cls_score
    logits = torch.from_numpy(vectors) @ layer.weight.float().cpu().T + layer.bias.float().cpu()
    found: Array = head.scores(logits.to(layer.weight.device))[:, 1:].cpu().numpy()
    return found


def _mean_precision(scores: Array, right: Array) -> float:
    """Average precision over classes that have right regions."""
    from sklearn.metrics import average_precision_score

    known = [label for label in range(right.shape[1]) if right[:, label].any()]
    found = [average_precision_score(right[:, label], scores[:, label]) for label in known]
    return float(np.mean(found)) if found else 0.0
