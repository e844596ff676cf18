"""Moving pixels: mirror and shift by gathering, everything else by one interpolated affine warp.

Both paths continue a picture beyond its border by reflecting it about its edge (… b a | a b …), so
that a mask warped with the same matrix shows the same content.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from striate.nn.augment.affine import invert_affine
from striate.nn.augment.bending import WAVES, Elastic
from striate.pictures.resize import PAD_GREY
from striate.types import Array

__all__ = ["bend_pictures", "shift_pictures", "warp_masks", "warp_pictures"]


def shift_pictures(pixels: Tensor, matrix: Array) -> Tensor:
    """Mirrored and shifted by whole pixels: uint8 (B, H, W, 3) → uint8 (B, 3, H, W), channels last.

    `matrix` (B, 2, 3) must do no more than that.
    """
    count, height, width, channels = pixels.shape
    back = invert_affine(matrix)
    device = pixels.device
    rows = _source(back[:, 1, 1], back[:, 1, 2], height).to(device)
    columns = _source(back[:, 0, 0], back[:, 0, 2], width).to(device)
    first = torch.arange(count, device=device)[:, None, None] * height
    places = (first + rows[:, :, None]) * width + columns[:, None, :]  # (B, H, W)
    flat = pixels.reshape(-1, channels)
    moved = flat.index_select(0, places.view(-1))
    return moved.view(count, height, width, channels).permute(0, 3, 1, 2)


def warp_pictures(pixels: Tensor, matrix: Array, *, reflect: bool = True) -> Tensor:
    """Any affine warp, bilinear: uint8 (B, H, W, 3) → float32 (B, 3, H, W), 0 … 255.

    Beyond a picture lies its mirror image, or, without `reflect`, the grey of padded pictures.
    """
    height, width = pixels.shape[1:3]
    planes = pixels.permute(0, 3, 1, 2).float()
    if not len(planes):
        return planes
    return _sampled(planes, _grid(matrix, height, width, pixels.device), reflect=reflect)


def _grid(matrix: Array, height: int, width: int, device: torch.device) -> Tensor:
    """Where the pixels of results (B, H, W, 2) come from, -1 and 1 being the edges; float32.

    Pointwise, unlike torch's own: half the time, and alike in any batch.
    """
    back = invert_affine(matrix)
    found = torch.empty((len(back), height, width, 2), device=device)
    for axis, side in enumerate((width, height)):
        places = back[:, axis] * (2.0 / side)  # (B, 3)
        along = places[:, :1] * (np.arange(width) + 0.5) + (places[:, 2:] - 1.0)
        down = places[:, 1:2] * (np.arange(height) + 0.5)
        parts = (torch.from_numpy(one).to(device, torch.float32) for one in (along, down))
        across, below = parts
        torch.add(across[:, None, :], below[:, :, None], out=found[..., axis])
    return found


def bend_pictures(
    pixels: Tensor,
    matrix: Array,
    perspective: Array | None,
    elastic: Elastic | None,
    *,
    reflect: bool = True,
) -> Tensor:
    """`warp_pictures` with a tilt (B, 3, 3) and an elastic distortion after the affine part."""
    height, width = pixels.shape[1:3]
    device = pixels.device
    planes = pixels.permute(0, 3, 1, 2).float()
    x = (torch.arange(width, device=device) + 0.5)[None, None, :]
    y = (torch.arange(height, device=device) + 0.5)[None, :, None]
    if elastic is not None:
        x, y = _displaced(x, y, elastic)
    affine = np.concatenate([matrix, np.tile([[[0.0, 0.0, 1.0]]], (len(matrix), 1, 1))], axis=1)
    whole = affine if perspective is None else perspective @ affine
    back = torch.from_numpy(np.linalg.inv(whole)).to(device, torch.float32)
    # pointwise on purpose: a batched matrix product may round differently in another batch size
    rows = [back[:, row, :, None, None].unbind(dim=1) for row in range(3)]
    across, down, depth = (a * x + b * y + c for a, b, c in rows)
    grid = torch.stack(
        [across / depth * (2.0 / width) - 1.0, down / depth * (2.0 / height) - 1.0], dim=3
    )
    return _sampled(planes, grid, reflect=reflect)


def _displaced(x: Tensor, y: Tensor, elastic: Elastic) -> tuple[Tensor, Tensor]:
    """Where an elastic distortion takes its pixels from: x and y, (B, H, W)."""
    height, width = elastic.size_hw
    weights = torch.from_numpy(elastic.weights).to(x.device, torch.float32)
    along = [torch.sin(x * (np.pi * wave / width)) for wave in range(1, WAVES + 1)]
    down = [torch.sin(y * (np.pi * wave / height)) for wave in range(1, WAVES + 1)]
    moved = []
    for axis, places in enumerate((x, y)):
        found = places.expand(len(weights), height, width).clone()
        for k in range(WAVES):
            part = sum(weights[:, axis, j, k, None, None] * along[j] for j in range(WAVES))
            found.addcmul_(torch.as_tensor(part), down[k])
        moved.append(found)
    return moved[0], moved[1]


def _sampled(planes: Tensor, grid: Tensor, *, reflect: bool) -> Tensor:
    if reflect:
        return F.grid_sample(
            planes, grid, mode="bilinear", padding_mode="reflection", align_corners=False
        )
    # torch pads with zeros: make zero the grey
    moved = F.grid_sample(
        planes - PAD_GREY, grid, mode="bilinear", padding_mode="zeros", align_corners=False
    )
    return moved + PAD_GREY


def warp_masks(masks: Array, matrix: Array) -> Array:
    """Whole-number masks (B, H, W) of any dtype, taken along by nearest neighbour; same dtype."""
    count, height, width = masks.shape
    back = invert_affine(matrix)  # (B, 2, 3)
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    source = (
        back[:, :, 0, None, None] * x
        + back[:, :, 1, None, None] * y[:, None]
        + back[:, :, 2, None, None]
    )  # (B, 2, H, W): x, y
    columns = _reflected(np.floor(source[:, 0]).astype(np.int64), width)
    rows = _reflected(np.floor(source[:, 1]).astype(np.int64), height)
    return masks[np.arange(count)[:, None, None], rows, columns]


def _source(slope: Array, offset: Array, side: int) -> Tensor:
    """Along one axis, the source of every output pixel: int64 (B, side)."""
    centres = slope[:, None] * (np.arange(side) + 0.5) + offset[:, None]
    return torch.from_numpy(_reflected(np.floor(centres).astype(np.int64), side))


def _reflected(places: Array, side: int) -> Array:
    """Places beyond 0 … side-1, reflected about the edges as often as needed."""
    wrapped = np.mod(places, 2 * side)
    found: Array = np.where(wrapped < side, wrapped, 2 * side - 1 - wrapped)
    return found
