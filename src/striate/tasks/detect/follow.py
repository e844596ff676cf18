"""Boxes after their picture was moved."""

from __future__ import annotations

import torch
from torch import Tensor

from striate.errors import UsageError
from striate.nn.augment.plan import Plan
from striate.ops.moving import outline_of

__all__ = ["follow_boxes"]

_SEEN = 0.3
"""Part of a box that must still be in the picture for it to be looked for."""


def follow_boxes(targets: dict[str, Tensor], plan: Plan, *, oriented: bool) -> dict[str, Tensor]:
    """Boxes (B, M, 4) and angles (B, M), taken along by `plan`; those that left are label −1.

    Upright boxes stay upright, around the moved ellipse within (see `ops.moving.move_boxes`), and what
    reaches outside is cut off at the edge. With `oriented` a box keeps its sides and is turned with the
    picture; slanted or in perspective it becomes the nearest rectangle. A `UsageError` for AugMix, which
    shows an object in several places.
    """
    _refuse_mixtures(plan)
    height, width = plan.size_hw
    limit = targets["boxes"].new_tensor([width, height, width, height])
    if oriented:
        corners = _moved(_corners(targets["boxes"], targets["angles"]), plan)  # (B, M, 4, 2)
        whole = _bounds(corners)
    else:
        whole = _upright(targets["boxes"], plan)
    inside = torch.minimum(whole.clamp_min(0), limit)
    seen = _area(inside) >= _SEEN * _area(whole)
    large = (inside[..., 2:] - inside[..., :2]).amin(dim=2) >= 1.0
    boxes, angles = _of_corners(corners) if oriented else (inside, targets["angles"])
    labels = torch.where(seen & large, targets["labels"], -1)
    followed = targets | {"boxes": boxes, "angles": angles, "labels": labels}
    if "proposals" in targets:
        followed["proposals"] = _proposals(targets["proposals"], plan, limit)
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


def _upright(boxes: Tensor, plan: Plan) -> Tensor:
    """Upright boxes (B, M, 4) around the moved ellipses within upright boxes: `move_boxes`, in torch."""
    middle, half = (boxes[..., 2:] + boxes[..., :2]) / 2, (boxes[..., 2:] - boxes[..., :2]) / 2
    outline = torch.from_numpy(outline_of("ellipse")).to(boxes)
    return _bounds(_moved(middle[..., None, :] + half[..., None, :] * outline, plan))


def _bounds(points: Tensor) -> Tensor:
    """The smallest upright boxes (B, M, 4) around points (B, M, K, 2)."""
    return torch.cat([points.amin(dim=2), points.amax(dim=2)], dim=2)


def _proposals(proposals: Tensor, plan: Plan, limit: Tensor) -> Tensor:
    """Upright boxes (B, P, 4), taken along and cut off at the edges; all zeros stay so."""
    cut = torch.minimum(_upright(proposals, plan).clamp_min(0), limit)
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
