"""Boxes after their picture was moved."""

from __future__ import annotations

import torch
from torch import Tensor

from striate.errors import UsageError
from striate.nn.augment.plan import Plan

__all__ = ["follow_boxes"]

_SEEN = 0.3
"""Part of a box that must still be in the picture for it to be looked for."""
_ON_EDGE = 8
"""Points an edge that are followed through an elastic distortion."""


def follow_boxes(targets: dict[str, Tensor], plan: Plan) -> dict[str, Tensor]:
    """Boxes (B, M, 4) and angles (B, M), taken along by `plan`; those that left are label −1.

    Upright boxes stay upright: the smallest that holds the moved corners, or, where a picture is
    distorted elastically, the moved edges. A turned box keeps its sides and is turned with the picture;
    slanted or in perspective it becomes the nearest rectangle. What reaches outside is cut off at the
    edge. A `UsageError` for AugMix, which shows an object in several places.
    """
    _refuse_mixtures(plan)
    boxes, angles = targets["boxes"], targets["angles"]
    turned = angles != 0
    moved_angles = angles
    there = _moved(_corners(boxes, angles), plan)  # (B, M, 4, 2)
    upright = _hull(boxes, angles, there, plan)
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
        followed["proposals"] = _followed(targets["proposals"], plan, limit)
    return followed


def _refuse_mixtures(plan: Plan) -> None:
    if plan.mixture is not None:
        raise UsageError(
            "augmix blends versions of a picture that were moved differently: boxes cannot follow",
            expected="a policy whose moves boxes follow: randaugment or trivialaugment",
        )


def _moved(points: Tensor, plan: Plan) -> Tensor:
    """Points (B, M, K, 2), taken along by everything that moves pixels."""
    if not plan.bends:
        matrix = torch.from_numpy(plan.matrix).to(points)  # (B, 2, 3)
        return torch.einsum("bij,bmkj->bmki", matrix[:, :, :2], points) + matrix[:, None, None, :, 2]
    flat = points.flatten(start_dim=1, end_dim=2).cpu().numpy()
    return torch.from_numpy(plan.move_points(flat)).to(points).reshape(points.shape)


def _hull(boxes: Tensor, angles: Tensor, corners: Tensor, plan: Plan) -> Tensor:
    """The smallest upright boxes (B, M, 4) around moved boxes, whose moved `corners` are given.

    Straight edges stay straight but for elastic distortion: there they are followed point by point.
    """
    outline = corners if plan.elastic is None else _moved(_outline(_corners(boxes, angles)), plan)
    return torch.cat([outline.amin(dim=2), outline.amax(dim=2)], dim=2)


def _outline(corners: Tensor) -> Tensor:
    """Points along the edges between corners (B, M, 4, 2), those included: (B, M, 4 · n, 2)."""
    parts = torch.linspace(0, 1, _ON_EDGE + 1, device=corners.device)[:-1, None]
    nexts = corners.roll(-1, dims=2)
    edges = corners[..., None, :] * (1 - parts) + nexts[..., None, :] * parts
    return edges.flatten(start_dim=2, end_dim=3)


def _followed(proposals: Tensor, plan: Plan, limit: Tensor) -> Tensor:
    """Upright boxes (B, P, 4), taken along and cut off at the edges; all zeros stay so."""
    flat = torch.zeros_like(proposals[..., 0])
    moved = _hull(proposals, flat, _moved(_corners(proposals, flat), plan), plan)
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
