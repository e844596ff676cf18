"""Boxes after their picture was moved."""

from __future__ import annotations

import torch
from torch import Tensor

from striate.nn.augment.plan import Plan

__all__ = ["follow_boxes"]

_SEEN = 0.3
"""Part of a box that must still be in the picture for it to be looked for."""


def follow_boxes(targets: dict[str, Tensor], plan: Plan) -> dict[str, Tensor]:
    """Boxes (B, M, 4) and angles (B, M), taken along by `plan.matrix`; those that left are label −1.

    Upright boxes stay upright: the smallest that holds the moved corners. A turned box keeps its sides
    and is turned with the picture. What reaches outside is cut off at the edge.
    """
    matrix = torch.from_numpy(plan.matrix).to(targets["boxes"])  # (B, 2, 3)
    boxes, angles = targets["boxes"], targets["angles"]
    turned = angles != 0
    moved_angles = angles
    corners = _corners(boxes, angles)  # (B, M, 4, 2)
    there = torch.einsum("bij,bmkj->bmki", matrix[:, :, :2], corners) + matrix[:, None, None, :, 2]
    low, high = there.amin(dim=2), there.amax(dim=2)
    upright = torch.cat([low, high], dim=2)
    moved = upright
    if bool(turned.any()):
        moved_turned, moved_angles = _of_corners(there)
        moved = torch.where(turned[..., None], moved_turned, upright)
        moved_angles = torch.where(turned, moved_angles, angles)
    height, width = plan.size_hw
    limit = moved.new_tensor([width, height, width, height])
    inside = torch.minimum(upright.clamp_min(0), limit)
    seen = _area(inside) >= _SEEN * _area(upright)
    large = (inside[..., 2:] - inside[..., :2]).amin(dim=2) >= 1.0
    cut = torch.where(turned[..., None], moved, inside)
    labels = torch.where(seen & large, targets["labels"], -1)
    followed = targets | {"boxes": cut, "angles": moved_angles, "labels": labels}
    if "proposals" in targets:
        followed["proposals"] = _followed(targets["proposals"], matrix, limit)
    return followed


def _followed(proposals: Tensor, matrix: Tensor, limit: Tensor) -> Tensor:
    """Upright boxes (B, P, 4), taken along and cut off at the edges; all zeros stay so."""
    corners = _corners(proposals, torch.zeros_like(proposals[..., 0]))
    there = torch.einsum("bij,bmkj->bmki", matrix[:, :, :2], corners) + matrix[:, None, None, :, 2]
    moved = torch.cat([there.amin(dim=2), there.amax(dim=2)], dim=2)
    cut = torch.minimum(moved.clamp_min(0), limit)
    size = cut[..., 2:] - cut[..., :2]
    real = (proposals[..., 2:] > proposals[..., :2]).all(dim=2) & (size >= 1).all(dim=2)
    return cut * real[..., None]


def _area(boxes: Tensor) -> Tensor:
    size = (boxes[..., 2:] - boxes[..., :2]).clamp_min(0)
    return size[..., 0] * size[..., 1]


def _corners(boxes: Tensor, angles: Tensor) -> Tensor:
    """Top left, top right, bottom right, bottom left of the box itself, turned; (B, M, 4, 2)."""
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2
    half = (boxes[..., 2:] - boxes[..., :2]) / 2
    signs = boxes.new_tensor([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    flat = half[..., None, :] * signs
    radians = torch.deg2rad(angles)[..., None]
    cos, sin = radians.cos(), radians.sin()
    x = flat[..., 0] * cos - flat[..., 1] * sin
    y = flat[..., 0] * sin + flat[..., 1] * cos
    return middle[..., None, :] + torch.stack([x, y], dim=-1)


def _of_corners(corners: Tensor) -> tuple[Tensor, Tensor]:
    """Boxes (B, M, 4) and angles (B, M), degrees in [−90, 90), of moved corners (B, M, 4, 2)."""
    middle = corners.mean(dim=2)
    along, down = corners[:, :, 1] - corners[:, :, 0], corners[:, :, 3] - corners[:, :, 0]
    half = torch.stack([along.norm(dim=-1), down.norm(dim=-1)], dim=-1) / 2
    angle = torch.rad2deg(torch.atan2(along[..., 1], along[..., 0]))
    return torch.cat([middle - half, middle + half], dim=-1), (angle + 90) % 180 - 90
