"""Non-maximum suppression that a graph can hold: torch for training, one ONNX operator in use."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchvision.ops import nms

__all__ = ["best_of"]


class _Suppress(torch.autograd.Function):
    """(boxes (B, N, 4), scores (B, K, N)) → rows (M, 3): picture, class, box of what stays."""

    @staticmethod
    def forward(
        ctx: Any, boxes: Tensor, scores: Tensor, most: int, iou_threshold: float, score_threshold: float
    ) -> Tensor:
        found = []
        for picture in range(boxes.shape[0]):
            for label in range(scores.shape[1]):
                rows = torch.nonzero(scores[picture, label] > score_threshold)[:, 0]
                kept = nms(boxes[picture, rows], scores[picture, label, rows], iou_threshold)[:most]
                chosen = rows[kept]
                where = torch.tensor([picture, label], device=boxes.device).expand(len(chosen), 2)
                found.append(torch.cat([where, chosen[:, None]], dim=1))
        return torch.cat(found) if found else torch.zeros(0, 3, dtype=torch.long, device=boxes.device)

    @staticmethod
    def symbolic(
        g: Any, boxes: Any, scores: Any, most: int, iou_threshold: float, score_threshold: float
    ) -> Any:
        constants = [
            g.op("Constant", value_t=torch.tensor([most])),
            g.op("Constant", value_t=torch.tensor([iou_threshold])),
            g.op("Constant", value_t=torch.tensor([score_threshold])),
        ]
        return g.op("NonMaxSuppression", boxes, scores, *constants)


def best_of(
    boxes: Tensor,
    scores: Tensor,
    *,
    most: int,
    iou_threshold: float,
    score_threshold: float,
    agnostic: bool = False,
    considered: int = 1000,
) -> tuple[Tensor, Tensor, Tensor]:
    """The answers of a picture: boxes (B, M, D), scores (B, M), labels int64 (B, M), best first.

    `boxes` float32 (B, N, D): xyxy, and perhaps more that is passed on; `scores` float32 (B, N, K). Of
    the `considered` likeliest places, those that overlap a better one of their class (of any, if
    `agnostic`) by more than `iou_threshold` are dropped, and those that score no more than
    `score_threshold`. M is fixed; free rows score 0.
    """
    likeliest = scores.amax(dim=2)  # (B, N)
    if boxes.shape[1] > considered:
        _, rows = likeliest.topk(considered, dim=1)
        boxes = boxes.gather(1, rows[..., None].expand(-1, -1, boxes.shape[2]))
        scores = scores.gather(1, rows[..., None].expand(-1, -1, scores.shape[2]))
    by_class = scores.permute(0, 2, 1)  # (B, K, N)
    judged = by_class.amax(dim=1, keepdim=True) if agnostic else by_class
    stays = _stays(boxes[..., :4], judged, most, iou_threshold, score_threshold)  # (B, K or 1, N)
    if agnostic:  # only the best class of a place may answer
        stays = stays * (by_class == judged)
    flat = (by_class * stays).flatten(1)  # (B, K·N)
    best, rows = flat.topk(min(most, flat.shape[1]), dim=1)
    places = rows % boxes.shape[1]
    labels = torch.div(rows, boxes.shape[1], rounding_mode="floor")
    found = boxes.gather(1, places[..., None].expand(-1, -1, boxes.shape[2]))
    return found * (best > 0)[..., None], best, labels


def _stays(
    boxes: Tensor, scores: Tensor, most: int, iou_threshold: float, score_threshold: float
) -> Tensor:
    """1 where a box stays, else 0; float (B, K, N)."""
    chosen = _Suppress.apply(boxes, scores, most, iou_threshold, score_threshold)
    picture, label, box = chosen.unbind(dim=1)
    places = (picture * scores.shape[1] + label) * scores.shape[2] + box
    flat = torch.zeros_like(scores).flatten()
    return flat.scatter(0, places, torch.ones_like(places, dtype=scores.dtype)).view(scores.shape)
